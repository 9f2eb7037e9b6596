"""The page of one run: its report."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from fastapi import Request, Response

from gal_friday.domain import words
from gal_friday.domain.facts import FactKind
from gal_friday.domain.materiality import Severity
from gal_friday.domain.report import ReconciliationReport
from gal_friday.ports.journal_reading import JournalReading, StoredEntry, Wanted
from gal_friday.ports.pages import StoredReport
from gal_friday.web.frame import Missing, Visitor, house_of, new_router, rendered
from gal_friday.web.line import steps_of

router = new_router()
_FOLLOWING = 200
"""So many entries after a run are looked through for what was told of it."""
_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
_SHOWN = 75
"""Of causes and of discrepancies."""


@router.get("/runs/{reconciliation_id}")
async def run(request: Request, who: Visitor, reconciliation_id: str) -> Response:
    """Show one report."""
    house = house_of(request)
    found = await house.pages.report(reconciliation_id, who.grant.accounts.names)
    if found is None or not who.sees(found.account):
        raise Missing
    whole = ReconciliationReport.from_json(found.content)
    recorded, after = await _entries(house.journal, found)
    told = report(whole) | {
        "steps": steps_of(whole, recorded, after),
        "kept": await house.recorded(whole.reconciliation_id),
    }
    return rendered(request, who, "run.html", told, here="/runs")


async def _entries(journal: JournalReading, found: StoredReport) -> tuple[StoredEntry | None, Sequence[StoredEntry]]:
    """Return the entry that the run ended with, and what followed in its account until the next run ended."""
    finished = Wanted(accounts=(found.account,), kind=FactKind.RUN_FINISHED.value, subject=found.reconciliation_id)
    recorded = next(iter(await journal.before(finished, limit=1)), None)
    if recorded is None:
        return None, ()
    later = await journal.after(Wanted(accounts=(found.account,)), seq=recorded.seq, limit=_FOLLOWING)
    return recorded, tuple(takewhile(lambda one: one.kind != FactKind.RUN_FINISHED, later))


def report(whole: ReconciliationReport) -> dict[str, Any]:
    """Return a report for its page."""
    found = sorted(whole.discrepancies, key=lambda one: _RANKS[one.severity], reverse=True)
    places = {one.key: place for place, one in reversed(list(enumerate(found)))}
    causes = whole.root_causes[:_SHOWN]
    gravest = [min((places[key] for key in one.symptoms if key in places), default=None) for one in causes]
    return {
        "report": whole,
        "headline": words.headline(whole),
        "checked": words.checked(whole),
        "took": words.seconds(whole.duration_seconds),
        "causes": [(one, "" if place is None else found[place].id) for one, place in zip(causes, gravest, strict=True)],
        "found": found[:_SHOWN],
        "left_out": max(0, len(whole.discrepancies) - _SHOWN),
    }
