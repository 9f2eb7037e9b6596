"""History: ledger rows and fills of a window, with the proofs that they are all.

The ledger is proven by its own running balances (K2), and where both lists were read each is held
against the other (K4). What is not proven makes the reading partial, with a reason.

Source: Kraken REST documentation, Get Ledgers Info, Get Trades History, Query Trades Info.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec import Struct

from gal_friday.adapters.kraken import wire
from gal_friday.adapters.kraken.breaks import breaks
from gal_friday.adapters.kraken.client import UnknownId, WrongArguments
from gal_friday.adapters.kraken.crosscheck import LAG, Window, fills_without_rows, some, trades_only_in_ledger
from gal_friday.adapters.kraken.endpoints import LEDGERS, QUERY_TRADES, TRADES_HISTORY, Endpoint
from gal_friday.adapters.kraken.paging import Collected, Page, collect
from gal_friday.adapters.kraken.parse_fills import Quotes, fill, with_ledger_fees, without_fees
from gal_friday.adapters.kraken.parse_movements import MovementReader
from gal_friday.adapters.kraken.session import Session, coverage_of, rows_inside
from gal_friday.adapters.kraken.trail import Trail
from gal_friday.adapters.kraken.wire import Row
from gal_friday.domain.chain import in_booking_order
from gal_friday.domain.records import Fill, Movement
from gal_friday.ports.exchange import Reading

Record = TypeVar("Record", Fill, Movement)

IDS_PER_CALL = 20
_IDS_MAX = 200


class LedgerRead(Struct, frozen=True):
    """A ledger reading and its window, kept for the fills of the same run."""

    window: Window
    movements: tuple[Movement, ...]
    complete: bool = True
    """Whether no row is missing: only then does a fill without a fee row have no fee."""


class FillsRead(Struct, frozen=True):
    """A reading of fills and its window, kept for the ledger of the same run."""

    window: Window
    fills: tuple[Fill, ...]


async def read_movements(
    session: Session, *, since: datetime, until: datetime, fills: FillsRead | None
) -> Reading[Movement]:
    """Return the ledger rows after *since* up to *until*, in booking order."""
    trail = session.trail()
    reader = MovementReader(session.names, LEDGERS.name)
    fetch = _pages(session, trail, LEDGERS, "ledger", (since, until), {}, reader.read)
    collected = await collect(fetch, what="ledger", progress=session.progress)
    booked = in_booking_order(_oldest_first(collected))
    rows = tuple(row for row in booked if since < row.at <= until)
    reasons = (
        collected.reasons + breaks(booked) + session.window_gaps(since, until) + _misdated(session, collected, until)
    )
    if fills is not None:
        reasons += _unbooked_fills(fills, LedgerRead(Window(since, until), rows))
    elif not rows:
        reasons += await _denied_by_trades(session, trail, since, until)
    return Reading(
        rows=rows,
        coverage=coverage_of(reasons),
        reasons=reasons,
        notes=trail.notes + collected.notes,
        evidence=trail.evidence,
        head=booked[-1].movement_id if booked else None,
    )


async def _denied_by_trades(session: Session, trail: Trail, since: datetime, until: datetime) -> tuple[str, ...]:
    """Return what speaks against a ledger without a row: nothing else would notice that it was not read (N1)."""
    quotes = Quotes(session.names)
    fetch = _pages(
        session, trail, TRADES_HISTORY, "trades", (since, until), {},
        lambda row, name: fill(row, name, quotes, TRADES_HISTORY.name),
    )  # fmt: skip
    newest = (await fetch(0)).rows.values()
    bare = fills_without_rows(tuple(newest), (), Window(since, until))
    return (f"the ledger shows nothing, and yet there were fills: {some(bare)}; run again",) if bare else ()


async def read_fills(session: Session, *, since: datetime, until: datetime, ledger: LedgerRead | None) -> Reading[Fill]:
    """Return the fills after *since* up to *until*, oldest first, with ledger fees where it was read."""
    trail = session.trail()
    quotes = Quotes(session.names)

    def read(row: Row, name: str) -> Fill:
        return fill(row, name, quotes, TRADES_HISTORY.name)

    exact = {"consolidate_taker": "false"}
    fetch = _pages(session, trail, TRADES_HISTORY, "trades", (since, until), exact, read)
    collected = await collect(fetch, what="fills", progress=session.progress)
    rows = [each for each in _oldest_first(collected) if since < each.at <= until]
    reasons = collected.reasons + session.window_gaps(since, until) + _misdated(session, collected, until)
    notes = collected.notes
    if ledger is None or not ledger.complete or ledger.window.since > since:
        notes += ("fees of fills are not known: Kraken's list estimates them, and the ledger was not read in full",)
    if ledger is None:
        rows = list(without_fees(rows))
    if ledger is not None:
        checked = await _held_against(ledger, rows, Window(since, until), session, trail)
        rows, reasons, notes = checked.rows, reasons + checked.reasons, notes + checked.notes
    return Reading(
        rows=tuple(rows),
        coverage=coverage_of(reasons),
        reasons=reasons,
        notes=trail.notes + notes,
        evidence=trail.evidence,
    )


def _pages(
    session: Session,
    trail: Trail,
    endpoint: Endpoint,
    inside: str,
    window: tuple[datetime, datetime],
    more: dict[str, str],
    read: Callable[[Row, str], Record],
) -> Callable[[int], Awaitable[Page[Record]]]:
    params = {**session.window_params(*window), **more}

    async def fetch(offset: int) -> Page[Record]:
        reply = await session.client.call(endpoint, {**params, "ofs": str(offset)})
        rows = rows_inside(reply, inside)
        trail.add(reply, len(rows))
        parsed = {name: read(row, name) for name, row in rows.items()}
        return Page(parsed, wire.whole_number(reply.result.get("count")))

    return fetch


def _oldest_first(collected: Collected[Record]) -> list[Record]:
    rows = list(collected.rows.values())
    # The sort is stable, so rows of one instant keep the order in which the exchange lists them.
    rows.reverse()
    rows.sort(key=_at)
    return rows


def _misdated(session: Session, collected: Collected[Record], until: datetime) -> tuple[str, ...]:
    """Return what speaks against an answer that goes on after the end that was asked for: it is about another time."""
    latest = until + max(timedelta(0), session.offset) + LAG
    later = sorted(name for name, row in collected.rows.items() if row.at > latest)
    return (f"rows from after the time that was asked for, which were left out: {some(later)}",) if later else ()


def _at(record: Fill | Movement) -> tuple[datetime, str]:
    # Kraken's times have a digit more than an instant: within a microsecond the text decides.
    return record.at, record.raw[1]


class _Checked(Struct):
    rows: list[Fill]
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


async def _held_against(
    ledger: LedgerRead, rows: list[Fill], window: Window, session: Session, trail: Trail
) -> _Checked:
    common = window.common(ledger.window)
    reasons: list[str] = []
    notes: list[str] = []
    absent = trades_only_in_ledger(rows, ledger.movements, common)
    if absent:
        found = await _trades_by_id(session, trail, absent[:_IDS_MAX])
        rows = sorted([*rows, *(each for each in found if window.since < each.at <= window.until)], key=_at)
        still = sorted(set(absent) - {each.fill_id for each in found})
        if found:
            notes.append(f"fills: {len(found)} were missing from the list and found by their id in the ledger")
        if still:
            reasons.append(f"the ledger shows trades that the list of fills lacks: {some(still)}; run again")
    bare = fills_without_rows(rows, ledger.movements, common)
    if bare:
        reasons.append(f"fills without any ledger row: {some(bare)}; the ledger may be behind, run again")
    charged = with_ledger_fees(rows, ledger.movements) if ledger.complete else without_fees(rows)
    return _Checked(list(charged), tuple(reasons), tuple(notes))


async def _trades_by_id(session: Session, trail: Trail, ids: Sequence[str]) -> list[Fill]:
    quotes = Quotes(session.names)
    found: list[Fill] = []
    for start in range(0, len(ids), IDS_PER_CALL):
        wanted = ids[start : start + IDS_PER_CALL]
        try:
            rows = await session.asked_for(QUERY_TRADES, wanted, trail)
        except (UnknownId, WrongArguments):
            continue
        found.extend(fill(row, name, quotes, QUERY_TRADES.name) for name, row in rows.items())
    return found


def _unbooked_fills(fills: FillsRead, ledger: LedgerRead) -> tuple[str, ...]:
    common = fills.window.common(ledger.window)
    reasons = []
    bare = fills_without_rows(fills.fills, ledger.movements, common)
    if bare:
        reasons.append(f"fills without any ledger row: {some(bare)}; run again")
    absent = trades_only_in_ledger(fills.fills, ledger.movements, common)
    if absent:
        reasons.append(f"the ledger shows trades that the list of fills lacks: {some(absent)}; run again")
    return tuple(reasons)
