"""``policy``: the limits in effect, and what other limits would have decided about recorded runs."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gal_friday.domain.adjustment import Adjustment, AdjustmentType, Effect, PostMovement
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.candidate import Bars, Candidate
from gal_friday.domain.decision import Choice, Decided, Used, decide
from gal_friday.domain.policy import Mode, Policy
from gal_friday.domain.records import Movement
from gal_friday.domain.redecided import DECIDES, redecided
from gal_friday.domain.report import ReconciliationReport, Repaired
from tests.cli.conftest import Run
from tests.cli.samples import report, side
from tests.cli.test_run import served

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def enforced() -> Iterator[str]:
    """Return the configuration of a demo account."""
    yield from served()


def deposit(number: int, value: str) -> Candidate:
    """Return a proven deposit that was not booked."""
    name = f"L{number}"
    booked = PostMovement(Movement(name, "deposit", Asset("USD"), Wallet.SPOT, Decimal(value), AT))
    made = Adjustment(
        adjustment_id=f"adj_{number}",
        account="main",
        exchange="kraken",
        type=AdjustmentType.BOOK_MOVEMENT,
        postings=(booked,),
        discrepancies=(f"dis_{number}",),
        keys=(f"movements:{name}",),
        effects=(Effect("balances:USD:spot", Decimal(0), Decimal(value)),),
        record_ids=(name,),
        cause="unbooked_deposit",
        reason=f"deposit {name} was not booked",
        value=Decimal(value),
        reconciliation_id="rec_1",
        at=AT,
    )
    return Candidate(
        event=name,
        cause="unbooked_deposit",
        discrepancies=made.discrepancies,
        keys=made.keys,
        adjustment=made,
        bars=Bars(),
        proven=True,
        confirmed=True,
        value=made.value,
    )


def ran(minutes: int, decided: tuple[Decided, ...]) -> ReconciliationReport:
    """Return the report of a run that decided this and posted what it decided to post."""
    posted = (one.candidate.adjustment for one in decided if one.decision.choice is Choice.CORRECT)
    return replace(
        report(side("internal"), side("exchange")),
        reconciliation_id=f"rec_{minutes}",
        mode=Mode.ENFORCE,
        timestamp=AT + timedelta(minutes=minutes),
        decisions=decided,
        auto_corrections=tuple(
            Repaired(type=made.type, adjustment_id=made.adjustment_id, reason="") for made in posted if made
        ),
    )


def decided(*candidates: Candidate, mode: Mode = Mode.ENFORCE, used: Used | None = None) -> tuple[Decided, ...]:
    return decide(candidates, mode=mode, policy=Policy(), used=used or Used())


def test_the_same_policy_decides_the_same() -> None:
    first = ran(0, decided(deposit(1, "10"), deposit(2, "20000")))
    told = redecided([first], Policy())
    assert (told.decisions, told.changes) == (2, ())
    assert told.was == told.would == {Choice.CORRECT: 1, Choice.PROPOSE: 1}


def test_a_lower_limit_turns_a_correction_into_a_proposal_and_says_why() -> None:
    (one,) = redecided([ran(0, decided(deposit(1, "10")))], Policy(proven_max_value=Decimal(5))).changes
    assert (one.was, one.would, one.adjustment_id) == (Choice.CORRECT, Choice.PROPOSE, "adj_1")
    assert one.would_because == ("it is worth more than 5 (proven_max_value)",)


def test_what_a_person_took_back_would_not_be_posted_again_either() -> None:
    before = decided(replace(deposit(1, "10"), turned_down="adj_0"))
    told = redecided([ran(0, before)], Policy())
    assert (told.changes, told.would) == ((), {Choice.PROPOSE: 1})


def test_what_would_have_been_posted_is_not_asked_about_again() -> None:
    large = decided(deposit(1, "20000"))
    told = redecided([ran(10, large), ran(0, large)], Policy(proven_max_value=Decimal(30000)))
    assert (told.decisions, [one.reconciliation_id for one in told.changes]) == (1, ["rec_0"])


def test_budgets_are_counted_from_run_to_run_and_end_with_their_hour() -> None:
    runs = [ran(0, decided(deposit(1, "10"))), ran(30, decided(deposit(2, "10"))), ran(61, decided(deposit(3, "10")))]
    told = redecided(runs, Policy(corrections_per_hour=1))
    assert [one.adjustment_id for one in told.changes] == ["adj_2"]
    later = redecided(runs, Policy(corrections_per_hour=1), since=AT + timedelta(minutes=10))
    assert (later.reports, [one.adjustment_id for one in later.changes]) == (2, ["adj_2"])


def test_a_run_is_decided_again_in_its_own_mode_or_in_another() -> None:
    observed = replace(ran(0, decided(deposit(1, "10"), mode=Mode.OBSERVE)), mode=Mode.OBSERVE)
    assert redecided([observed], Policy()).changes == ()
    (one,) = redecided([observed], Policy(), mode=Mode.ENFORCE).changes
    assert (one.was, one.would) == (Choice.WAIT, Choice.CORRECT)


def test_more_discrepancies_than_the_breaker_allows_stop_everything() -> None:
    many = replace(ran(0, decided(deposit(1, "10"))), total_discrepancies=3)
    (one,) = redecided([many], Policy(breaker_discrepancies=2)).changes
    assert one.would is Choice.PROPOSE


def test_every_limit_that_decides_is_a_field_of_the_policy() -> None:
    assert set(DECIDES) <= set(Policy.__struct_fields__)


def test_recorded_runs_are_decided_again_under_other_limits(run: Run, enforced: str) -> None:
    run("run", "--config", enforced, "--mode", "enforce", "--json")
    same = run("policy", "check", "--config", enforced)
    assert (same.status, same.out.startswith("NOTHING CHANGES: 10 decisions of 1 run")) == (0, True)
    other = run("policy", "check", "--config", enforced, "--set", "proven_max_value=500")
    assert other.status == 1
    assert "correct → propose  unbooked deposit" in other.out
    assert "would: it is worth more than 500 (proven_max_value)" in other.out
    told = run("policy", "check", "--config", enforced, "--set", "proven_max_value=500", "--json").json()
    assert told["count"] == len(told["changes"]) == told["was"]["correct"] - told["would"]["correct"] > 0


def test_the_policy_is_shown_whole_with_its_id(run: Run, enforced: str) -> None:
    told = run("policy", "show", "--config", enforced, "--json").json()
    assert (told["version"], told["mode"], set(told["policy"])) == (
        Policy().version,
        "enforce",
        set(Policy.__struct_fields__),
    )
    lines = run("policy", "show", "--config", enforced).out.splitlines()
    assert lines[0].startswith(Policy().version)
    assert [line.split()[0] for line in lines[1:]] == list(Policy.__struct_fields__)


@pytest.mark.parametrize(
    "arguments,said",
    [
        (["--set", "proven_max_value"], "write NAME=VALUE"),
        (["--set", "confirmations=3"], "what decides about a repair is"),
        (["--set", "proven_max_value=much"], "proven_max_value"),
        (["--set", "proven_max_value=-1"], "must not be negative"),
        (["--days", "0"], "--days goes from 1"),
        (["--mode", "hope"], "--mode"),
    ],
)
def test_a_limit_that_makes_no_sense_is_wrong_usage(run: Run, enforced: str, arguments: list[str], said: str) -> None:
    outcome = run("policy", "check", "--config", enforced, *arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert said in outcome.err
