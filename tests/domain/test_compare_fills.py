"""Fills: matched by id alone; terms, fees, windows, duplicates."""

from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.assets import Asset
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.finding import (
    Agrees,
    CannotTell,
    Differs,
    DiscrepancyType,
    ExchangeOnly,
    Finding,
    InternalOnly,
    Key,
    Pending,
    Stake,
)
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Coverage, NotChecked, Scales
from tests.domain.build import D, covering, exchange, fill, found, internal, only, since

Type = DiscrepancyType


def told(finding: Finding) -> list[str]:
    assert isinstance(finding, Differs)
    return [mismatch.field for mismatch in finding.mismatches]


def test_a_fill_is_matched_by_its_id_and_by_nothing_else() -> None:  # N5
    findings = found([fill("T1"), fill("T2")], [fill("T2"), fill("T3")])
    kinds = {key: type(finding) for key, finding in findings.items()}
    assert kinds == {"fills:T1": InternalOnly, "fills:T2": Agrees, "fills:T3": ExchangeOnly}


def test_a_fill_that_never_reached_the_book_is_missing_with_its_worth() -> None:
    finding = only([], fill(side="sell"))
    assert isinstance(finding, ExchangeOnly)
    assert (finding.type, finding.amount) == (Type.FILL_MISSING_INTERNAL, D(-40))
    assert finding.stake == Stake(D("-24"), Asset("USD"))


def test_a_fill_that_the_exchange_does_not_know_is_missing_there() -> None:
    finding = only(fill(), [])
    assert isinstance(finding, InternalOnly)
    assert (finding.type, finding.amount) == (Type.FILL_MISSING_EXCHANGE, D(40))
    assert finding.stake == Stake(D("-24"), Asset("USD"))


def test_a_fill_in_an_instrument_nobody_knows_is_reported_as_such() -> None:  # I15
    finding = only([], fill(instrument="?XFOOZUSD"))
    assert isinstance(finding, ExchangeOnly)
    assert (finding.type, finding.stake) == (Type.UNRESOLVED_NAME, None)


@pytest.mark.parametrize("coverage", [Coverage.PARTIAL, Coverage.NONE])
def test_an_absent_fill_is_unknown_where_coverage_is_not_total(coverage: Coverage) -> None:  # I5
    blind = covering("fills", coverage)
    assert isinstance(only(fill(), exchange(coverage=blind)), CannotTell)
    assert isinstance(only(internal(coverage=blind), exchange(fill())), CannotTell)


@pytest.mark.parametrize(
    "change, field",
    [
        ({"quantity": "40.00000002"}, "quantity"),
        ({"price": "0.600000001"}, "price"),
        ({"side": "sell"}, "side"),
        ({"instrument": "XRP/EUR"}, "instrument"),
        ({"order_id": "OY"}, "order_id"),
        ({"margin": True}, "margin"),
    ],
)
def test_other_terms_are_named(change: dict[str, object], field: str) -> None:
    assert told(only(fill(), fill(**change))) == [field]  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [{"quantity": "40.00000001"}, {"quantity": "40.000"}, {"order_id": None}])
def test_what_is_tolerated_or_unknown_is_no_other_term(change: dict[str, Any]) -> None:
    assert isinstance(only(fill(), fill(**change)), Agrees)


def test_several_terms_are_all_told() -> None:
    assert told(only(fill(), fill(quantity="41", price="0.7", side="sell"))) == ["side", "quantity", "price"]


def test_sides_given_as_plain_text_are_the_same_sides() -> None:
    from msgspec.structs import replace

    assert isinstance(only(replace(fill(), side="buy"), fill()), Agrees)
    lone = only([], replace(fill(), side="buy"))
    assert isinstance(lone, ExchangeOnly)
    assert lone.amount == D(40)


def test_a_sale_taken_for_a_purchase_is_worth_twice_the_fill() -> None:
    finding = only(fill(), fill(side="sell"))
    assert isinstance(finding, Differs)
    assert finding.mismatches[0].stake == Stake(D(-48), Asset("USD"))


@pytest.mark.parametrize(
    "ours, theirs, differs",
    [
        (("0.06", "USD"), ("0.06", "USD"), False),
        (("0.06", None), ("0.06", "USD"), False),
        (("0.06", "USD"), ("0.06000001", "USD"), False),
        (("0.06", "USD"), ("0.06000002", "USD"), True),
        (("0.06", "USD"), ("0.06", "KFEE"), True),
        (("0", "USD"), ("0", "KFEE"), False),
        (("0.06", "USD"), (None, None), False),
        ((None, None), ("0.06", "USD"), False),
        (("0", None), ("0.06", None), True),
        (("-0.01", "USD"), ("0.01", "USD"), True),
        (("-0.01", "USD"), ("-0.01", "USD"), False),
    ],
)
def test_fees_are_compared_where_both_sides_know_them(
    ours: tuple[str | None, str | None], theirs: tuple[str | None, str | None], differs: bool
) -> None:
    finding = only(fill(fee=ours[0], fee_asset=ours[1]), fill(fee=theirs[0], fee_asset=theirs[1]))
    assert isinstance(finding, Differs if differs else Agrees)


