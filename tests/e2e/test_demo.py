"""The demo as a person starts it: a process of its own, stdout for the report and nothing else."""

import json
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def demo() -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gal_friday", "demo", "--once", "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_demo_ends_well_when_the_report_shows_exactly_what_was_planted(
    demo: subprocess.CompletedProcess[str],
) -> None:
    assert demo.returncode == 0, demo.stderr


def test_the_demo_prints_one_json_document_and_nothing_else(demo: subprocess.CompletedProcess[str]) -> None:
    report = json.loads(demo.stdout)
    assert report["verdict"] == "discrepancies"
    assert report["fills_checked"] > 1000


def test_the_demo_shows_each_planted_fault_with_its_exact_amount(demo: subprocess.CompletedProcess[str]) -> None:
    """Spelt out, so that the demo's own check is not the only witness: the day of the demo never changes."""
    report = json.loads(demo.stdout)
    balances = {(one["currency"], one["wallet"]): one["difference"] for one in report["balance_discrepancies"]}
    assert balances == {
        ("ADA", "spot"): "-1000.00000000",
        ("DOGE", "spot"): "-417.31000000",
        ("DOT", "bonded"): "1.3047000000",
        ("ETH", "spot"): "1.2500000000",
        ("EUR", "spot"): "2500.0000",
        ("SOL", "spot"): "-12.5000000000",
        ("USD", "spot"): balances["USD", "spot"],
    }
    (position,) = report["position_discrepancies"]
    assert (position["type"], position["internal"], position["exchange"]) == (
        "side_mismatch",
        "5000.00000000",
        "-5000.00000000",
    )
    assert len(report["untracked_orders"]) == 2
    orders = sorted(one["type"] for one in report["order_discrepancies"])
    assert orders == [
        "order_missing_exchange",
        "order_not_tracked",
        "order_not_tracked",
        "order_state_mismatch",
        "order_state_mismatch",
    ]
    fills = sorted(one["type"] for one in report["fill_discrepancies"])
    assert fills == ["fill_duplicated", "fill_mismatch", "fill_missing_internal", "fill_missing_internal"]
    unbooked = [one["difference"] for one in report["movement_discrepancies"] if ":" not in one["key"][10:]]
    assert sorted(unbooked) == ["-0.3000", "1.3047000000", "2500.0000"]
    assert report["total_discrepancies"] == 26


def test_the_demo_names_the_cause_of_each_planted_fault_and_leaves_nothing_over(
    demo: subprocess.CompletedProcess[str],
) -> None:
    report = json.loads(demo.stdout)
    assert sorted(root["cause"] for root in report["root_causes"]) == [
        "duplicated_fill",
        "foreign_order",
        "ghost_order",
        "manual_trade",
        "missed_fill",
        "reward",
        "rollover",
        "unbooked_deposit",
        "unexplained",
        "wrong_side",
    ]
    amounts = [*report["balance_discrepancies"], *report["position_discrepancies"]]
    explained = [one for one in amounts if one.get("currency") != "DOGE"]
    assert {one["bridge"]["residual"] for one in explained} == {"0"}
    assert all(item["record_ids"] for one in explained for item in one["bridge"]["items"])
    assert all(one["bridge"]["divergence"]["first_bad"] for one in explained if "currency" in one)


def test_the_demo_leaves_unexplained_in_full_what_no_record_explains(demo: subprocess.CompletedProcess[str]) -> None:
    report = json.loads(demo.stdout)
    (one,) = (one for one in report["balance_discrepancies"] if one["cause"] == "unexplained")
    assert (one["currency"], one["difference"], one["bridge"]["residual"]) == ("DOGE", "-417.31000000", "-417.31000000")
    assert one["bridge"]["items"] == []
    assert one["value"] is not None
