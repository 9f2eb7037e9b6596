"""What recorded runs would have decided under other limits: whole answers, and budgets as they would have been used."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.adjustment import AdjustmentType
from gal_friday.domain.candidate import Candidate
from gal_friday.domain.decision import Choice, Decided, Decision
from gal_friday.domain.policy import Mode, Policy
from gal_friday.domain.records import Kind
from gal_friday.domain.redecided import DECIDES, Otherwise, Redecided, redecided
from gal_friday.domain.report import ReconciliationReport, Repaired, compare
from gal_friday.domain.snapshot import NotChecked
from gal_friday.domain.verdict import Verdict
from tests.domain.build import at, balance, exchange, internal
from tests.domain.test_decision import EVIDENCE, made, proven

AGREEING = compare(internal(balance("XRP", "1")), exchange(balance("XRP", "1")))
BY_PERSON = ("in this mode a person decides",)
ALLOWED = ("the exchange's records prove it, without residual and without another explanation",)
TICK = timedelta(microseconds=1)
DAY = 24 * 60


def repair(name: str, value: str | None = "1", **terms: Any) -> Candidate:
    """Return a proven repair of this name; one that is worth nothing known moves no amount."""
    kind = EVIDENCE if value is not None else AdjustmentType.CLOSE_ORDER
    adjustment = replace(made(kind, effects=value is not None), adjustment_id=name)
    return proven(value, event=f"event of {name}", adjustment=adjustment, **terms)


def asked(candidate: Candidate, choice: Choice = Choice.PROPOSE, *reasons: str) -> Decided:
    return Decided(candidate, Decision(choice, reasons or BY_PERSON, "pol_1"))


def run(minute: float, *decisions: Decided, **terms: Any) -> ReconciliationReport:
    """Return the report of a run that was to enforce, so many minutes after T0."""
    fields = {"reconciliation_id": f"rec_{minute}", "timestamp": at(minute), "mode": Mode.ENFORCE} | terms
    return replace(AGREEING, decisions=decisions, **fields)


def would(policy: Policy, *reports: ReconciliationReport, **terms: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return what would be otherwise than proposed, as event, choice and reasons."""
    changes = redecided(reports, policy, **terms).changes
    return [(one.event.removeprefix("event of "), one.would, one.would_because) for one in changes]


def corrected(policy: Policy, *reports: ReconciliationReport) -> list[str]:
    return [name for name, choice, _ in would(policy, *reports) if choice == "correct"]


def test_what_would_be_decided_otherwise_is_told_with_both_decisions_and_their_reasons() -> None:
    proposed = asked(repair("adj_1", "7"))
    nothing = asked(proven(None, adjustment=None, event="E"), Choice.WAIT, "this account is only observed")
    report = run(5, proposed, nothing, mode=Mode.PROPOSE)
    expected: dict[str, Any] = {
        "reconciliation_id": "rec_5",
        "timestamp": at(5),
        "account": "main",
        "cause": "missed_fill",
    }
    assert redecided([report], Policy(), mode=Mode.ENFORCE) == Redecided(
        reports=1,
        decisions=2,
        was={Choice.PROPOSE: 1, Choice.WAIT: 1},
        would={Choice.CORRECT: 1, Choice.ESCALATE: 1},
        changes=(
            Otherwise(
                **expected,
                event="event of adj_1",
                adjustment_id="adj_1",
                value=Decimal(7),
                was=Choice.PROPOSE,
                would=Choice.CORRECT,
                was_because=BY_PERSON,
                would_because=ALLOWED,
            ),
            Otherwise(
                **expected,
                event="E",
                adjustment_id=None,
                value=None,
                was=Choice.WAIT,
                would=Choice.ESCALATE,
                was_because=("this account is only observed",),
                would_because=("nothing could be posted for it",),
            ),
        ),
    )  # fmt: skip


def test_without_another_mode_each_run_keeps_its_own() -> None:
    proposing = run(5, asked(repair("adj_1")), mode=Mode.PROPOSE)
    both = redecided([proposing, run(6, asked(repair("adj_2")))], Policy())
    assert [(one.reconciliation_id, one.would) for one in both.changes] == [("rec_6", "correct")]
    assert (both.reports, both.decisions, both.was, both.would) == (
        2, 2, {Choice.PROPOSE: 2}, {Choice.PROPOSE: 1, Choice.CORRECT: 1},
    )  # fmt: skip


