"""The page of one run: its report."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response

from gal_friday.domain import words
from gal_friday.domain.materiality import Severity
from gal_friday.domain.report import ReconciliationReport
from gal_friday.web.frame import Missing, Visitor, house_of, new_router, rendered

router = new_router()
_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
_SHOWN = 120
"""Of causes and of discrepancies."""


@router.get("/runs/{reconciliation_id}")
async def run(request: Request, who: Visitor, reconciliation_id: str) -> Response:
    """Show one report."""
    found = await house_of(request).pages.report(reconciliation_id)
    if found is None or not who.sees(found.account):
        raise Missing
    told = report(ReconciliationReport.from_json(found.content))
    return rendered(request, who, "run.html", told, here="/runs")


def report(whole: ReconciliationReport) -> Mapping[str, Any]:
    """Return a report for its page."""
    return {
        "report": whole,
        "headline": words.headline(whole),
        "checked": words.checked(whole),
        "took": words.seconds(whole.duration_seconds),
        "causes": whole.root_causes[:_SHOWN],
        "found": sorted(whole.discrepancies, key=lambda one: _RANKS[one.severity], reverse=True)[:_SHOWN],
        "left_out": max(0, len(whole.discrepancies) - _SHOWN),
    }
