"""What follows from entries, whole: every balance, leg and position, plugs among them, and the states of orders."""

import pytest
from msgspec.structs import replace

from gal_friday.domain.adjustment import StandingPlug
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.records import Fill, Kind, Movement
from gal_friday.domain.roll_up import (
    LatestOrders,
    RolledUp,
    Rolling,
    is_older,
    latest_orders,
    legs_of,
    moved_by_plug,
    net_positions,
    roll_up,
)
from gal_friday.domain.snapshot import Scales
from tests.domain.build import D, at, balance, fill, movement, order, position


def plug(amount: str, price: str | None = None, minute: float = 0, name: str = "XRP/USD") -> StandingPlug:
    kind, part = (Kind.POSITIONS, "net") if "/" in name else (Kind.BALANCES, "spot")
    return StandingPlug(
        plug_id=f"plug of {amount}",
        adjustment_id="adj_1",
        kind=kind,
        name=name,
        part=part,
        amount=D(amount),
        price=None if price is None else D(price),
        at=at(minute),
    )


def leg(asset: str, amount: str, fee: str = "0", name: str = "T1", kind: str = "trade") -> Movement:
    return Movement(f"{name}:{asset}", kind, Asset(asset), Wallet.SPOT, D(amount), at(-30), D(fee), name)


SPOT = fill("T1", "40", "0.6", fee="0.061", fee_asset="USD")
MARGIN = fill("T2", "10", "0.5", fee="0.25", fee_asset="USD", margin=True)
NAMELESS = fill("T3", instrument="?XXRPZUSD")
TOLD = fill("T4", "7", "1")
ROW = movement("L4", "7", "XRP", refers_to="T4", fee="0.5")


def test_everything_that_follows_from_entries_is_told() -> None:
    scales = Scales(assets={Asset("USD"): 2})
    earlier = order("O1", "pending", updated=-40)
    rolled = roll_up(
        fills=[SPOT, MARGIN, NAMELESS, TOLD],
        movements=[ROW, movement("L9", "100", "USD", "deposit", wallet=Wallet.EARN)],
        orders=[earlier, order("O2"), order("O1", "filled")],
        plugs=[plug("3", name="XRP"), plug("-2", "0.4")],
        scales=scales,
    )
    assert rolled == RolledUp(
        balances=(
            balance("USD", "100", wallet=Wallet.EARN),
            balance("USD", "-24.311", rounded_records=1),
            balance("XRP", "49.5"),
        ),
        positions=(position("8", price="0.5"),),
        orders=(order("O1", "filled"), order("O2")),
        legs=(leg("XRP", "40"), leg("USD", "-24", "0.061"), leg("USD", "0", "0.25", "T2", "margin")),
        underivable=(NAMELESS,),
    )
    assert roll_up() == RolledUp(balances=(), positions=(), orders=(), legs=(), underivable=())


@pytest.mark.parametrize(
    "one, legs",
    [
        (fill("T1", "40", "0.6"), [leg("XRP", "40"), leg("USD", "-24")]),
        (fill("T1", "40", "0.6", side="sell", fee="1"), [leg("XRP", "-40"), leg("USD", "24", "1")]),
        (fill("T1", "40", "0.6", fee="1", fee_asset="XRP"), [leg("XRP", "40", "1"), leg("USD", "-24")]),
        (
            fill("T1", "40", "0.6", fee="1", fee_asset="KFEE"),
            [leg("XRP", "40"), leg("USD", "-24"), leg("KFEE", "0", "1")],
        ),
        (fill("T1", "40", "0.6", fee="0", fee_asset="KFEE"), [leg("XRP", "40"), leg("USD", "-24")]),
        (fill("T1", "40", "0.6", cost=D("23.5"), fee="-1"), [leg("XRP", "40"), leg("USD", "-23.5", "-1")]),
        (fill("T1", margin=True), []),
        (fill("T1", margin=True, fee="0", fee_asset="USD"), []),
        (fill("T1", margin=True, fee="1"), [leg("USD", "0", "1", kind="margin")]),
        (fill("T1", margin=True, fee="1", fee_asset="XRP"), [leg("XRP", "0", "1", kind="margin")]),
        (
            fill("T1", margin=True, fee="1", fee_asset="EUR", instrument="?X"),
            [leg("EUR", "0", "1", kind="margin")],
        ),
        (fill("T1", margin=True, fee="1", instrument="?X"), []),
        (fill("T1", fee="1", fee_asset="USD", instrument="?X"), []),
    ],
)
def test_the_legs_of_a_fill_are_told_whole(one: Fill, legs: list[Movement]) -> None:
    assert list(legs_of(one)) == legs
    by_plug = Movement("plug of 3", "plug", Asset("XRP"), Wallet.SPOT, D(3), at(1))
    assert moved_by_plug(plug("3", minute=1, name="XRP")) == by_plug


