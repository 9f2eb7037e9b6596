"""Orders: identity by the exchange's id, else the client's; state, terms, and what contradicts itself."""

from typing import Any

import pytest

from gal_friday.domain.assets import Asset
from gal_friday.domain.finding import (
    Agrees,
    AmountMismatch,
    CannotTell,
    Differs,
    DiscrepancyType,
    ExchangeOnly,
    Finding,
    Inconsistent,
    InternalOnly,
    Pending,
    Stake,
    TextMismatch,
)
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import ORDER_STATUSES
from gal_friday.domain.snapshot import Coverage
from tests.domain.build import D, covering, exchange, fill, found, internal, order, since

Type = DiscrepancyType


def only(ours: object, theirs: object, **more: Any) -> Finding:
    """Return the one finding about orders; what a side contradicts in itself is told apart below."""
    findings = found(ours, theirs, **more)
    (finding,) = (finding for key, finding in findings.items() if key.startswith("orders:"))
    return finding


def told(finding: Finding) -> list[tuple[str, Type]]:
    assert isinstance(finding, Differs)
    return [(mismatch.field, mismatch.type) for mismatch in finding.mismatches]


@pytest.mark.parametrize("status", sorted(ORDER_STATUSES))
def test_an_order_agrees_in_every_status(status: str) -> None:
    assert isinstance(only(order(status=status), order(status=status)), Agrees)


@pytest.mark.parametrize(
    "ours, theirs", [("open", "filled"), ("pending", "open"), ("expired", "filled"), ("canceled", "expired")]
)
def test_each_status_has_its_own_meaning(ours: str, theirs: str) -> None:  # N4
    assert told(only(order(status=ours), order(status=theirs))) == [("status", Type.ORDER_STATE_MISMATCH)]


def test_a_status_nobody_knows_is_reported_as_such() -> None:  # I15
    assert told(only(order(), order(status="frozen"))) == [("status", Type.UNRESOLVED_NAME)]
    lone = only([], order(status="frozen"))
    assert isinstance(lone, ExchangeOnly)
    assert lone.type is Type.UNRESOLVED_NAME


@pytest.mark.parametrize("theirs, kind", [("40", Agrees), ("40.00000001", Agrees), ("40.00000002", Differs)])
def test_a_filled_quantity_agrees_within_the_tolerance(theirs: str, kind: type) -> None:
    assert isinstance(only(order(filled="40"), order(filled=theirs)), kind)


def test_a_difference_in_filled_is_worth_its_price() -> None:
    finding = only(order(filled="40"), order(filled="60"))
    assert told(finding) == [("filled", Type.ORDER_STATE_MISMATCH)]
    assert isinstance(finding, Differs)
    assert finding.mismatches[0].stake == Stake(D("12"), Asset("USD"))


@pytest.mark.parametrize(
    "change, field",
    [
        ({"quantity": "100.00000002"}, "quantity"),
        ({"price": "0.600000001"}, "price"),
        ({"side": "sell"}, "side"),
        ({"instrument": "XRP/EUR"}, "instrument"),
    ],
)
def test_other_terms_are_named(change: dict[str, str], field: str) -> None:
    assert told(only(order(), order(**change))) == [(field, Type.ORDER_TERMS_MISMATCH)]  # type: ignore[arg-type]


def test_a_price_is_compared_exactly_because_it_can_be_smaller_than_the_floor() -> None:
    finding = only(order(price="0.00000001"), order(price="0.00000002"))
    assert isinstance(finding, Differs)
    (mismatch,) = finding.mismatches
    assert isinstance(mismatch, AmountMismatch)
    assert mismatch.stake == Stake(D("0.000001"), Asset("USD"))


def test_a_price_that_a_side_does_not_know_is_not_compared() -> None:
    assert isinstance(only(order(price=None), order()), Agrees)


def test_an_unresolved_instrument_is_reported_as_such() -> None:  # I15
    assert told(only(order(), order(instrument="?XXRPZUSD"))) == [("instrument", Type.UNRESOLVED_NAME)]


def test_an_order_of_the_exchange_that_the_book_lacks_is_not_tracked() -> None:
    finding = only([], order())
    assert isinstance(finding, ExchangeOnly)
    assert (finding.type, finding.amount) == (Type.ORDER_NOT_TRACKED, D(100))


