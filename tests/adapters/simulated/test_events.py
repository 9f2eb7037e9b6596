"""What each event does to the ledger: the rows it books, to the digit."""

from datetime import timedelta
from decimal import Decimal

import pytest

from gal_friday.adapters.simulated import Exchange, Refused, VirtualClock

Rows = list[tuple[str, str, str, str, str]]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def exchange(clock: VirtualClock) -> Exchange:
    made = Exchange(clock.now)
    made.open_account("main")
    made.deposit("main", "ZUSD", "10000")
    made.deposit("main", "XXBT", "1")
    made.set_price("XXBTZUSD", "60000")
    return made


def rows(exchange: Exchange, since: int = 2, account: str = "main") -> Rows:
    return [
        (
            row.kind,
            row.subtype,
            row.asset,
            format(row.amount.normalize(), "f"),
            format(row.fee.normalize(), "f"),
        )
        for row in exchange.account(account).ledger.rows[since:]
    ]


def test_a_fee_is_taken_in_quote_by_default(exchange: Exchange) -> None:
    exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.01")
    assert rows(exchange) == [("trade", "", "ZUSD", "-600", "2.4"), ("trade", "", "XXBT", "0.01", "0")]


def test_a_fee_is_taken_in_base_when_asked(exchange: Exchange) -> None:
    exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.01", oflags=("fcib",))
    assert rows(exchange) == [("trade", "", "ZUSD", "-600", "0"), ("trade", "", "XXBT", "0.01", "0.00004")]


def test_a_fee_is_taken_in_fee_credits_as_a_row_of_its_own(exchange: Exchange) -> None:
    exchange.account("main").uses_fee_credits = True
    exchange.deposit("main", "KFEE", "1000")
    (execution,) = exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.01").executions
    assert rows(exchange, 3) == [
        ("trade", "", "ZUSD", "-600", "0"),
        ("trade", "", "XXBT", "0.01", "0"),
        ("trade", "", "KFEE", "0", "240"),
    ]
    assert {row.refid for row in exchange.account("main").ledger.rows[3:]} == {execution.trade}


@pytest.mark.parametrize("volume, fee", [("0", "2.4"), ("10000", "2.1"), ("9999.99", "2.4"), ("10000000", "0.6")])
def test_the_tier_decides_the_fee(exchange: Exchange, volume: str, fee: str) -> None:
    exchange.account("main").fee_volume = Decimal(volume)
    exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.01")
    assert rows(exchange)[0] == ("trade", "", "ZUSD", "-600", fee)


def test_a_maker_pays_less(exchange: Exchange) -> None:
    placed = exchange.place_order("main", "XXBTZUSD", "sell", "limit", "0.01", "61000")
    exchange.set_price("XXBTZUSD", "61000")
    assert rows(exchange) == [("trade", "", "XXBT", "-0.01", "0"), ("trade", "", "ZUSD", "610", "1.525")]
    assert exchange.account("main").orders[placed.order].status == "closed"


def test_an_order_served_from_two_wallets_has_two_rows_a_side(exchange: Exchange) -> None:
    exchange.switch_on_rewards("main", "XXBT")
    exchange.deposit("main", "XXBT", "0.5")
    exchange.place_order("main", "XXBTZUSD", "sell", "market", "1.2")
    assert rows(exchange, 5) == [
        ("trade", "", "XBT.F", "-1", "0"),
        ("trade", "", "XXBT", "-0.2", "0"),
        ("trade", "", "ZUSD", "60000", "288"),
        ("trade", "", "ZUSD", "12000", "0"),
    ]


def test_a_tokenized_trade_has_four_legs_of_which_two_cancel(exchange: Exchange) -> None:
    exchange.set_price("AAPLxUSD", "230")
    exchange.place_order("main", "AAPLxUSD", "buy", "market", "1")
    assert rows(exchange) == [
        ("trade", "", "ZUSD", "-230", "0.92"),
        ("trade", "", "ZUSD", "230", "0"),
        ("trade", "", "ZUSD", "-230", "0"),
        ("trade", "", "AAPLx", "1", "0"),
    ]
    assert exchange.account("main").ledger.rows[-1].aclass == "tokenized_asset"


def test_opening_on_margin_moves_only_a_fee(exchange: Exchange) -> None:
    exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.1", leverage=5)
    assert rows(exchange) == [("margin", "", "ZUSD", "0", "24")]


