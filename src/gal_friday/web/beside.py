"""Two reports of one account side by side: what each found, and what opened, closed and changed between them.

What the newer one does not list any more is closed only where it saw both sides agree; else it was not judged (I7).
"""

from collections.abc import Iterator, Sequence
from typing import Annotated

from fastapi import Query, Request, Response
from msgspec import Struct

from gal_friday.domain import words
from gal_friday.domain.discrepancy import Discrepancy
from gal_friday.domain.finding import Agrees
from gal_friday.domain.materiality import Severity
from gal_friday.domain.report import ReconciliationReport
from gal_friday.flows.door import Caller
from gal_friday.ports.pages import Place
from gal_friday.web import amounts
from gal_friday.web.frame import Missing, Visitor, house_of, new_router, rendered
from gal_friday.web.house import House

router = new_router()
_SHOWN = 120
"""Of each list."""
_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
Id = Annotated[str, Query(max_length=100)]


@router.get("/runs/compare")
async def compare(request: Request, who: Visitor, a: Id = "", b: Id = "") -> Response:
    """Show two reports side by side, the older one first; without *a* the one before *b*."""
    house = house_of(request)
    newer = await _report(house, who, b)
    older = await _report(house, who, a) if a else await _before(house, newer)
    if older is None:
        return _not_two(request, who, "There is no run of this account before this one.")
    if (older.account, older.exchange) != (newer.account, newer.exchange):
        return _not_two(
            request, who, f"One is of {older.account}, the other of {newer.account}. Choose two of one account."
        )
    if older.reconciliation_id == newer.reconciliation_id:
        return _not_two(request, who, "Both are the same report. Choose two different ones.")
    older, newer = sorted((older, newer), key=lambda one: (one.timestamp, one.reconciliation_id))
    told = {"older": older, "newer": newer, "lines": tuple(lines(older, newer)), "moved": moved(older, newer)}
    return rendered(request, who, "beside.html", told | {"shown": _SHOWN}, here="/runs")


async def _report(house: House, who: Caller, name: str) -> ReconciliationReport:
    found = await house.pages.report(name, who.grant.accounts.names)
    if found is None or not who.sees(found.account):
        raise Missing
    return ReconciliationReport.from_json(found.content)


async def _before(house: House, report: ReconciliationReport) -> ReconciliationReport | None:
    place = Place(report.timestamp, report.reconciliation_id)
    for one in await house.pages.reports((report.account,), after=place, limit=1):
        found = await house.pages.report(one.reconciliation_id)
        return None if found is None else ReconciliationReport.from_json(found.content)
    return None


def _not_two(request: Request, who: Caller, why: str) -> Response:
    told = {"title": "There are not two reports to compare", "words": why}
    return rendered(request, who, "trouble.html", told, here="/runs", status=422)


class Line(Struct, frozen=True):
    """One thing that both reports say."""

    name: str
    older: str
    newer: str

    @property
    def changed(self) -> bool:
        """Whether they say it differently."""
        return self.older != self.newer


class Changed(Struct, frozen=True):
    """A discrepancy that both reports have, and what is new about it."""

    older: Discrepancy
    newer: Discrepancy
    what: tuple[str, ...]


class Moved(Struct, frozen=True):
    """What became of discrepancies between two reports, the gravest first."""

    opened: tuple[Discrepancy, ...]
    closed: tuple[Discrepancy, ...]
    """Seen to agree by the newer one."""
    unjudged: tuple[Discrepancy, ...]
    """Not listed by the newer one, which did not see both sides agree either."""
    changed: tuple[Changed, ...]
    same: int


def lines(older: ReconciliationReport, newer: ReconciliationReport) -> Iterator[Line]:
    """Yield what both say of themselves, row by row."""
    for (name, before), (_, after) in zip(_said(older), _said(newer), strict=True):
        yield Line(name, before, after)


def _said(report: ReconciliationReport) -> Iterator[tuple[str, str]]:
    yield "Status", report.status.value.replace("_", " ")
    yield "Mode", report.mode.value
    yield "Took", words.seconds(report.duration_seconds)
    for kind in ("positions", "balances", "orders", "fills", "movements"):
        yield f"Checked: {kind}", str(getattr(report, f"{kind}_checked"))
    yield "Not checked", ", ".join(sorted({gap.kind for gap in report.not_checked})) or "nothing"
    yield "Discrepancies", str(report.total_discrepancies)
    for severity in reversed(Severity):
        yield f"… {severity}", str(sum(1 for one in report.discrepancies if one.severity == severity))
    yield "Corrected by policy", str(len(report.auto_corrections))
    yield "Proposed", str(len(report.proposals))
    yield "Explained", amounts.share(report.explained_share) or "–"


def moved(older: ReconciliationReport, newer: ReconciliationReport) -> Moved:
    """Return what became of every discrepancy of either report."""
    before = {one.id: one for one in older.discrepancies}
    after = {one.id: one for one in newer.discrepancies}
    agreed = {str(finding.key) for finding in newer.findings if isinstance(finding, Agrees)}
    gone = [one for name, one in before.items() if name not in after]
    both = [
        Changed(before[name], one, tuple(_news(before[name], one))) for name, one in after.items() if name in before
    ]
    changed = [one for one in both if one.what]
    return Moved(
        opened=_gravest([one for name, one in after.items() if name not in before]),
        closed=_gravest([one for one in gone if one.key in agreed]),
        unjudged=_gravest([one for one in gone if one.key not in agreed]),
        changed=tuple(sorted(changed, key=lambda one: _RANKS[one.newer.severity], reverse=True)),
        same=len(both) - len(changed),
    )


def _gravest(some: Sequence[Discrepancy]) -> tuple[Discrepancy, ...]:
    return tuple(sorted(some, key=lambda one: _RANKS[one.severity], reverse=True))


def _news(before: Discrepancy, after: Discrepancy) -> Iterator[str]:
    for name in ("severity", "state", "cause"):
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            yield f"{name}: {_plain(was)} → {_plain(now)}"
    if (before.internal, before.exchange) != (after.internal, after.exchange):
        yield "amounts"


def _plain(value: str | None) -> str:
    return "none" if value is None else str(value).replace("_", " ")
