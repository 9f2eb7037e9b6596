"""Every fault of the simulated exchange, during a whole run: a lie may cost a verdict, never invent a discrepancy."""

import pytest

from gal_friday.adapters.simulated import FAULTS
from gal_friday.bootstrap.demo_check import missing_and_unexpected
from gal_friday.domain.finding import Pending
from gal_friday.domain.verdict import Verdict
from tests.flows.worlds import world

# Nothing in an answer of Kraken tells whose it is; one that comes alone contradicts the others and is noticed.
_UNDETECTABLE = {("other_account", True)}


@pytest.mark.parametrize("always", [False, True], ids=["once", "always"])
@pytest.mark.parametrize("fault", sorted(FAULTS))
async def test_a_fault_never_invents_a_discrepancy_and_never_hides_one_behind_a_complete_verdict(
    fault: str, always: bool
) -> None:
    """N1, N14, I5, I6."""
    async with world() as account:
        # What arrives before the book is read is really missing from it: begin behind the opening calls.
        after = 7 if fault == "rows_arriving" else 0
        account.server.faults.switch_on(fault, times=None if always else 1, after=after)
        report = await account.run()
    missing, unexpected = missing_and_unexpected(report, account.written.accidents)
    if (fault, always) in _UNDETECTABLE:
        return
    # A word nobody knows is a finding of its own, and a true one (I15).
    assert [line for line in unexpected if "unresolved_name" not in line] == []
    undecided = any(isinstance(found, Pending) for found in report.findings)
    assert not missing or undecided or report.verdict is Verdict.INCOMPLETE
    assert report.verdict in (Verdict.DISCREPANCIES, Verdict.INCOMPLETE)
