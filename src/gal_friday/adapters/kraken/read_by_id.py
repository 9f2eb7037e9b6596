"""Records by their own id: the second look at what the lists say, before anybody calls it a discrepancy.

Kraken refuses a whole question for one id that it does not know. Such a question is halved until it stands
alone: only a refusal of a single id denies that id (N4).

Source: Kraken REST documentation, Query Orders Info (50 ids a call), Query Trades Info and Query Ledgers (20).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from gal_friday.adapters.kraken.client import UnknownId, WrongArguments
from gal_friday.adapters.kraken.endpoints import LEDGERS, QUERY_LEDGERS, QUERY_ORDERS, QUERY_TRADES, Endpoint
from gal_friday.adapters.kraken.parse_fills import Quotes, fill, without_fees
from gal_friday.adapters.kraken.parse_movements import MovementReader
from gal_friday.adapters.kraken.parse_orders import order
from gal_friday.adapters.kraken.session import Session
from gal_friday.adapters.kraken.trail import Trail
from gal_friday.adapters.kraken.wire import Row
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Coverage
from gal_friday.ports.exchange import Reading

_ID = re.compile(r"[OTL][A-Z0-9]{5}(-[A-Z0-9]{5,6}){2}")
"""How Kraken writes ids of orders, trades and ledger rows."""


class _Question(Struct, frozen=True):
    """How one kind of record is asked for by id."""

    endpoint: Endpoint
    field: str
    most: int
    more: Mapping[str, str] = {}


_QUESTIONS = {
    Kind.ORDERS: _Question(QUERY_ORDERS, "txid", 50, {"trades": "true"}),
    Kind.FILLS: _Question(QUERY_TRADES, "txid", 20),
    Kind.MOVEMENTS: _Question(QUERY_LEDGERS, "id", 20),
}


async def read_by_id(session: Session, kind: Kind, ids: Sequence[str]) -> Reading[Any]:
    """Return those of *ids* that exist, in the order of the question. Every answer is about every id asked for."""
    trail = session.trail()
    question = _QUESTIONS[kind]
    askable = [name for name in dict.fromkeys(ids) if _ID.fullmatch(name)]
    rows: dict[str, Row] = {}
    for start in range(0, len(askable), question.most):
        rows |= await _asked(session, trail, question, askable[start : start + question.most])
    read = _reader(session, kind)
    found = tuple(read(rows[name], name) for name in askable if name in rows)
    return Reading(
        rows=without_fees(found) if kind is Kind.FILLS else found,
        coverage=Coverage.TOTAL,
        notes=trail.notes,
        evidence=trail.evidence,
    )


async def _asked(session: Session, trail: Trail, question: _Question, ids: Sequence[str]) -> dict[str, Row]:
    """Ask for these ids together; where the answer does not hold all of them, for each half by itself."""
    try:
        rows = await session.asked_for(question.endpoint, ids, trail, field=question.field, more=question.more)
    except (UnknownId, WrongArguments):
        rows = {}
    found = {name: rows[name] for name in ids if name in rows}
    left = [name for name in ids if name not in found]
    if not left or len(ids) == 1:
        return found
    middle = max(1, len(left) // 2)
    for part in (left[:middle], left[middle:]):
        found |= await _asked(session, trail, question, part) if part else {}
    return found


def _reader(session: Session, kind: Kind) -> Callable[[Row, str], Any]:
    if kind is Kind.ORDERS:
        return lambda row, name: order(row, name, session.names, QUERY_ORDERS.name)
    if kind is Kind.FILLS:
        quotes = Quotes(session.names)
        return lambda row, name: fill(row, name, quotes, QUERY_TRADES.name)
    return MovementReader(session.names, QUERY_LEDGERS.name).read


async def newest_row(session: Session) -> str | None:
    """Return the id of the newest ledger row, or None for an empty ledger.

    Source: Kraken REST documentation, Get Ledgers Info (newest first).
    """
    rows = await session.rows(LEDGERS, {}, session.trail(), "ledger")
    return next(iter(rows), None)
