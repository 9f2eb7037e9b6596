"""The review queue: what differs, found by many filters, in any order, by root cause, and as a table of its own.

The database gives what it knows how to choose, up to a bound; the rest is chosen from that here, so that a page can be
put into any order and say how many there are. Where the bound was reached the page says so. Nothing here changes
anything.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.access import Permission
from gal_friday.domain.adjusted import Kept
from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.finding import DiscrepancyType
from gal_friday.domain.followed import Followed
from gal_friday.domain.materiality import Severity
from gal_friday.domain.review import Reason
from gal_friday.domain.reviewed import unreviewed
from gal_friday.domain.words import sort_of
from gal_friday.flows.door import Caller
from gal_friday.flows.standing import COUNTED
from gal_friday.web.filters import AGES, NOBODY, REVIEWS, WAITING, Filter, assets_of, filter_of, said_of
from gal_friday.web.frame import Visitor, house_of, new_router, rendered, theirs
from gal_friday.web.groups import Group, Roots, grouped, in_order, of_same_cause, roots_of, rows_in_order, worth_of
from gal_friday.web.house import House
from gal_friday.web.rows import Row
from gal_friday.web.sheet import table_of

ROWS = 40
"""Rows on one page."""
_REPORTS_EACH = 2
"""Reports of an account that are asked what its discrepancies come from: a partial run knows only its own."""
_REPORTS_MAX = 200
_DECIDED = tuple(one for one in AdjustmentState if one is not AdjustmentState.PROPOSED)
_PLACES = 10
"""With more than so many, the column of amounts is a wide one."""

router = new_router()

Wanted = Annotated[Filter, Depends(filter_of)]


class Read(Struct, frozen=True, kw_only=True):
    """What the database gave."""

    rows: tuple[Row, ...]
    cut_off: bool
    """Whether there is more than was looked at."""
    unknown: bool
    """Whether more adjustments wait for a decision than were looked at."""


@router.get("/discrepancies")
async def discrepancies(
    request: Request, who: Visitor, wanted: Wanted, page: Annotated[int, Query(ge=1, le=COUNTED)] = 1
) -> Response:
    """List discrepancies, as the address chooses."""
    house, now = house_of(request), house_of(request).clock.now()
    read = await _read(house, who, wanted)
    found = [row for row in read.rows if wanted.holds(row, now, who.actor.name)]
    groups = in_order(grouped(found, await _roots(house, found)), wanted)
    here = _page(groups, found, wanted, page)
    told = {
        "wanted": wanted,
        "page": page,
        "pages": max(1, -(-len(found) // ROWS)),
        "groups": here,
        "group_of": {row.followed.id: group for group in groups for row in group.rows},
        "wholes": {group.mark: group for group in groups},
        "proposals": _proposals(row for group in here for row in group.rows),
        "fine": any(_places(row) > _PLACES for group in here for row in group.rows),
        "count": len(found),
        "causes": len(groups),
        "worth": worth_of(groups),
        "read": len(read.rows),
        "cut_off": read.cut_off,
        "unknown": read.unknown,
        "counted_to": COUNTED,
        "options": _options(house, who, read.rows),
        "sorts": {one.value: sort_of(one) for one in DiscrepancyType},
        "shortcuts": _shortcuts(wanted, who),
        "reasons": [one.value for one in Reason],
        "may_review": who.allows(Permission.REVIEW),
        "may_approve": who.allows(Permission.APPROVE),
    }
    return rendered(request, who, "discrepancies.html", told, here="/discrepancies")


@router.get("/discrepancies.csv")
async def as_csv(request: Request, who: Visitor, wanted: Wanted) -> Response:
    """Give what the address chooses as a table for other programs, in its order, whatever the page."""
    house, now = house_of(request), house_of(request).clock.now()
    read = await _read(house, who, wanted)
    rows = rows_in_order((row for row in read.rows if wanted.holds(row, now, who.actor.name)), wanted)
    headers = {"Content-Disposition": 'attachment; filename="discrepancies.csv"'}
    return Response(table_of(rows), media_type="text/csv; charset=utf-8", headers=headers)


async def wrong(house: House, who: Caller, *, limit: int) -> Mapping[str, Any]:
    """Return what is open by cause, the gravest first, with what it is worth and what waits for a decision."""
    wanted = Filter(group="cause")
    read = await _read(house, who, wanted)
    groups = in_order(grouped(read.rows, await _roots(house, read.rows)), wanted)
    repaired = [row.followed for row in read.rows if row.is_repaired]
    return {
        "causes": groups[:limit],
        "causes_more": max(0, len(groups) - limit),
        "worth": worth_of(groups),
        "waiting": sum(not one.is_barred(who.actor.name) for one in _proposals(read.rows)),
        "repaired": len(repaired),
        "may_look": sorted({one.account for one in repaired if who.may(Permission.RUN, one.account)}),
        "cut_off": read.cut_off,
    }


async def elsewhere(house: House, followed: Followed) -> Sequence[Followed]:
    """Return what else is open and comes from the cause of this discrepancy."""
    roots = roots_of(await house.pages.reports((followed.account,), limit=_REPORTS_EACH))
    return of_same_cause(followed, await house.desk.store.open_discrepancies(followed.account), roots)


async def _read(house: House, who: Caller, wanted: Filter) -> Read:
    some = await house.pages.discrepancies(theirs(who, wanted.account), wanted.chosen(), limit=COUNTED + 1)
    found = some[:COUNTED]
    reviews = await house.desk.reviews.reviews(one.id for one in found)
    kept, unknown = await _adjustments(house, sorted({one.account for one in found}))
    of_it = _by_discrepancy(kept)
    rows = []
    for one in found:
        review = reviews.get(one.id) or unreviewed(one)
        said = said_of(one.latest, one.account, review.assignee, review.note)
        rows.append(Row(followed=one, review=review, adjustments=of_it.get(one.id, ()), said=said))
    return Read(rows=tuple(rows), cut_off=len(some) > COUNTED, unknown=unknown)


async def _adjustments(house: House, accounts: Sequence[str]) -> tuple[Iterable[Kept], bool]:
    """Return what waits for a decision and the newest of the rest, the newest first; and whether still more waits."""
    if not accounts:
        return (), False
    look = house.repairs.adjustments.adjustments
    waiting = await look(accounts=accounts, states=[AdjustmentState.PROPOSED], limit=COUNTED + 1)
    decided = await look(accounts=accounts, states=_DECIDED, limit=COUNTED)
    both = sorted((*waiting, *decided), key=lambda one: (one.adjustment.at, one.id), reverse=True)
    return both, len(waiting) > COUNTED


def _by_discrepancy(kept: Iterable[Kept]) -> Mapping[str, tuple[Kept, ...]]:
    found: dict[str, tuple[Kept, ...]] = {}
    for one in kept:
        for name in one.adjustment.discrepancies:
            found[name] = (*found.get(name, ()), one)
    return found


async def _roots(house: House, rows: Sequence[Row]) -> Roots:
    accounts = {row.followed.account for row in rows}
    if not accounts:
        return {}
    limit = min(_REPORTS_MAX, _REPORTS_EACH * len(accounts))
    return roots_of(await house.pages.reports(accounts, limit=limit))


def _page(groups: Sequence[Group], found: Sequence[Row], wanted: Filter, page: int) -> Sequence[Group]:
    """Return the groups of one page with the rows that stand on it; one group holds all where none are asked for."""
    begin, end = (page - 1) * ROWS, page * ROWS
    if not wanted.group:
        rows = tuple(rows_in_order(found, wanted)[begin:end])
        return [Group(mark="", cause="", note="", account="", value=None, rows=rows)] if rows else []
    here, passed = [], 0
    for one in groups:
        rows = one.rows[max(0, begin - passed) : max(0, end - passed)]
        passed += len(one.rows)
        if rows:
            here.append(replace(one, rows=rows))
    return here


def _places(row: Row) -> int:
    return 0 if row.followed.latest.difference is None else quantity.places(row.followed.latest.difference)


def _proposals(rows: Iterable[Row]) -> Sequence[Kept]:
    return tuple({one.id: one for row in rows for one in row.proposed}.values())


def _options(house: House, who: Caller, rows: Sequence[Row]) -> Mapping[str, Any]:
    """Return what can be chosen from, in each filter."""
    people = {row.assignee for row in rows if row.assignee} | {who.actor.name}
    return {
        "account": [name for name in sorted(house.accounts) if who.sees(name)],
        "severity": [one.value for one in reversed(Severity)],
        "type": [one.value for one in DiscrepancyType],
        "asset": sorted({asset for row in rows for asset in assets_of(row.followed.latest)}),
        "cause": sorted({row.cause or "not known" for row in rows}),
        "review": REVIEWS,
        "assignee": [NOBODY, *sorted(people)],
        "age": list(AGES),
    }


def _shortcuts(wanted: Filter, who: Caller) -> Sequence[tuple[str, str, bool]]:
    """Return the choices that are made most, each with its address, and whether it is the one of this page."""
    plain = wanted.cleared()
    made = {
        "All open": plain,
        "To decide": replace(plain, review=WAITING),
        "Mine": replace(plain, assignee=who.actor.name),
        "With nobody": replace(plain, assignee=NOBODY),
        "Older than a day": replace(plain, age="1d"),
    }
    here = wanted.address(open="")
    return [(name, one.address(), one.address() == here) for name, one in made.items()]
