"""A second opinion on what a book must be after runs that may repair it, from the documents alone.

What the exchange's records prove is put right by those records: what the book lacks is booked, what it has twice is
taken back once, what it has otherwise becomes what the exchange has. What the exchange denies, and an order that the
book does not know, wait for a person. What no record explains is forced only where it is small and worth little.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from tests.oracle.naive import LEGS, Side, contents, fee_asset, net
from tests.oracle.positions import FLOOR, Row

PRICE = {"USD": 1, "XRP": 2, "ETH": 2}
OPENING = Fraction(1_000)
ENDED = ("canceled", "rejected", "expired")
PLUG_SHARE, PLUG_VALUE = Fraction(1, 1000), 10


def wrong_in(book: Side, ours: Side, theirs: Side) -> Iterator[str]:
    """Yield what is not as it must be in a book that began as *ours* and was held against *theirs*."""
    doubtful = _denied(ours, theirs) | {row["asset"] for row in theirs["balances"] if _beyond(row, theirs)}
    for kind, name in (("fills", "fill_id"), ("movements", "movement_id"), ("orders", "order_id")):
        sides = [_told(side, kind) for side in (book, ours, theirs)]
        for each in sorted({row[name] for some in sides for row in some}):
            held, before, real = ([_terms(row) for row in some if row[name] == each] for some in sides)
            assets = {asset for some in sides for row in some if row[name] == each for asset in _assets(row)}
            right = _right(kind, before, real, doubtful=bool(assets & doubtful))
            if sorted(held, key=str) not in [sorted(one, key=str) for one in right]:
                yield f"{kind} {each}: the book has {held}, and must have one of {right}"
    yield from _positions(book)
    for row in theirs["balances"]:
        yield from _balance(row, book, theirs, alone=_same(row["asset"], ours, theirs))


def _told(side: Side, kind: str) -> list[Row]:
    """Return what a side tells of a kind: of movements those that neither follow from fills nor stand for others."""
    return [row for row in side[kind] if row.get("kind") not in (*LEGS, "opening", "plug")]


def _same(asset: str, ours: Side, theirs: Side) -> bool:
    """Say whether the records of both sides are the same, as far as they move this asset."""
    sides = [sorted(str(_terms(row)) for row in _every(side) if asset in _assets(row)) for side in (ours, theirs)]
    return sides[0] == sides[1]


def _beyond(row: Row, theirs: Side) -> Fraction:
    """Return what a balance of the exchange has that no record explains."""
    moved = [net(one) for one in contents(theirs["movements"]) if one["asset"] == row["asset"]]
    return Fraction(row["total"]) - OPENING - sum(moved, Fraction(0))


def _denied(ours: Side, theirs: Side) -> set[str]:
    """Return the assets of what only the book has: nobody knows whether it may still come."""
    known = {row["refers_to"] for row in theirs["movements"]}
    return {row["asset"] for row in ours["movements"] if row["refers_to"] not in known}


def _right(kind: str, before: list[Any], real: list[Any], *, doubtful: bool) -> list[list[Any]]:
    """Return what the book may have under one id."""
    if kind == "orders" and not before:
        return [[]]
    if not real:
        # Whether an order that the exchange does not know is ended without a person nobody promises.
        return [before, *([(*before[0][:1], end, before[0][2])] for end in ENDED)] if kind == "orders" else [before]
    # A balance of which a part is unexplained proves nothing about the rest: that waits for a person.
    return [real, before] if doubtful else [real]


def _terms(row: Row) -> tuple[Any, ...]:
    if "fill_id" in row:
        amounts = (Fraction(row["quantity"]), Fraction(row["price"]), Fraction(row.get("fee") or 0), fee_asset(row))
        return row["instrument"], row["side"], *amounts
    if "movement_id" in row:
        return row["asset"], row.get("wallet", "spot"), net(row)
    return row["instrument"], row["status"], Fraction(row["filled"])


def _assets(row: Row) -> set[str]:
    return {row["asset"]} if "asset" in row else {*row["instrument"].split("/")}


def _balance(row: Row, book: Side, theirs: Side, *, alone: bool) -> Iterator[str]:
    """Add up what the book has now: beyond that it may only hold what is small, and what nothing else explains."""
    asset, beyond = row["asset"], _beyond(row, theirs)
    held = next((Fraction(one["total"]) for one in book["balances"] if one["asset"] == asset), Fraction(0))
    told = OPENING + sum((moved for one in _every(book) for name, moved in _moves(one) if name == asset), Fraction(0))
    small = abs(beyond) <= PLUG_SHARE * abs(Fraction(row["total"])) and abs(beyond) * PRICE[asset] <= PLUG_VALUE
    forced = beyond if small and abs(beyond) > FLOOR else Fraction(0)
    if all(abs(held - told - one) > FLOOR for one in ({forced} if alone else {forced, Fraction(0)})):
        yield f"{asset}: the book has {float(held)} with records of {float(told)}, and must force {float(forced)}"


def _positions(book: Side) -> Iterator[str]:
    """Add up the margin fills that the book has now: its positions are that, and nothing else."""
    fills = [fill for fill in book["fills"] if fill.get("margin")]
    for instrument in sorted({fill["instrument"] for fill in fills}):
        mine = [fill for fill in fills if fill["instrument"] == instrument]
        told = sum((Fraction(one["quantity"]) * (1 if one["side"] == "buy" else -1) for one in mine), Fraction(0))
        held = sum(
            (Fraction(one["quantity"]) for one in book["positions"] if one["instrument"] == instrument), Fraction(0)
        )
        if held != told:
            yield f"{instrument}: the book has {float(held)}, and fills of {float(told)}"


def _every(book: Side) -> list[Row]:
    return [*book["fills"], *_told(book, "movements")]


def _moves(row: Row) -> list[tuple[str, Fraction]]:
    """Return what one record moves: the base, the cost and the fee of a fill."""
    if "movement_id" in row:
        return [(row["asset"], net(row))]
    fee = (fee_asset(row), -Fraction(row.get("fee") or 0))
    if row.get("margin"):
        return [fee]
    base, quote = row["instrument"].split("/")
    size = Fraction(row["quantity"]) * (1 if row["side"] == "buy" else -1)
    return [(base, size), (quote, -size * Fraction(row["price"])), fee]