def test_nothing_recorded_is_nothing_decided() -> None:
    assert redecided([], Policy()) == Redecided(reports=0, decisions=0, was={}, would={}, changes=())


def test_a_repair_that_would_have_been_posted_is_not_asked_about_again() -> None:
    runs = [run(minute, asked(repair("adj_1")), asked(repair("adj_2", proven=False))) for minute in (1, 2, 3)]
    told = redecided(runs, Policy())
    # The second is still not proven, and asked about in every run.
    assert (told.reports, told.decisions, told.would) == (3, 4, {Choice.CORRECT: 1, Choice.PROPOSE: 3})
    assert [one.reconciliation_id for one in told.changes] == ["rec_1"]


def test_a_correction_that_the_book_refused_then_is_refused_now_and_takes_nothing_from_the_budgets() -> None:
    policy = Policy(corrections_per_day=1)
    refused = asked(repair("adj_1"), Choice.CORRECT)
    told = redecided([run(1, refused), run(2, refused), run(3, asked(repair("adj_2")))], policy)
    assert (told.decisions, [one.adjustment_id for one in told.changes]) == (3, ["adj_2"])
    really = (Repaired(type=EVIDENCE, adjustment_id="adj_1", reason=""),)
    told = redecided([run(1, refused, auto_corrections=really), run(2, asked(repair("adj_2")))], policy)
    assert (told.decisions, told.changes) == (2, ())


@pytest.mark.parametrize("order", [1, -1])
def test_runs_are_gone_through_from_the_oldest_in_whatever_order_they_come(order: int) -> None:
    policy = Policy(corrections_per_day=1)
    runs = [
        run(1, asked(repair("adj_1")), reconciliation_id="rec_b"),
        run(1, asked(repair("adj_2")), reconciliation_id="rec_a"),
        run(0, asked(repair("adj_3", proven=False))),
    ]
    assert corrected(policy, *runs[::order]) == ["adj_2"]  # of one instant the one with the smaller id


@pytest.mark.parametrize("limit", [{"corrections_per_hour": 1}, {"corrected_value_per_hour": Decimal(5)}], ids=str)
def test_what_was_posted_counts_for_an_hour_and_no_longer(limit: dict[str, Any]) -> None:
    policy, first = Policy(**limit), run(0, asked(repair("adj_1", "3")))
    late = replace(run(60, asked(repair("adj_2", "3"))), timestamp=at(60) - TICK)
    assert corrected(policy, first, late) == ["adj_1"]
    assert corrected(policy, first, run(60, asked(repair("adj_2", "3")))) == ["adj_1", "adj_2"]


@pytest.mark.parametrize("limit", [{"corrections_per_day": 1}, {"corrected_value_per_day": Decimal(5)}], ids=str)
def test_what_was_posted_counts_for_a_day_and_no_longer(limit: dict[str, Any]) -> None:
    policy, first = Policy(**limit), run(0, asked(repair("adj_1", "3")))
    late = replace(run(DAY, asked(repair("adj_2", "3"))), timestamp=at(DAY) - TICK)
    assert corrected(policy, first, late) == ["adj_1"]
    assert corrected(policy, first, run(DAY, asked(repair("adj_2", "3")))) == ["adj_1", "adj_2"]


@pytest.mark.parametrize("unit", ["hour", "day"])
def test_earlier_repairs_use_up_a_budget_of_value_to_the_last_digit(unit: str) -> None:
    limit: dict[str, Any] = {f"corrected_value_per_{unit}": Decimal("10.5")}
    runs = [
        run(1, asked(repair("adj_1", "4"))),
        run(2, asked(repair("adj_2", "4.5"))),
        run(3, asked(repair("adj_3", "2.00000001"))),
        run(4, asked(repair("adj_4", "2"))),
        run(5, asked(repair("adj_5", None))),
        run(6, asked(repair("adj_6", "0.00000001"))),
    ]
    assert corrected(Policy(**limit), *runs) == ["adj_1", "adj_2", "adj_4", "adj_5"]
    told = redecided(runs, Policy(**limit), mode=Mode.PROPOSE)
    assert (told.changes, told.would) == ((), {Choice.PROPOSE: 6})


