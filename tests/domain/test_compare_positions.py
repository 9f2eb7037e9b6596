"""Positions: net, long and short, lots; a short is never a long of the same size."""

from itertools import permutations
from typing import Any

import pytest

from gal_friday.domain.assets import Asset, Instrument
from gal_friday.domain.finding import (
    Agrees,
    AmountMismatch,
    CannotTell,
    Differs,
    DiscrepancyType,
    ExchangeOnly,
    Finding,
    InternalOnly,
    Pending,
    Stake,
)
from gal_friday.domain.policy import Policy
from gal_friday.domain.snapshot import Coverage, Scales
from tests.domain.build import D, covering, exchange, fill, found, internal, only, position

NET = "positions:XRP/USD:net"
Type = DiscrepancyType


def differs(finding: Finding) -> AmountMismatch:
    assert isinstance(finding, Differs)
    (mismatch,) = finding.mismatches
    assert isinstance(mismatch, AmountMismatch)
    return mismatch


@pytest.mark.parametrize("theirs, kind", [("-100", Agrees), ("-100.00000001", Agrees), ("-100.00000002", Differs)])
def test_net_quantities_agree_within_the_tolerance(theirs: str, kind: type) -> None:
    assert isinstance(only(position("-100"), position(theirs)), kind)


@pytest.mark.parametrize(
    "ours, theirs, expected",
    [
        ("100", "60", Type.QUANTITY_MISMATCH),
        ("-100", "-60", Type.QUANTITY_MISMATCH),
        ("100", "-100", Type.SIDE_MISMATCH),
        ("-100", "40", Type.SIDE_MISMATCH),
        ("100", "0", Type.POSITION_MISSING_EXCHANGE),
        ("0", "100", Type.POSITION_MISSING_INTERNAL),
    ],
)
def test_what_differs_is_named(ours: str, theirs: str, expected: Type) -> None:
    mismatch = differs(only(position(ours), position(theirs)))
    assert mismatch.type is expected
    assert mismatch.stake == Stake(D(theirs) - D(ours), Asset("XRP"))


def test_a_position_that_one_side_lacks_is_one_sided() -> None:
    ours, theirs = only(position("-5"), []), only([], position("-5"))
    assert isinstance(ours, InternalOnly)
    assert (ours.type, ours.amount, ours.stake) == (
        Type.POSITION_MISSING_EXCHANGE,
        D(-5),
        Stake(D(5), Asset("XRP")),
    )
    assert isinstance(theirs, ExchangeOnly)
    assert (theirs.type, theirs.amount, theirs.stake) == (
        Type.POSITION_MISSING_INTERNAL,
        D(-5),
        Stake(D(-5), Asset("XRP")),
    )


@pytest.mark.parametrize("quantity", ["0", "0.00000001"])
@pytest.mark.parametrize("coverage, kind", [(Coverage.TOTAL, Agrees), (Coverage.PARTIAL, CannotTell)])
def test_a_flat_position_agrees_with_absence_only_under_total_coverage(  # I5
    quantity: str, coverage: Coverage, kind: type
) -> None:
    assert isinstance(only(position(quantity), exchange(coverage=covering("positions", coverage))), kind)
    assert isinstance(only(internal(coverage=covering("positions", coverage)), exchange(position(quantity))), kind)


def test_a_short_is_not_a_long_of_the_same_size() -> None:
    mismatch = differs(only(position("100", "long"), position("100", "short")))
    assert (mismatch.type, mismatch.internal, mismatch.exchange) == (Type.SIDE_MISMATCH, D(100), D(-100))


def test_modes_given_as_plain_text_are_the_same_modes() -> None:
    from gal_friday.domain.records import Position

    ours: Any = Position(Instrument("XRP/USD"), "short", D(100))  # type: ignore[arg-type]
    assert isinstance(only(ours, position("-100")), Agrees)


@pytest.mark.parametrize(
    "theirs",
    [
        [position("-100")],
        [position("100", "short")],
        [position("-60", "lot", "P1"), position("-40", "lot", "P2")],
        [position("-160", "lot", "P1"), position("60", "lot", "P2")],
        [position("160", "short"), position("60", "long")],
    ],
)
def test_a_net_book_agrees_with_whatever_sums_to_it(theirs: list[object]) -> None:
    finding = only(position("-100"), theirs)
    assert isinstance(finding, Agrees)
    assert str(finding.key) == NET


def test_several_lots_are_summed_and_never_overwritten() -> None:
    lots = [position(size, "lot", lot) for size, lot in (("10", "P1"), ("20", "P2"), ("30", "P3"))]
    for rows in permutations(lots):
        assert isinstance(only(position("60"), list(rows)), Agrees)


def test_lots_are_compared_one_by_one_where_both_sides_list_lots() -> None:
    ours = [position("10", "lot", "P1"), position("20", "lot", "P2")]
    theirs = [position("10", "lot", "P1"), position("20", "lot", "P3")]
    findings = found(ours, theirs)
    kinds = {key.rpartition(":")[2]: type(finding) for key, finding in findings.items()}
    assert kinds == {"P1": Agrees, "P2": InternalOnly, "P3": ExchangeOnly}


def test_a_hedge_is_compared_by_direction_where_both_sides_tell_them_apart() -> None:
    ours = [position("100", "long"), position("40", "short")]
    theirs = [position("70", "lot", "P1"), position("30", "lot", "P2"), position("-50", "lot", "P3")]
    findings = found(ours, theirs)
    assert isinstance(findings["positions:XRP/USD:long"], Agrees)
    short = differs(findings["positions:XRP/USD:short"])
    assert (short.type, short.internal, short.exchange) == (Type.QUANTITY_MISMATCH, D(-40), D(-50))


