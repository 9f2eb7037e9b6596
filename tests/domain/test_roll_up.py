"""What follows from a list of entries: legs, balances, positions, latest orders."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.records import Fill, Movement, Order, OrderSide
from gal_friday.domain.roll_up import latest_orders, legs_of, net_positions, roll_up
from gal_friday.domain.snapshot import Scales

T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)


def fill(
    fill_id: str = "T1",
    side: str = "buy",
    amount: str = "40",
    price: str = "0.6",
    *,
    fee: str | None = None,
    fee_asset: str | None = None,
    cost: str | None = None,
    margin: bool = False,
    minute: int = 0,
    instrument: str = "XRP/USD",
) -> Fill:
    return Fill(
        fill_id,
        Instrument(instrument),
        OrderSide(side),
        Decimal(amount),
        Decimal(price),
        T0 + timedelta(minutes=minute),
        fee=None if fee is None else Decimal(fee),
        fee_asset=None if fee_asset is None else Asset(fee_asset),
        cost=None if cost is None else Decimal(cost),
        margin=margin,
    )


def movement(movement_id: str, asset: str, amount: str, *, fee: str = "0", refers_to: str | None = None) -> Movement:
    return Movement(
        movement_id,
        "trade",
        Asset(asset),
        Wallet.SPOT,
        Decimal(amount),
        T0,
        fee=Decimal(fee),
        refers_to=refers_to,
    )


def totals(*, fills: list[Fill] | None = None, movements: list[Movement] | None = None) -> dict[str, str]:
    rolled = roll_up(fills=fills or [], movements=movements or [])
    return {balance.asset: quantity.short(balance.total) for balance in rolled.balances}


def legs(one: Fill) -> list[tuple[str, str, str]]:
    return [(leg.movement_id, quantity.short(leg.amount), quantity.short(leg.fee)) for leg in legs_of(one)]


def test_a_buy_moves_base_in_and_cost_and_fee_out_of_quote() -> None:
    assert legs(fill(fee="0.06")) == [("T1:XRP", "40", "0"), ("T1:USD", "-24", "0.06")]
    assert totals(fills=[fill(fee="0.06")]) == {"USD": "-24.06", "XRP": "40"}


def test_a_sell_moves_base_out_and_cost_into_quote() -> None:
    assert totals(fills=[fill(side="sell", fee="0.06")]) == {"USD": "23.94", "XRP": "-40"}


def test_a_stated_cost_stands_before_quantity_times_price() -> None:
    assert totals(fills=[fill(cost="24.01")])["USD"] == "-24.01"


def test_a_fee_in_the_base_asset_shares_its_row() -> None:
    assert legs(fill(fee="0.1", fee_asset="XRP")) == [("T1:XRP", "40", "0.1"), ("T1:USD", "-24", "0")]


def test_a_fee_in_a_third_asset_has_its_own_row() -> None:
    assert legs(fill(fee="3", fee_asset="KFEE"))[2] == ("T1:KFEE", "0", "3")


def test_a_rebate_comes_back() -> None:
    assert totals(fills=[fill(fee="-0.01")])["USD"] == "-23.99"


def test_a_margin_fill_moves_only_its_fee() -> None:
    assert legs(fill(margin=True, fee="0.06")) == [("T1:USD", "0", "0.06")]
    assert legs(fill(margin=True)) == []
    assert legs_of(fill(margin=True, fee="0.06"))[0].kind == "margin"


def test_recorded_movements_stand_in_place_of_the_legs_of_their_fill() -> None:
    recorded = [
        movement("L1", "XRP", "40", refers_to="T1"),
        movement("L2", "USD", "-24", fee="0.07", refers_to="T1"),
    ]
    assert totals(fills=[fill(fee="0.06")], movements=recorded) == {"USD": "-24.07", "XRP": "40"}


def test_a_fill_listed_twice_counts_twice() -> None:
    assert totals(fills=[fill(), fill()]) == {"USD": "-48", "XRP": "80"}


def test_one_id_with_two_contents_counts_both() -> None:
    assert totals(fills=[fill(), fill(amount="41")])["XRP"] == "81"


def test_an_asset_that_moved_back_to_zero_is_still_there() -> None:
    assert totals(movements=[movement("a", "BTC", "1"), movement("b", "BTC", "-1")]) == {"BTC": "0"}


def test_a_fill_whose_instrument_tells_no_assets_moves_nothing_and_is_named() -> None:  # I15
    rolled = roll_up(fills=[fill(instrument="?XFOO")])
    assert (rolled.balances, rolled.underivable) == ((), (fill(instrument="?XFOO"),))


def test_an_unresolved_margin_fill_moves_only_a_fee_and_that_can_be_told() -> None:
    one = fill(instrument="?XFOO", margin=True, fee="0.1", fee_asset="USD")
    assert roll_up(fills=[one]).underivable == ()
    assert totals(fills=[one]) == {"USD": "-0.1"}
    assert roll_up(fills=[replace(one, fee_asset=None)]).underivable == (replace(one, fee_asset=None),)


def test_recorded_movements_make_an_unresolved_fill_good() -> None:
    rolled = roll_up(fills=[fill(instrument="?XFOO")], movements=[movement("L1", "?FOO", "1", refers_to="T1")])
    assert rolled.underivable == ()


def test_only_legs_with_digits_that_the_exchange_would_round_are_counted() -> None:
    scales = Scales(assets={Asset("USD"): 2, Asset("XRP"): 8})
    fills = [
        fill("a", price="0.6001"),
        fill("b", price="0.60050"),
        fill("c", price="0.600"),
        fill("d", fee="0.001"),
    ]
    rolled = roll_up(fills=fills, movements=[movement("m", "USD", "0.001")], scales=scales)
    assert {balance.asset: balance.rounded_records for balance in rolled.balances} == {"USD": 2, "XRP": 0}


def average(*fills: Fill) -> tuple[str, str | None]:
    (position,) = net_positions(fills)
    price = position.average_price
    return quantity.short(position.quantity), None if price is None else quantity.short(price)


def opened(amount: str, price: str, side: str = "buy", minute: int = 0) -> Fill:
    return fill(side=side, amount=amount, price=price, margin=True, minute=minute)


def test_opening_adds_cost() -> None:
    assert average(opened("1", "10"), opened("3", "20")) == ("4", "17.5")


def test_reducing_keeps_the_average() -> None:
    assert average(opened("3", "10"), opened("1", "99", "sell")) == ("2", "10")


def test_flipping_starts_anew_at_the_price_of_the_fill_that_flipped() -> None:
    assert average(opened("1", "10"), opened("3", "12", "sell")) == ("-2", "12")


def test_a_short_has_a_positive_average_price() -> None:
    assert average(opened("2", "10", "sell"), opened("2", "11", "sell")) == ("-4", "10.5")


def test_a_closed_position_is_zero_and_not_absent() -> None:
    assert average(opened("2", "10"), opened("2", "11", "sell")) == ("0", None)


def test_fills_delivered_late_take_their_place_in_time() -> None:
    assert average(opened("1", "99", "sell", 2), opened("1", "10", "buy", 1)) == ("0", None)
    assert average(opened("3", "12", "sell", 5), opened("1", "10", "buy", 1)) == ("-2", "12")


def test_a_third_has_an_average_of_twelve_places() -> None:
    assert average(opened("3", "10"), opened("3", "11"), opened("3", "11")) == ("9", "10.666666666667")


def test_where_the_oldest_opening_is_closed_first_what_is_left_keeps_its_own_price() -> None:
    fills = [opened("1", "10", minute=1), opened("1", "20", minute=2), opened("1", "99", "sell", minute=3)]
    (position,) = net_positions(fills, oldest_first=True)
    assert (quantity.short(position.quantity), position.average_price) == ("1", Decimal(20))
    rolled = roll_up(fills=fills, scales=Scales(oldest_first=True))
    assert rolled.positions == (position,)


signed = st.integers(-300, 300).filter(bool)


@given(st.lists(st.tuples(signed, st.integers(1, 500)), max_size=40))
def test_the_oldest_opening_is_closed_first_unit_by_unit(steps: list[tuple[int, int]]) -> None:
    units: list[int] = []
    side = 1
    for amount, price in steps:
        for _ in range(abs(amount)):
            if units and (side > 0) != (amount > 0):
                del units[0]
            else:
                side = 1 if amount > 0 else -1
                units.append(price)
    fills = [
        opened(str(abs(amount)), str(price), "buy" if amount > 0 else "sell", minute)
        for minute, (amount, price) in enumerate(steps)
    ]
    for position in net_positions(fills, oldest_first=True):
        assert position.quantity == len(units) * side
        if position.average_price is not None:
            assert abs(Fraction(position.average_price) - Fraction(sum(units), len(units))) <= Fraction(6, 10**13)


@given(st.lists(st.tuples(signed, st.integers(1, 500)), max_size=40))
def test_positions_agree_with_the_same_rules_in_fractions(steps: list[tuple[int, int]]) -> None:
    held, cost = Fraction(0), Fraction(0)
    for amount, price in steps:
        after = held + amount
        if held * amount >= 0:
            cost += abs(amount) * price
        elif after * held > 0:
            cost = cost / abs(held) * abs(after)
        else:
            cost = Fraction(abs(after) * price)
        held = after
    fills = [
        opened(str(abs(amount)), str(price), "buy" if amount > 0 else "sell", minute)
        for minute, (amount, price) in enumerate(steps)
    ]
    for position in net_positions(fills):
        assert Fraction(position.quantity) == held
        if position.average_price is not None:
            assert abs(Fraction(position.average_price) - cost / abs(held)) <= Fraction(6, 10**13)


@given(st.lists(st.tuples(st.booleans(), st.decimals(0, 10**9, places=8), st.decimals(0, 10**6, places=6))))
def test_balances_add_up_to_the_last_digit(rows: list[tuple[bool, Decimal, Decimal]]) -> None:
    fills = [
        fill(str(number), "buy" if buy else "sell", str(amount), str(price), fee="0.000000000000000001")
        for number, (buy, amount, price) in enumerate(rows)
    ]
    signs = [1 if buy else -1 for buy, _, _ in rows]
    by_asset = {balance.asset: Fraction(balance.total) for balance in roll_up(fills=fills).balances}
    assert by_asset.get(Asset("XRP"), 0) == sum(
        sign * Fraction(amount) for sign, (_, amount, _) in zip(signs, rows, strict=True)
    )
    assert by_asset.get(Asset("USD"), 0) == sum(
        -sign * Fraction(amount) * Fraction(price) - Fraction(1, 10**18)
        for sign, (_, amount, price) in zip(signs, rows, strict=True)
    )


def order(
    order_id: str | None = "O1", client: str | None = None, status: str = "open", minute: int | None = None
) -> Order:
    return Order(
        order_id,
        Instrument("XRP/USD"),
        OrderSide.BUY,
        Decimal(100),
        Decimal(0),
        status,
        client_order_id=client,
        updated_at=None if minute is None else T0 + timedelta(minutes=minute),
    )


def test_the_last_entry_of_an_order_wins() -> None:
    assert latest_orders([order(), order("O2"), order(status="filled")]) == (
        order(status="filled"),
        order("O2"),
    )


def test_an_older_state_delivered_late_does_not_win() -> None:  # N6
    assert latest_orders([order(status="filled", minute=5), order(minute=1)])[0].status == "filled"


@pytest.mark.parametrize("status", ["filled", "canceled", "expired", "rejected"])
def test_of_two_states_of_one_instant_the_one_that_has_ended_wins_whichever_comes_last(status: str) -> None:  # N6
    placed, ended = order(minute=5), order(status=status, minute=5)
    assert latest_orders([placed, ended]) == latest_orders([ended, placed]) == (ended,)


@pytest.mark.parametrize("one, other", [("pending", "open"), ("filled", "canceled"), ("open", "of the future")])
def test_of_two_states_of_one_instant_that_both_work_or_have_both_ended_the_last_wins(one: str, other: str) -> None:
    for first, last in ((one, other), (other, one)):
        assert latest_orders([order(status=first, minute=5), order(status=last, minute=5)])[0].status == last


def test_a_later_state_wins_though_it_is_less_far() -> None:
    assert latest_orders([order(status="canceled", minute=5), order(minute=6)])[0].status == "open"


def test_an_order_known_by_the_client_id_becomes_the_one_with_the_exchange_id() -> None:
    (one,) = latest_orders([order(None, "c1", "pending"), order("O1", "c1"), order(None, "c1", "filled")])
    assert (one.order_id, one.status) == ("O1", "filled")


def test_two_orders_may_share_a_client_id() -> None:
    assert len(latest_orders([order("O1", "c1"), order("O2", "c1")])) == 2


def test_ids_of_exchange_and_client_are_two_name_spaces() -> None:
    assert len(latest_orders([order("7"), order(None, "7")])) == 2


def test_later_states_without_any_change_are_the_same_order() -> None:
    assert latest_orders([order("O1", "c1"), replace(order("O1"), filled=Decimal(5))])[0].client_order_id == "c1"