def test_a_correction_without_a_value_is_one_more_of_them() -> None:
    runs = [run(1, asked(repair("adj_1", None))), run(2, asked(repair("adj_2", None)))]
    assert corrected(Policy(corrections_per_day=1), *runs) == ["adj_1"]


def test_each_account_has_budgets_of_its_own() -> None:
    policy = Policy(corrections_per_hour=1, corrections_per_day=1)
    others = run(1, asked(repair("adj_1")), account="other")
    runs = [others, run(2, asked(repair("adj_2"))), run(3, asked(repair("adj_3")))]
    assert corrected(policy, *runs) == ["adj_1", "adj_2"]
    assert [one.account for one in redecided(runs, policy).changes] == ["other", "main"]


def test_what_was_before_counts_against_budgets_alone() -> None:
    runs = [run(minute, asked(repair(f"adj_{minute}"))) for minute in (1, 2, 3)]
    told = redecided(runs, Policy(corrections_per_day=2), since=at(2))
    assert (told.reports, told.decisions) == (2, 2)
    assert (told.was, told.would) == ({Choice.PROPOSE: 2}, {Choice.CORRECT: 1, Choice.PROPOSE: 1})
    assert [one.adjustment_id for one in told.changes] == ["adj_2"]


@pytest.mark.parametrize(
    "terms, policy, against",
    [
        ({"total_discrepancies": 100}, Policy(), ()),
        (
            {"total_discrepancies": 101},
            Policy(),
            ("corrections stopped: 101 discrepancies at once (breaker_discrepancies)",),
        ),
        ({"total_discrepancies": 101}, Policy(breaker_discrepancies=101), ()),
        (
            {
                "verdict": Verdict.INCOMPLETE,
                "not_checked": (NotChecked(kind=Kind.FILLS, reason="no answer", side="exchange"),),
            },
            Policy(),
            ("corrections stopped: not everything was seen (no answer)",),
        ),
    ],
    ids=["as many as may be", "too many", "another limit", "not all seen"],
)
def test_breakers_are_those_of_the_run_under_the_other_policy(
    terms: dict[str, Any], policy: Policy, against: tuple[str, ...]
) -> None:
    told = would(policy, run(1, asked(repair("adj_1"), Choice.ESCALATE), **terms))
    assert told == [("adj_1", "propose", against) if against else ("adj_1", "correct", ALLOWED)]


def test_one_that_came_back_too_often_stops_the_others_of_its_run() -> None:
    flipping, sound = asked(repair("adj_1", flips=2), Choice.ESCALATE), asked(repair("adj_2"), Choice.ESCALATE)
    assert [choice for _, choice, _ in would(Policy(), run(1, sound, flipping))] == ["correct", "correct"]
    stopped = "corrections stopped: a discrepancy came back 2 times (breaker_flips)"
    assert would(Policy(breaker_flips=2), run(1, sound, flipping)) == [
        ("adj_2", "propose", (stopped,)),
        ("adj_1", "propose", ("it came back 2 times", stopped)),
    ]


def test_a_repair_that_was_in_doubt_on_that_day_still_stops_corrections_and_is_told_once() -> None:
    doubt = "corrections stopped: after adj_9 a difference was still seen"
    other = "corrections stopped: 101 discrepancies at once (breaker_discrepancies)"
    first = asked(repair("adj_1"), Choice.ESCALATE, other, doubt)
    second = asked(repair("adj_2"), Choice.ESCALATE, doubt)
    assert would(Policy(), run(1, first, second)) == [("adj_1", "propose", (doubt,)), ("adj_2", "propose", (doubt,))]
    assert would(Policy(), run(1, asked(repair("adj_1"), Choice.ESCALATE, other))) == [("adj_1", "correct", ALLOWED)]


def test_the_fields_that_decide_are_fields_of_a_policy() -> None:
    assert set(DECIDES) < set(Policy.__struct_fields__)
    assert len(set(DECIDES)) == len(DECIDES) == 9
