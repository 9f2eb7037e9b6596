"""Rows as records: what each field means."""

from decimal import Decimal
from typing import Any

import pytest

from gal_friday.adapters.kraken.parse_fills import Quotes, fill, with_ledger_fees
from gal_friday.adapters.kraken.parse_holdings import balances, positions
from gal_friday.adapters.kraken.parse_movements import KINDS, KINDS_BY_SUBTYPE, MovementReader, kind_of
from gal_friday.adapters.kraken.parse_orders import order
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.records import (
    MOVEMENT_KINDS,
    Fill,
    Movement,
    OrderSide,
    PositionMode,
    known_movement_kind,
    known_status,
)
from gal_friday.ports.errors import ExchangeMalformed
from tests.adapters.kraken.rows import LEDGER, NAMES, ORDER, POSITION, TRADE


def a_fill(**changes: Any) -> Fill:
    return fill({**TRADE, **changes}, "TAAAAA-BBBBB-CCCCCC", Quotes(NAMES), "TradesHistory")


def a_movement(name: str = "L1", **changes: Any) -> Movement:
    return MovementReader(NAMES, "Ledgers").read({**LEDGER, **changes}, name)


# --- balances -----------------------------------------------------------------------------------


def test_spellings_of_one_holding_are_summed_and_other_wallets_are_not() -> None:
    rows = {
        "XXBT": {"balance": "1.2", "hold_trade": "0.5"},
        "XBT.F": {"balance": "0.3", "hold_trade": "0"},
        "XBT.M": {"balance": "7", "hold_trade": "0"},
        "ETH2.S": {"balance": "2", "hold_trade": "0"},
        "EUR.HOLD": {"balance": "5", "hold_trade": "0"},
        "AAPLx.T": {"balance": "1", "hold_trade": "0"},
    }
    found = {(row.asset, row.wallet): row for row in balances(rows, NAMES)}
    spot = found[Asset("BTC"), Wallet.SPOT]
    assert (spot.total, spot.held, spot.raw) == (Decimal("1.5"), Decimal("0.5"), ("XBT.F", "XXBT"))
    assert found[Asset("BTC"), Wallet.EARN].total == 7
    assert found[Asset("ETH"), Wallet.BONDED].total == 2
    assert found[Asset("EUR"), Wallet.HELD].total == 5
    assert found[Asset("AAPLx.T"), Wallet.SPOT].total == 1


def test_what_is_held_is_unknown_where_it_is_not_said() -> None:
    (row,) = balances({"ZUSD": {"balance": "1"}}, NAMES)
    assert row.held is None


def test_a_credit_line_is_kept_beside_the_balance() -> None:
    (row,) = balances({"ZUSD": {"balance": "-1", "hold_trade": "0", "credit": "5"}}, NAMES)
    assert row.total == -1
    assert row.extra == {"ZUSD": {"credit": "5"}}


def test_a_balance_without_an_amount_is_refused_and_never_zero() -> None:  # N1
    with pytest.raises(ExchangeMalformed, match="row XXBT, field balance"):
        balances({"XXBT": {"hold_trade": "0"}}, NAMES)


# --- positions ----------------------------------------------------------------------------------


def test_a_position_is_what_is_still_open_and_a_short_is_negative() -> None:
    (lot,) = positions({"T1": POSITION}, NAMES)
    assert lot.mode is PositionMode.LOT
    assert lot.quantity == Decimal("-8.62212861")
    assert lot.position_id == "T1"


def test_the_average_price_is_that_of_the_opening() -> None:
    row = {**POSITION, "cost": "0.00240", "vol": "0.00000010", "vol_closed": "0"}
    (lot,) = positions({"T1": row}, NAMES)
    assert lot.average_price == 24000


def test_a_position_without_size_has_no_average() -> None:
    (lot,) = positions({"T1": {**POSITION, "vol": "0", "vol_closed": "0"}}, NAMES)
    assert lot.average_price is None


def test_longs_and_shorts_of_one_pair_stay_apart() -> None:
    lots = positions({"T2": {**POSITION, "type": "buy"}, "T1": POSITION}, NAMES)
    assert [lot.position_id for lot in lots] == ["T1", "T2"]
    assert [lot.quantity > 0 for lot in lots] == [False, True]


def test_the_consolidated_list_is_not_mistaken_for_the_map_of_lots() -> None:
    with pytest.raises(ExchangeMalformed):
        positions([{"pair": "XBTUSD", "vol": "1"}], NAMES)


# --- orders -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "theirs, ours",
    [
        ("pending", "pending"),
        ("open", "open"),
        ("closed", "filled"),
        ("canceled", "canceled"),
        ("expired", "expired"),
    ],
)
def test_each_status_has_its_own_meaning(theirs: str, ours: str) -> None:
    assert order({**ORDER, "status": theirs}, "O1", NAMES, "OpenOrders").status == ours


