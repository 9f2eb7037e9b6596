"""The book began with a wrong balance: every movement since agrees, and the balance does not.

Evidence: both sides were read in full, no movement of this asset and wallet is in doubt, and the book adds up
by itself: its opening and its movements give its balance, where it has an opening. What is left was there
before the first of them. The exchange must have been asked for everything since the opening; of a book that lists
none, at least one movement must agree.

Not to be confused with a sum that the book got wrong (opening and movements do not give its balance), with
rows that were not read, with what was tolerated of movements that agree, or with an asset of which nothing
moved in the window: that every movement agrees says nothing there, and somebody may have written the balance
by hand.
"""

from collections.abc import Mapping
from decimal import Decimal

from gal_friday.domain import quantity
from gal_friday.domain.case import Case, Place, once
from gal_friday.domain.causes.evidence import Rest, net_of, told
from gal_friday.domain.finding import CannotTell, Differs, DiscrepancyType, Pending
from gal_friday.domain.instants import instant as written
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Kind, Movement
from gal_friday.domain.snapshot import Coverage, Side

_CONFLICT = DiscrepancyType.IDENTITY_CONFLICT
_SIDES: tuple[Side, ...] = ("internal", "exchange")


def recognise_rest(rest: Rest) -> str | None:
    """Return the sentence, where everything since the opening agrees."""
    if rest.place.kind is not Kind.BALANCES or not _seen_whole(rest.case) or not _adds_up(rest):
        return None
    if rest.place.name in _in_conflict(rest.case) or _tolerated(rest) == rest.residual:
        return None
    rows = rest.case.standing("internal", rest.place)
    since = f" since {written(rows[0].at)}" if rows else ""
    too = "little" if rest.residual > 0 else "much"
    return f"every movement{since} agrees: the book began with {told(rest.residual, rest.place.name)} too {too}"


@once
def _seen_whole(case: Case) -> bool:
    sides = (case.internal, case.exchange)
    doubts = (case.unlike[key] for key in case.unlike if key.kind in (Kind.MOVEMENTS, Kind.FILLS))
    return all(side.coverage.movements == Coverage.TOTAL for side in sides) and not any(
        isinstance(doubt, Pending | CannotTell) for doubt in doubts
    )


@once
def _in_conflict(case: Case) -> frozenset[str]:
    """Return the assets of which the book has a movement with two contents: which its balance holds nobody knows."""
    return frozenset(
        found.about
        for found in case.unlike.values()
        if isinstance(found, Differs) and found.key.kind is Kind.MOVEMENTS and _CONFLICT in _types_of(found)
    )


def _types_of(found: Differs) -> set[DiscrepancyType]:
    return {each.type for each in found.mismatches}


def _tolerated(rest: Rest) -> Decimal:
    """Return what the movements of both sides that agree differ by nevertheless, all together."""
    case = rest.case
    unlike = {key.name for key in case.unlike if key.kind is Kind.MOVEMENTS}
    events: dict[str, dict[str, list[Movement]]] = {}
    for side in _SIDES:
        for row in case.standing(side, rest.place):
            if unlike.isdisjoint((case.event_of(row), row.movement_id)):
                events.setdefault(case.event_of(row), {}).setdefault(side, []).append(row)
    both = [
        (net_of(told["internal"]), net_of(told["exchange"])) for told in events.values() if len(told) == len(_SIDES)
    ]
    return quantity.total(quantity.subtract(theirs, ours) for ours, theirs in both)


def _adds_up(rest: Rest) -> bool:
    """Say whether the book's own opening and movements give its balance, as far as it lists an opening."""
    rows = rest.case.standing("internal", rest.place)
    opened = [row.at for row in rows if row.kind == "opening"]
    if not opened:
        return rest.case.internal.since.movements is not None and _some_agree(rest)
    asked = rest.case.exchange.since.movements
    return (asked is None or asked <= min(opened)) and _held(rest.case).get(rest.place, ZERO) == net_of(rows)


def _some_agree(rest: Rest) -> bool:
    """Say whether both sides have a movement here, by its id or its event."""
    ours, theirs = (rest.case.standing(side, rest.place) for side in ("internal", "exchange"))
    names = {name for row in theirs for name in (row.movement_id, row.refers_to)} - {None}
    return any(row.movement_id in names or row.refers_to in names for row in ours)


@once
def _held(case: Case) -> Mapping[Place, Decimal]:
    """Return what the book says it holds in each place."""
    held: dict[Place, Decimal] = {}
    for row in case.internal.balances:
        place = Place(Kind.BALANCES, row.asset, row.wallet)
        held[place] = quantity.add(held.get(place, ZERO), row.total)
    return held
