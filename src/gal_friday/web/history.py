"""The page of the history: verdicts day by day, what was opened, closed and corrected, and what has been open how long.

A day is as bad as the worst of its runs, and a day without a run is a gap: neither is ever green (I6).
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby

import msgspec
from fastapi import Request, Response
from msgspec import Struct

from gal_friday.domain.materiality import Severity
from gal_friday.domain.verdict import Verdict
from gal_friday.ports.history import Aged, Runs, Turnover
from gal_friday.ports.pages import Listed
from gal_friday.web import amounts
from gal_friday.web.frame import Choice, Visitor, house_of, new_router, rendered, theirs
from gal_friday.web.shown import FAILED, MARKS

router = new_router()

DAYS = 56
"""Eight weeks."""
ACCOUNTS = 10
"""Shown at once; a choice shows any other."""
GAP = "gap"
_ENDED = {
    Verdict.RECONCILED.value: "reconciled",
    Verdict.DISCREPANCIES.value: "with discrepancies",
    Verdict.PENDING.value: "in motion",
    Verdict.INCOMPLETE.value: "not all checked",
    FAILED: "failed",
}

LEFT, SPAN, LANE, TALL = 16, 784, 76, 46
"""Where the bars begin, how far they go, a lane with its word, and its longest bar."""
LANES = (
    ("opened", "opened", ("opened", "reopened")),
    ("closed", "seen to agree", ("cleared",)),
    ("corrected", "corrections", ("corrected",)),
)
AGES = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))
AGE_WORDS = ("under 1\u202fh", "under 1\u202fd", "under 7\u202fd", "older")


@router.get("/history")
async def history(request: Request, who: Visitor, account: Choice = "") -> Response:
    """Show how it went day by day: one account, or the first of those that they may see."""
    house, chosen = house_of(request), theirs(who, account)
    today = house.clock.now().astimezone(UTC).date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    since = datetime.combine(days[0], time(), UTC)
    seen = [name for name in sorted(house.accounts) if who.sees(name)]
    names = [account] if account else seen[:ACCOUNTS]
    runs = await house.history.runs(tuple(names), since)
    newest = {name: await house.pages.reports((name,), limit=1) for name in names}
    turned = await house.history.turnover(chosen, since)
    aged = await house.history.aged(chosen, [house.clock.now() - age for age in AGES])
    told = {
        "weeks": [(group[0], len(group)) for group in _weeks(days)],
        "rows": [Row(name, marked(name, runs, days), explained(newest[name])) for name in names],
        "names": seen,
        "chosen": account,
        "left_out": 0 if account else len(seen) - len(names),
        "lanes": lanes(turned, days),
        "turned": turned_by_day(turned),
        "days": days,
        "ages": AGE_WORDS,
        "aged": by_severity(aged),
    }
    return rendered(request, who, "history.html", told, here="/history")


class Cell(Struct, frozen=True):
    """One day of an account."""

    mark: str
    words: str
    partly: bool = False
    """Whether a run of the day did not see everything, or failed, whatever else it found."""


class Row(Struct, frozen=True):
    """An account, day by day."""

    account: str
    cells: tuple[Cell, ...]
    explained: str


class Bar(Struct, frozen=True):
    """How often one thing happened on one day."""

    x: str
    y: str
    width: str
    height: str
    words: str


class Lane(Struct, frozen=True):
    """The bars of one thing."""

    name: str
    words: str
    top: int
    base: int
    most: int
    total: int
    bars: tuple[Bar, ...]


class Turned(Struct, frozen=True):
    """A day in the table under the bars."""

    day: date
    counts: tuple[int, ...]


class Grave(Struct, frozen=True):
    """The open discrepancies of one severity, by age."""

    severity: Severity
    counts: tuple[int, ...]
    total: int


def marked(account: str, runs: Iterable[Runs], days: Sequence[date]) -> tuple[Cell, ...]:
    """Return the days of an account: the worst that any run of the day said; a gap where none was."""
    by_day: dict[date, list[Runs]] = {}
    for one in runs:
        if one.account == account:
            by_day.setdefault(one.day, []).append(one)
    return tuple(_cell(day, by_day.get(day, ())) for day in days)


def _cell(day: date, runs: Sequence[Runs]) -> Cell:
    if not runs:
        return Cell(GAP, f"{day:%a %Y-%m-%d}: no run, nothing was checked")
    whole = any(one.full and one.status != FAILED for one in runs)
    counts: dict[str, int] = {}
    for one in runs:
        mark = _mark(one, whole)
        counts[mark] = counts.get(mark, 0) + one.count
    marks = sorted(counts, key=MARKS.index)
    said = ", ".join(f"{counts[mark]} {_ENDED[mark]}" for mark in marks)
    partly = not whole or not {FAILED, Verdict.INCOMPLETE}.isdisjoint(marks)
    return Cell(marks[0], f"{day:%a %Y-%m-%d}, runs: {said}", partly)


def _mark(runs: Runs, whole: bool) -> str:
    """Return how runs count; *whole* says whether any of their day was about every kind of record.

    Where none was, a run about some kinds is good news of those alone, and not all was checked.
    """
    if runs.status == FAILED:
        return FAILED
    well = runs.verdict in (Verdict.RECONCILED, Verdict.PENDING)
    return Verdict.INCOMPLETE.value if well and not whole else runs.verdict


class _Share(Struct):
    explained_share: Decimal | None = None


def explained(newest: Iterable[Listed]) -> str:
    """Return which share of the value that differs is explained, as the newest run has it; empty where nothing is."""
    shares = (msgspec.json.decode(one.summary, type=_Share).explained_share for one in newest)
    return next((amounts.share(share) for share in shares), "")


def lanes(turned: Iterable[Turnover], days: Sequence[date]) -> Sequence[Lane]:
    """Return the bars of each thing, all days to one scale within a lane."""
    counts: dict[tuple[str, date], int] = {}
    for one in turned:
        counts[one.what, one.day] = counts.get((one.what, one.day), 0) + one.count
    step = SPAN / len(days)
    made = []
    for number, (name, said, whats) in enumerate(LANES):
        daily = [sum(counts.get((what, day), 0) for what in whats) for day in days]
        most, base = max(daily), number * LANE + LANE - 6
        bars = tuple(
            _bar(LEFT + place * step, step, base, count, most, f"{days[place]:%a %Y-%m-%d}: {count} {said}")
            for place, count in enumerate(daily)
            if count
        )
        made.append(
            Lane(name=name, words=said, top=number * LANE + 16, base=base, most=most, total=sum(daily), bars=bars)
        )
    return made


def _bar(x: float, step: float, base: int, count: int, most: int, said: str) -> Bar:
    tall = max(2.0, TALL * count / most)
    return Bar(f"{x + 1:.1f}", f"{base - tall:.1f}", f"{step - 2:.1f}", f"{tall:.1f}", said)


def turned_by_day(turned: Iterable[Turnover]) -> Sequence[Turned]:
    """Return the days on which anything happened, the newest first."""
    found = []
    for day, group in groupby(sorted(turned, key=lambda one: one.day, reverse=True), key=lambda one: one.day):
        some = list(group)
        found.append(Turned(day, tuple(sum(one.count for one in some if one.what in whats) for _, _, whats in LANES)))
    return [one for one in found if any(one.counts)]


def by_severity(aged: Iterable[Aged]) -> Sequence[Grave]:
    """Return what is open, the gravest first; every severity has its row."""
    counts = {(one.severity, one.age): one.count for one in aged}
    rows = []
    for severity in reversed(Severity):
        each = tuple(counts.get((severity, age), 0) for age in range(len(AGES) + 1))
        rows.append(Grave(severity, each, sum(each)))
    return rows


def _weeks(days: Sequence[date]) -> Iterable[Sequence[date]]:
    """Yield the days of each week, which begins on Monday."""
    for _, week in groupby(days, key=lambda day: day.isocalendar()[:2]):
        yield list(week)
