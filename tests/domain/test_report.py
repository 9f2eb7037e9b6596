"""The report: names that others rely on, plain digits, and the same bytes for the same input."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gal_friday.domain.assets import Asset
from gal_friday.domain.errors import MalformedAmount
from gal_friday.domain.plain import plain
from gal_friday.domain.policy import Mode
from gal_friday.domain.report import ReconciliationReport, ReviewItem, compare
from gal_friday.domain.snapshot import Evidence
from tests.domain.build import T0, D, at, balance, exchange, fill, internal, movement, order, position, since
from tests.domain.worlds import Pair, pairs

REPORT_KEYS = {
    "reconciliation_id",
    "timestamp",
    "status",
    "positions_checked",
    "position_discrepancies",
    "balances_checked",
    "balance_discrepancies",
    "orders_checked",
    "untracked_orders",
    "auto_corrections",
    "manual_review_required",
    "duration_seconds",
    "error_messages",
    "total_discrepancies",
    "account",
    "verdict",
    "cut",
    "fills_checked",
    "movements_checked",
    "not_checked",
    "proposals",
    "findings",
}
FURTHER = {"id", "state", "cause", "explanation", "age_seconds"}

OURS = [
    balance("BTC", "1"),
    balance("ETH", "0.00000001", "0"),
    position("100"),
    order("O1"),
    fill("T1"),
    movement("L1"),
]
THEIRS = [
    balance("BTC", "1.00000003"),
    balance("USD", "0.00000007"),
    balance("XRP", "0", "0"),
    position("0"),
    order("O2"),
    fill("T2"),
    movement("L2"),
]


def world() -> ReconciliationReport:
    return compare(internal(*OURS), exchange(*THEIRS), prices={Asset("BTC"): D("60000")})


def as_json(report: ReconciliationReport) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(report.to_json())
    return data


def test_every_key_that_others_rely_on_is_there() -> None:
    assert as_json(world()).keys() >= REPORT_KEYS
    assert as_json(compare(internal(), exchange())).keys() >= REPORT_KEYS


def test_a_position_discrepancy_has_its_keys() -> None:
    (found,) = as_json(world())["position_discrepancies"]
    assert {"trading_pair", "type", "internal", "exchange", "difference", "severity"} | FURTHER <= found.keys()
    assert (found["trading_pair"], found["internal"], found["exchange"]) == ("XRP/USD", "100", "0")
    assert found["difference"] == "-100"


def test_a_balance_discrepancy_has_its_keys_and_keeps_its_sign() -> None:
    found = {each["currency"]: each for each in as_json(world())["balance_discrepancies"]}
    assert {"currency", "internal", "exchange", "difference", "severity"} | FURTHER <= found["BTC"].keys()
    assert found["BTC"]["difference"] == "0.00000003"
    assert found["USD"]["internal"] == "0"
    swapped = compare(internal(balance("BTC", "2")), exchange(balance("BTC", "1.99999990")))
    assert as_json(swapped)["balance_discrepancies"][0]["difference"] == "-0.00000010"


def test_untracked_orders_are_ids_whatever_they_trade() -> None:
    strangers = exchange(order("O2"), order("O3", instrument="?XFOO"), order("O4", status="frozen"), order("O1"))
    assert as_json(compare(internal(order("O1", status="canceled")), strangers))["untracked_orders"] == [
        "O2",
        "O3",
        "O4",
    ]


def test_what_a_person_has_to_decide_names_its_discrepancy() -> None:
    data = as_json(world())
    assert len(data["manual_review_required"]) == data["total_discrepancies"] == 9
    ids = {each["id"] for name in data if name.endswith("_discrepancies") for each in listed(data[name])}
    for item in data["manual_review_required"]:
        assert {"type", "issue", "discrepancy_id"} <= item.keys()
        assert item["discrepancy_id"] in ids
        assert {"pair", "currency", "order_id"} & item.keys()


def listed(value: Any) -> list[dict[str, Any]]:
    return value if isinstance(value, list) else []


def test_no_amount_is_written_with_an_exponent() -> None:
    written = world().to_json().decode()
    assert "0.00000001" in written
    assert "E-" not in written


@pytest.mark.parametrize("zero", ["0", "0.00", "-0", "0E-8", "0E+3"])
def test_a_zero_is_written_as_zero(zero: str) -> None:
    assert plain({"a": [D(zero)], "b": (D(zero),)}) == {"a": ["0"], "b": ["0"]}


def test_counts_are_of_keys_that_could_be_judged() -> None:
    report = world()
    assert (report.balances_checked, report.positions_checked) == (4, 1)
    assert (report.orders_checked, report.fills_checked, report.movements_checked) == (2, 2, 2)
    doubtful = compare(internal(balance("BTC", "1")), exchange(balance("?XFOO", "1")))
    assert doubtful.balances_checked == 1


def test_every_discrepancy_is_in_exactly_one_list() -> None:
    report = world()
    assert len(report.discrepancies) == report.total_discrepancies == len({one.id for one in report.discrepancies})


def test_a_report_without_discrepancies_says_so_in_every_list() -> None:
    data = as_json(compare(internal(balance("BTC", "1")), exchange(balance("BTC", "1"))))
    assert data["total_discrepancies"] == 0
    assert all(data[key] == [] for key in data if key.endswith("_discrepancies") and key != "total_discrepancies")


def test_a_record_whose_cause_nobody_knows_is_named_and_explains_nothing() -> None:
    book = internal(balance("USD", "5"), movement("X", "5", "USD", kind="deposit"), balance("EUR", "1"))
    exchange_side = exchange(balance("EUR", "4"), movement("L1", "3", "EUR", kind="deposit"))
    report = compare(book, exchange_side, prices={Asset("EUR"): D("1")})
    unknown = next(one for one in report.balance_discrepancies if one.currency == "USD")
    assert unknown.bridge is not None
    assert [item.record_ids for item in unknown.bridge.items] == [("X",)]
    assert (unknown.cause, unknown.bridge.residual, unknown.bridge.proven) == ("unexplained", D(0), False)
    assert report.explained_share == D("0.375")


def test_the_book_is_at_fault_where_nothing_moved_on_either_side_and_the_balances_differ() -> None:
    window = since(-60)
    report = compare(internal(balance("USD", "5"), since=window), exchange(balance("USD", "7"), since=window))
    (found,) = report.balance_discrepancies
    assert found.bridge is not None
    assert found.bridge.at_fault == "internal"


def test_a_run_is_stamped_with_the_later_reading() -> None:
    report = compare(internal(as_of=at(2)), exchange(as_of=at(1)))
    assert (report.timestamp, report.cut.internal, report.cut.exchange) == (at(2), at(2), at(1))


@given(pair=pairs())
def test_a_report_read_back_equals_the_report_written(pair: Pair) -> None:
    report = compare(*pair, prices={Asset("XRP"): D("0.61")})
    again = ReconciliationReport.from_json(report.to_json())
    assert again == report
    assert again.to_json() == report.to_json()


@given(pair=pairs())
def test_the_same_input_gives_the_same_bytes(pair: Pair) -> None:  # I12
    assert compare(*pair).to_json() == compare(*pair).to_json()


def test_the_same_input_gives_the_same_bytes_in_another_process() -> None:  # I12
    program = (
        "import sys, tests.domain.test_report as this; "
        "report = this.compare(this.internal(*this.OURS), this.exchange(*this.THEIRS)); "
        "sys.stdout.buffer.write(report.to_json())"
    )
    written = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert written == {compare(internal(*OURS), exchange(*THEIRS)).to_json()}


@given(pair=pairs(), chance=st.randoms(use_true_random=False))
def test_ids_do_not_depend_on_the_order_of_rows(pair: Pair, chance: Any) -> None:
    from tests.domain.worlds import rebuilt

    other = rebuilt(pair[0], lambda rows: chance.sample(rows, len(rows)))
    first, again = compare(*pair), compare(other, pair[1])
    assert first.reconciliation_id == again.reconciliation_id
    assert [one.id for one in first.discrepancies] == [one.id for one in again.discrepancies]


@given(pair=pairs())
def test_no_two_discrepancies_of_a_run_share_an_id(pair: Pair) -> None:
    ids = [one.id for one in compare(*pair).discrepancies]
    assert len(ids) == len(set(ids))


def test_a_run_that_found_something_else_has_another_id() -> None:
    base = compare(internal(balance("BTC", "1")), exchange(balance("BTC", "1"))).reconciliation_id
    others = [
        compare(internal(balance("BTC", "1")), exchange(balance("BTC", "2"))),
        compare(internal(balance("BTC", "1")), exchange(balance("BTC", "3"))),
        compare(internal(balance("BTC", "1")), exchange(balance("?BTC", "1"))),
        compare(internal(balance("BTC", "1")), exchange(balance("BTC", "2")), prices={Asset("BTC"): D(9)}),
        compare(internal(balance("BTC", "1"), as_of=at(1)), exchange(balance("BTC", "1"))),
        compare(internal(balance("BTC", "1")), exchange(balance("BTC", "1"), evidence=(Evidence("a", "b"),))),
        compare(internal(balance("BTC", "1"), version="7"), exchange(balance("BTC", "1"))),
    ]
    ids = {report.reconciliation_id for report in others}
    assert len(ids) == len(others)
    assert base not in ids


@pytest.mark.parametrize("price", [60000.0, 60000, Decimal("NaN")])
def test_a_price_that_is_not_exact_is_refused(price: Any) -> None:  # I1
    with pytest.raises(MalformedAmount):
        compare(internal(balance("BTC", "1")), exchange(), prices={Asset("BTC"): price})


def test_what_was_read_is_carried_over() -> None:
    left = internal(balance("BTC", "1"), version="7", notes=("a",), evidence=(Evidence("book", "aa"),))
    report = compare(left, exchange(balance("BTC", "1"), version="L9", notes=("b",)))
    assert (report.internal_version, report.exchange_version, report.notes) == ("7", "L9", ("a", "b"))
    assert [each.source for each in report.evidence] == ["book"]
    assert (report.mode, report.timestamp) == (Mode.OBSERVE, T0)


def test_an_issue_is_a_sentence_a_person_can_read() -> None:
    issues = [item.issue for item in world().manual_review_required]
    assert "XRP/USD: book 100, exchange 0" in issues
    assert "BTC: book 1, exchange 1.00000003" in issues
    assert "T2 quantity: book nothing, exchange 40" in issues


def test_a_review_item_says_only_what_it_knows() -> None:
    order_item = next(item for item in world().manual_review_required if item.order_id == "O2")
    assert order_item == ReviewItem(
        type=order_item.type,
        issue="O2 quantity: book nothing, exchange 100",
        discrepancy_id=order_item.discrepancy_id,
        pair="XRP/USD",
        order_id="O2",
    )
