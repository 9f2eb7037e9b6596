"""Keys of open discrepancies that no record of this comparison stands under any more.

A key can vanish because the thing is gone, because nobody could look, or because it goes by another name
now: a book that learned the exchange's id, a position that is compared net where it was compared by lots.
Only the first is agreement (I7); the last is whatever the other name says.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from gal_friday.domain.assets import Asset
from gal_friday.domain.compare import balances, positions
from gal_friday.domain.compare.holds import holds_of
from gal_friday.domain.compare.orders import identity, is_changing
from gal_friday.domain.compare.view import View, why_not_covered
from gal_friday.domain.finding import Agrees, CannotTell, Finding, Key, Pending
from gal_friday.domain.records import Kind, Movement
from gal_friday.domain.snapshot import Coverage, Side, Snapshot

_OUTSIDE = "it lies outside the window that was read"
_SOURCES = {"holds": Kind.BALANCES, "order": Kind.ORDERS, "client": Kind.ORDERS, "ledger": Kind.MOVEMENTS}
"""About which records a contradiction of one side is, by the first word of its key."""


def of_watched(view: View, findings: Iterable[Finding], watched: Iterable[Key], only: Sequence[Kind]) -> list[Finding]:
    """Return one finding for every watched key of the kinds in *only* that has none yet.

    Of a mapping, the values say from when on records were read when the key was last seen to differ: a window
    that begins no later would still show them. None, and keys without a value, need everything from the beginning.
    """
    wanted = dict(watched) if isinstance(watched, Mapping) else dict.fromkeys(watched)
    if not wanted:
        return []
    found = {finding.key: finding for finding in findings}
    missing = [key for key in sorted(wanted.keys() - found.keys()) if _record_kind(key) in only]
    return [_judged(view, key, wanted[key], found) for key in missing]


def _record_kind(key: Key) -> Kind:
    """Return with which kind of record this key is compared."""
    match key.kind:
        case Kind.HOLDS:
            return Kind.BALANCES
        case Kind.SOURCES:
            return _SOURCES.get(key.name.partition(":")[0], Kind.SOURCES)
        case kind:
            return kind


def _judged(view: View, key: Key, start: datetime | None, found: dict[Key, Finding]) -> Finding:
    if key.kind == Kind.SOURCES:
        return _contradiction(view, key, start)
    elsewhere = sorted({other for other in _other_names(view, key) if other in found})
    if not elsewhere:
        return _absent_on_both(view, key, start)
    if all(isinstance(found[other], Agrees) for other in elsewhere):
        return Agrees(key)
    return Pending(key, f"judged as {', '.join(map(str, elsewhere))} now")


def _other_names(view: View, key: Key) -> Iterator[Key]:
    """Yield the keys under which what this key stands for may be judged instead."""
    rows = (view.internal, view.exchange)
    match key.kind:
        case Kind.ORDERS if key.part:
            named = (order for side in rows for order in side.orders if order.client_order_id == key.name)
            yield from (Key(Kind.ORDERS, *identity(order)) for order in named)
        case Kind.MOVEMENTS:
            yield from _of_movement(key, [row for side in rows for row in side.movements])
        case Kind.POSITIONS:
            held = [[row for row in side.positions if row.instrument == key.name] for side in rows]
            # Lot by lot on both sides: a lot that neither lists is closed, whatever the others do.
            if not all(side and positions.all_lots(side) for side in held):
                parts = {row.position_id or "" for side in held for row in side} | {"net", "long", "short"}
                yield from (Key(Kind.POSITIONS, key.name, part) for part in parts)
        case _:
            return


def _of_movement(key: Key, rows: Sequence[Movement]) -> Iterator[Key]:
    meant = [row for row in rows if key.name == row.movement_id or _stands_for(key, row)]
    events = {(row.refers_to or row.movement_id, row.asset, row.wallet) for row in meant}
    for row in rows:
        event = (row.refers_to or row.movement_id, row.asset, row.wallet)
        if row.movement_id == key.name or event in events:
            place = f"{row.asset}:{row.wallet}"
            yield Key(Kind.MOVEMENTS, row.movement_id)
            yield Key(Kind.MOVEMENTS, event[0], place)
            yield Key(Kind.MOVEMENTS, event[0], f"{place}:{row.kind}")


def _stands_for(key: Key, row: Movement) -> bool:
    return row.refers_to == key.name and key.part.startswith(f"{row.asset}:{row.wallet}")


def _contradiction(view: View, key: Key, start: datetime | None) -> Finding:
    """What one side contradicted is no contradiction any more, if that side was seen whole."""
    side: Side = "internal" if key.part == "internal" else "exchange"
    kind = _record_kind(key)
    if kind == Kind.SOURCES:
        return CannotTell(key, "this was not looked at", side)
    snapshot = view.snapshot(side)
    kinds = (kind, Kind.FILLS) if kind == Kind.ORDERS else (kind,)
    gap = next((gap for each in kinds if (gap := _gap(snapshot, key, each, start))), None)
    if gap is None and kind == Kind.ORDERS and is_changing(view, side, key.name):
        return Pending(key, "changed while it was read; the next run will tell", view.motion.until(key.name))
    return gap or Agrees(key)


def _absent_on_both(view: View, key: Key, start: datetime | None) -> Finding:
    """Both sides lack it: that is agreement only where both were seen whole, from early enough on (I7)."""
    for snapshot in (view.internal, view.exchange):
        gap = _gap(snapshot, key, key.kind, start)
        if gap is not None:
            return gap
        doubt = _doubt(snapshot, key)
        if doubt:
            return CannotTell(key, doubt, snapshot.side)
    return Agrees(key)


def _gap(snapshot: Snapshot, key: Key, kind: Kind, start: datetime | None) -> CannotTell | None:
    if snapshot.coverage.of(kind) != Coverage.TOTAL:
        return CannotTell(key, why_not_covered(snapshot, kind), snapshot.side)
    since = snapshot.since.of(kind)
    if since is not None and (start is None or since > start):
        return CannotTell(key, _OUTSIDE, snapshot.side)
    return None


def _doubt(snapshot: Snapshot, key: Key) -> str:
    match key.kind:
        case Kind.BALANCES:
            return balances.doubt(snapshot, Asset(key.name))
        case Kind.HOLDS:
            holds = holds_of(snapshot)
            silent = not holds.said or key.name in holds.unsaid
            return f"the {snapshot.side} side does not say what is held" if silent else ""
        case Kind.POSITIONS:
            return positions.doubt(snapshot, key.name)
        case _:
            return ""