@pytest.mark.parametrize(
    "one, can_be_told",
    [
        (fill(margin=True, instrument="?X"), True),
        (fill(margin=True, fee="0", instrument="?X"), True),
        (fill(margin=True, fee="1", fee_asset="EUR", instrument="?X"), True),
        (fill(margin=True, fee="1", instrument="?X"), False),
        (fill(fee="1", fee_asset="EUR", instrument="?X"), False),
        (fill(), True),
    ],
)
def test_a_fill_whose_legs_nobody_can_tell_is_named(one: Fill, can_be_told: bool) -> None:  # I15
    assert roll_up(fills=[one]).underivable == (() if can_be_told else (one,))


def test_entries_in_portions_come_to_the_same() -> None:
    rolling = Rolling(Scales(assets={Asset("USD"): 2, Asset("XRP"): 0}))
    rolling.move([ROW])
    rolling.move([])
    assert rolling.plug([plug("3", name="XRP"), plug("-2", "0.4")]) == (moved_by_plug(plug("3", name="XRP")),)
    fine = replace(SPOT, fill_id="T5", quantity=D("0.5"))
    assert rolling.fill([SPOT]) == legs_of(SPOT)
    assert rolling.fill([fine, NAMELESS, MARGIN]) == (*legs_of(fine), *legs_of(MARGIN))
    assert rolling.fill([TOLD]) == ()
    assert rolling.balances() == (
        balance("USD", "-24.672", rounded_records=2),
        balance("XRP", "50.0", rounded_records=1),
    )
    assert (rolling.positions(), rolling.underivable()) == ((position("8", price="0.5"),), (NAMELESS,))


def bought(quantity: str, price: str, minute: float = 0, side: str = "buy", instrument: str = "XRP/USD") -> Fill:
    return fill("T", quantity, price, side, minute=minute, margin=True, instrument=instrument)


@pytest.mark.parametrize(
    "steps, quantity, price",
    [
        ([plug("10", "2")], "10", "2"),
        ([plug("-10", "2")], "-10", "2"),
        ([plug("10")], "10", None),
        ([bought("10", "2"), plug("5", minute=1)], "15", "2"),
        ([bought("10", "2"), plug("10", "4", 1)], "20", "3"),
        ([bought("10", "2"), plug("-4", "9", 1)], "6", "2"),
        ([bought("10", "2"), plug("-4", minute=1)], "6", "2"),
        ([bought("10", "2"), plug("-10", minute=1)], "0", None),
        ([bought("10", "2"), plug("-14", "3", 1)], "-4", "3"),
        ([bought("10", "2"), plug("-14", minute=1)], "-4", "2"),
        ([plug("10"), bought("10", "2", 1)], "20", None),
        ([plug("10"), bought("14", "2", 1, "sell")], "-4", "2"),
        ([plug("10"), plug("-4", "3", 1)], "6", None),
        ([plug("0", "2")], "0", None),
        ([bought("10", "2", 1), plug("-10", minute=0)], "0", None),
        ([bought("10", "2"), plug("-10", "5")], "0", None),
        ([bought("3", "1"), bought("1", "2", 1, "sell")], "2", "1"),
        ([bought("1", "1"), bought("2", "2", 1)], "3", "1.666666666667"),
    ],
)  # fmt: skip
def test_a_position_with_plugs_is_told_with_its_average_price(
    steps: list[Fill | StandingPlug], quantity: str, price: str | None
) -> None:
    fills = [one for one in steps if isinstance(one, Fill)]
    plugs = [one for one in steps if isinstance(one, StandingPlug)]
    assert net_positions(fills, plugs) == (position(quantity, price=price),)


