"""A market that trades while it is read, with lagging answers and planted faults: nothing false, nothing missed."""

import asyncio

import pytest

from benchmarks.live import Tally, tally_of

pytestmark = pytest.mark.timeout(300)
"""Twenty seconds of work; on a machine that does much else beside it, minutes."""


@pytest.fixture(scope="module")
def tally() -> Tally:
    """Return what 25 runs found: five markets from a fixed seed on, one of them without any fault."""
    return asyncio.run(tally_of(range(40, 45), faults=0.004))


def test_a_right_book_is_never_accused_while_the_market_moves(tally: Tally) -> None:  # N6, I6
    assert tally.runs == 25
    assert tally.false == []


def test_every_fault_older_than_the_grace_is_named_and_every_balance_is_off_by_exactly_its_effect(
    tally: Tally,
) -> None:
    assert tally.missed == []
    assert tally.due > 0
    assert tally.sums > 0


def test_runs_on_a_moving_market_are_complete_and_judge_nearly_everything(tally: Tally) -> None:
    """A test that finds nothing false because it judges nothing would prove nothing."""
    assert tally.incomplete <= 2
    assert tally.findings["fills Agrees"] > 9 * tally.findings["fills Pending"]
    assert tally.findings["balances Agrees"] > 0
