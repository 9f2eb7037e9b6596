"""Plugs give way to the records that they stood for, and to nothing else."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.adjustment import StandingPlug, Suspense
from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.give_way import (
    Drained,
    Moved,
    Release,
    change,
    drained,
    event_of,
    give_way,
    moved_by,
    said,
    summed,
    suspense_in,
    suspense_of,
    written_out,
)
from gal_friday.domain.records import Fill, Kind, Movement, OrderSide
from gal_friday.domain.roll_up import net_positions, roll_up

T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)
PLACE = "balances:XRP:spot"


def plug(amount: str, plug_id: str = "P1", *, kind: Kind = Kind.BALANCES, price: str | None = None) -> StandingPlug:
    name, part = ("XRP", "spot") if kind is Kind.BALANCES else ("XRP/USD", "net")
    return StandingPlug(
        plug_id=plug_id,
        adjustment_id="adj_1",
        kind=kind,
        name=name,
        part=part,
        amount=Decimal(amount),
        price=None if price is None else Decimal(price),
        at=T0,
    )


def moved(amount: str, *, minute: int = 0, key: str = PLACE) -> list[Moved]:
    return [Moved(key, Decimal(amount), T0 + timedelta(minutes=minute))]


def test_a_record_releases_as_much_as_it_moves() -> None:
    assert give_way([plug("5")], [moved("3")]) == (Release("P1", Decimal("-3")),)


def test_a_record_releases_no_more_than_is_left() -> None:
    assert give_way([plug("-5")], [moved("-3"), moved("-3")]) == (Release("P1", Decimal(5)),)


def test_what_moves_the_other_way_releases_nothing() -> None:
    assert give_way([plug("5")], [moved("-3")]) == ()


def test_another_place_releases_nothing() -> None:
    assert give_way([plug("5")], [moved("3", key="balances:XRP:earn")]) == ()


def test_a_record_at_the_instant_of_the_plug_releases_it_and_a_later_one_does_not() -> None:
    assert give_way([plug("5")], [moved("3", minute=0)]) != ()
    assert give_way([plug("5")], [moved("3", minute=1)]) == ()


def test_one_record_releases_several_plugs_by_no_more_than_it_moves() -> None:
    released = give_way([plug("3"), plug("5", "P2")], [moved("4")])
    assert released == (Release("P1", Decimal(-3)), Release("P2", Decimal(-1)))


def test_a_record_that_takes_the_place_of_an_equal_one_releases_nothing() -> None:
    row = Movement("L1", "deposit", Asset("XRP"), Wallet.SPOT, Decimal(3), T0)
    assert give_way([plug("5")], [change(moved_by([row]), moved_by([row]))]) == ()


def test_the_legs_of_a_fill_count_once_whether_recorded_or_derived() -> None:
    fill = Fill("T1", Instrument("XRP/USD"), OrderSide.BUY, Decimal(40), Decimal("0.5"), T0, margin=False)
    legs = [
        Movement("L1", "trade", Asset("XRP"), Wallet.SPOT, Decimal(40), T0, refers_to="T1"),
        Movement("L2", "trade", Asset("USD"), Wallet.SPOT, Decimal(-20), T0, refers_to="T1"),
    ]
    assert summed(moved_by([fill])) == summed(moved_by([fill, *legs])) == summed(moved_by(legs))


def test_the_suspense_line_is_the_sum_of_the_plugs_of_a_place() -> None:
    lines = suspense_of([plug("5"), plug("-2", "P2"), plug("1", kind=Kind.POSITIONS)])
    assert [said(line) for line in lines] == ["suspense: 3 XRP in 2 plugs", "suspense: 1 XRP/USD in 1 plug"]


amounts = st.integers(-50, 50).map(Decimal)


@given(st.lists(amounts.filter(bool), max_size=4), st.lists(st.tuples(amounts, st.integers(-2, 2)), max_size=6))
def test_a_plug_only_ever_shrinks_towards_zero(posted: list[Decimal], events: list[tuple[Decimal, int]]) -> None:
    plugs = [replace(plug("1", f"P{at}"), amount=amount) for at, amount in enumerate(posted)]
    arrivals = [moved(str(amount), minute=minute) for amount, minute in events]
    left = {each.plug_id: each.amount for each in plugs}
    for release in give_way(plugs, arrivals):
        left[release.plug_id] = quantity.add(left[release.plug_id], release.amount)
    for each in plugs:
        assert abs(left[each.plug_id]) <= abs(each.amount)
        assert left[each.plug_id] * each.amount >= 0


@given(st.lists(st.tuples(amounts, st.integers(-2, 2)), max_size=6))
def test_arriving_at_once_releases_as_much_as_arriving_one_by_one(events: list[tuple[Decimal, int]]) -> None:
    plugs = [plug("7"), plug("9", "P2")]
    arrivals = [moved(str(amount), minute=minute) for amount, minute in events]
    one_by_one = {each.plug_id: each for each in plugs}
    for arrival in arrivals:
        for release in give_way(list(one_by_one.values()), [arrival]):
            known = one_by_one[release.plug_id]
            one_by_one[release.plug_id] = replace(known, amount=quantity.add(known.amount, release.amount))
    at_once = {release.plug_id: release.amount for release in give_way(plugs, arrivals)}
    for each in plugs:
        assert quantity.add(each.amount, at_once.get(each.plug_id, Decimal(0))) == one_by_one[each.plug_id].amount


def test_a_plug_of_a_balance_is_a_movement_so_that_the_book_adds_up() -> None:
    rolled = roll_up(
        plugs=[plug("5")], movements=[Movement("L1", "deposit", Asset("XRP"), Wallet.SPOT, Decimal(1), T0)]
    )
    assert [(row.asset, row.total) for row in rolled.balances] == [("XRP", Decimal(6))]


def margin(side: str, amount: str, price: str, minute: int) -> Fill:
    at = T0 + timedelta(minutes=minute)
    return Fill("T1", Instrument("XRP/USD"), OrderSide(side), Decimal(amount), Decimal(price), at, margin=True)


def test_a_plug_without_a_price_leaves_the_average_price_as_it_is() -> None:
    (position,) = net_positions([margin("buy", "40", "0.5", -1)], [plug("-10", kind=Kind.POSITIONS)])
    assert (position.quantity, position.average_price) == (Decimal(30), Decimal("0.5"))
    (position,) = net_positions([margin("buy", "40", "0.5", -1)], [plug("10", kind=Kind.POSITIONS)])
    assert (position.quantity, position.average_price) == (Decimal(50), Decimal("0.5"))


def test_a_plug_with_a_price_is_taken_in_at_it() -> None:
    (position,) = net_positions([margin("buy", "10", "0.5", -1)], [plug("10", kind=Kind.POSITIONS, price="1.5")])
    assert (position.quantity, position.average_price) == (Decimal(20), Decimal(1))


def test_no_price_is_invented_for_a_position_that_only_a_plug_opened() -> None:
    (position,) = net_positions([], [plug("10", kind=Kind.POSITIONS)])
    assert (position.quantity, position.average_price) == (Decimal(10), None)
    (position,) = net_positions([margin("buy", "10", "0.5", 1)], [plug("10", kind=Kind.POSITIONS)])
    assert (position.quantity, position.average_price) == (Decimal(20), None)
    (position,) = net_positions([margin("sell", "25", "0.5", 1)], [plug("10", kind=Kind.POSITIONS)])
    assert (position.quantity, position.average_price) == (Decimal(-15), Decimal("0.5"))


def test_the_suspense_of_a_snapshot_is_read_back_and_a_stranger_of_that_name_is_left_alone() -> None:
    lines = suspense_of([plug("5"), plug("1", kind=Kind.POSITIONS)])
    assert suspense_in({"suspense": [*map(written_out, lines)]}) == lines
    for other in (None, {}, {"suspense": 5}, {"suspense": ["x"]}, {"suspense": [{"kind": "balances"}]}):
        assert suspense_in(other) == ()


D = Decimal
DEPOSIT = Movement("L1", "deposit", Asset("XRP"), Wallet.EARN, D(3), T0, D("0.5"))
SPOT = Fill("T1", Instrument("XRP/USD"), OrderSide.BUY, D(40), D("0.5"), T0, fee=D("0.1"), margin=False)


def test_what_records_add_is_told_record_by_record_and_place_by_place() -> None:
    later = T0 + timedelta(minutes=1)
    sold = Fill("T2", Instrument("XRP/USD"), OrderSide.SELL, D(7), D("0.5"), later, fee=D("0.2"), margin=True)
    bought = replace(sold, fill_id="T3", side=OrderSide.BUY, fee=None)
    assert moved_by([sold, DEPOSIT, SPOT, bought]) == [
        Moved("balances:XRP:earn", D("2.5"), T0),
        Moved("balances:USD:spot", D("-0.2"), later),
        Moved("balances:XRP:spot", D(40), T0),
        Moved("balances:USD:spot", D("-20.1"), T0),
        Moved("positions:XRP/USD:net", D(-7), later),
        Moved("positions:XRP/USD:net", D(7), later),
    ]


@pytest.mark.parametrize(
    "record, event",
    [
        (SPOT, "T1"),
        (DEPOSIT, "L1"),
        (replace(DEPOSIT, refers_to="T9"), "L1"),
        (replace(DEPOSIT, kind="trade", refers_to="T9"), "T9"),
        (replace(DEPOSIT, kind="trade"), "L1"),
        (replace(DEPOSIT, kind="trade", refers_to=""), "L1"),
    ],
    ids=["a fill", "a row", "a row that refers to something", "a leg", "a leg of nothing", "a leg of no name"],
)
def test_a_record_belongs_to_its_fill_or_to_itself(record: Fill | Movement, event: str) -> None:
    assert event_of(record) == event


def test_a_change_is_what_comes_with_what_goes_taken_off() -> None:
    before, after = moved("3"), moved("5", minute=1)
    assert change(before, after) == [*after, Moved(PLACE, D(-3), T0)]
    assert summed(change(before, after)) == {PLACE: D(2)}
    assert summed(change(before, before)) == summed([]) == {}


def test_one_event_releases_each_place_by_what_it_moves_there() -> None:
    other = replace(plug("4", "P3"), part="earn")
    both = [*moved("2"), *moved("2"), *moved("1", key="balances:XRP:earn"), *moved("9", minute=1)]
    assert give_way([plug("3"), plug("5", "P2"), other], [both]) == (
        Release("P1", D(-3)),
        Release("P2", D(-1)),
        Release("P3", D(-1)),
    )
    # What an earlier event released is not released again, and what is whole again is left alone.
    assert give_way([plug("3"), plug("5", "P2")], [moved("3"), moved("3")]) == (
        Release("P1", D(-3)),
        Release("P2", D(-3)),
    )
    assert give_way([plug("-3"), plug("5", "P2")], [moved("2")]) == (Release("P2", D(-2)),)
    assert give_way([plug("0"), plug("5", "P2")], [moved("2")]) == (Release("P2", D(-2)),)
    assert give_way([], [moved("2")]) == give_way([plug("3")], []) == ()


def test_what_is_drained_of_a_place_is_told_before_and_after() -> None:
    three = suspense_of([plug("5"), plug("-2", "P2")])
    one = suspense_of([plug("1")])
    positions = suspense_of([plug("4", kind=Kind.POSITIONS)])
    drain = Drained(PLACE, D(3), D(1))
    assert drained(three, one) == (drain,)
    assert drain.change == D(-2)
    assert drained([*three, *positions], one) == (drain, Drained("positions:XRP/USD:net", D(4), D(0)))
    assert drained((), one) == (Drained(PLACE, D(0), D(1)),)
    assert drained(three, three) == ()


def test_a_suspense_line_is_kept_said_and_written_whole() -> None:
    earn = replace(plug("1.50", "P4"), part="earn")
    lines = suspense_of([plug("1", kind=Kind.POSITIONS), earn, plug("5"), plug("-2", "P2")])
    assert lines == (
        Suspense(Kind.BALANCES, "XRP", "earn", D("1.50"), 1),
        Suspense(Kind.BALANCES, "XRP", "spot", D(3), 2),
        Suspense(Kind.POSITIONS, "XRP/USD", "net", D(1), 1),
    )
    assert [said(line) for line in lines] == [
        "suspense: 1.5 XRP earn in 1 plug",
        "suspense: 3 XRP in 2 plugs",
        "suspense: 1 XRP/USD in 1 plug",
    ]
    assert written_out(lines[0]) == {"kind": "balances", "name": "XRP", "part": "earn", "amount": "1.50", "plugs": 1}
    for broken in ({"kind": "moons"}, {"amount": "x"}, {"plugs": "many"}, {"amount": None}):
        assert suspense_in({"suspense": [written_out(lines[0]) | broken]}) == ()