def test_closing_goes_first_in_first_out_with_one_trade_per_position(exchange: Exchange) -> None:
    for price, volume in (("60000", "0.1"), ("61000", "0.2")):
        exchange.set_price("XXBTZUSD", price)
        exchange.place_order("main", "XXBTZUSD", "buy", "market", volume, leverage=5)
    first, second = exchange.account("main").open_positions.values()
    exchange.set_price("XXBTZUSD", "62000")
    closed = exchange.place_order("main", "XXBTZUSD", "sell", "market", "0.15", leverage=5)
    assert [each.position for each in closed.executions] == [first.id, second.id]
    assert (first.is_open, second.closed_volume) == (False, Decimal("0.05"))
    assert rows(exchange, 4) == [("margin", "", "ZUSD", "200", "24.8"), ("margin", "", "ZUSD", "50", "12.4")]


def test_a_short_gains_when_the_price_falls(exchange: Exchange) -> None:
    exchange.place_order("main", "XXBTZUSD", "sell", "market", "0.1", leverage=5)
    exchange.set_price("XXBTZUSD", "58000")
    exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.1", leverage=5)
    assert rows(exchange, 3) == [("margin", "", "ZUSD", "200", "23.2")]


def test_what_is_left_after_closing_opens_the_other_side(exchange: Exchange) -> None:
    exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.1", leverage=5)
    exchange.place_order("main", "XXBTZUSD", "sell", "market", "0.3", leverage=5)
    (position,) = exchange.account("main").open_positions.values()
    assert (position.side, position.volume) == ("sell", Decimal("0.2"))


def test_reduce_only_opens_nothing(exchange: Exchange) -> None:
    exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.1", leverage=5)
    placed = exchange.place_order("main", "XXBTZUSD", "sell", "market", "0.3", leverage=5, reduce_only=True)
    order = exchange.account("main").orders[placed.order]
    assert not exchange.account("main").open_positions
    assert (order.status, order.volume_done) == ("canceled", Decimal("0.1"))


def test_a_long_and_a_short_can_stand_side_by_side(exchange: Exchange) -> None:
    exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.1", leverage=5)
    exchange.place_order("main", "XXBTZUSD", "sell", "market", "0.1", leverage=5, hedged=True)
    assert [each.side for each in exchange.account("main").open_positions.values()] == ["buy", "sell"]


def test_rollover_costs_a_fee_every_four_hours_under_the_position_id(exchange: Exchange, clock: VirtualClock) -> None:
    exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.1", leverage=5)
    clock.advance(timedelta(hours=9))
    first, second = exchange.roll_due("main")
    (position,) = exchange.account("main").open_positions
    assert first.refid == second.refid == position
    assert rows(exchange, 3) == [("rollover", "", "ZUSD", "0", "0.6")] * 2


def test_settling_moves_cost_against_base(exchange: Exchange) -> None:
    opened = exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.1", leverage=5)
    exchange.settle_position(opened.executions[0].trade)
    assert rows(exchange, 3) == [("settled", "", "ZUSD", "-6000", "0"), ("settled", "", "XXBT", "0.1", "0")]
    assert not exchange.account("main").open_positions


def test_a_liquidation_takes_other_currencies_when_the_quote_is_gone(exchange: Exchange) -> None:
    exchange.place_order("main", "XXBTZUSD", "buy", "market", "1", leverage=5)
    (execution,) = exchange.liquidate("main", price="45000")
    assert rows(exchange, 3) == [
        ("margin", "", "XXBT", "-0.0903333333", "0"),
        ("margin", "", "ZUSD", "-9580", "180"),
    ]
    trade = exchange.account("main").trades.get(execution.trade)
    assert trade is not None
    assert trade.ordertype == "liquidation market"
    assert exchange.account("main").balance("ZUSD") == 0
    assert {row.refid for row in exchange.account("main").ledger.rows[3:]} == {execution.trade}


def test_a_failed_withdrawal_is_a_pair_of_opposite_rows(exchange: Exchange) -> None:
    sent = exchange.withdraw("main", "XXBT", "0.1", fee="0.0001", booked=True)
    exchange.fail_withdrawal(sent.refid)
    assert rows(exchange) == [
        ("withdrawal", "", "XXBT", "-0.1", "0.0001"),
        ("withdrawal", "", "XXBT", "0.1", "-0.0001"),
    ]
    assert exchange.account("main").balance("XXBT") == 1


