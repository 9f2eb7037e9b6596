"""Positions by lot, direction and sum, what they cost, and what a record is worth: whole, to the last digit."""

import pytest
from msgspec.structs import replace

from gal_friday.domain.assets import Asset, Instrument
from gal_friday.domain.compare.stake import about, net, stake_between, stake_of, stake_of_change
from gal_friday.domain.finding import Agrees, AmountMismatch, Differs, DiscrepancyType, Finding, Inconsistent, Key
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Fill, Kind, Order, Position
from gal_friday.domain.snapshot import Scales
from tests.domain.build import D, balance, exchange, fill, found, internal, movement, order, position, stake

Type = DiscrepancyType
NET = Key(Kind.POSITIONS, "XRP/USD", "net")


def one(ours: object, theirs: object, policy: Policy | None = None, **scales: object) -> Finding:
    """Return the one finding of two positions."""
    right = exchange(*(theirs if isinstance(theirs, list) else [theirs]), scales=Scales(**scales))  # type: ignore[arg-type]
    (finding,) = found(ours, right, policy=policy or Policy()).values()
    return finding


def priced(ours: str, theirs: str, difference: str) -> Differs:
    mismatch = AmountMismatch(
        Type.COST_BASIS_MISMATCH, "cost", D(ours), D(theirs), D(difference), stake(difference, "USD")
    )
    return Differs(NET, (mismatch,), "XRP/USD")


def test_a_cost_may_differ_by_what_rounding_each_average_makes_of_it() -> None:
    # Half a unit of the twelfth digit for each of two averages, a million times.
    ours = position("1000000", price="0.6")
    assert one(ours, position("1000000", price="0.600000000001")) == Agrees(NET, D("1000000"))
    assert one(ours, position("1000000", price="0.5999999999989")) == priced("600000", "599999.9999989", "-0.0000011")
    assert one(ours, position("1000000", price="0.6000000000011")) == priced("600000", "600000.0000011", "0.0000011")
    short = position("1000000", "short", price="0.6")
    assert one(short, position("-1000000", price="0.600000000001")) == Agrees(NET, D("-1000000"))


def test_a_cost_may_differ_by_what_rounding_each_record_makes_of_it() -> None:
    # Three records at half a unit of the fifth digit, and the averages as before.
    ours = position("1000000", price="0.6", rounded_records=1)
    costs = {Instrument("XRP/USD"): 5}

    def theirs(price: str) -> Position:
        return position("1000000", price=price, rounded_records=2)

    assert one(ours, theirs("0.600000000016"), costs=costs) == Agrees(NET, D("1000000"))
    assert one(ours, theirs("0.6000000000161"), costs=costs) == priced("600000", "600000.0000161", "0.0000161")
    # An exchange that does not say how it rounds keeps twelve digits.
    assert one(ours, theirs("0.6000000000010000015")) == Agrees(NET, D("1000000"))
    assert one(ours, theirs("0.6000000000010000016")) == priced("600000", "600000.0000010000016", "0.0000010000016")


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_size_that_is_tolerated_costs_no_more_than_it_is_worth(sign: str) -> None:
    policy = Policy(tolerance=D("0"), tolerances={Asset("XRP"): D("1")})
    ours = position(f"{sign}10", price="2")
    # The eleventh unit at 2, and half a unit of the twelfth digit of two averages of eleven.
    agrees = one(ours, position(f"{sign}11", price="2.000000000001"), policy)
    assert agrees == Agrees(NET, D(f"{sign}10"), D(f"{sign}1"))
    differs = one(ours, position(f"{sign}11", price="2.0000000000011"), policy)
    assert isinstance(differs, Differs)
    assert differs.mismatches[0].type == Type.COST_BASIS_MISMATCH


def test_a_cost_within_the_tolerance_of_all_agrees() -> None:
    ours = position("1", price="1")
    assert one(ours, position("1", price="1.00000001")) == Agrees(NET, D("1"))
    assert one(ours, position("1", price="1.000000010001")) == priced("1", "1.000000010001", "0.000000010001")


@pytest.mark.parametrize(
    "ours, theirs",
    [
        (position("1", price="1"), position("1")),
        (position("1"), position("1", price="2")),
        ([position("5", "long", price="1"), position("4", "short", price="3")], position("1", price="9")),
        (position("0", price="1"), position("0", price="2")),
    ],
)
def test_a_cost_that_a_side_does_not_tell_is_not_compared(ours: object, theirs: object) -> None:
    assert isinstance(one(ours, theirs), Agrees)


def sized(kind: DiscrepancyType, part: str, ours: str, theirs: str, difference: str) -> Differs:
    mismatch = AmountMismatch(kind, "quantity", D(ours), D(theirs), D(difference), stake(difference, "XRP"))
    return Differs(Key(Kind.POSITIONS, "XRP/USD", part), (mismatch,), "XRP/USD")


@pytest.mark.parametrize(
    "ours, theirs, kind, difference",
    [
        ("5", "0", Type.POSITION_MISSING_EXCHANGE, "-5"),
        ("0", "5", Type.POSITION_MISSING_INTERNAL, "5"),
        ("5", "-5", Type.SIDE_MISMATCH, "-10"),
        ("-5", "5", Type.SIDE_MISMATCH, "10"),
        ("5", "5.00000002", Type.QUANTITY_MISMATCH, "0.00000002"),
        ("-5", "-6", Type.QUANTITY_MISMATCH, "-1"),
    ],
)
def test_what_differs_of_a_size_has_its_own_name(
    ours: str, theirs: str, kind: DiscrepancyType, difference: str
) -> None:
    assert one(position(ours), position(theirs)) == sized(kind, "net", ours, theirs, difference)


