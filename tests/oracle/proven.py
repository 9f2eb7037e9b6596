"""A second opinion on why two small sides differ: every subset of what their records leave over is tried.

A *lead* is what one event moved on one side and not on the other: a row that is missing, told twice, or told
otherwise. The documents ask of an explanation that it adds up to the last digit, that it rests on such rows and on
nothing else where the rows decide, and that it is called by the name of what went wrong.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from itertools import combinations
from typing import Any, NamedTuple

from tests.oracle.naive import LEGS, LIVE, Said, Side, contents, net
from tests.oracle.positions import FLOOR, Row

_MISSED = {
    "deposit": "unbooked_deposit", "withdrawal": "unbooked_withdrawal", "reward": "reward",
    "exchange_adjustment": "exchange_adjustment",
}  # fmt: skip
_OTHERWISE = {"side": "wrong_side", "quantity": "wrong_amount", "price": "wrong_price", "fee": "unbooked_fee"}


class Lead(NamedTuple):
    """What one event does to one balance of the book, if it is put right."""

    ids: frozenset[str]
    effect: Fraction


def leads(ours: Side, theirs: Side) -> dict[tuple[str, str], list[Lead]]:
    """Return what the rows of the two sides leave over, by asset and wallet."""
    found: dict[tuple[str, str], list[Lead]] = {}
    rows = [*ours["movements"], *theirs["movements"]]
    for place in {(row["asset"], row["wallet"]) for row in rows}:
        for event in sorted({_event(row) for row in rows}):
            mine, other = ([row for row in side["movements"] if _is(row, place, event)] for side in (ours, theirs))
            # What the exchange lists twice it counts once; the book counts every copy.
            effect = sum(map(net, contents(other)), Fraction(0)) - sum(map(net, mine), Fraction(0))
            if effect:
                names = {row[name] for row in [*mine, *other] for name in ("movement_id", "refers_to") if row.get(name)}
                found.setdefault(place, []).append(Lead(frozenset(names), effect))
    return found


def leads_of_positions(ours: Side, theirs: Side) -> dict[str, list[Lead]]:
    """Return what the margin fills of the two sides leave over, by instrument."""
    found: dict[str, list[Lead]] = {}
    fills = [fill for side in (ours, theirs) for fill in side["fills"] if fill.get("margin")]
    for name in sorted({fill["fill_id"] for fill in fills}):
        mine, other = ([fill for fill in side["fills"] if fill["fill_id"] == name] for side in (ours, theirs))
        effect = sum(map(_size, contents(other)), Fraction(0)) - sum(map(_size, mine), Fraction(0))
        if effect:
            found.setdefault((mine or other)[0]["instrument"], []).append(Lead(frozenset({name}), effect))
    return found


def _size(fill: Row) -> Fraction:
    return Fraction(fill["quantity"]) * (1 if fill["side"] == "buy" else -1)


def _event(row: Row) -> str:
    return str(row["refers_to"] if row["kind"] in LEGS and row.get("refers_to") else row["movement_id"])


def _is(row: Row, place: tuple[str, str], event: str) -> bool:
    return (row["asset"], row["wallet"]) == place and _event(row) == event


def subsets(some: Sequence[Lead], difference: Fraction) -> list[tuple[Lead, ...]]:
    """Return every choice of leads that adds up to the difference."""
    every = (chosen for size in range(1, len(some) + 1) for chosen in combinations(some, size))
    return [chosen for chosen in every if sum(lead.effect for lead in chosen) == difference]


def wrong_in(bridge: Row, some: Sequence[Lead]) -> Iterator[str]:
    """Yield what is wrong in the explanation of one balance, given what its records leave over."""
    internal, exchange, residual = (Fraction(bridge[name]) for name in ("internal", "exchange", "residual"))
    items = bridge["items"]
    if internal + sum(Fraction(item["effect"]) for item in items) + residual != exchange:
        yield "it does not add up"
    difference, large = exchange - internal, [lead for lead in some if abs(lead.effect) > FLOOR]
    if sum(lead.effect for lead in some) == difference:
        # What is tolerated of a row that agrees is no reason to doubt the row: it may stay as a residual.
        tolerated = sum((abs(lead.effect) for lead in some if lead not in large), Fraction(0))
        if abs(residual) > tolerated:
            yield f"{residual} is left, and the records explain all of it"
        unnamed = [lead for lead in large if not any(lead.ids & _ids(item) for item in items)]
        yield from (f"nothing names {sorted(lead.ids)}" for lead in unnamed)
        # A deposit that only the book has may still come: it is a record, and nobody knows what is behind it.
        if not (bridge["proven"] or residual or any(item["cause"] == "unexplained" for item in items)):
            yield "it is not called proven, and the records prove it"
    elif not residual and not subsets(some, difference) and all(_rests(item) == "records" for item in items):
        yield "no choice of records adds up to the difference, and nothing is left"
    for item in items:
        named = [lead for lead in some if lead.ids & _ids(item)]
        if _rests(item) == "records" and sum(lead.effect for lead in named) != Fraction(item["effect"]):
            yield f"{sorted(_ids(item))} are said to move {item['effect']}, and do not"


def _ids(item: Row) -> set[str]:
    return {*item.get("record_ids", ()), item.get("event", "")} - {""}


def _rests(item: Row) -> str:
    return str(item.get("rests_on", "records"))


def explained_share(differing: Iterable[Row]) -> Fraction | None:
    """Return the share of the value of balances and positions that is explained to the end, by a known cause."""
    valued = [(Fraction(one["value"]), one) for one in differing if one.get("value") is not None]
    whole = sum((value for value, _ in valued), Fraction(0))
    explained = sum((value for value, one in valued if _to_the_end(one.get("bridge"))), Fraction(0))
    return explained / whole if whole else None


def _to_the_end(bridge: Any) -> bool:
    known = bridge and all(item["cause"] != "unexplained" for item in bridge["items"])
    return bool(known and bridge["items"] and not Fraction(bridge["residual"]))


def causes(ours: Side, theirs: Side, said: Said) -> dict[str, set[str]]:
    """Return by which names each must be called, for every record of which only one thing can have gone wrong."""
    named, stopped = {}, {"stale_book"} if _stopped(ours, theirs) else set()
    for key, (finding, told) in said.items():
        kind, name = key.split(":")[:2]
        cause = _NAMING[kind](ours, theirs, name, finding, told) if kind in _NAMING else None
        if cause:
            named[key] = {cause} | stopped
    return named


def _stopped(ours: Side, theirs: Side) -> bool:
    """Say whether everything that the book lacks came after everything that it has, and is more than one event."""
    known = {row.get("fill_id") or row["movement_id"] for row in [*ours["fills"], *ours["movements"]]}
    events = {row["refers_to"] for row in ours["movements"]}
    lacking = [
        row
        for row in [*theirs["fills"], *theirs["movements"]]
        if (row.get("fill_id") or row["movement_id"]) not in known and row.get("refers_to") not in events
    ]
    last = max((_time(row["at"]) for row in [*ours["fills"], *ours["movements"]]), default=None)
    if len({row.get("fill_id") or row["refers_to"] for row in lacking}) < 2 or last is None:
        return False
    return all(_time(row["at"]) >= last for row in lacking)


def _time(at: str) -> datetime:
    return datetime.fromisoformat(at)


def _fill(ours: Side, theirs: Side, name: str, finding: str, told: list[Row]) -> str | None:
    if finding == "exchange_only":
        (fill,) = contents(row for row in theirs["fills"] if row["fill_id"] == name)
        known = [row["order_id"] for row in ours["orders"]]
        return "missed_fill" if fill["order_id"] in known else None
    if finding != "differs" or len(told) != 1:
        return None
    if told[0]["type"] == "fill_duplicated":
        return "duplicated_fill"
    if told[0].get("field") == "fee" and told[0]["internal"]:
        return None
    return _OTHERWISE.get(told[0].get("field", ""))


def _movement(ours: Side, theirs: Side, name: str, finding: str, told: list[Row]) -> str | None:
    rows = [row for row in theirs["movements"] if row["movement_id"] == name]
    if not rows or any(row["kind"] in LEGS for row in rows):
        return None
    if finding == "exchange_only":
        return _MISSED[rows[0]["kind"]]
    if finding != "differs" or len(told) != 1:
        return None
    return "duplicated_movement" if told[0]["type"] == "movement_duplicated" else "wrong_amount"


def _order(ours: Side, theirs: Side, name: str, finding: str, told: list[Row]) -> str | None:
    if finding == "internal_only":
        (order,) = contents(row for row in ours["orders"] if row["order_id"] == name)
        return "ghost_order" if order["status"] in LIVE else None
    ended = finding == "differs" and [one.get("exchange") for one in told] == ["canceled"]
    return "missed_cancel" if ended and told[0].get("internal") in LIVE else None


_NAMING = {"fills": _fill, "movements": _movement, "orders": _order}