def test_a_canceled_withdrawal_leaves_nothing(exchange: Exchange) -> None:
    sent = exchange.withdraw("main", "XXBT", "0.1", fee="0.0001")
    exchange.cancel_withdrawal(sent.refid)
    assert rows(exchange) == []
    assert exchange.account("main").balance("XXBT") == 1


def test_funds_that_an_order_holds_cannot_be_withdrawn(exchange: Exchange) -> None:
    exchange.place_order("main", "XXBTZUSD", "sell", "limit", "0.7", "70000")
    with pytest.raises(Refused, match="EFunding:Insufficient funds"):
        exchange.withdraw("main", "XXBT", "0.31")
    exchange.withdraw("main", "XXBT", "0.3")


@pytest.mark.parametrize("wallet, expected",
    [
        (".B", [("earn", "allocation", "XXBT", "-0.5", "0"), ("earn", "allocation", "XBT.B", "0.5", "0")]),
        ("28.S", [("transfer", "spottostaking", "XXBT", "-0.5", "0"),
                  ("transfer", "stakingfromspot", "XBT28.S", "0.5", "0")]),
    ],
)  # fmt: skip
def test_an_allocation_moves_between_wallets(exchange: Exchange, wallet: str, expected: Rows) -> None:
    exchange.allocate("main", "XXBT", "0.5", wallet)
    assert rows(exchange) == expected


def test_a_conversion_is_in_the_ledger_only(exchange: Exchange) -> None:
    exchange.convert("main", "ZUSD", "600", "XXBT", "0.0099", fee="4")
    assert rows(exchange) == [("spend", "", "ZUSD", "-600", "4"), ("receive", "", "XXBT", "0.0099", "0")]
    assert not exchange.account("main").trades.rows


def test_a_delisting_conversion_comes_unpaired(exchange: Exchange, clock: VirtualClock) -> None:
    exchange.deposit("main", "WAVES", "30")
    gone = exchange.convert_delisted("main", "WAVES", price="1.1")
    clock.advance(timedelta(days=3))
    paid = exchange.pay_delisted("main")
    assert gone.refid != paid.refid
    assert rows(exchange, 3) == [
        ("transfer", "delistingconversion", "WAVES", "-30", "0"),
        ("transfer", "delistingconversion", "ZUSD", "33", "0"),
    ]


def test_held_fiat_is_released_by_a_transfer(exchange: Exchange) -> None:
    exchange.deposit("main", "EUR.HOLD", "500")
    exchange.release_hold("main", "EUR", "200")
    assert rows(exchange) == [
        ("deposit", "", "EUR.HOLD", "500", "0"),
        ("transfer", "", "EUR.HOLD", "-200", "0"),
        ("transfer", "", "ZEUR", "200", "0"),
    ]


def test_money_goes_to_futures_and_comes_back(exchange: Exchange) -> None:
    exchange.to_futures("main", "ZUSD", "300")
    exchange.from_futures("main", "ZUSD", "100")
    assert rows(exchange) == [
        ("transfer", "spottofutures", "ZUSD", "-300", "0"),
        ("transfer", "spotfromfutures", "ZUSD", "100", "0"),
    ]
    assert exchange.account("main").futures["ZUSD"] == 200


def test_a_pending_deposit_is_booked_when_it_is_confirmed(exchange: Exchange) -> None:
    pending = exchange.deposit("main", "XXBT", "0.2", pending=True)
    assert rows(exchange) == []
    exchange.confirm_deposit(pending.refid)
    assert rows(exchange) == [("deposit", "", "XXBT", "0.2", "0")]


def test_a_transfer_between_accounts_arrives(exchange: Exchange) -> None:
    exchange.open_account("sub")
    exchange.transfer("main", "sub", "ZUSD", "250")
    assert rows(exchange) == [("transfer", "", "ZUSD", "-250", "0")]
    assert rows(exchange, 0, "sub") == [("transfer", "", "ZUSD", "250", "0")]


