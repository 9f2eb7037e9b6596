"""Accounts: how each stands, and whether runs of it are stopped."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from gal_friday.api.answers import fresh
from gal_friday.api.backend import Backend
from gal_friday.api.bodies import body_of
from gal_friday.api.discrepancies import Note
from gal_friday.api.documented import said, takes
from gal_friday.api.guard import backend_of, meant
from gal_friday.api.once import Key, once
from gal_friday.api.problem import Problem
from gal_friday.api.security import caller
from gal_friday.api.shapes import Accounts
from gal_friday.domain.access import Permission
from gal_friday.domain.facts import Actor
from gal_friday.domain.remark import note_of
from gal_friday.domain.schedule import Planned, Step, begun_with, paused, resumed
from gal_friday.flows.door import Caller
from gal_friday.flows.standing import Account, AccountInfo, standing_of
from gal_friday.flows.vitals import KeyLooked, Vitals, vitals_of
from gal_friday.ports.schedules import Schedules

router = APIRouter(prefix="/api/accounts", tags=["accounts"])

Reader = Annotated[Caller, Depends(caller(Permission.READ))]
Operator = Annotated[Caller, Depends(caller(Permission.OPERATE))]
_TRIES = 5


@router.get("", **said(Accounts))
async def accounts(request: Request, who: Reader) -> Response:
    """List the accounts, each with how its last run went and when the next one is due."""
    backend = backend_of(request)
    mine = [info for name, info in sorted(backend.accounts.items()) if who.sees(name)]
    listed = [await _account(backend, info) for info in mine]
    return fresh(Accounts(accounts=tuple(listed), count=len(listed)))


@router.get("/{account}", **said(Account))
async def account(request: Request, who: Reader, account: str) -> Response:
    """Show one account."""
    backend = backend_of(request)
    return fresh(await _account(backend, meant(backend, who, Permission.READ, account)))


@router.get("/{account}/vitals", **said(Vitals))
async def vitals(request: Request, who: Reader, account: str) -> Response:
    """Show what keeps an account's checks going: its key, its call budget, its stream, its schedule, and its gaps."""
    backend = backend_of(request)
    info = meant(backend, who, Permission.READ, account)
    return fresh(await vitals_of(backend.pages, backend.schedules, info.name, backend.live(info.name)))


@router.get("/{account}/preflight", **said(KeyLooked))
async def preflight(request: Request, who: Reader, account: str) -> Response:
    """Look at an account's key, exchange and book; who asks again within a minute gets the same, for it costs calls."""
    backend = backend_of(request)
    return fresh(await backend.look(meant(backend, who, Permission.READ, account).name))


@router.post("/{account}/pause", **said(Account), **takes(Note, required=False))
async def pause(request: Request, who: Operator, account: str, idempotency_key: Key = None) -> Response:
    """Stop the runs of an account; one that is under way goes on, and what is due meanwhile is told as missed."""
    because = note_of((await body_of(request, Note)).note)
    return await _stepped(request, who, account, idempotency_key, partial(paused, because=because))


@router.post("/{account}/resume", **said(Account))
async def resume(request: Request, who: Operator, account: str, idempotency_key: Key = None) -> Response:
    """Let the runs of an account go on; one is due at once."""
    return await _stepped(request, who, account, idempotency_key, resumed)


async def _stepped(
    request: Request, who: Caller, account: str, key: str | None, step: Callable[[Planned, Actor, datetime], Step]
) -> Response:
    backend = backend_of(request)
    info = meant(backend, who, Permission.OPERATE, account)
    if backend.schedules is None:
        raise Problem(409, "no-schedule", "Nothing is scheduled here", "this service runs nothing by itself")
    schedules = backend.schedules

    async def work() -> Response:
        await _saved(schedules, info.name, who.actor, backend.clock.now(), step)
        return fresh(await _account(backend, info))

    return await once(request, backend, who, key, work)


async def _saved(
    schedules: Schedules, account: str, by: Actor, now: datetime, step: Callable[[Planned, Actor, datetime], Step]
) -> None:
    for _ in range(_TRIES):
        planned = await schedules.one(account)
        if planned is None:
            await schedules.save(begun_with(account, now))
            continue
        if await schedules.save(step(planned, by, now)) is not None:
            return
    detail = "the schedule was changed at the same moment, again and again; try once more"
    raise Problem(409, "overtaken", "Somebody was faster", detail)


async def _account(backend: Backend, info: AccountInfo) -> Account:
    return await standing_of(backend.pages, backend.schedules, info)
