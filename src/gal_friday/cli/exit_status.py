"""What the exit status says, decided in this one place.

    0    reconciled
    1    discrepancies
    2    wrong usage or configuration
    3    incomplete: something could not be checked, or could not be judged yet
    4    failed

Of several accounts the worst counts: 4, then 2, 3, 1, 0. A shell script can rely on these numbers.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, assert_never

# Every start reads the numbers; only a command that has a report needs to know what one is.
if TYPE_CHECKING:
    from gal_friday.domain.report import ReconciliationReport

RECONCILED = 0
DISCREPANCIES = 1
WRONG_USAGE = 2
INCOMPLETE = 3
FAILED = 4
INTERRUPTED = 130  # 128 + SIGINT, as shells count it.
BROKEN_PIPE = 141  # 128 + SIGPIPE: whoever read our output went away.

_BY_WEIGHT = (RECONCILED, DISCREPANCIES, INCOMPLETE, WRONG_USAGE, FAILED)


def exit_status(*reports: "ReconciliationReport", exit_zero: bool = False) -> int:
    """Return the status for these reports, the worst of them. *exit_zero* lets discrepancies pass as 0."""
    return worst((_of(report) for report in reports), exit_zero=exit_zero)


def worst(statuses: Iterable[int], *, exit_zero: bool = False) -> int:
    """Return the status that outweighs the others; 0 where there is none."""
    status = max(statuses, key=_BY_WEIGHT.index, default=RECONCILED)
    return RECONCILED if exit_zero and status == DISCREPANCIES else status


def _of(report: "ReconciliationReport") -> int:
    from gal_friday.domain.verdict import ReconciliationStatus, Verdict

    if report.status is ReconciliationStatus.FAILED:
        return FAILED
    match report.verdict:
        case Verdict.RECONCILED:
            return RECONCILED
        case Verdict.DISCREPANCIES:
            return DISCREPANCIES
        case Verdict.INCOMPLETE | Verdict.PENDING:
            return INCOMPLETE
        case _:
            assert_never(report.verdict)
