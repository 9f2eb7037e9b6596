"""Margin positions, as the second opinion sees them: in which parts they are compared, and what differs in one part."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

Row = dict[str, Any]
FLOOR = Fraction(1, 10**8)


def difference(kind: str, internal: Fraction, exchange: Fraction, field: str = "") -> Row:
    """Return what differs by how much: exchange − internal."""
    told: Row = {"type": kind, "internal": internal, "exchange": exchange, "difference": exchange - internal}
    return {**told, "field": field} if field else told


def parts(mine: list[Row], other: list[Row]) -> Iterator[tuple[str, list[Row], list[Row]]]:
    """Yield the finest parts that both sides speak: lot by lot, by direction, or net; each with what is open there."""
    modes = {row["mode"] for row in [*mine, *other]}
    if mine and other and modes == {"lot"}:
        for lot in sorted({row["position_id"] for row in [*mine, *other]}):
            ours, theirs = (_exposed([row for row in rows if row["position_id"] == lot]) for rows in (mine, other))
            yield lot, ours, theirs
    elif modes == {"lot"} and (_hedged(mine) or _hedged(other)):
        for part, sign in (("long", 1), ("short", -1)):
            ours, theirs = (_exposed([row for row in rows if _size(row) * sign > 0]) for rows in (mine, other))
            yield part, ours, theirs
    else:
        yield "net", _exposed(mine), _exposed(other)


def _size(row: Row) -> Fraction:
    return Fraction(row["quantity"])


def _hedged(rows: list[Row]) -> bool:
    """Say whether a side is long and short at once."""
    return len({_size(row) > 0 for row in rows if _size(row)}) > 1


def _exposed(rows: list[Row]) -> list[Row]:
    """Return rows taken together: their size, what they cost where all of them tell, whether any of them is open."""
    if not rows:
        return []
    told = all(row.get("average_price") for row in rows) and not _hedged(rows)
    costs = [_size(row) * Fraction(row["average_price"]) for row in rows] if told else []
    size, cost = sum(map(_size, rows), Fraction(0)), sum(costs, Fraction(0)) if told else None
    return [{"quantity": size, "cost": cost, "open": any(map(_size, rows))}]


def sizes(mine: Row, other: Row) -> list[Row]:
    """Return how two exposures differ: in size, or in what the same size cost."""
    ours, theirs = mine["quantity"], other["quantity"]
    if abs(theirs - ours) > FLOOR:
        kind = "side_mismatch" if ours * theirs < 0 else "quantity_mismatch"
        kind = kind if other["open"] else "position_missing_exchange"
        return [difference(kind if mine["open"] else "position_missing_internal", ours, theirs)]
    if None in (mine["cost"], other["cost"]) or not ours:
        return []
    # A tolerated difference in size is not to be told as another price.
    tolerated = max(FLOOR, abs(theirs - ours) * abs(mine["cost"] / ours))
    apart = abs(other["cost"] - mine["cost"]) > tolerated
    return [difference("cost_basis_mismatch", mine["cost"], other["cost"])] if apart else []
