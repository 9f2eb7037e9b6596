"""``gal-friday compare``: two files in, one report out, and a clear sentence for everything that is no snapshot."""

import io
import json
import os
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.samples import FILL, TOTAL, both_written, missed_fill, side, written


def test_two_sides_that_agree_are_reconciled(run: Run, tmp_path: Path) -> None:
    outcome = run("compare", *both_written(tmp_path, side("internal"), side("exchange")))
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith("RECONCILED")


def test_a_missed_fill_is_found_and_named(run: Run, tmp_path: Path) -> None:
    outcome = run("compare", *both_written(tmp_path, *missed_fill()))
    assert (outcome.status, outcome.err) == (1, "")
    assert f"fill never reached the book: XRP/USD {FILL}" in outcome.out


def test_json_is_one_compact_document(run: Run, tmp_path: Path) -> None:
    outcome = run("compare", *both_written(tmp_path, *missed_fill()), "--json")
    assert outcome.out.count("\n") == 1
    assert outcome.json()["total_discrepancies"] == 9
    assert {one["currency"]: one["difference"] for one in outcome.json()["balance_discrepancies"]} == {
        "BTC": "-0.25000000",
        "DOT": "3.123456789",
        "EUR": "-5",
        "USD": "-24.46",
        "XRP": "40",
    }


def test_exit_zero_lets_discrepancies_pass(run: Run, tmp_path: Path) -> None:
    assert run("compare", *both_written(tmp_path, *missed_fill()), "--exit-zero").status == 0


def test_what_could_not_be_checked_is_never_green(run: Run, tmp_path: Path) -> None:
    partly = side("exchange", coverage=TOTAL | {"orders": "partial"})
    assert run("compare", *both_written(tmp_path, side("internal"), partly)).status == 3


def test_nothing_to_compare_is_a_failure(run: Run, tmp_path: Path) -> None:
    nothing = [side(name, coverage={}, balances=[]) for name in ("internal", "exchange")]
    assert run("compare", *both_written(tmp_path, nothing[0], nothing[1])).status == 4


def test_only_limits_the_comparison(run: Run, tmp_path: Path) -> None:
    outcome = run("compare", *both_written(tmp_path, *missed_fill()), "--only", "positions,orders", "--json")
    assert outcome.json()["balances_checked"] == 0
    assert outcome.json()["orders_checked"] == 1


def test_prices_are_exact(run: Run, tmp_path: Path) -> None:
    price = "60000.123456789012345678"
    outcome = run("compare", *both_written(tmp_path, *missed_fill()), "--prices", f"BTC={price}", "--json")
    (btc,) = [one for one in outcome.json()["balance_discrepancies"] if one["currency"] == "BTC"]
    assert btc["value"] == "15000.03086419725308641950000000"


def test_values_are_in_the_currency_that_was_asked_for(run: Run, tmp_path: Path) -> None:
    files = both_written(tmp_path, *missed_fill())
    outcome = run("compare", *files, "--prices", "BTC=55000", "--currency", "EUR")
    assert "≈ 13,750.00 EUR" in outcome.out


def test_a_configuration_counts_only_where_it_is_named(run: Run, tmp_path: Path) -> None:
    Path("gal-friday.toml").write_text('[reconciliation]\ntolerance = "1"\n[aliases.assets]\nXBT = "BTC"\n')
    ours = side("internal", balances=[{"asset": "XBT", "total": "2"}])
    files = both_written(tmp_path, ours, side("exchange"))
    assert run("compare", *files).status == 1
    assert run("compare", *files, "--config", "gal-friday.toml").status == 0