def test_an_order_that_only_the_book_has_is_a_ghost_under_total_coverage_alone() -> None:  # N4
    ghost = only(order(), [])
    assert isinstance(ghost, InternalOnly)
    assert ghost.type is Type.ORDER_MISSING_EXCHANGE
    listed = exchange(coverage=covering("orders", Coverage.PARTIAL))
    assert isinstance(only(order(), listed), CannotTell)


def test_a_rejected_order_is_not_expected_at_the_exchange() -> None:
    assert isinstance(only(order(status="rejected"), []), Agrees)
    assert isinstance(
        only(order(status="rejected"), exchange(coverage=covering("orders", Coverage.PARTIAL))), CannotTell
    )


def test_an_order_that_was_filled_is_worth_what_it_filled() -> None:
    finding = only([], order(status="filled", filled="100"))
    assert isinstance(finding, ExchangeOnly)
    assert finding.stake == Stake(D("60"), Asset("USD"))
    canceled = only([], order(status="canceled", filled="0"))
    assert isinstance(canceled, ExchangeOnly)
    assert canceled.stake == Stake(D(0), Asset("USD"))


def test_an_order_without_the_exchange_s_id_is_found_by_the_client_s() -> None:
    finding = only(order(None, client="c1"), order("OX", client="c1"))
    assert isinstance(finding, Agrees)
    assert str(finding.key) == "orders:OX"


def test_a_client_id_that_the_exchange_knows_twice_matches_nothing() -> None:
    findings = found(order(None, client="c1"), [order("O1", client="c1"), order("O2", client="c1")])
    kinds = {key: type(finding) for key, finding in findings.items()}
    assert kinds == {"orders:O1": ExchangeOnly, "orders:O2": ExchangeOnly, "orders:c1:client": InternalOnly}


def test_an_exchange_order_with_a_client_id_alone_is_matched_too() -> None:
    assert isinstance(only(order(None, client="c1"), order(None, client="c1")), Agrees)


def test_a_client_id_that_looks_like_another_order_s_id_is_not_that_order() -> None:  # I4
    findings = found([order(None, client="O1"), order("O1")], order("O1"))
    assert {key: type(finding) for key, finding in findings.items()} == {
        "orders:O1": Agrees,
        "orders:O1:client": InternalOnly,
    }


@pytest.mark.parametrize("swap", [False, True])
def test_an_order_listed_by_client_id_and_by_exchange_id_is_one_order(swap: bool) -> None:  # I4
    rows = [order(None, status="pending", client="c1", updated=-40), order("OX", client="c1", updated=-30)]
    finding = only(rows[::-1] if swap else rows, order("OX", client="c1"))
    assert told(finding) == [("times listed", Type.IDENTITY_CONFLICT)]


@pytest.mark.parametrize("swap", [False, True])
def test_of_an_order_listed_twice_the_later_state_is_compared(swap: bool) -> None:
    rows = [order(filled="0", updated=-40), order(filled="40", updated=-30)]
    finding = only(rows[::-1] if swap else rows, order(filled="40"))
    assert told(finding) == [("times listed", Type.IDENTITY_CONFLICT)]


def test_an_order_listed_twice_with_one_content_is_a_duplicate_in_the_book_alone() -> None:
    assert told(only([order(), order()], order())) == [("times listed", Type.ORDER_DUPLICATED)]
    assert isinstance(only(order(), [order(), order()]), Agrees)


def test_orders_closed_before_the_window_are_nobody_s_business() -> None:
    window = {"since": since(-30)}
    for status, updated, seen in (
        ("filled", -30.001, False),
        ("filled", -30, True),
        ("open", -999, True),
        ("filled", None, True),
    ):
        row = order(status=status, updated=updated)
        assert bool(found(internal(row), exchange(**window))) is seen
        assert bool(found(internal(**window), exchange(row))) is seen


def test_an_order_that_both_sides_list_is_compared_wherever_it_lies() -> None:
    window = {"since": since(-30)}
    left, right = internal(order(updated=-999, filled="1"), **window), exchange(order(updated=-999), **window)
    assert isinstance(only(left, right), Differs)


@pytest.mark.parametrize("minute, kind", [(0, Differs), (0.001, Pending)])
def test_an_order_changed_after_the_other_reading_is_pending(minute: float, kind: type) -> None:
    assert isinstance(only(order(), order(status="canceled", updated=minute)), kind)
    assert isinstance(only(order(status="canceled", updated=minute), order()), kind)