@pytest.mark.parametrize(
    "steps, quantity, price",
    [
        ([bought("1", "1"), bought("1", "4", 1), bought("1", "9", 2, "sell")], "1", "4"),
        ([bought("2", "1"), bought("2", "4", 1), bought("1", "9", 2, "sell")], "3", "3"),
        ([bought("2", "1"), bought("2", "4", 1), bought("3", "9", 2, "sell")], "1", "4"),
        ([bought("2", "1"), bought("2", "4", 1), bought("5", "9", 2, "sell")], "-1", "9"),
        ([bought("2", "1"), bought("2", "4", 1), plug("4", minute=2), bought("4", "9", 3, "sell")], "4", "2.5"),
        ([bought("2", "1"), plug("2", "4", 1), plug("-2", "9", 2)], "2", "4"),
        ([plug("2"), bought("2", "4", 1)], "4", None),
        ([plug("2"), bought("2", "4", 1), bought("2", "5", 2, "sell")], "2", "4"),
    ],
)  # fmt: skip
def test_where_the_oldest_opening_closes_first_plugs_are_openings_as_well(
    steps: list[Fill | StandingPlug], quantity: str, price: str | None
) -> None:
    fills = [one for one in steps if isinstance(one, Fill)]
    plugs = [one for one in steps if isinstance(one, StandingPlug)]
    assert net_positions(fills, plugs, oldest_first=True) == (position(quantity, price=price),)


def test_of_one_instant_fills_come_first_and_what_is_no_position_is_left_out() -> None:
    # The fill opens at 2, and the plug adds at that price; the other way round nobody would know a price.
    assert net_positions([bought("10", "2")], [plug("5")]) == (position("15", price="2"),)
    assert net_positions([fill()], [plug("5", name="XRP")]) == ()
    two = net_positions([bought("1", "2"), bought("1", "3", instrument="ADA/USD")])
    assert two == (position("1", price="3", instrument="ADA/USD"), position("1", price="2"))
    scales = Scales(oldest_first=True)
    fills = [bought("1", "1"), bought("1", "4", 1), bought("1", "9", 2, "sell")]
    assert roll_up(fills=fills, scales=scales).positions == (position("1", price="4"),)
    assert roll_up(fills=fills).positions == (position("1", price="2.5"),)


def test_an_order_is_known_by_either_id_and_keeps_both() -> None:
    mine = order(None, "pending", client="c1", updated=-50)
    latest = LatestOrders()
    latest.take([mine, order("O9")])
    assert latest.orders == [mine, order("O9")]
    latest.take([order("O1", client="c1", updated=-40)])
    assert latest.orders[0] == order("O1", client="c1", updated=-40)
    latest.take([order("O1", "filled", updated=-30), order(None, "pending", client="c1", updated=-60)])
    assert latest.orders == [order("O1", "filled", client="c1", updated=-30), order("O9")]
    # Another order under the same id of the client is another order, and the id leads to the newer one.
    latest.take([order("O2", client="c1")])
    assert latest.orders[2:] == [order("O2", client="c1")]
    latest.take([order(None, "canceled", client="c1", updated=-10)])
    assert latest.orders[2:] == [order("O2", "canceled", client="c1", updated=-10)]
    unknown = latest_orders([order("O1", updated=None), order("O1", "filled", updated=-60)])
    assert unknown == (order("O1", "filled", updated=-60),)


@pytest.mark.parametrize(
    "left, right, older",
    [
        (("open", -2), ("open", -1), True),
        (("open", -1), ("open", -2), False),
        (("open", -1), ("open", -1), False),
        (("open", -1), ("filled", -1), True),
        (("filled", -1), ("open", -1), False),
        (("filled", -1), ("canceled", -1), False),
        (("filled", -2), ("open", -1), True),
        (("open", None), ("open", -1), False),
        (("open", -2), ("open", None), False),
    ],
)
def test_which_of_two_states_is_known_to_be_the_earlier(
    left: tuple[str, float | None], right: tuple[str, float | None], older: bool
) -> None:
    one, other = (order(status=status, updated=updated) for status, updated in (left, right))
    assert is_older(one, other) is older
