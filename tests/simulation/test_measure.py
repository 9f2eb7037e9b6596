"""Small errors are counted all together, and beside that without those that a limit of the policy leaves to people."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gal_friday.domain.adjustment import AdjustmentType
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.cause import Cause
from gal_friday.domain.policy import Policy
from gal_friday.domain.report import Repaired, compare
from gal_friday.simulation.measure import Error, counted, measured
from gal_friday.simulation.page import html, markdown
from gal_friday.simulation.planted import Planted
from gal_friday.simulation.tally import Judge, Tally
from gal_friday.simulation.world import Outcome, Settings
from tests.domain.build import T0, balance, exchange, internal, movement

ROWS = [movement(f"L{n}", "5", "USD", kind="deposit", minute=-60) for n in range(4)]
REPORT = compare(internal(balance("USD", "0")), exchange(balance("USD", "20"), *ROWS))


def planted(name: str) -> Planted:
    return Planted(
        account="main",
        lie="missed",
        at=T0 - timedelta(minutes=30),
        keys=(f"movements:{name}",),
        causes=frozenset({Cause.UNBOOKED_DEPOSIT}),
        records=frozenset({name}),
        effects={(Asset("USD"), Wallet.SPOT): Decimal(5)},
        truth=(ROWS[0],),
    )


def outcome(names: str = "0123", price: str = "1", **limits: int) -> Outcome:
    """Return what comes of a report of four deposits and a balance, where these deposits are planted."""
    tally = Tally()
    judge = Judge([planted(f"L{name}") for name in names], tally, Policy(**limits))  # type: ignore[arg-type]
    judge.saw(REPORT, T0, T0, 1)
    judge.weighs({"USD": Decimal(price)})
    return Outcome(0, Settings(), tally, 0, ())


def errors(of: Outcome) -> list[Error]:
    return counted(of).errors


@pytest.mark.parametrize("breaker, limited", [(5, False), (4, True)])
def test_what_is_seen_amid_more_than_is_corrected_at_once_is_kept_by_a_limit(breaker: int, limited: bool) -> None:
    assert {one.limited for one in errors(outcome(breaker_discrepancies=breaker))} == {limited}


def test_a_mass_of_which_something_is_false_excuses_nothing() -> None:
    assert {one.limited for one in errors(outcome("012", breaker_discrepancies=4))} == {False}


@pytest.mark.parametrize("price, limited", [("2000", False), ("2000.01", True)])
def test_what_is_worth_more_than_is_corrected_is_kept_by_a_limit(price: str, limited: bool) -> None:
    assert {one.limited for one in errors(outcome(price=price))} == {limited}


@pytest.mark.parametrize("minutes, limited", [(59, True), (60, False)])
def test_what_is_seen_after_as_many_corrections_as_are_allowed_is_kept_by_a_limit(minutes: int, limited: bool) -> None:
    tally = Tally()
    judge = Judge([planted(f"L{n}") for n in range(4)], tally, Policy(corrections_per_hour=1))
    posted = Repaired(type=AdjustmentType.BOOK_MOVEMENT, adjustment_id="adj_1", reason="")
    judge.saw(replace(compare(internal(), exchange()), auto_corrections=(posted,)), T0, T0, 1)
    judge.saw(REPORT, T0 + timedelta(minutes=minutes), T0 + timedelta(minutes=minutes), 1)
    assert {one.limited for one in errors(Outcome(0, Settings(), tally, 0, ()))} == {limited}


def test_the_page_says_both_numbers() -> None:
    free, dear = outcome(), outcome(price="9999")
    free.tally.cases[0].planted.by = "policy"
    page = markdown(measured([free, dear]), command="", about="")
    assert "| put right by the policy, of 8 small ones | 12.50 % |" in page
    assert "| the same of the 4 of them that no limit of the policy keeps for a person | 25.00 % |" in page


def test_both_pages_say_below_a_table_what_its_numbers_leave_out() -> None:
    found = measured([outcome()])
    left_out = "what nobody corrected has no time."
    assert f"{left_out}\n\n## Lies of the exchange" in markdown(found, command="", about="")
    assert f"{left_out}</p><h2>Lies of the exchange" in html(found, command="", about="")