@pytest.mark.parametrize(
    "open_one, seen, kind", [(True, False, CannotTell), (True, True, Agrees), (False, False, Agrees)]
)
def test_what_is_open_does_not_agree_while_nobody_sees_the_fee(open_one: bool, seen: bool, kind: type) -> None:  # I7
    ours, theirs = fill(fee="0.06", fee_asset="BTC"), fill(fee=None, fee_asset=None)
    sides = internal(ours), exchange(theirs)
    gap = () if seen else (NotChecked(Kind.MOVEMENTS, "the ledger was not read", "exchange"),)
    keys = [Key(Kind.FILLS, ours.fill_id)] if open_one else []
    (finding,) = compare_snapshots(sides[0], replace(sides[1], not_checked=gap), watched=keys)
    assert isinstance(finding, kind)


def test_a_higher_fee_takes_from_the_asset_it_is_paid_in() -> None:
    finding = only(fill(fee="0.06"), fill(fee="0.10"))
    assert isinstance(finding, Differs)
    assert finding.mismatches[0].stake == Stake(D("-0.04"), Asset("USD"))


def test_a_fee_in_an_asset_nobody_knows_is_reported_as_such() -> None:  # I15
    finding = only(fill(fee="1", fee_asset="USD"), fill(fee="1", fee_asset="?XFEE"))
    assert isinstance(finding, Differs)
    assert finding.mismatches[0].type is Type.UNRESOLVED_NAME


@pytest.mark.parametrize(
    "ours, theirs, kind",
    [
        ("0.06235", "0.0624", Agrees),
        ("0.06235", "0.06240001", Differs),
        ("0.0624", "0.0625", Differs),  # neither is finer than the scale: nothing was rounded
    ],
)
def test_a_fee_finer_than_the_exchange_keeps_may_be_rounded_there(ours: str, theirs: str, kind: type) -> None:
    right = exchange(fill(fee=theirs), scales=Scales(assets={Asset("USD"): 4}))
    assert isinstance(only(fill(fee=ours), right), kind)
    if theirs == "0.0624":
        assert isinstance(only(fill(fee=ours), exchange(fill(fee=theirs))), Differs)


@pytest.mark.parametrize("minute, seen", [(-30, True), (-30.001, False)])
def test_the_window_begins_with_its_first_instant(minute: float, seen: bool) -> None:
    window = {"since": since(-30)}
    row = fill(minute=minute)
    assert bool(found(internal(row), exchange(**window))) is seen
    assert bool(found(internal(**window), exchange(row))) is seen


def test_the_later_of_two_windows_counts() -> None:
    left, right = internal(fill(minute=-30), since=since(-60)), exchange(since=since(-10))
    assert found(left, right) == {}


def test_a_fill_that_both_sides_list_is_compared_wherever_it_lies() -> None:
    left = internal(fill(minute=-99), since=since(-30))
    assert isinstance(only(left, exchange(fill(minute=-99, price="1"), since=since(-30))), Differs)


@pytest.mark.parametrize("minute, kind", [(0, InternalOnly), (0.001, Pending)])
def test_a_fill_newer_than_the_other_reading_is_pending(minute: float, kind: type) -> None:
    assert isinstance(only(fill(minute=minute), []), kind)


def test_a_fill_listed_twice_is_a_duplicate_in_the_book_and_a_note_at_the_exchange() -> None:
    finding = only([fill(), fill()], fill())
    assert isinstance(finding, Differs)
    assert [(m.type, m.stake) for m in finding.mismatches] == [(Type.FILL_DUPLICATED, Stake(D(-24), Asset("USD")))]
    assert isinstance(only(fill(), [fill(), fill()]), Agrees)


def test_a_duplicate_is_told_beside_a_mismatch_and_beside_an_absence() -> None:
    finding = only([fill(), fill()], fill(quantity="50"))
    assert isinstance(finding, Differs)
    assert [m.type for m in finding.mismatches] == [Type.FILL_MISMATCH, Type.FILL_DUPLICATED]
    lone = only([fill(), fill()], [])
    assert isinstance(lone, InternalOnly)
    assert (lone.at, [m.type for m in lone.repeats]) == (fill().at, [Type.FILL_DUPLICATED])


def test_one_id_with_two_contents_is_a_conflict_on_either_side_and_in_any_order() -> None:
    rows = [fill(quantity="40"), fill(quantity="41")]
    for order in (rows, rows[::-1]):
        ours, theirs = only(order, fill(quantity="41")), only(fill(quantity="41"), order)
        for finding in (ours, theirs):
            assert isinstance(finding, Differs)
            assert [m.type for m in finding.mismatches] == [Type.IDENTITY_CONFLICT]
    lone = only([], rows)
    assert isinstance(lone, ExchangeOnly)
    assert [m.type for m in lone.repeats] == [Type.IDENTITY_CONFLICT]


def test_two_fills_alike_in_everything_but_the_id_are_two_fills() -> None:  # N5
    findings = found([fill("T1")], [fill("T1"), fill("T2")])
    assert isinstance(findings["fills:T2"], ExchangeOnly)


def test_the_tolerance_of_the_base_asset_holds_for_its_fills() -> None:
    policy = Policy(tolerances={Asset("XRP"): D(1)})
    assert isinstance(only(fill(), fill(quantity="41"), policy=policy), Agrees)
    assert isinstance(only(fill(), fill(quantity="41.1"), policy=policy), Differs)
