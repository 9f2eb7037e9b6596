"""A second look: what would be called a discrepancy is asked for once more, by its own id.

A list can be behind, or lose a row between two of its pages; the answer about one id cannot. What the exchange
now says of a record replaces what its list said, also where it denies it. If it cannot be asked, its lists are
not taken as whole any more. Nothing here looks at the book, and nothing here decides.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.cut import Motion, in_motion
from gal_friday.domain.cut import Reading as Between
from gal_friday.domain.finding import Differs, ExchangeOnly, Finding, InternalOnly
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Fill, Kind, Movement, Order
from gal_friday.domain.snapshot import Coverage, Coverages, NotChecked, Snapshot
from gal_friday.ports.errors import ExchangeFailed
from gal_friday.ports.exchange import Exchange, Reading

_ASKED = (Kind.ORDERS, Kind.FILLS, Kind.MOVEMENTS)
_SEEN_MAX = 100
"""Records that the exchange has listed answer together; beyond this it is no matter of single records."""
_UNSEEN_MAX = 10
"""Ids that the exchange may deny can cost two calls each."""


class Looked(NamedTuple):
    """The exchange's side after the second look."""

    exchange: Snapshot
    motion: Motion
    findings: tuple[Finding, ...] | None = None
    """What comparing the sides gave, where nothing had to be asked for and so nothing changed."""


async def second_look(
    port: Exchange,
    internal: Snapshot,
    exchange: Snapshot,
    *,
    policy: Policy,
    reading: Between,
    only: Sequence[Kind],
    asked: Collection[str] = (),
) -> Looked:
    """Return the exchange's side as it is after asking again for whatever differs.

    *asked* are orders that were asked for by id already. Records of which there are too many to ask for stand as
    they were read.
    """
    motion = in_motion(internal, exchange, grace=policy.grace_of(exchange.exchange), reading=reading)
    findings = compare_snapshots(internal, exchange, policy=policy, only=only, motion=motion)
    seen = exchange
    for kind in _ASKED:
        ids = _candidates(findings, kind, asked)
        if ids:
            exchange = await _asked_again(port, exchange, kind, ids)
    if exchange is seen:
        return Looked(exchange, motion, findings)
    return Looked(exchange, in_motion(internal, exchange, grace=policy.grace_of(exchange.exchange), reading=reading))


def _candidates(findings: Sequence[Finding], kind: Kind, asked: Collection[str]) -> tuple[str, ...]:
    """Return the ids to ask for: of one record each, the legs of a fill go by the fill."""
    mine = [found for found in findings if found.key.kind == kind and not found.key.part]
    seen = [found.key.name for found in mine if isinstance(found, Differs | ExchangeOnly)]
    unseen = [found.key.name for found in mine if isinstance(found, InternalOnly) and found.key.name not in asked]
    return (*seen[:_SEEN_MAX], *unseen[:_UNSEEN_MAX])


async def _asked_again(port: Exchange, exchange: Snapshot, kind: Kind, ids: Sequence[str]) -> Snapshot:
    try:
        reading = await port.confirm(kind, ids)
    except ExchangeFailed as failure:
        return _in_doubt(exchange, kind, f"what differs could not be asked for again: {failure}")
    found = {_id(row): row for row in reading.rows}
    denied = set(ids) - found.keys() if reading.coverage == Coverage.TOTAL else set()
    rows = {_id(row): row for row in exchange.rows(kind) if _id(row) not in denied}
    rows |= {name: _kept_fee(row, rows.get(name)) for name, row in found.items()}
    return _with(exchange, kind, reading, rows)


def _in_doubt(exchange: Snapshot, kind: Kind, reason: str) -> Snapshot:
    coverage = {each.value: exchange.coverage.of(each) for each in (Kind.BALANCES, Kind.POSITIONS, *_ASKED)}
    coverage[kind.value] = Coverage.PARTIAL
    gap = NotChecked(kind, reason, "exchange")
    return replace(exchange, coverage=Coverages(**coverage), not_checked=(*exchange.not_checked, gap))


def _id(row: Any) -> str:
    match row:
        case Order():
            return row.name
        case Fill():
            return row.fill_id
        case Movement():
            return row.movement_id
        case _:
            raise AssertionError(f"{type(row).__name__} has no id to ask for")


def _kept_fee(row: Any, known: Any) -> Any:
    """Return the fill with the fee that the ledger told of it: the answer about one fill does not know it."""
    if isinstance(row, Fill) and isinstance(known, Fill) and row.fee is None:
        return replace(row, fee=known.fee, fee_asset=known.fee_asset, cost=known.cost)
    return row


def _with(exchange: Snapshot, kind: Kind, reading: Reading[Any], rows: dict[str, Any]) -> Snapshot:
    listed = dict.fromkeys(_id(row) for row in exchange.rows(kind))
    new = [name for name in rows if name not in listed]
    # Rows keep their places: those of one instant are in the order of their booking.
    ordered = [rows[name] for name in listed if name in rows] + [rows[name] for name in new]
    if new and kind is not Kind.ORDERS:
        ordered.sort(key=_time)
    fields: dict[str, Any] = {kind.value: tuple(ordered)}
    return replace(exchange, **fields, evidence=(*exchange.evidence, *reading.evidence))


def _time(row: Any) -> Any:
    return row.at
