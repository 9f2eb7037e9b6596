"""Holds: compared where both sides speak of them; what is held above what is there."""

import pytest

from gal_friday.domain.assets import Wallet
from gal_friday.domain.finding import (
    Agrees,
    AmountMismatch,
    CannotTell,
    Differs,
    DiscrepancyType,
    ExchangeOnly,
    Inconsistent,
    InternalOnly,
    Pending,
)
from gal_friday.domain.policy import Policy
from gal_friday.domain.snapshot import Coverage
from tests.domain.build import D, balance, covering, exchange, found, internal, order

HOLD = "holds:BTC"


@pytest.mark.parametrize("theirs, kind", [("0.2", Agrees), ("0.20000001", Agrees), ("0.20000002", Differs)])
def test_holds_agree_within_the_tolerance(theirs: str, kind: type) -> None:
    findings = found(balance("BTC", "1", "0.2"), balance("BTC", "1", theirs))
    assert isinstance(findings[HOLD], kind)


def test_a_different_hold_is_a_hold_mismatch_and_the_total_still_agrees() -> None:
    findings = found(balance("BTC", "1", "0.2"), balance("BTC", "1", "0.5"))
    told = findings[HOLD]
    assert isinstance(told, Differs)
    (mismatch,) = told.mismatches
    assert isinstance(mismatch, AmountMismatch)
    assert (mismatch.type, mismatch.difference) == (DiscrepancyType.HOLD_MISMATCH, D("0.3"))
    assert isinstance(findings["balances:BTC:spot"], Agrees)


def test_a_side_that_speaks_of_no_hold_is_not_compared() -> None:  # I5: unknown is not zero
    assert HOLD not in found(balance("BTC", "1"), balance("BTC", "1", "0.5"))
    assert HOLD not in found(balance("BTC", "1", "0.5"), balance("BTC", "1"))


def test_an_asset_of_whose_hold_one_side_is_silent_is_not_compared() -> None:  # I5
    ours = [balance("BTC", "1"), balance("USD", "10", "0")]
    theirs = [balance("BTC", "1", "0.5"), balance("USD", "10", "0")]
    assert HOLD not in found(ours, theirs)
    assert isinstance(found(ours, theirs)["holds:USD"], Agrees)


def test_the_hold_of_an_asset_that_one_side_lacks_is_one_sided_with_its_sign() -> None:
    ours, theirs = [balance("BTC", "1", "0.5"), balance("USD", "1", "0")], [balance("USD", "1", "0")]
    there, back = found(ours, theirs)[HOLD], found(theirs, ours)[HOLD]
    assert isinstance(there, InternalOnly)
    assert there.stake is not None
    assert there.stake.amount == D("-0.5")
    assert isinstance(back, ExchangeOnly)
    assert back.stake is not None
    assert back.stake.amount == D("0.5")


@pytest.mark.parametrize("held", ["0", "0.5"])
def test_a_hold_absent_under_partial_coverage_is_unknown(held: str) -> None:  # I5
    left = internal(balance("BTC", "1", held), balance("USD", "1", "0"))
    right = exchange(balance("USD", "1", "0"), coverage=covering("balances", Coverage.PARTIAL))
    assert isinstance(found(left, right)[HOLD], CannotTell)


def test_the_hold_of_an_asset_nobody_knows_is_reported_as_such() -> None:  # I15
    spoken = balance("USD", "1", "0")
    finding = found(spoken, [spoken, balance("?XFOO", "1", "0.5")])["holds:?XFOO"]
    assert isinstance(finding, ExchangeOnly)
    assert finding.type is DiscrepancyType.UNRESOLVED_NAME


def test_holds_are_summed_over_the_wallets_that_orders_use_only() -> None:
    ours = [balance("BTC", "1", "0.5"), balance("BTC", "9", "7", wallet=Wallet.EARN)]
    theirs = [balance("BTC", "1", "0.5"), balance("BTC", "9", "8", wallet=Wallet.EARN)]
    assert isinstance(found(ours, theirs)[HOLD], Agrees)


def test_a_balance_listed_twice_holds_once() -> None:
    findings = found(balance("BTC", "1", "0.5"), [balance("BTC", "1", "0.5")] * 2)
    assert isinstance(findings[HOLD], Agrees)
    assert not any(key.startswith("sources:") for key in findings)


def test_an_order_placed_between_the_readings_makes_its_holds_pending_and_no_total() -> None:
    late = order(filled="0", updated=1, opened=1)
    ours = [balance("USD", "100", "60"), balance("BTC", "1", "0"), late]
    findings = found(ours, [balance("USD", "90", "0"), balance("BTC", "1", "0.5")])
    assert isinstance(findings["holds:USD"], Pending)
    assert isinstance(findings[HOLD], Differs)
    assert isinstance(findings["balances:USD:spot"], Differs)


def test_an_order_that_filled_between_the_readings_makes_its_totals_pending() -> None:
    late = order(filled="10", updated=1)
    findings = found([balance("USD", "100"), late], balance("USD", "90"))
    assert isinstance(findings["balances:USD:spot"], Pending)


@pytest.mark.parametrize("side", ["internal", "exchange"])
@pytest.mark.parametrize("held, told", [("1", False), ("1.00000001", False), ("1.00000002", True)])
def test_a_side_that_holds_more_than_it_has_contradicts_itself(side: str, held: str, told: bool) -> None:
    row = balance("BTC", "1", held)
    findings = found(row if side == "internal" else [], row if side == "exchange" else [])
    finding = findings.get(f"sources:holds:BTC:{side}")
    assert (finding is not None) is told
    if finding is not None:
        assert isinstance(finding, Differs)
        (contradiction,) = finding.mismatches
        assert isinstance(contradiction, Inconsistent)
        assert (contradiction.side, contradiction.stated, contradiction.found) == (side, held, "1")


def test_a_hold_above_what_was_seen_in_part_is_no_contradiction() -> None:
    left = internal(balance("BTC", "1", "2"), coverage=covering("balances", Coverage.PARTIAL))
    assert "sources:holds:BTC:internal" not in found(left, exchange(balance("BTC", "1")))


def test_nothing_held_of_a_negative_balance_is_no_contradiction() -> None:
    assert "sources:holds:USD:exchange" not in found([], balance("USD", "-5", "0"))


def test_the_tolerance_of_an_asset_is_that_of_its_hold_too() -> None:
    policy = Policy(tolerances={"BTC": D("0.1")})  # type: ignore[dict-item]
    findings = found(balance("BTC", "1", "0.2"), balance("BTC", "1", "0.3"), policy=policy)
    assert isinstance(findings[HOLD], Agrees)
