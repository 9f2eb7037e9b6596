"""Did one side stop at some instant, so that everything after it is missing there?

Asked of both sides, and answered from the records alone: by their ids where both sides list them, by sums
where one side lists only balances.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from gal_friday.domain import quantity
from gal_friday.domain.case import Case, Lead, Place, once
from gal_friday.domain.causes.evidence import Rest, whose
from gal_friday.domain.compare.stake import net
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import FILL_LEG_KINDS, Fill, Kind, Movement
from gal_friday.domain.snapshot import Coverage, Side

EVENTS = 3
"""So many events have to be missing: one or two in a row are simply missed."""
PLACES = 2
"""So many balances have to say the same: rows of one asset add up to a difference by accident too easily."""


def _other(side: Side) -> Side:
    return "exchange" if side == "internal" else "internal"


@once
def last_record(case: Case, side: Side) -> datetime | None:
    """Return the instant of the newest fill or movement that this side has."""
    snapshot = case.snapshot(side)
    instants = (*(fill.at for fill in snapshot.fills), *(row.at for row in snapshot.movements))
    return max(instants, default=None)


@once
def events_after(case: Case, side: Side, instant: datetime) -> int:
    """Return how much the other side has after that instant that this side would have written down by itself.

    Fills of one order are one event. What this side never recorded before is none: a book that does not keep
    rewards has not stopped because some came.
    """
    other = case.snapshot(_other(side))
    keeps = {row.kind for row in case.snapshot(side).movements if row.at <= instant} - FILL_LEG_KINDS
    rows = (row for row in other.movements if row.at > instant and row.kind in keeps)
    fills = (fill for fill in other.fills if fill.at > instant and (side == "exchange" or _of_system(fill, case)))
    events = {row.refers_to or row.movement_id for row in rows} | {fill.order_id or fill.fill_id for fill in fills}
    return len(events)


def _of_system(fill: Fill, case: Case) -> bool:
    """Say whether the system placed the order; one placed after the book stopped shows by the client's id."""
    order = case.orders["exchange"].get(fill.order_id or "")
    return whose(fill, case) == "own" or (order is not None and order.client_order_id is not None)


def stopped_before(lead: Lead, case: Case, side: Side) -> datetime | None:
    """Return when this side stopped, if the lead is one of the many things that it lacks since then."""
    instant = last_record(case, side)
    if instant is None or lead.at <= instant or events_after(case, side, instant) < EVENTS:
        return None
    return instant


def rewound(rest: Rest, side: Side) -> datetime | None:
    """Return the instant up to which this side's balances are right, if they lack exactly what came later.

    Only for a side without movements of its own. Every balance that differs, two at least, must be explained by
    the same instant, every one that agrees must not have changed since, and enough events must lie after it.
    """
    if rest.place.kind is not Kind.BALANCES or rest.residual != rest.case.difference_at(rest.place):
        return None
    return _right_until(rest.case, side)


@once
def _right_until(case: Case, side: Side) -> datetime | None:
    other = _other(side)
    lists_nothing = case.snapshot(side).coverage.movements == Coverage.NONE
    if not lists_nothing or case.snapshot(other).coverage.movements != Coverage.TOTAL:
        return None
    lacking = _lacking(case, side)
    if len(lacking) < PLACES:
        return None
    fitting = list(_instants(case.snapshot(other).movements, lacking))
    return fitting[0] if len(fitting) == 1 else None


def _lacking(case: Case, side: Side) -> dict[Place, Decimal]:
    """Return what each place of this side lacks."""
    gaps = ((place, gap) for place, gap in case.differences.items() if place.kind is Kind.BALANCES and gap)
    return {place: gap if side == "internal" else quantity.negate(gap) for place, gap in gaps}


def _instants(rows: Iterable[Movement], lacking: dict[Place, Decimal]) -> Iterable[datetime]:
    """Yield the instants after which the rows add up, place by place, to exactly what is lacking."""
    missing, events = dict(lacking), set[str]()
    ordered = sorted(rows, key=lambda row: row.at, reverse=True)
    for newer, row in zip((None, *ordered), ordered, strict=False):
        if newer is not None and newer.at > row.at and len(events) >= EVENTS and not missing:
            yield row.at
        place = Place(Kind.BALANCES, row.asset, row.wallet)
        left = quantity.subtract(missing.pop(place, ZERO), net(row))
        if left:
            missing[place] = left
        events.add(row.refers_to or row.movement_id)