def test_an_unknown_status_survives_as_itself() -> None:  # I15
    found = order({**ORDER, "status": "teleported"}, "O1", NAMES, "OpenOrders")
    assert found.status == "teleported"
    assert not known_status(found.status)


def test_a_canceled_order_keeps_what_was_executed() -> None:
    found = order({**ORDER, "status": "canceled"}, "O1", NAMES, "ClosedOrders")
    assert (found.quantity, found.filled) == (Decimal(1250), Decimal(375))


def test_the_pair_of_an_order_is_an_altname() -> None:
    assert order(ORDER, "O1", NAMES, "OpenOrders").instrument == "DOGE/USD"


@pytest.mark.parametrize(
    "kind, price",
    [("limit", Decimal("0.05")), ("market", None), ("stop-loss", None), ("trailing-stop", None)],
)
def test_only_a_limit_order_has_a_price_of_its_own(kind: str, price: Decimal | None) -> None:
    row = {**ORDER, "descr": {**ORDER["descr"], "ordertype": kind}}
    assert order(row, "O1", NAMES, "OpenOrders").price == price


@pytest.mark.parametrize(
    "fields, name",
    [
        ({"cl_ord_id": "my-1", "userref": 7}, "my-1"),
        ({"userref": 7}, "7"),
        ({"userref": 0}, None),
        ({"userref": None}, None),
        ({}, None),
    ],
)
def test_the_clients_id_is_its_own_word_or_its_reference(fields: dict[str, Any], name: str | None) -> None:
    row = {key: value for key, value in ORDER.items() if key != "userref"}
    assert order({**row, **fields}, "O1", NAMES, "OpenOrders").client_order_id == name


def test_an_order_was_last_changed_when_it_closed() -> None:
    still_open = order(ORDER, "O1", NAMES, "OpenOrders")
    closed = order({**ORDER, "closetm": "1616666600.5"}, "O1", NAMES, "ClosedOrders")
    assert still_open.updated_at is not None
    assert closed.updated_at is not None
    assert still_open.updated_at == still_open.opened_at == closed.opened_at
    assert closed.updated_at > still_open.updated_at


# --- fills --------------------------------------------------------------------------------------


def test_a_fill_keeps_every_digit_and_the_text_of_its_time() -> None:
    found = a_fill()
    assert (found.quantity, str(found.price), found.side) == (Decimal("0.02"), "30010.00000", OrderSide.BUY)
    assert found.raw == ("XXBTZUSD", "1616667796.8802")
    assert (found.fee, found.fee_asset) == (Decimal("0.96032"), "USD")
    assert found.extra == {
        "ordertype": "limit",
        "margin": "0.00000",
        "leverage": "0",
        "misc": "",
        "maker": False,
    }


def test_a_spot_fill_belongs_to_no_position() -> None:
    assert not a_fill().margin
    assert a_fill().position_id is None


@pytest.mark.parametrize(
    "fields", [{"margin": "120.5"}, {"leverage": "5"}, {"misc": "closing"}, {"misc": "liquidated,closing"}]
)
def test_a_fill_on_margin_names_the_position_that_it_closes(fields: dict[str, str]) -> None:
    found = a_fill(**fields, postxid="TPOSIT-IONAA-AAAAAA")
    assert found.margin
    assert found.position_id == "TPOSIT-IONAA-AAAAAA"


def test_an_opening_fill_shows_the_placeholder_and_closes_nothing() -> None:
    found = a_fill(margin="120.5")
    assert found.margin
    assert found.position_id is None


def test_a_size_below_zero_is_refused() -> None:
    with pytest.raises(ExchangeMalformed, match="below zero"):
        a_fill(vol="-1")


@pytest.mark.parametrize("side", ["", "hold", None, 1])
def test_a_side_that_is_neither_is_refused(side: Any) -> None:
    with pytest.raises(ExchangeMalformed, match="field type"):
        a_fill(type=side)


# --- true fees ----------------------------------------------------------------------------------


def leg(name: str, asset: str, amount: str, fee: str, **more: str) -> Movement:
    return a_movement(name, asset=asset, amount=amount, fee=fee, **more)


