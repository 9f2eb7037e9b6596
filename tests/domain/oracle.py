"""A naive second opinion on balances and fills, from the words of the contract alone.

It shares no code with what it judges: fractions for decimals, lists searched from end to end, everything
covered, nothing in motion, nothing unresolved. It says which keys agree, differ, or stand on one side.
"""

from fractions import Fraction
from typing import Any

FLOOR = Fraction(1, 10**8)


def expected_balances(ours: Any, theirs: Any) -> dict[str, str]:
    """Return what must be said of every asset in every wallet."""
    said = {}
    for row in [*ours, *theirs]:
        mine = [Fraction(r.total) for r in ours if (r.asset, r.wallet) == (row.asset, row.wallet)]
        other = [Fraction(r.total) for r in theirs if (r.asset, r.wallet) == (row.asset, row.wallet)]
        said[f"balances:{row.asset}:{row.wallet.value}"] = _amounts(mine, other)
    return said


def _amounts(mine: list[Fraction], other: list[Fraction]) -> str:
    if len(mine) > 1:
        return "told twice"  # with one content a duplicate, with two a conflict: never agreement
    if len(set(other)) > 1:
        return "told twice"
    gap = abs((other or [Fraction(0)])[0] - (mine or [Fraction(0)])[0])
    if gap <= FLOOR:
        return "agrees"
    return "differs" if mine and other else "internal only" if mine else "exchange only"


def expected_fills(ours: Any, theirs: Any) -> dict[str, str]:
    """Return what must be said of every fill id."""
    said = {}
    for row in [*ours, *theirs]:
        mine = [r for r in ours if r.fill_id == row.fill_id]
        other = [r for r in theirs if r.fill_id == row.fill_id]
        said[f"fills:{row.fill_id}"] = _fills(mine, other)
    return said


def _fills(mine: list[Any], other: list[Any]) -> str:
    if len(mine) > 1 or any(r != other[0] for r in other):
        return "told twice"
    if not (mine and other):
        return "internal only" if mine else "exchange only"
    return "agrees" if _alike(mine[0], other[0]) else "differs"


def _alike(a: Any, b: Any) -> bool:
    terms = (a.instrument, a.side, a.margin, a.price) == (b.instrument, b.side, b.margin, b.price)
    size = abs(Fraction(a.quantity) - Fraction(b.quantity)) <= FLOOR
    orders = None in (a.order_id, b.order_id) or a.order_id == b.order_id
    return terms and size and orders and _fees_alike(a, b)


def _fees_alike(a: Any, b: Any) -> bool:
    if a.fee is None or b.fee is None or a.fee == b.fee == 0:
        return True
    quotes = [row.fee_asset or row.instrument.split("/")[1] for row in (a, b)]
    return quotes[0] == quotes[1] and abs(Fraction(a.fee) - Fraction(b.fee)) <= FLOOR
