"""The embedded book, fed by trading systems that push, and shown.

What is answered is in the book and on the disk. A batch is taken whole or refused whole; delivering it again changes
nothing, because every record is known by its own id and content.
"""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from gal_friday.api.answers import fresh
from gal_friday.api.backend import Backend
from gal_friday.api.bodies import json_bytes
from gal_friday.api.documented import said, takes
from gal_friday.api.guard import backend_of, meant
from gal_friday.api.once import Key, once
from gal_friday.api.problem import Problem
from gal_friday.api.pushes import Fills, Movements, Orders, SnapshotFile
from gal_friday.api.security import caller
from gal_friday.api.shapes import BookShown, Delivered
from gal_friday.domain.access import Permission
from gal_friday.domain.pushed import Pushed, PushedKind, read_pushed
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Coverage, Scales, Snapshot
from gal_friday.domain.snapshot_json import read_snapshot
from gal_friday.flows.door import Caller
from gal_friday.flows.standing import AccountInfo
from gal_friday.ports.book import Appended

router = APIRouter(prefix="/api/book", tags=["book"])

Feeder = Annotated[Caller, Depends(caller(Permission.FEED))]
Reader = Annotated[Caller, Depends(caller(Permission.READ))]


@router.post("/fills", **said(Delivered), **takes(Fills))
async def fills(request: Request, who: Feeder, idempotency_key: Key = None) -> Response:
    """Add fills to the book of an account."""
    return await _pushed(request, who, "fills", idempotency_key)


@router.post("/movements", **said(Delivered), **takes(Movements))
async def movements(request: Request, who: Feeder, idempotency_key: Key = None) -> Response:
    """Add movements to the book of an account."""
    return await _pushed(request, who, "movements", idempotency_key)


@router.post("/orders", **said(Delivered), **takes(Orders))
async def orders(request: Request, who: Feeder, idempotency_key: Key = None) -> Response:
    """Add the states that orders have now to the book of an account."""
    return await _pushed(request, who, "orders", idempotency_key)


@router.post("/snapshots", **said(Delivered), **takes(SnapshotFile))
async def snapshots(request: Request, who: Feeder, idempotency_key: Key = None) -> Response:
    """Begin the book of an account with a snapshot of everything, or add its records to a book that has begun."""
    backend = backend_of(request)
    snapshot = read_snapshot(await json_bytes(request), source="body")
    info = _fed(backend, who, snapshot.account)
    if snapshot.side != "internal" or snapshot.exchange != info.exchange:
        detail = f"it has to be the internal side of {info.name!r} at {info.exchange}"
        raise Problem(422, "bad-snapshot", "Another snapshot is expected", detail)

    async def work() -> Response:
        return fresh(_delivered(info, await _taken(backend, info, snapshot)))

    return await once(request, backend, who, idempotency_key, work)


@router.get("/{account}", **said(BookShown))
async def book(request: Request, who: Reader, account: str) -> Response:
    """Show what the embedded book of an account adds up to."""
    backend = backend_of(request)
    info = meant(backend, who, Permission.READ, account)
    _check_embedded(info)
    if await backend.book.version(info.name) is None:
        raise Problem(404, "no-book", "The book has not begun", f"push records of {info.name!r} to /api/book/…")
    held = await backend.book.snapshot(account=info.name, since=backend.clock.now(), scales=Scales())
    shown = BookShown(
        account=info.name,
        version=held.version or "0",
        as_of=held.as_of,
        balances=held.balances,
        positions=held.positions,
        orders=held.orders,
        notes=held.notes,
    )
    return fresh(shown)


async def _pushed(request: Request, who: Caller, kind: PushedKind, key: str | None) -> Response:
    backend = backend_of(request)
    pushed = read_pushed(await json_bytes(request), kind)
    info = _fed(backend, who, pushed.account)

    async def work() -> Response:
        return fresh(_delivered(info, await _appended(backend, info, pushed)))

    return await once(request, backend, who, key, work)


async def _appended(backend: Backend, info: AccountInfo, pushed: Pushed) -> Appended:
    return await backend.book.append(
        account=info.name,
        exchange=info.exchange,
        fills=pushed.fills,
        movements=pushed.movements,
        orders=pushed.orders,
    )


async def _taken(backend: Backend, info: AccountInfo, snapshot: Snapshot) -> Appended:
    begun = await backend.book.version(info.name) not in (None, "0")
    states_all = all(snapshot.coverage.of(kind) is Coverage.TOTAL for kind in (Kind.BALANCES, Kind.POSITIONS))
    if not begun and states_all:
        return await backend.book.open_with(snapshot)
    stated: Sequence[str] = [kind for kind in ("balances", "positions") if getattr(snapshot, kind)]
    if stated and not begun:
        detail = "the book begins with balances and positions that are stated in full: write their coverage as total"
        raise Problem(422, "bad-snapshot", "No book can begin so", detail)
    records = Pushed(
        account=info.name, fills=snapshot.fills, movements=snapshot.movements, orders=snapshot.orders
    )  # fmt: skip
    return await _appended(backend, info, records)


def _fed(backend: Backend, who: Caller, account: str) -> AccountInfo:
    info = meant(backend, who, Permission.FEED, account)
    _check_embedded(info)
    return info


def _check_embedded(info: AccountInfo) -> None:
    if info.book != "embedded":
        detail = f"the book of {info.name!r} is a file that the trading system writes; nothing can be pushed to it"
        raise Problem(409, "book-elsewhere", "The book is not kept here", detail)


def _delivered(info: AccountInfo, done: Appended) -> Delivered:
    return Delivered(
        account=info.name,
        version=done.version,
        new=done.new,
        already_known=done.already_known,
        gave_way=done.gave_way,
        replaced=done.replaced,
    )