@pytest.mark.parametrize(
    "legs, fee, asset",
    [
        ([leg("L1", "ZUSD", "-600.2", "0.9603"), leg("L2", "XXBT", "0.02", "0")], "0.9603", "USD"),
        ([leg("L1", "ZUSD", "-600.2", "0"), leg("L2", "XXBT", "0.02", "0.00005")], "0.00005", "BTC"),
        ([leg("L1", "ZUSD", "-600.2", "0"), leg("L2", "KFEE", "0", "96.03")], "96.03", "KFEE"),
        ([leg("L1", "ZUSD", "-600.2", "0"), leg("L2", "XXBT", "0.02", "0")], "0", "USD"),
        # One order served from two wallets: two rows of one side.
        ([leg("L1", "ZUSD", "-300", "0.5"), leg("L2", "USD.F", "-300.2", "0.4603")], "0.9603", "USD"),
        ([leg("L1", "ZUSD", "-600.2", "-0.1")], "-0.1", "USD"),
        # A rollover refers to the position, whose id is that of the fill that opened it.
        ([leg("L1", "ZUSD", "0", "0.9"), leg("L2", "ZUSD", "0", "5", type="rollover")], "0.9", "USD"),
    ],
)
def test_the_fee_is_what_the_ledger_took(legs: list[Movement], fee: str, asset: str) -> None:
    (found,) = with_ledger_fees([a_fill()], legs)
    assert (found.fee, found.fee_asset) == (Decimal(fee), asset)


def test_fees_of_two_assets_are_unknown_as_one_amount_and_named_apart() -> None:
    legs = [leg("L1", "ZUSD", "-600.2", "0.5"), leg("L2", "XXBT", "0.02", "0.00001")]
    (found,) = with_ledger_fees([a_fill()], legs)
    assert (found.fee, found.fee_asset) == (None, None)
    assert found.extra is not None
    assert found.extra["fees"] == {"BTC": "0.00001", "USD": "0.5"}


@pytest.mark.parametrize("fee", ["0", "0.9603"])
def test_a_fee_that_a_row_of_an_unknown_kind_may_have_taken_is_unknown_and_not_zero(fee: str) -> None:
    legs = [leg("L1", "XXBT", "0.02", fee), leg("L2", "ZUSD", "-600.2", "0.9603", type="some_future_value")]
    (found,) = with_ledger_fees([a_fill()], legs)
    assert (found.fee, found.fee_asset) == (None, None)
    assert found.extra is not None
    assert found.extra["fee_estimate"] == str(a_fill().fee)


def test_a_fill_without_ledger_rows_keeps_its_estimate() -> None:
    assert with_ledger_fees([a_fill()], [a_movement(refid="TOTHER-AAAAA-AAAAAA")]) == (a_fill(),)


# --- movements ----------------------------------------------------------------------------------


def test_a_movement_keeps_its_raw_asset_and_time() -> None:
    found = a_movement(asset="XBT.F")
    assert (found.asset, found.wallet) == ("BTC", Wallet.SPOT)
    assert found.raw == ("XBT.F", "1616667796.8802451")
    assert (found.amount, found.fee, found.balance_after) == (
        Decimal("-600.2000"),
        Decimal("0.9603"),
        Decimal("9398.8397"),
    )


@pytest.mark.parametrize(
    "type_, subtype, kind",
    [
        ("trade", "", "trade"),
        ("trade", "tradespot", "trade"),
        ("transfer", "", "transfer"),
        ("transfer", "spottofutures", "transfer"),
        ("transfer", "spottostaking", "earn_transfer"),
        ("transfer", "delistingconversion", "delisting"),
        ("earn", "autoallocation", "earn_transfer"),
        ("earn", "reward", "reward"),
        ("staking", "", "reward"),
        ("spend", "", "conversion"),
        ("receive", "", "conversion"),
        ("margin", "", "margin"),
        ("margin trade", "", "margin"),
        ("rollover", "", "rollover"),
        ("settled", "", "settlement"),
        ("adjustment", "", "exchange_adjustment"),
        ("sale", "", "delisting"),
        ("nfttrade", "", "nft"),
    ],
)
def test_each_ledger_type_has_its_kind(type_: str, subtype: str, kind: str) -> None:
    assert kind_of(type_, subtype) == kind


@pytest.mark.parametrize(
    "type_, subtype, kind",
    [
        ("teleport", "", "teleport"),
        ("earn", "surprise", "earn:surprise"),
        ("transfer", "elsewhere", "transfer:elsewhere"),
        ("", "", "none"),
        ("none", "", "none"),
    ],
)
def test_an_unknown_ledger_type_survives_as_itself(type_: str, subtype: str, kind: str) -> None:  # I15
    found = a_movement(type=type_, subtype=subtype)
    assert found.kind == kind
    assert not known_movement_kind(found.kind)


def test_every_kind_in_the_table_is_one_of_ours() -> None:
    assert {*KINDS.values(), *KINDS_BY_SUBTYPE.values()} <= MOVEMENT_KINDS


def test_an_unknown_field_is_kept() -> None:
    assert a_movement(novelty="x").extra == {"type": "trade", "aclass": "currency", "novelty": "x"}
