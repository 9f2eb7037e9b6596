"""What a report tells of repairs: posted, waiting for a person, waiting for a later run. Golden at two widths."""

import os
from decimal import Decimal
from pathlib import Path

import pytest

from gal_friday.cli.mended import ENTRIES_MAX, repaired_of, waiting_of
from gal_friday.cli.next_steps import next_steps
from gal_friday.domain.adjusted import Applied
from gal_friday.domain.adjustment import Adjustment, AdjustmentType, Effect
from gal_friday.domain.candidate import Bars, Candidate
from gal_friday.domain.decided import with_decisions
from gal_friday.domain.decision import Choice, Decided, Decision
from gal_friday.domain.report import ReconciliationReport
from tests.cli.samples import report, side
from tests.cli.test_policy import AT
from tests.cli.test_render import GOLDEN, shown

AGREES = report(side("internal"), side("exchange"))


def event(number: int, choice: Choice, reason: str, *effects: Effect, cause: str = "missed_fill") -> Decided:
    """Return an event that was decided this way; without effects there is nothing to post."""
    made = Adjustment(
        adjustment_id=f"adj_{number:016d}",
        account="main",
        exchange="kraken",
        type=AdjustmentType.BOOK_FILL,
        postings=(),
        discrepancies=(f"dis_{number}",),
        keys=(f"fills:T{number}",),
        effects=effects,
        record_ids=(f"T{number}",),
        cause=cause,
        reason=f"fill T{number} of order OX{number} (buy 1.25 ETH/USD) never reached the book",
        reconciliation_id="rec_1",
        at=AT,
    )
    candidate = Candidate(
        event=f"T{number}",
        cause=cause,
        discrepancies=made.discrepancies,
        keys=(f"fills:T{number}", "balances:ETH:spot"),
        adjustment=made if effects else None,
        bars=Bars(),
    )
    return Decided(candidate, Decision(choice, (reason,), "pol_1"))


ETH = Effect("balances:ETH:spot", Decimal("38"), Decimal("39.25"))
USD = Effect("balances:USD:spot", Decimal("141042.6005"), Decimal("137304.3446"))
SHORT = Effect("positions:XRP/USD:net", Decimal("5000"), Decimal("-5000"))


def told(*decided: Decided) -> ReconciliationReport:
    """Return a report of these events, in which everything was posted that was to be."""
    outcomes = {
        made.adjustment_id: Applied(made.adjustment_id, 2)
        for one in decided
        if one.decision.choice is Choice.CORRECT and (made := one.candidate.adjustment)
    }
    return with_decisions(AGREES, decided, outcomes)


EVERYTHING = told(
    event(1, Choice.CORRECT, "the exchange's records prove it", ETH, USD),
    event(2, Choice.CORRECT, "the exchange's records prove it", SHORT, cause="wrong_side"),
    event(3, Choice.PROPOSE, "it is worth more than 10000 (proven_max_value)", USD),
    event(4, Choice.ESCALATE, "movements:L1: nobody knows this name; name it first", cause="unexplained"),
    event(5, Choice.WAIT, "seen too seldom or too shortly to be certain"),
    event(6, Choice.WAIT, "seen too seldom or too shortly to be certain"),
)


@pytest.mark.parametrize("width", [80, 120])
def test_repairs_read_as_they_were_designed(width: int) -> None:
    text, golden = shown(EVERYTHING, width), GOLDEN / f"repairs_{width}.txt"
    if os.environ.get("GAL_FRIDAY_GOLDEN") == "write":
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if len(line) > width] == []


def test_a_report_that_decided_nothing_says_nothing_of_repairs() -> None:
    assert "Repaired" not in shown(AGREES)
    assert "Waits" not in shown(AGREES)


def test_what_waits_has_the_command_that_approves_it_with_the_configuration_that_was_named() -> None:
    lines = list(waiting_of(EVERYTHING, 80, config=Path("my own.toml")))
    assert "      gal-friday review approve adj_0000000000000003 --config 'my own.toml'" in lines


def test_nothing_can_be_approved_of_a_book_that_is_not_kept_here_or_of_a_report_in_no_database() -> None:
    elsewhere = "\n".join(waiting_of(EVERYTHING, 80, kept=False))
    assert ("review approve" in elsewhere, "post it in your own system" in elsewhere) == (False, True)
    assert "review approve" not in "\n".join(waiting_of(EVERYTHING, 80, recorded=False))


def test_more_repairs_than_a_person_reads_are_counted() -> None:
    many = told(*(event(number, Choice.CORRECT, "proven", ETH) for number in range(ENTRIES_MAX + 3)))
    lines = list(repaired_of(many, 80))
    assert lines[0] == f"Repaired without a person: {ENTRIES_MAX + 3}"
    assert lines[-1] == "  … and 3 more; --json lists them all"


def test_the_next_steps_lead_to_the_queue_and_to_what_was_posted() -> None:
    commands = [command for command, _ in next_steps(EVERYTHING, recorded=True)]
    assert commands[:2] == ["gal-friday review queue --account main", "gal-friday adjustments --account main"]
    assert next_steps(AGREES, recorded=True) == []