def test_an_equal_net_does_not_hide_a_missing_hedge() -> None:
    ours, theirs = [position("60", "long")], [position("100", "long"), position("40", "short")]
    findings = found(ours, theirs)
    assert isinstance(findings["positions:XRP/USD:long"], Differs)
    assert isinstance(findings["positions:XRP/USD:short"], ExchangeOnly)


def test_a_direction_that_says_zero_is_not_absent() -> None:
    left = internal(position("0", "long"), position("0", "short"), coverage=covering("positions", Coverage.PARTIAL))
    findings = found(left, exchange(position("5", "long"), position("3", "short")))
    assert {differs(finding).type for finding in findings.values()} == {Type.POSITION_MISSING_INTERNAL}


@pytest.mark.parametrize("theirs, kind", [("0.610000000001", Agrees), ("0.610000001", Differs)])
def test_an_average_price_may_differ_by_what_rounding_it_explains(theirs: str, kind: type) -> None:
    ours, right = position("100000", price="0.61"), position("100000", price=theirs)
    assert isinstance(only(ours, right), kind)


def test_another_cost_basis_is_named_with_its_effect_in_the_quote_asset() -> None:
    mismatch = differs(only(position("-100", price="0.6"), position("-100", price="0.7")))
    assert (mismatch.type, mismatch.stake) == (Type.COST_BASIS_MISMATCH, Stake(D(-10), Asset("USD")))


def test_rounded_costs_widen_the_cost_basis_by_half_a_unit_each() -> None:
    scales = Scales(costs={Instrument("XRP/USD"): 2})
    ours = position("10", price="1", rounded_records=2)
    assert isinstance(only(ours, exchange(position("10", price="1.001"), scales=scales)), Agrees)
    assert isinstance(only(ours, exchange(position("10", price="1.00101"), scales=scales)), Differs)


def test_a_tolerated_size_is_not_reported_as_another_price() -> None:
    ours = position("1", price="60000", instrument="BTC/USD")
    assert isinstance(only(ours, position("1.00000001", price="60000", instrument="BTC/USD")), Agrees)


def test_an_unknown_average_price_is_not_compared() -> None:
    assert isinstance(only(position("1", price="5"), position("1")), Agrees)


def test_the_cost_of_a_hedge_taken_net_is_nobody_s_cost() -> None:
    theirs = [position("100", "long", price="0.6"), position("40", "short", price="0.7")]
    assert isinstance(only(position("60", price="0.6"), theirs), Agrees)


def test_the_tolerance_of_the_base_asset_holds_for_its_positions() -> None:
    policy = Policy(tolerances={Asset("XRP"): D(1)})
    assert isinstance(only(position("100"), position("101"), policy=policy), Agrees)
    assert isinstance(only(position("100"), position("101.1"), policy=policy), Differs)


@pytest.mark.parametrize("stranger, kind", [("5", CannotTell), ("0", None)])
def test_a_position_may_hide_behind_a_name_nobody_could_resolve(stranger: str, kind: type | None) -> None:  # I15
    unknown = position(stranger, instrument="?XXRPZUSD")
    assert isinstance(found(position("5"), unknown)[NET], kind or InternalOnly)
    assert isinstance(found(unknown, position("5"))[NET], kind or ExchangeOnly)


def test_an_unresolved_instrument_is_reported_as_such() -> None:  # I15
    finding = only([], position("5", instrument="?XXRPZUSD"))
    assert isinstance(finding, ExchangeOnly)
    assert (finding.type, finding.stake) == (Type.UNRESOLVED_NAME, None)


@pytest.mark.parametrize("row", [position("100"), position("100", "lot", "P1"), position("100", "long")])
def test_a_position_listed_twice_counts_once_on_either_side(row: object) -> None:
    assert isinstance(only(position("100"), [row, row]), Agrees)
    finding = only([row, row], position("100"))
    assert isinstance(finding, Differs)
    assert [told.type for told in finding.mismatches] == [Type.POSITION_DUPLICATED]


def test_two_contents_for_one_lot_are_a_conflict_even_where_lots_are_summed() -> None:
    lots = [position("10", "lot", "P1"), position("20", "lot", "P1")]
    finding = only(position("20"), lots)
    assert isinstance(finding, Differs)
    assert Type.IDENTITY_CONFLICT in {told.type for told in finding.mismatches}
    assert found(position("20"), lots) == found(position("20"), lots[::-1])


@pytest.mark.parametrize(
    "theirs", [[], [position("60")], [position("100", price="0.9")]], ids=["absent", "size", "cost"]
)
def test_an_instrument_traded_after_the_other_reading_is_pending(theirs: list[object]) -> None:
    late = fill(minute=0.1, margin=True)
    findings = found([position("100", price="0.6"), late], theirs)
    assert isinstance(findings[NET], Pending)


def test_other_instruments_are_not_pending() -> None:
    late = fill(minute=0.1, margin=True, instrument="ETH/USD")
    assert isinstance(found([position("100"), late], position("60"))[NET], Differs)


def test_a_fill_at_the_very_instant_of_the_reading_is_in_it() -> None:
    assert isinstance(found([position("100"), fill(minute=0)], position("60"))[NET], Differs)
