"""What a report says of decisions: only what was posted in this run is corrected, only what waits is proposed."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.adjusted import Applied, Outcome, Refused, Unsettled
from gal_friday.domain.adjustment import AdjustmentType, Effect, PostOrder
from gal_friday.domain.candidate import Candidate
from gal_friday.domain.decided import turned_down, with_decisions
from gal_friday.domain.decision import Choice, Decided, Decision
from gal_friday.domain.report import ReconciliationReport, Repaired, compare
from tests.domain.build import balance, exchange, internal, order
from tests.domain.test_decision import made, proven

REPORT = compare(internal(balance("XRP", "1"), balance("USD", "7")), exchange(balance("XRP", "2"), balance("USD", "9")))
XRP, USD = (next(one.id for one in REPORT.balance_discrepancies if one.currency == name) for name in ("XRP", "USD"))
NAME = made(AdjustmentType.BOOK_FILL).adjustment_id


def candidate(*discrepancies: str, **terms: Any) -> Candidate:
    return replace(proven(), discrepancies=discrepancies, **terms)


def told(
    choice: Choice, one: Candidate | None = None, outcome: Outcome | None = None, **more: Any
) -> ReconciliationReport:
    decided = Decided(one or candidate(XRP), Decision(choice, ("because of it",), "pol_1"))
    return with_decisions(REPORT, [decided], {} if outcome is None else {NAME: outcome}, **more)


def waiting(report: ReconciliationReport) -> dict[str, tuple[str | None, str | None]]:
    return {one.discrepancy_id: (one.decision, one.adjustment_id) for one in report.manual_review_required}


def test_what_was_posted_is_a_correction_and_waits_for_nobody() -> None:
    report = told(Choice.CORRECT, outcome=Applied(NAME, 2))
    (one,) = report.auto_corrections
    assert (one.adjustment_id, one.currency, one.old_balance, one.new_balance, one.difference) == (
        NAME,
        "XRP",
        Decimal(0),
        Decimal(1),
        Decimal(1),
    )
    assert (report.proposals, waiting(report)) == ((), {USD: (None, None)})


def test_what_was_refused_is_no_correction_and_says_why() -> None:
    report = told(Choice.CORRECT, outcome=Refused(NAME, "the book moved"))
    assert (report.auto_corrections, report.proposals) == ((), ())
    assert report.notes[-1] == f"{NAME} was not posted: the book moved"
    assert waiting(report)[XRP] == ("correct", None)


def test_what_is_proposed_names_the_adjustment_that_waits() -> None:
    report = told(Choice.PROPOSE)
    assert [one.adjustment_id for one in report.proposals] == [NAME]
    assert waiting(report) == {XRP: ("propose", NAME), USD: (None, None)}


def test_what_cannot_be_proposed_any_more_is_no_proposal() -> None:
    report = told(Choice.PROPOSE, outcome=Refused(NAME, "it is rejected already"))
    assert (report.auto_corrections, report.proposals, waiting(report)[XRP]) == ((), (), ("propose", None))


@pytest.mark.parametrize("choice", [Choice.WAIT, Choice.ESCALATE])
def test_what_waits_or_needs_a_person_stays_with_its_reason(choice: Choice) -> None:
    report = told(choice)
    assert (report.auto_corrections, report.proposals, waiting(report)[XRP]) == ((), (), (choice.value, None))
    assert [one.because for one in report.manual_review_required if one.discrepancy_id == XRP] == ["because of it"]


def test_what_is_excused_is_asked_of_nobody() -> None:
    assert waiting(told(Choice.WAIT, excused=[USD])) == {XRP: ("wait", None)}


def test_an_order_that_is_ended_is_listed_once_and_without_an_amount() -> None:
    ended = replace(
        made(AdjustmentType.CLOSE_ORDER, effects=False), postings=(PostOrder(order("O1", status="canceled")),)
    )
    decided = Decided(candidate(XRP, adjustment=ended), Decision(Choice.CORRECT, (), "pol_1"))
    report = with_decisions(REPORT, [decided], {NAME: Applied(NAME, 2)})
    (one,) = report.auto_corrections
    assert (one.order_id, one.difference, one.old_balance) == ("O1", None, None)


def test_a_correction_is_listed_amount_by_amount() -> None:
    effects = (
        Effect("balances:A:B:spot", Decimal(1), Decimal(3)),
        Effect("positions:XRP/USD:net", Decimal(0), -Decimal(2)),
    )
    both = candidate(XRP, adjustment=replace(made(AdjustmentType.BOOK_FILL), effects=effects))
    first, second = told(Choice.CORRECT, both, Applied(NAME, 2)).auto_corrections
    assert (first.currency, first.old_balance, first.new_balance, first.pair) == ("A:B", Decimal(1), Decimal(3), None)
    assert (second.pair, second.old_quantity, second.new_quantity, second.currency) == (
        "XRP/USD",
        Decimal(0),
        Decimal(-2),
        None,
    )


def test_what_was_posted_and_what_waits_is_told_whole() -> None:
    terms: dict[str, Any] = {"type": AdjustmentType.BOOK_FILL, "adjustment_id": NAME, "reason": "it never arrived"}
    why = replace(made(AdjustmentType.BOOK_FILL), reason="it never arrived")
    moved = Repaired(**terms, currency="XRP", old_balance=Decimal(0), new_balance=Decimal(1), difference=Decimal(1))
    assert told(Choice.CORRECT, candidate(XRP, adjustment=why), Applied(NAME, 2)).auto_corrections == (moved,)
    position = replace(why, effects=(Effect("positions:XRP/USD:net", Decimal(3), Decimal(1)),))
    traded = Repaired(**terms, pair="XRP/USD", old_quantity=Decimal(3), new_quantity=Decimal(1), difference=Decimal(-2))
    assert told(Choice.PROPOSE, candidate(XRP, adjustment=position)).proposals == (traded,)
    orders = (PostOrder(order("O1", "canceled")), PostOrder(order(None, "canceled", client="mine")))
    ended = replace(why, postings=orders, effects=())
    assert told(Choice.PROPOSE, candidate(XRP, adjustment=ended)).proposals == (
        Repaired(**terms, order_id="O1"),
        Repaired(**terms, order_id="mine"),
    )


def test_what_nobody_knows_to_be_posted_is_said_after_what_was_noted_before() -> None:
    decided = Decided(candidate(XRP), Decision(Choice.CORRECT, ("first", "second"), "pol_1"))
    noted = replace(REPORT, notes=("a note",))
    outcomes: dict[str, Outcome] = {
        NAME: Unsettled(NAME, "no answer"),
        "adj_2": Refused("adj_2", "the book moved"),
        "adj_3": Applied("adj_3", 2),
    }
    report = with_decisions(noted, [decided], outcomes)
    assert report.notes == (
        "a note",
        f"nobody knows whether {NAME} was posted: no answer; gal-friday adjustments {NAME}",
        "adj_2 was not posted: the book moved",
    )
    assert report.decisions == (decided,)
    (told_of, other) = sorted(report.manual_review_required, key=lambda item: item.discrepancy_id != XRP)
    (before,) = (item for item in REPORT.manual_review_required if item.discrepancy_id == XRP)
    assert told_of == replace(before, decision="correct", because="first; second", adjustment_id=None)
    assert other in REPORT.manual_review_required


def test_repairs_that_were_decided_and_not_posted_are_counted() -> None:
    posted = told(Choice.CORRECT, outcome=Applied(NAME, 2))
    refused = told(Choice.CORRECT, outcome=Refused(NAME, "the book moved"))
    assert [turned_down(each) for each in (posted, refused, told(Choice.PROPOSE), REPORT)] == [0, 1, 0, 0]
    twice = replace(refused, decisions=refused.decisions * 2)
    assert turned_down(twice) == 2