def test_one_side_may_come_through_a_pipe(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    piped = io.TextIOWrapper(io.BytesIO(json.dumps(side("internal")).encode()))
    monkeypatch.setattr(sys, "stdin", piped)
    assert run("compare", "-", written(tmp_path, "exchange.json", side("exchange"))).status == 0


def test_swapped_files_are_recognised_and_the_right_order_is_given(run: Run, tmp_path: Path) -> None:
    ours, theirs = both_written(tmp_path, side("internal"), side("exchange"))
    outcome = run("compare", theirs, ours)
    assert (outcome.status, outcome.out) == (2, "")
    assert f"swap them: gal-friday compare {ours} {theirs}" in outcome.err


def test_the_same_file_twice_is_refused(run: Run, tmp_path: Path) -> None:
    ours = written(tmp_path, "internal.json", side("internal"))
    outcome = run("compare", ours, ours)
    assert (outcome.status, outcome.out) == (2, "")
    assert "both files are of the internal side" in outcome.err


@pytest.mark.parametrize("change", [{"account": "other"}, {"exchange": "elsewhere"}])
def test_two_accounts_cannot_be_compared(run: Run, tmp_path: Path, change: dict[str, str]) -> None:
    outcome = run("compare", *both_written(tmp_path, side("internal"), side("exchange", **change)))
    assert (outcome.status, outcome.out) == (2, "")
    assert "compare two of the same" in outcome.err


NOT_SNAPSHOTS = {
    "empty": (b"", "is empty"),
    "html": (b"<!doctype html><html>503</html>", "a web page"),
    "zip": (b"PK\x03\x04rest", "a ZIP archive"),
    "ledgers": (b'"txid","refid","time"\n', "a Kraken export"),
    "text": (b"hello", "not JSON at line 1"),
    "cut": (b'{"format": "gal-friday/snapshot/1", "side": "int', "written to its end?"),
    "other": (b'{"format": "gal-friday/snapshot/9"}', "unknown format"),
    "list": (b"[1, 2]", "object"),
    "binary": (b"\xff\xfe\x00\x01", "not UTF-8"),
    "float": (json.dumps(side("exchange", balances=[{"asset": "BTC", "total": "NaN"}])).encode(), "balances[0].total"),
}


@pytest.mark.parametrize("name", NOT_SNAPSHOTS)
def test_a_file_that_is_no_snapshot_is_refused_with_its_name_and_reason(run: Run, tmp_path: Path, name: str) -> None:
    content, reason = NOT_SNAPSHOTS[name]
    path = tmp_path / f"{name}.json"
    path.write_bytes(content)
    outcome = run("compare", written(tmp_path, "internal.json", side("internal")), str(path))
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith(f"gal-friday: {path}")
    assert reason in outcome.err
    assert "Traceback" not in outcome.err


def test_a_missing_file_a_folder_and_a_name_that_is_none_are_refused(run: Run, tmp_path: Path) -> None:
    ours = written(tmp_path, "internal.json", side("internal"))
    for name, reason in (("gone.json", "No such file"), (str(tmp_path), "is a folder"), ("a\0b", "no file name")):
        outcome = run("compare", ours, name)
        assert (outcome.status, outcome.out) == (2, "")
        assert reason in outcome.err


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_refused(run: Run, tmp_path: Path) -> None:
    ours = written(tmp_path, "internal.json", side("internal"))
    Path(ours).chmod(0)
    outcome = run("compare", ours, ours)
    assert outcome.status == 2
    assert "Permission denied" in outcome.err


BAD_OPTIONS = {
    "kind": (["--only", "balances,coins"], "'coins' is no kind of record"),
    "no kind": (["--only", ""], "'' is no kind of record"),
    "price": (["--prices", "BTC"], "'BTC' is not ASSET=PRICE"),
    "price is no amount": (["--prices", "BTC=1e"], "is not an amount"),
    "price is nothing": (["--prices", "BTC=0"], "a price is above zero"),
    "price that is no amount": (["--prices", "BTC=60k"], "--prices: BTC: '60k' is not an amount"),
    "two prices": (["--prices", "BTC=1,BTC=2"], "BTC has two prices"),
    "unknown": (["--colour"], "Unknown option"),
    "configuration": (["--config", "gone.toml"], "cannot read the configuration"),
}


@pytest.mark.parametrize("name", BAD_OPTIONS)
def test_an_option_that_makes_no_sense_is_refused(run: Run, tmp_path: Path, name: str) -> None:
    options, reason = BAD_OPTIONS[name]
    outcome = run("compare", *both_written(tmp_path, side("internal"), side("exchange")), *options)
    assert (outcome.status, outcome.out) == (2, "")
    assert reason in outcome.err


def test_standard_input_cannot_be_both_sides(run: Run) -> None:
    outcome = run("compare", "-", "-")
    assert (outcome.status, outcome.out) == (2, "")
    assert "only one of the two" in outcome.err


def test_a_pipe_that_nobody_writes_to_is_refused_and_not_waited_for(run: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    outcome = run("compare", str(tmp_path / "pipe"), written(tmp_path, "exchange.json", side("exchange")))
    assert (outcome.status, outcome.out) == (2, "")
    assert "a pipe that nobody writes to" in outcome.err


def test_a_complaint_is_short_whatever_it_quotes(run: Run, tmp_path: Path) -> None:
    ours = written(tmp_path, "internal.json", side("internal", account="x" * 100_000))
    outcome = run("compare", ours, written(tmp_path, "exchange.json", side("exchange")))
    assert outcome.status == 2
    assert len(outcome.err) < 2100
    assert outcome.err.endswith("shorten it\n")