def test_a_stop_executes_when_the_price_touches_it(exchange: Exchange) -> None:
    placed = exchange.place_order("main", "XXBTZUSD", "sell", "stop-loss", "0.1", "55000")
    assert exchange.set_price("XXBTZUSD", "55000.1") == ()
    (execution,) = exchange.set_price("XXBTZUSD", "55000")
    assert execution.trade in exchange.account("main").orders[placed.order].trades


@pytest.mark.parametrize(
    "side, ordertype, untouched, touched",
    [
        ("sell", "stop-loss", "55000.1", "55000"), ("sell", "take-profit", "64999.9", "65000"),
        ("buy", "stop-loss", "64999.9", "65000"), ("buy", "take-profit", "55000.1", "55000"),
    ],
)  # fmt: skip
def test_a_trigger_is_touched_from_its_own_side(
    exchange: Exchange, side: str, ordertype: str, untouched: str, touched: str
) -> None:
    exchange.place_order("main", "XXBTZUSD", side, ordertype, "0.01", touched)
    assert exchange.set_price("XXBTZUSD", untouched) == ()
    assert len(exchange.set_price("XXBTZUSD", touched)) == 1


def test_rewards_of_staking_have_no_subtype_those_of_earning_have(exchange: Exchange) -> None:
    exchange.reward("main", "XXBT", "0.001", wallet=".S", kind="staking")
    exchange.reward("main", "XXBT", "0.001", wallet=".F", subtype="bonusreward", fee="0.0001")
    assert rows(exchange) == [
        ("staking", "", "XBT.S", "0.001", "0"),
        ("earn", "bonusreward", "XBT.F", "0.001", "0.0001"),
    ]


def test_too_few_fee_credits_leave_the_fee_in_quote(exchange: Exchange) -> None:
    exchange.account("main").uses_fee_credits = True
    exchange.deposit("main", "KFEE", "239.99")
    exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.01")
    assert rows(exchange, 3) == [("trade", "", "ZUSD", "-600", "2.4"), ("trade", "", "XXBT", "0.01", "0")]


def test_a_post_only_order_that_would_take_is_canceled(exchange: Exchange) -> None:
    placed = exchange.place_order("main", "XXBTZUSD", "buy", "limit", "0.1", "60000", oflags=("post",))
    order = exchange.account("main").orders[placed.order]
    assert (order.status, order.reason, order.volume_done) == ("canceled", "Post only order", Decimal(0))


def test_a_conditional_close_is_an_order_of_its_own(exchange: Exchange) -> None:
    placed = exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.1", close=("limit", "70000"))
    (child,) = exchange.account("main").open_orders.values()
    assert (child.refid, child.side, child.volume, child.price) == (
        placed.order, "sell", Decimal("0.1"), Decimal(70000),
    )  # fmt: skip


def test_a_partly_filled_order_that_expires_keeps_its_fill(exchange: Exchange, clock: VirtualClock) -> None:
    placed = exchange.place_order(
        "main", "XXBTZUSD", "buy", "limit", "0.1", "50000", expires=clock.now() + timedelta(hours=1)
    )
    exchange.fill_order(placed.order, "0.04")
    clock.advance(timedelta(hours=1))
    exchange.open_account("other")
    assert exchange.expire_due("other") == []
    assert exchange.expire_due("main") == [placed.order]
    order = exchange.account("main").orders[placed.order]
    assert (order.status, order.volume_done, order.misc) == ("expired", Decimal("0.04"), ["partial"])


def test_a_scheduled_order_is_pending_until_its_time(exchange: Exchange, clock: VirtualClock) -> None:
    placed = exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.01", starts=clock.now() + timedelta(hours=1))
    order = exchange.account("main").orders[placed.order]
    assert order.status == "pending"
    clock.advance(timedelta(hours=1))
    exchange.expire_due()
    assert order.status == "closed"


def test_more_digits_than_the_asset_has_are_refused(exchange: Exchange) -> None:
    with pytest.raises(Refused, match="EGeneral:Invalid arguments:amount"):
        exchange.deposit("main", "ZUSD", "0.00001")


def test_an_order_beyond_the_funds_is_refused(exchange: Exchange) -> None:
    with pytest.raises(Refused, match="EOrder:Insufficient funds"):
        exchange.place_order("main", "XXBTZUSD", "buy", "limit", "0.2", "50000.1")
    assert exchange.place_order("main", "XXBTZUSD", "buy", "limit", "0.2", "50000").order
