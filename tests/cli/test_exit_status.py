"""The exit status is a contract with shell scripts; it is decided in one place."""

import pytest
from msgspec.structs import replace

from gal_friday.cli.exit_status import exit_status, worst
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.verdict import ReconciliationStatus, Verdict
from tests.cli.samples import report, side

AGREES = report(side("internal"), side("exchange"))


def with_verdict(verdict: Verdict) -> ReconciliationReport:
    return replace(AGREES, verdict=verdict, status=ReconciliationStatus.PARTIAL)


@pytest.mark.parametrize(
    "verdict,status",
    [(Verdict.RECONCILED, 0), (Verdict.DISCREPANCIES, 1), (Verdict.INCOMPLETE, 3), (Verdict.PENDING, 3)],
)
def test_each_verdict_has_its_status(verdict: Verdict, status: int) -> None:
    assert exit_status(with_verdict(verdict)) == status


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_failed_run_is_a_failure_whatever_it_found(verdict: Verdict) -> None:
    failed = replace(with_verdict(verdict), status=ReconciliationStatus.FAILED)
    assert exit_status(failed, exit_zero=True) == 4


@pytest.mark.parametrize("verdict,status", [(Verdict.DISCREPANCIES, 0), (Verdict.INCOMPLETE, 3), (Verdict.PENDING, 3)])
def test_exit_zero_forgives_discrepancies_and_nothing_else(verdict: Verdict, status: int) -> None:
    assert exit_status(with_verdict(verdict), exit_zero=True) == status


@pytest.mark.parametrize(
    "statuses,status", [((), 0), ((0, 1), 1), ((1, 3), 3), ((3, 2), 2), ((2, 4, 0), 4), ((1, 0, 1), 1)]
)
def test_of_several_accounts_the_worst_counts(statuses: tuple[int, ...], status: int) -> None:
    assert worst(statuses) == status


def test_exit_zero_does_not_hide_a_worse_account() -> None:
    assert worst((1, 3), exit_zero=True) == 3