def test_longs_and_shorts_are_compared_apart_where_one_side_has_both() -> None:
    ours = [position("5", "long"), position("2", "short")]
    theirs = [position("6", "long"), position("2", "short")]
    assert list(found(ours, theirs).values()) == [
        sized(Type.QUANTITY_MISMATCH, "long", "5", "6", "1"),
        Agrees(Key(Kind.POSITIONS, "XRP/USD", "short"), D("-2")),
    ]
    # A side that tells them apart and one that does not have only their sum in common.
    assert list(found(ours, position("3")).values()) == [Agrees(NET, D("3"))]


def test_lots_are_compared_one_by_one_or_by_their_sum() -> None:
    ours = [position("5", "lot", "P1"), position("2", "lot", "P2")]
    lots = [Key(Kind.POSITIONS, "XRP/USD", lot) for lot in ("P1", "P2")]
    assert list(found(ours, [position("6", "lot", "P1"), position("2", "lot", "P2")]).values()) == [
        sized(Type.QUANTITY_MISMATCH, "P1", "5", "6", "1"),
        Agrees(lots[1], D("2")),
    ]
    assert list(found(ours, position("7")).values()) == [Agrees(NET, D("7"))]
    assert list(found(ours, position("8")).values()) == [sized(Type.QUANTITY_MISMATCH, "net", "7", "8", "1")]


def test_a_position_that_is_small_enough_is_as_good_as_none() -> None:
    assert list(found(position("0.00000001"), []).values()) == [Agrees(NET, D("1E-8"), D("-1E-8"))]
    assert list(found([], position("0.00000001")).values()) == [Agrees(NET, D("0"), D("1E-8"))]


BUY, SELL = order(), order(side="sell")


@pytest.mark.parametrize(
    "row, worth, what",
    [
        (balance("BTC", "-1.5"), stake("-1.5", "BTC"), "BTC"),
        (movement("L1", "40", fee="0.5"), stake("39.5", "XRP"), "XRP"),
        (movement("L1", "-40", fee="-0.5"), stake("-39.5", "XRP"), "XRP"),
        (fill(), stake("24", "USD"), "XRP/USD"),
        (fill(side="sell"), stake("-24", "USD"), "XRP/USD"),
        (fill(instrument="?X"), None, "?X"),
        (BUY, stake("60", "USD"), "XRP/USD"),
        (order(status="pending", side="sell"), stake("-60", "USD"), "XRP/USD"),
        (order(status="canceled", filled="10"), stake("6", "USD"), "XRP/USD"),
        (order(price=None), stake("100", "XRP"), "XRP/USD"),
        (order(price=None, side="sell", status="filled", filled="7"), stake("-7", "XRP"), "XRP/USD"),
        (position("-5", price="9"), stake("-5", "XRP"), "XRP/USD"),
        (position("-5", instrument="?X"), None, "?X"),
    ],
)
def test_a_record_is_worth_what_the_book_would_gain_by_it(row: object, worth: object, what: str) -> None:
    assert (stake_of(row), about(row)) == (worth, what)  # type: ignore[arg-type]


EURO = fill(instrument="XRP/EUR")


@pytest.mark.parametrize(
    "ours, theirs, between",
    [
        (fill(), fill(side="sell"), stake("-48", "USD")),
        (fill(), EURO, stake("24", "EUR")),
        (fill(instrument="?X"), EURO, stake("24", "EUR")),
        (EURO, fill(instrument="?X"), stake("24", "EUR")),
        (fill(instrument="?X"), fill(instrument="?Y"), None),
        (BUY, SELL, stake("-120", "USD")),
    ],
)
def test_between_two_versions_stands_what_the_one_is_worth_more(
    ours: Fill | Order, theirs: Fill | Order, between: object
) -> None:
    assert stake_between(ours, theirs) == between


def test_a_change_of_size_or_price_is_worth_its_own_part() -> None:
    assert stake_of_change(SELL, "price", D("0.1")) == stake("-10", "USD")
    assert stake_of_change(BUY, "filled", D("10")) == stake("6", "USD")
    assert stake_of_change(SELL, "quantity", D("-10")) == stake("6", "USD")
    assert stake_of_change(order(price=None), "quantity", D("10")) == stake("10", "XRP")
    assert net(movement("L1", "40")) == D("40")


def test_which_of_two_contents_is_compared_does_not_depend_on_their_order() -> None:
    older, newer = order(filled="10", updated=-40), order(filled="20", updated=-30)
    for rows in ([older, newer], [newer, older]):
        told = found(internal(*rows), newer)
        key = Key(Kind.ORDERS, "OX")
        (mismatch,) = told[str(key)].mismatches  # type: ignore[union-attr]
        assert isinstance(mismatch, Inconsistent)
        assert (mismatch.type, mismatch.stated, mismatch.stake) == ("identity_conflict", "2", stake("-60", "USD"))
    same = replace(older, raw=("XX",), extra={"a": 1})
    (doubled,) = found(internal(older, same), older)["orders:OX"].mismatches  # type: ignore[union-attr]
    assert doubled.type == "order_duplicated"
