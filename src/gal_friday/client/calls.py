"""What can be asked of a running service, each as a method. Amounts are ``Decimal``, instants aware; no float."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx2
import msgspec
from msgspec import Struct

from gal_friday.client.events import Event, events
from gal_friday.client.transport import Patience, Transport, decoded
from gal_friday.domain.gate import Gate
from gal_friday.domain.pushed import PushedKind, write_pushed
from gal_friday.domain.records import Fill, Movement, Order

_PATIENT = Patience()


class Delivered(Struct, frozen=True, kw_only=True):
    """What a push did; it is in the book and on the disk of the service."""

    account: str
    version: int
    new: int
    already_known: int
    gave_way: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()


class Status(Struct, frozen=True, kw_only=True):
    """How reconciliation stands."""

    last_run: datetime | None
    next_run: datetime | None
    consecutive_failures: int
    last_report: dict[str, Any] | None
    """Without the findings that agree; amounts are text."""


class Decided(Struct, frozen=True, kw_only=True):
    """An adjustment after a decision."""

    adjustment_id: str
    state: str


class _Page(Struct):
    discrepancies: tuple[dict[str, Any], ...]
    next_cursor: str | None = None


class Client:
    """A running service, called with one token. Use it as an async context manager."""

    def __init__(
        self, url: str, token: str, *, patience: Patience = _PATIENT, http: httpx2.AsyncClient | None = None
    ) -> None:
        """Open nothing yet. *http* is for whoever has a client of their own; it is closed with this one."""
        self._transport = Transport(url, token, patience, http)

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        await self._transport.http.aclose()

    async def push_fills(self, account: str, fills: Iterable[Fill], *, key: str | None = None) -> Delivered:
        """Add fills to the book of an account; sent again they change nothing.

        Raises:
            Problem: a record was refused; the message names its place.
            Unreachable: no answer; pushing the same again is safe.
        """
        return await self._pushed(account, "fills", fills, key)

    async def push_movements(self, account: str, movements: Iterable[Movement], *, key: str | None = None) -> Delivered:
        """Add movements to the book of an account; see ``push_fills``."""
        return await self._pushed(account, "movements", movements, key)

    async def push_orders(self, account: str, orders: Iterable[Order], *, key: str | None = None) -> Delivered:
        """Add the states that orders have now to the book of an account; see ``push_fills``."""
        return await self._pushed(account, "orders", orders, key)

    async def gate(
        self, account: str, instrument: str, *, max_age_seconds: int | None = None, first: bool = False
    ) -> Gate:
        """Ask whether trading may go on in this instrument. No answer is no yes: treat ``Unreachable`` as a no.

        Raises:
            Problem, Unreachable: nobody can tell.
        """
        params = {} if max_age_seconds is None else {"max_age": str(max_age_seconds)}
        path = f"/api/gate/{quote(account, safe='')}/{quote(instrument)}"
        answer: Gate = decoded(await self._transport.get(path, params | ({"first": "true"} if first else {})), Gate)
        return answer

    async def status(self, account: str | None = None) -> Status:
        """Return how the last run went, and when the next one is due."""
        answer: Status = decoded(await self._transport.get("/api/reconciliation/status", _named(account)), Status)
        return answer

    async def discrepancies(
        self, account: str | None = None, *, cleared: bool = False
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield discrepancies, the last seen first, page by page; amounts are text."""
        params = _named(account) | ({"cleared": "true"} if cleared else {})
        cursor: str | None = ""
        while cursor is not None:
            more = {"cursor": cursor} if cursor else {}
            page: _Page = decoded(await self._transport.get("/api/discrepancies", params | more), _Page)
            for one in page.discrepancies:
                yield one
            cursor = page.next_cursor

    async def approve(self, adjustment_id: str, *, content: str | None = None, note: str = "") -> Decided:
        """Approve an adjustment; with *content* only if it still posts what was looked at.

        Raises:
            Problem: it cannot be approved, or not by this token's owner.
        """
        body = msgspec.json.encode({"note": note, "content": content})
        path = f"/api/adjustments/{quote(adjustment_id, safe='')}/approve"
        answer: Decided = decoded(await self._transport.post(path, body), Decided)
        return answer

    async def run(self, account: str) -> dict[str, Any]:
        """Reconcile an account now, and return its report; it takes as long as reading the exchange does."""
        answer = decoded(await self._transport.post("/api/reconciliation/run", params={"account": account}), dict)
        report: dict[str, Any] = answer["report"]
        return report

    def events(self, *, after: int | None = None, account: str | None = None) -> AsyncGenerator[Event, None]:
        """Yield what happens, beginning with now or behind the event *after*, over as many connections as it takes."""
        return events(self._transport, after=after, account=account)

    async def _pushed(
        self, account: str, kind: PushedKind, records: Iterable[Fill | Movement | Order], key: str | None
    ) -> Delivered:
        given: Sequence[Fill | Movement | Order] = tuple(records)
        content = write_pushed(account, kind, given)
        answer: Delivered = decoded(await self._transport.post(f"/api/book/{kind}", content, key=key), Delivered)
        return answer


def _named(account: str | None) -> dict[str, str]:
    return {} if account is None else {"account": account}
