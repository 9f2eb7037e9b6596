"""What to do after a report: the next commands, concrete enough to copy."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from gal_friday.cli.again import named
from gal_friday.domain.decision import Choice
from gal_friday.domain.finding import DiscrepancyType as Type
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.verdict import ReconciliationStatus, Verdict

_NEVER_BOOKED = {Type.FILL_MISSING_INTERNAL, Type.MOVEMENT_MISSING_INTERNAL}

Step = tuple[str, str]
"""A command, and what it is for."""


def next_steps(report: ReconciliationReport, *, recorded: bool, config: Path | None = None) -> list[Step]:
    """Return the commands that lead on from here, first things first; none where all is well.

    *recorded* is false for a report that is in no database, of ``compare``. *config* is the configuration that was
    named for this report: without it the same command would look elsewhere.
    """
    if not recorded:
        return list(_after_compare(report))
    return [(f"{command}{named(config)}", purpose) for command, purpose in _after_run(report)]


def _after_compare(report: ReconciliationReport) -> Iterator[Step]:
    if report.verdict is Verdict.PENDING:
        yield "write both snapshots again", "at the same instant, once nothing moves"
    elif report.verdict is not Verdict.RECONCILED:
        if report.total_discrepancies and not report.prices:
            yield "the same command with --prices BTC=60000,XRP=0.61", "says what the differences are worth"
        yield "the same command with --json", "every record, every finding"


def _after_run(report: ReconciliationReport) -> Iterator[Step]:
    account = shlex.quote(report.account)
    if report.status is ReconciliationStatus.FAILED or report.verdict is Verdict.INCOMPLETE:
        yield f"gal-friday preflight {account}", "says what keeps the rest from being checked"
    if _waits(report):
        yield f"gal-friday review queue --account {account}", "what waits for a person, the first due first"
    if report.auto_corrections:
        yield f"gal-friday adjustments --account {account}", "what was posted; review undo ID takes it back"
    if not report.auto_corrections and any(one.type in _NEVER_BOOKED for one in report.discrepancies):
        yield f"gal-friday book import FILE --account {account}", "Kraken's ledgers.csv and trades.csv"
    if report.total_discrepancies:
        yield f"gal-friday report {report.reconciliation_id} --json", "every record, every finding"
    if report.verdict is not Verdict.RECONCILED:
        yield f"gal-friday run {account}", "again; only what is seen to agree is settled"


def _waits(report: ReconciliationReport) -> bool:
    """Say whether a person has to decide, or to find out; what policy allowed and was not posted waits as well."""
    choices = {one.decision.choice for one in report.decisions}
    return (
        bool(report.proposals)
        or Choice.ESCALATE in choices
        or (Choice.CORRECT in choices and not report.auto_corrections)
    )
