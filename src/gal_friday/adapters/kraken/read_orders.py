"""Orders: all that are open, all that were closed since, and each that the book believes in.

Absent from a list is not canceled: an id of the book that no list shows is asked for by itself (N4).

Source: Kraken REST documentation, Get Open Orders, Get Closed Orders, Query Orders Info (50 ids a call).
"""

from collections.abc import Sequence
from datetime import datetime

from gal_friday.adapters.kraken import wire
from gal_friday.adapters.kraken.client import UnknownId, WrongArguments
from gal_friday.adapters.kraken.crosscheck import LAG, some
from gal_friday.adapters.kraken.endpoints import CLOSED_ORDERS, OPEN_ORDERS, QUERY_ORDERS
from gal_friday.adapters.kraken.paging import Collected, Page, collect
from gal_friday.adapters.kraken.parse_orders import order
from gal_friday.adapters.kraken.session import Session, coverage_of, rows_inside
from gal_friday.adapters.kraken.trail import Trail
from gal_friday.domain.records import Order
from gal_friday.ports.exchange import Reading

IDS_PER_CALL = 50
_ID_MAX = 40


async def read_orders(session: Session, *, since: datetime, known: Sequence[str]) -> Reading[Order]:
    """Return open, lately closed and *known* orders, each once, ordered by id."""
    trail = session.trail()
    open_rows = await session.rows(OPEN_ORDERS, {}, trail, "open")
    found = {name: order(row, name, session.names, OPEN_ORDERS.name) for name, row in open_rows.items()}
    closed = await _closed(session, trail, since)
    # After the open ones: an order that closed in between is in both, and the later word counts.
    found.update(closed.rows)
    missing = [name for name in dict.fromkeys(known) if name not in found]
    by_id, notes = await _by_id(session, trail, missing)
    found.update(by_id)
    reasons = closed.reasons + session.window_gaps(since, session.clock.now())
    if unlisted := sorted(name for name, each in by_id.items() if _should_be_listed(each, since, session.clock.now())):
        # Lists that lack what exists may lack orders that nobody knows to ask for.
        reasons += (f"orders that exist, and that no list of Kraken shows: {some(unlisted)}; run again",)
    return Reading(
        rows=tuple(found[name] for name in sorted(found)),
        coverage=coverage_of(reasons),
        reasons=reasons,
        notes=trail.notes + closed.notes + notes,
        evidence=trail.evidence,
    )


async def _closed(session: Session, trail: Trail, since: datetime) -> Collected[Order]:
    window = session.window_params(since, session.clock.now())

    async def fetch(offset: int) -> Page[Order]:
        reply = await session.client.call(CLOSED_ORDERS, {**window, "closetime": "close", "ofs": str(offset)})
        rows = rows_inside(reply, "closed")
        trail.add(reply, len(rows))
        parsed = {name: order(row, name, session.names, CLOSED_ORDERS.name) for name, row in rows.items()}
        return Page(parsed, wire.whole_number(reply.result.get("count")))

    all_closed = await collect(fetch, what="closed orders", progress=session.progress)
    inside = {
        name: each for name, each in all_closed.rows.items() if each.updated_at is None or each.updated_at > since
    }
    return Collected(inside, all_closed.reasons, all_closed.notes)


async def _by_id(session: Session, trail: Trail, ids: Sequence[str]) -> tuple[dict[str, Order], tuple[str, ...]]:
    """Return those of *ids* that exist, and a note on each that Kraken does not know."""
    askable = [name for name in ids if _can_be_asked(name)]
    found: dict[str, Order] = {}
    for start in range(0, len(askable), IDS_PER_CALL):
        found.update(await _asked(session, trail, askable[start : start + IDS_PER_CALL]))
    # One more look at those that an answer left out without a word.
    left_out = [name for name in askable if name not in found]
    for start in range(0, len(left_out), IDS_PER_CALL):
        found.update(await _asked(session, trail, left_out[start : start + IDS_PER_CALL]))
    notes = [f"order {name}: this is no id of Kraken, it was not asked for" for name in ids if name not in askable]
    notes += [f"order {name}: Kraken does not know this id" for name in askable if name not in found]
    return found, tuple(notes)


async def _asked(session: Session, trail: Trail, ids: Sequence[str]) -> dict[str, Order]:
    """Ask for these ids together; where one of them spoils the answer, for each half by itself."""
    try:
        rows = await session.asked_for(QUERY_ORDERS, ids, trail, more={"trades": "true"})
    except (UnknownId, WrongArguments):
        if len(ids) == 1:
            return {}
        middle = len(ids) // 2
        return {
            **await _asked(session, trail, ids[:middle]),
            **await _asked(session, trail, ids[middle:]),
        }
    return {name: order(row, name, session.names, QUERY_ORDERS.name) for name, row in rows.items()}


def _should_be_listed(order: Order, since: datetime, now: datetime) -> bool:
    if order.status in ("open", "pending"):
        # One that was placed since the list was read, or a moment before, is in no list yet.
        return order.opened_at is None or order.opened_at < now - LAG
    return order.updated_at is not None and since < order.updated_at < now - LAG


def _can_be_asked(name: str) -> bool:
    # A comma would turn one id into two, and a long text is no id of Kraken.
    return 0 < len(name) <= _ID_MAX and name.isascii() and name.replace("-", "").isalnum()