@pytest.mark.parametrize("minute, kind", [(0, InternalOnly), (0.001, Pending)])
def test_an_order_placed_after_the_other_reading_is_pending(minute: float, kind: type) -> None:
    assert isinstance(only(order(opened=minute, updated=minute), []), kind)


def own(findings: dict[str, Finding], side: str) -> Inconsistent | None:
    finding = findings.get(f"sources:order:OX:{side}")
    if finding is None:
        return None
    assert isinstance(finding, Differs)
    (mismatch,) = finding.mismatches
    assert isinstance(mismatch, Inconsistent)
    return mismatch


@pytest.mark.parametrize("side", ["internal", "exchange"])
@pytest.mark.parametrize(
    "sizes, expected",
    [
        (["40"], None),
        (["15", "25"], None),
        (["40.00000001"], None),
        (["40.00000002"], "40.00000002"),
        (["39.99999999"], None),
        (["39.99999998"], "39.99999998"),
        ([], "0"),
    ],
)
def test_an_order_that_is_not_the_sum_of_its_fills_is_told_of_its_side(
    side: str, sizes: list[str], expected: str | None
) -> None:
    rows = [order(filled="40"), *(fill(f"T{n}", size) for n, size in enumerate(sizes))]
    findings = found(rows if side == "internal" else [], rows if side == "exchange" else [])
    mismatch = own(findings, side)
    assert (mismatch and mismatch.found) == expected
    assert mismatch is None or mismatch.type is Type.ORDER_FILLS_MISMATCH


def test_a_fill_listed_twice_fills_an_order_once() -> None:
    assert own(found([order(filled="40"), fill(), fill()], []), "internal") is None


@pytest.mark.parametrize("filled, contradicts", [("100", False), ("100.00000001", False), ("100.00000002", True)])
def test_an_order_filled_above_its_quantity_contradicts_itself(filled: str, contradicts: bool) -> None:
    left = internal(order(filled=filled), coverage=covering("fills", Coverage.NONE))
    mismatch = own(found(left, []), "internal")
    assert (mismatch is not None) is contradicts
    assert mismatch is None or mismatch.type is Type.SOURCE_INCONSISTENT


def test_an_order_filled_above_its_quantity_and_above_its_fills_is_told_both() -> None:
    finding = found([order(filled="101"), fill(quantity="100")], [])["sources:order:OX:internal"]
    assert isinstance(finding, Differs)
    assert [each.type for each in finding.mismatches] == [Type.SOURCE_INCONSISTENT, Type.ORDER_FILLS_MISMATCH]


@pytest.mark.parametrize("coverage", [Coverage.NONE, Coverage.PARTIAL])
def test_missing_fills_are_no_contradiction_where_not_all_were_seen(coverage: Coverage) -> None:
    left = internal(order(filled="40"), coverage=covering("fills", coverage))
    assert own(found(left, []), "internal") is None


@pytest.mark.parametrize("opened, contradicts", [(-30, True), (-30.001, False), (None, False)])
def test_missing_fills_are_a_contradiction_only_within_the_window(opened: float | None, contradicts: bool) -> None:
    left = internal(order(filled="40", opened=opened), since=since(-30))
    assert (own(found(left, []), "internal") is not None) is contradicts


def test_more_fills_than_filled_contradict_even_where_not_all_were_seen() -> None:
    left = internal(order(filled="40"), fill(quantity="60"), coverage=covering("fills", Coverage.PARTIAL))
    assert own(found(left, []), "internal") is not None


@pytest.mark.parametrize("rows", [[order(filled="40", updated=1)], [order(filled="0"), fill(minute=1)]])
def test_an_order_that_changed_while_it_was_read_contradicts_nothing(rows: list[object]) -> None:
    assert own(found(rows, []), "internal") is None


def test_the_tolerance_of_the_base_asset_holds_for_its_orders() -> None:
    policy = Policy(tolerances={Asset("XRP"): D(1)})
    assert isinstance(only(order(filled="1"), order(filled="2"), policy=policy), Agrees)


def test_a_side_that_differs_is_worth_both_directions() -> None:
    finding = only(order(), order(side="sell"))
    assert isinstance(finding, Differs)
    (mismatch,) = finding.mismatches
    assert isinstance(mismatch, TextMismatch)
    assert mismatch.stake == Stake(D(-120), Asset("USD"))
