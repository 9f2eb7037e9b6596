"""Sparse rows are merged, fills are told once, and what cannot be read is never silence."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gal_friday.adapters.kraken.stream_executions import merged
from gal_friday.domain.assets import Wallet
from gal_friday.ports.stream import BalanceSeen, Missed, OrderSeen, StreamEvent
from tests.adapters.kraken.streamed import AT, balances, entry, executions, filled, fills, kinds, placed, second


def test_a_fill_is_completed_by_what_its_order_said_before() -> None:
    hearing = executions()
    hearing.update((placed(),), AT)
    (seen,) = fills(hearing.update((filled("T1", "0.5"),), AT))
    fill = seen.fill
    assert (fill.fill_id, fill.order_id, fill.instrument, fill.side) == ("T1", "O1", "BTC/USD", "buy")
    assert (fill.quantity, fill.price, fill.fee, fill.fee_asset) == (
        Decimal("0.5"), Decimal("60000.1"), Decimal("1.2"), "USD",
    )  # fmt: skip
    assert (seen.received_at, seen.replayed) == (AT, False)


def test_a_fill_is_told_once() -> None:
    hearing = executions()
    hearing.update((placed(), filled("T1", "0.5")), AT)
    assert hearing.update((filled("T1", "0.5"),), AT) == []
    assert hearing.snapshot((filled("T1", "0.5", symbol="BTC/USD", side="buy"),), AT) == []


def test_fills_of_a_snapshot_are_told_as_such_and_oldest_first() -> None:
    newest = filled("T2", "1", symbol="BTC/USD", side="buy", timestamp=second(2))
    oldest = filled("T1", "0.5", symbol="BTC/USD", side="buy")
    seen = fills(executions().snapshot((newest, oldest), AT))
    assert [(each.fill.fill_id, each.replayed) for each in seen] == [("T1", True), ("T2", True)]


def test_a_fill_whose_order_nobody_knows_is_missed_and_not_taken_as_told() -> None:
    hearing = executions()
    (missed,) = hearing.update((filled("T1", "0.5"),), AT)
    assert isinstance(missed, Missed)
    assert len(fills(hearing.update((filled("T1", "0.5", symbol="BTC/USD", side="buy"),), AT))) == 1


@pytest.mark.parametrize("done, missed", [("0.5", False), ("0.50000001", True), ("1", True)])
def test_an_order_executed_further_than_its_fills_tell_was_filled_unseen(done: str, missed: bool) -> None:
    hearing = executions()
    hearing.update((placed(),), AT)
    assert (Missed in kinds(hearing.update((filled("T1", done),), AT))) == missed


def test_an_end_that_is_further_than_the_fills_is_a_fill_unseen() -> None:
    hearing = executions()
    hearing.update((placed(), filled("T1", "0.5")), AT)
    row = placed(exec_type="filled", order_status="filled", cum_qty="2", timestamp=second(3))
    assert kinds(hearing.update((row,), AT)) == [OrderSeen, Missed]


def test_a_step_that_nobody_knows_is_missed_and_the_order_told() -> None:
    seen, missed = executions().update((placed(exec_type="some_future_step", order_status="resting"),), AT)
    assert isinstance(seen, OrderSeen)
    assert (seen.status, type(missed)) == ("resting", Missed)


def test_an_order_is_told_again_only_when_it_changed() -> None:
    hearing = executions()
    assert kinds(hearing.update((placed(),), AT)) == [OrderSeen]
    assert hearing.update((placed(),), AT) == []
    (seen,) = hearing.update(({"order_id": "O1", "exec_type": "new", "order_status": "new"},), AT)
    assert isinstance(seen, OrderSeen)
    assert (seen.status, seen.instrument, seen.quantity) == ("open", "BTC/USD", Decimal(2))


@pytest.mark.parametrize("late", [placed(timestamp=second(-1)), placed()], ids=["by its time", "by its number"])
def test_a_row_that_comes_late_changes_nothing(late: dict[str, Any]) -> None:
    hearing = executions()
    hearing.update((placed(exec_type="canceled", order_status="canceled"),), AT)
    assert hearing.update((late,), AT, late=late["timestamp"] == second(0)) == []


def test_an_unknown_pair_survives_as_itself() -> None:
    (seen,) = fills(executions().update((filled("T1", "0.5", symbol="XFOO/USD", side="sell"),), AT))
    assert seen.fill.instrument == "?XFOO/USD"


@pytest.mark.parametrize(
    "fees, expected",
    [
        ([{"asset": "BTC", "qty": "0.001"}], (Decimal("0.001"), "BTC")),
        ([{"asset": "USD", "qty": 1}, {"asset": "USD", "qty": "0.5"}], (Decimal("1.5"), "USD")),
        ([{"asset": "BTC", "qty": "0.1"}, {"asset": "USD", "qty": 1}], (None, None)),
        ([], (Decimal(0), "USD")),
        (None, (None, None)),
    ],
)
def test_the_fee_is_what_was_taken(fees: object, expected: tuple[object, object]) -> None:
    (seen,) = fills(executions().update((filled("T1", "0.5", symbol="BTC/USD", side="buy", fees=fees),), AT))
    assert (seen.fill.fee, seen.fill.fee_asset) == expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"last_qty": "NaN"}, {"last_qty": None}, {"last_price": {}}, {"side": "hold"}, {"timestamp": "yesterday"},
        {"exec_id": ["T1"]}, {"exec_id": ""}, {"fees": "1.2"}, {"fees": [{"asset": "USD"}]}, {"cum_qty": "a lot"},
        {"order_id": 7}, {"symbol": 3},
    ],
)  # fmt: skip
def test_a_fill_that_cannot_be_read_is_missed(wrong: dict[str, Any]) -> None:
    row = {**filled("T1", "0.5", symbol="BTC/USD", side="buy"), **wrong}
    assert kinds(executions().update((row,), AT)) == [Missed]


def test_a_row_that_cannot_be_read_spoils_nothing_of_what_is_known() -> None:
    hearing = executions()
    hearing.update((placed(),), AT)
    hearing.update((placed(cum_qty="NaN", order_qty="much"),), AT)
    assert len(fills(hearing.update((filled("T1", "0.5"),), AT))) == 1


FIELDS = ("order_status", "symbol", "side", "order_qty", "cum_qty", "cl_ord_id", "order_userref", "margin")
VALUES = st.sampled_from(["a", "b", "c", 1, 2, True])
SPARSE = st.dictionaries(st.sampled_from(FIELDS), st.one_of(st.none(), VALUES), max_size=8)


@given(st.lists(SPARSE, max_size=8))
def test_what_is_known_is_the_last_word_on_everything(rows: list[dict[str, Any]]) -> None:
    known: dict[str, Any] = {}
    for row in rows:
        known = merged(known, row, late=False)
    said = [(field, value) for row in rows for field, value in row.items() if value is not None]
    assert known == dict(said)


@given(st.lists(SPARSE, max_size=6), st.randoms(use_true_random=False))
def test_late_rows_only_add_what_nobody_said(rows: list[dict[str, Any]], chance: Any) -> None:
    known = {"order_status": "filled", "cum_qty": "2"}
    for row in rows:
        known = merged(known, row, late=True)
    assert (known["order_status"], known["cum_qty"]) == ("filled", "2")
    once = known
    chance.shuffle(rows)
    for row in rows:
        known = merged(known, row, late=True)
    assert known == once


@given(SPARSE, st.data())
def test_a_row_in_two_parts_says_what_it_says_in_one(row: dict[str, Any], data: st.DataObject) -> None:
    first = {field: value for field, value in row.items() if data.draw(st.booleans())}
    rest = {field: value for field, value in row.items() if field not in first}
    for one, two in ((first, rest), (rest, first)):
        assert merged(merged({}, one, late=False), two, late=False) == merged({}, row, late=False)


def holding(*wallets: tuple[str, str]) -> dict[str, Any]:
    return {"asset": "BTC", "wallets": [{"type": "spot", "id": name, "balance": held} for name, held in wallets]}


def totals(events: list[StreamEvent]) -> list[tuple[Wallet | None, Decimal]]:
    return [(event.wallet, event.total) for event in events if isinstance(event, BalanceSeen)]


def test_wallets_are_summed_as_the_rest_of_the_project_has_them() -> None:
    events = balances().snapshot((holding(("main", "1"), ("flex", "2"), ("bonded", "4"), ("attic", "8")),), AT, None)
    assert totals(events) == [(Wallet.SPOT, Decimal(3)), (Wallet.BONDED, Decimal(4)), (None, Decimal(8))]
    assert events[-1].raw == ("BTC", "attic")  # type: ignore[union-attr]


def test_a_ledger_row_moves_one_wallet_and_tells_the_sum() -> None:
    hearing = balances()
    hearing.snapshot((holding(("main", "1"), ("flex", "2")),), AT, None)
    (seen,) = hearing.update((entry("L1", "1.5"),), AT)
    assert isinstance(seen, BalanceSeen)
    assert (seen.total, seen.movement_id, seen.refers_to) == (Decimal("3.5"), "L1", "T1")
    assert hearing.update((entry("L1", "1.5"),), AT) == []


def test_a_balance_is_told_again_only_when_it_changed() -> None:
    hearing = balances()
    hearing.snapshot((holding(("main", "1")),), AT, None)
    assert hearing.snapshot((holding(("main", "1")),), AT, None) == []
    assert totals(hearing.snapshot((holding(("main", "2")),), AT, None)) == [(Wallet.SPOT, Decimal(2))]


def test_a_row_older_than_the_snapshot_never_takes_a_balance_back() -> None:
    hearing = balances()
    hearing.snapshot((holding(("main", "3")),), AT, AT + timedelta(seconds=1))
    assert hearing.update((entry("L1", "2", timestamp=second(0)),), AT) == []
    assert totals(hearing.update((entry("L2", "5", timestamp=second(1)),), AT)) == [(Wallet.SPOT, Decimal(5))]
    assert hearing.update((entry("L3", "4", timestamp=second(1)),), AT, late=True) == []


def test_a_row_that_goes_on_from_the_snapshot_is_news_whatever_its_time() -> None:
    hearing = balances()
    hearing.snapshot((holding(("main", "3")),), AT, AT + timedelta(seconds=1))
    row = entry("L1", "3.9", timestamp=second(0), fee="0.1")
    assert totals(hearing.update((row,), AT)) == [(Wallet.SPOT, Decimal("3.9"))]


@pytest.mark.parametrize("wrong", [{"balance": "NaN"}, {"asset": 1}, {"ledger_id": None}, {"timestamp": 5}])
def test_a_ledger_row_that_cannot_be_read_is_missed(wrong: dict[str, Any]) -> None:
    assert kinds(balances().update(({**entry("L1", "1"), **wrong},), AT)) == [Missed]
