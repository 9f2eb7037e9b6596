"""The report on a terminal, golden at two widths. GAL_FRIDAY_GOLDEN=write writes what is shown now."""

import io
import os
from pathlib import Path
from typing import Literal

import pytest
from msgspec.structs import replace
from rich.console import Console

from gal_friday.cli.render import EVENTS_MAX, print_report, report_json
from gal_friday.domain.records import Kind
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.snapshot import NotChecked
from gal_friday.domain.verdict import ReconciliationStatus, Verdict
from tests.cli.samples import FILL, ORDER, TOTAL, missed_fill, report, side

GOLDEN = Path(__file__).parent / "golden"
MISSED = replace(report(*missed_fill(), BTC="60000", XRP="0.61"), duration_seconds=1.238)
AGREES = report(side("internal"), side("exchange"))
INCOMPLETE = report(side("internal"), side("exchange", coverage=TOTAL | {"orders": "none", "fills": "partial"}))


def shown(given: ReconciliationReport, width: int = 80, *, colour: bool = False, recorded: bool = True) -> str:
    stream = io.StringIO()
    system: Literal["truecolor"] | None = "truecolor" if colour else None
    console = Console(
        file=stream,
        width=width,
        soft_wrap=True,
        highlight=False,
        markup=False,
        force_terminal=colour,
        color_system=system,
    )
    print_report(given, console, recorded=recorded)
    return stream.getvalue()


@pytest.mark.parametrize("width", [80, 120, 160])
def test_the_report_reads_as_it_was_designed(width: int) -> None:
    text = shown(MISSED, width)
    golden = GOLDEN / f"missed_fill_{width}.txt"
    if os.environ.get("GAL_FRIDAY_GOLDEN") == "write":
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [80, 120, 160])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert [line for line in shown(MISSED, width).splitlines() if len(line) > width] == []


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal_where_states_are_told_too(width: int) -> None:
    first, *rest = MISSED.balance_discrepancies
    mixed = replace(MISSED, balance_discrepancies=(replace(first, state="confirmed"), *rest))
    text = shown(mixed, width)
    assert "suspected" in text
    assert [line for line in text.splitlines() if len(line) > width] == []
    assert "suspected" not in shown(mixed, width, recorded=False)


@pytest.mark.parametrize("width", [10, 40, 80, 120, 400])
def test_ids_and_amounts_are_whole_at_every_width(width: int) -> None:
    text = shown(MISSED, width)
    assert all(whole in text for whole in (FILL, ORDER, "3.123456789", "9975.54", "15,000.00"))


@pytest.mark.parametrize("given", [MISSED, INCOMPLETE, replace(AGREES, verdict=Verdict.PENDING)])
def test_only_what_is_reconciled_is_green(given: ReconciliationReport) -> None:
    green = "\x1b[1;32m"
    assert green in shown(AGREES, colour=True)
    assert green not in shown(given, colour=True)


def test_a_reconciled_report_asks_for_nothing() -> None:
    assert shown(AGREES) == ("RECONCILED · main at kraken · 2026-01-31 12:00:00 UTC\nChecked      1 balance\n")


def test_what_was_not_checked_is_named_with_its_reason() -> None:
    text = shown(INCOMPLETE)
    assert text.startswith("INCOMPLETE: not all was checked · main at kraken")
    assert "Not checked  orders (exchange): the exchange snapshot covers orders not at all" in text
    assert "             fills (exchange): the exchange snapshot covers fills only in part" in text


def test_one_reason_for_many_kinds_is_said_once() -> None:
    gone = tuple(NotChecked(kind, "no answer from the exchange; try again later", "exchange") for kind in Kind)
    text = shown(replace(INCOMPLETE, not_checked=gone), width=200)
    assert text.count("no answer from the exchange") == 1


def test_a_run_that_was_not_recorded_is_still_printed() -> None:
    failed = replace(
        MISSED, status=ReconciliationStatus.FAILED, error_messages=("this report was not recorded: the disk is full",)
    )
    text = shown(failed)
    assert text.startswith("FAILED: not recorded; 9 discrepancies")
    assert FILL in text
    assert "Error        this report was not recorded: the disk is full" in text


def test_names_cannot_move_the_cursor() -> None:
    odd = MISSED.balance_discrepancies[0]
    text = shown(replace(MISSED, account="a\x1b[2J", balance_discrepancies=(replace(odd, currency="B\x1b[1m\rC"),)))
    assert "\x1b" not in text
    assert "\r" not in text
    assert r"B\x1b[1m\rC" in text


def test_what_is_too_much_to_read_is_counted() -> None:
    many = [{"asset": f"A{number}", "total": "1"} for number in range(EVENTS_MAX + 3)]
    text = shown(report(side("internal", balances=many), side("exchange", balances=[])))
    assert "… and 3 more; --json lists them all" in text


def test_the_next_commands_name_account_and_report() -> None:
    text = shown(MISSED)
    assert f"  gal-friday report {MISSED.reconciliation_id} --json" in text
    assert "  gal-friday book import FILE --account main" in text


def test_the_next_commands_look_where_this_one_looked() -> None:
    stream = io.StringIO()
    print_report(MISSED, Console(file=stream, width=200, soft_wrap=True), config=Path("my config.toml"))
    steps = stream.getvalue().partition("What next")[2].splitlines()[1:]
    assert steps
    assert all("--config 'my config.toml'" in step for step in steps)


def test_what_follows_from_another_does_not_repeat_its_reason() -> None:
    assert shown(MISSED, 200).count("(buy 40 XRP/USD) never reached the book") == 1


def test_a_comparison_without_prices_says_how_to_state_them() -> None:
    unpriced = report(*missed_fill())
    assert "--prices" in shown(unpriced, recorded=False)
    assert "--prices" not in shown(MISSED, recorded=False)


def test_only_what_is_followed_from_run_to_run_is_called_suspected() -> None:
    assert "Suspected so far" in shown(MISSED)
    assert "uspected" not in shown(MISSED, recorded=False)


def test_a_comparison_of_files_sends_nobody_to_a_database() -> None:
    assert "gal-friday report" not in shown(MISSED, recorded=False)


def test_the_json_of_a_report_reads_back_equal() -> None:
    assert ReconciliationReport.from_json(report_json(MISSED)) == MISSED
