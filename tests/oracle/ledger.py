"""What a ledger with running balances says of itself, in the second opinion: every order of its rows is tried."""

from fractions import Fraction
from itertools import pairwise, permutations
from typing import Any

from tests.oracle.positions import FLOOR, Row

Place = tuple[str, str]


def broken(side: Any) -> set[Place]:
    """Return the assets and wallets of which rows are missing between others; none of a ledger that claims no whole."""
    if side["coverage"].get("movements", "none") != "total":
        return set()
    return {place for place, rows in _chains(side).items() if not _orders(rows)}


def denied(side: Any) -> set[Place]:
    """Return the balances that the newest row of a whole ledger contradicts."""
    if side["coverage"].get("movements", "none") != "total":
        return set()
    told = {(row["asset"], row["wallet"]): Fraction(row["total"]) for row in side["balances"]}
    chains = {place: rows for place, rows in _chains(side).items() if place in told}
    return {place for place, rows in chains.items() if all(abs(last - told[place]) > FLOOR for last in _last(rows))}


def _chains(side: Any) -> dict[Place, list[Row]]:
    chains: dict[Place, list[Row]] = {}
    for row in side["movements"]:
        if row.get("balance_after") is not None:
            rows = chains.setdefault((row["asset"], row["wallet"]), [])
            rows += [] if row in rows else [row]
    return chains


def _last(rows: list[Row]) -> set[Fraction]:
    """Return what the newest row may say: of rows of one instant that follow in more than one order any may be it."""
    newest = max(row["at"] for row in rows)
    last = {Fraction(row["balance_after"]) for row in rows if row["at"] == newest}
    return {Fraction(order[-1]["balance_after"]) for order in _orders(rows)} or last


def _orders(rows: list[Row]) -> list[tuple[Row, ...]]:
    """Return every order of the rows, the older before the newer, in which each follows from the one before it."""
    return [order for order in permutations(rows) if _in_time(order) and _follows(order)]


def _in_time(order: tuple[Row, ...]) -> bool:
    return all(first["at"] <= then["at"] for first, then in pairwise(order))


def _follows(order: tuple[Row, ...]) -> bool:
    pairs = pairwise(order)
    return all(
        Fraction(then["balance_after"]) - Fraction(first["balance_after"]) == _net(then) for first, then in pairs
    )


def _net(row: Row) -> Fraction:
    return Fraction(row["amount"]) - Fraction(row.get("fee") or 0)
