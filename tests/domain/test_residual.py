"""What is proposed for an amount that no id explains: single mistakes first, then sums, ties kept as ties."""

from decimal import Decimal
from random import Random  # noqa: TID251 - seeded

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gal_friday.domain import quantity
from gal_friday.domain.case import Case, Place
from gal_friday.domain.cause import Cause
from gal_friday.domain.records import Kind
from gal_friday.domain.residual import Candidate, PoolRow, Searched, candidates, pool_of
from gal_friday.domain.snapshot import Side
from tests.domain.build import at, exchange, internal, movement

D = Decimal
XRP = Place(Kind.BALANCES, "XRP", "spot")


def row(
    name: str,
    amount: str,
    kind: str = "trade",
    fee: str = "0",
    side: Side = "exchange",
    matched: bool = False,
    minute: float = 0,
) -> PoolRow:
    return PoolRow(name, D(amount), D(fee), at(minute), kind, name, side, matched)


DEPOSIT = row("D1", "812.40517733", "deposit")
FILL = row("T1", "-31.73519284", "trade", "0.08250119")
OTHER = row("T2", "205.11830047", "trade", "0.53330758")
POOL = (DEPOSIT, FILL, OTHER)


def explained(residual: str, *pool: PoolRow, tolerance: str = "0") -> tuple[Candidate, ...]:
    return candidates(D(residual), pool or POOL, tolerance=D(tolerance), places=8).candidates


def only(residual: str, *pool: PoolRow, tolerance: str = "0") -> Candidate:
    (candidate,) = explained(residual, *pool, tolerance=tolerance)
    return candidate


def moved(amount: str, factor: str) -> str:
    return str(quantity.multiply(D(amount), D(factor)))


@pytest.mark.parametrize(
    "residual, records, cause",
    [
        ("812.40517733", ("D1",), Cause.UNBOOKED_DEPOSIT),
        ("-31.81769403", ("T1",), Cause.MISSED_FILL),
        ("-0.08250119", ("T1",), Cause.UNBOOKED_FEE),
        ("31.81769403", ("T1",), Cause.DUPLICATED_FILL),
        ("-812.40517733", ("D1",), Cause.DUPLICATED_MOVEMENT),
        ("-63.47038568", ("T1",), Cause.WRONG_SIDE),
        (moved("205.11830047", "-9"), ("T2",), Cause.WRONG_AMOUNT),
        (moved("205.11830047", "-99"), ("T2",), Cause.WRONG_AMOUNT),
        (moved("205.11830047", "0.9"), ("T2",), Cause.WRONG_AMOUNT),
        (moved("205.11830047", "0.999"), ("T2",), Cause.WRONG_AMOUNT),
    ],
    ids=[
        "missed",
        "missed with its fee",
        "fee",
        "twice",
        "deposit twice",
        "sign",
        "point",
        "point by two",
        "point left",
        "by three",
    ],
)
def test_a_single_mistake_is_recognised_and_proven(residual: str, records: tuple[str, ...], cause: Cause) -> None:
    candidate = only(residual)
    assert (candidate.record_ids, candidate.cause, candidate.rests_on) == (records, cause, "pattern")
    assert candidate.effect == D(residual)
    assert candidate.proven
    assert 0 < D(candidate.expected_accidents) < D("0.01")


@pytest.mark.parametrize(
    "kind, cause",
    [
        ("reward", Cause.REWARD),
        ("rollover", Cause.ROLLOVER),
        ("conversion", Cause.CONVERSION),
        ("new", Cause.UNEXPLAINED),
    ],
)
def test_the_kind_of_a_missing_row_is_its_cause(kind: str, cause: Cause) -> None:
    assert only("7.31415927", DEPOSIT, row("X", "7.31415927", kind)).cause == cause


def test_a_row_that_is_only_a_fee_has_one_explanation() -> None:
    assert only("-0.08250119", DEPOSIT, row("M", "0", "margin", "0.08250119")).cause == Cause.UNBOOKED_FEE


@pytest.mark.parametrize(
    "kind, cause", [("transfer", Cause.IN_FLIGHT), ("deposit", Cause.UNEXPLAINED), ("reward", Cause.UNEXPLAINED)]
)
def test_a_row_that_only_the_book_has_is_taken_off(kind: str, cause: Cause) -> None:
    candidate = only("-205.11830047", DEPOSIT, row("B", "205.11830047", kind, side="internal"))
    assert (candidate.record_ids, candidate.cause) == (("B",), cause)


@pytest.mark.parametrize(
    "kind, cause",
    [("trade", Cause.DUPLICATED_FILL), ("fee", Cause.DUPLICATED_FILL), ("deposit", Cause.DUPLICATED_MOVEMENT)],
)
def test_what_counted_twice_is_a_fill_or_a_movement_of_its_own(kind: str, cause: Cause) -> None:
    assert only("-205.11830047", row("A", "205.11830047", kind, matched=True), FILL).cause == cause


def test_a_fee_that_the_book_took_from_the_wrong_asset_is_given_back() -> None:
    booked = row("B", "205.11830047", "trade", "0.53330758", side="internal")
    assert only("0.53330758", DEPOSIT, booked).cause == Cause.FEE_IN_OTHER_ASSET


@pytest.mark.parametrize("residual", ["500.12345678", "-500.12345678"])
def test_a_withdrawal_that_came_back_is_half_booked_and_no_tie(residual: str) -> None:
    pool = (DEPOSIT, row("W", "-500.12345678", "withdrawal"), row("R", "500.12345678", "withdrawal", minute=1))
    candidate = only(residual, *pool)
    assert (candidate.record_ids, candidate.cause) == (("W", "R"), Cause.FAILED_WITHDRAWAL)


def test_rows_that_both_sides_have_can_only_have_been_counted_twice() -> None:
    shared = row("T2", "205.11830047", "trade", "0.53330758", matched=True)
    assert only("-204.58499289", shared, DEPOSIT).cause == Cause.DUPLICATED_FILL
    assert explained("204.58499289", shared, DEPOSIT) == ()
    assert explained("-0.53330758", shared, DEPOSIT) == ()


@pytest.mark.parametrize("patterns, complete", [(6, True), (5, False)])
def test_patterns_beyond_the_bound_on_work_are_not_begun(patterns: int, complete: bool) -> None:
    # Each of three rows may be missing, or be counted twice: six effects.
    pool = (DEPOSIT, row("T1", "-31.73519284"), row("T2", "205.11830047"))
    found = candidates(D("812.40517733"), pool, patterns=patterns)
    assert found.complete is complete
    assert [each.proven for each in found.candidates] == [complete]


def test_two_rows_of_the_same_amount_are_a_tie_and_prove_nothing() -> None:
    found = explained("205.11830047", row("A", "205.11830047"), row("B", "205.11830047"), DEPOSIT)
    assert [each.record_ids for each in found] == [("A",), ("B",)]
    assert not any(each.proven for each in found)


def test_a_purchase_missed_and_a_sale_counted_twice_are_a_tie() -> None:
    found = explained("55.01234567", row("A", "55.01234567"), row("B", "-55.01234567"), DEPOSIT)
    assert {(each.record_ids, each.cause) for each in found} == {
        (("A",), Cause.MISSED_FILL),
        (("B",), Cause.DUPLICATED_FILL),
    }
    assert not any(each.proven for each in found)


def test_a_round_amount_is_no_proof() -> None:
    candidate = only("1000", row("D1", "1000.00", "deposit"))
    assert candidate.cause == Cause.UNBOOKED_DEPOSIT
    assert not candidate.proven


def test_everything_since_an_instant_is_a_book_that_stood_still() -> None:
    pool = [row(f"L{n}", f"{n * n}.{n}1234567", minute=n) for n in range(1, 9)]
    tail = quantity.total(each.amount for each in pool[4:])
    candidate = only(str(tail), *pool)
    assert (candidate.cause, candidate.record_ids) == (Cause.STALE_BOOK, ("L5", "L6", "L7", "L8"))
    assert candidate.proven


def test_a_book_that_has_the_newest_row_did_not_stand_still() -> None:
    pool = [row(f"L{n}", f"{n * n}.{n}1234567", minute=n, matched=n == 8) for n in range(1, 9)]
    assert explained(str(quantity.total(each.amount for each in pool[4:])), *pool) == ()


def many(rows: int) -> list[PoolRow]:
    draw = Random(rows)
    return [row(f"L{n:03d}", f"{draw.randrange(1, 10**11)}E-8", minute=n) for n in range(rows)]


@pytest.mark.parametrize("planted", [(3, 60), (7, 8, 100), (2, 5, 11)])
def test_rows_that_add_up_are_found_and_proven(planted: tuple[int, ...]) -> None:
    pool = many(120)
    candidate = only(str(quantity.total(pool[each].amount for each in planted)), *pool)
    assert candidate.record_ids == tuple(f"L{each:03d}" for each in planted)
    assert (candidate.rests_on, candidate.cause, candidate.proven) == ("search", Cause.MISSED_FILL, True)
    assert [part.effect for part in candidate.parts] == [pool[each].amount for each in planted]


def test_sums_among_many_round_amounts_are_suggestions() -> None:
    draw = Random(11)
    pool = [row(f"L{n:03d}", str(draw.randrange(1, 1000)), minute=n) for n in range(60)]
    found = explained("1501", *pool)
    assert found
    assert not any(each.proven for each in found)
    assert all(D(each.expected_accidents) > D("0.01") for each in found)


def test_what_was_not_searched_is_said() -> None:
    searched = candidates(D("0.00000001"), many(200), tolerance=D(0))
    assert searched == Searched((), complete=False)


def test_nothing_fits_and_everything_was_searched() -> None:
    assert candidates(D("0.5"), POOL[:2]) == Searched((), complete=True)


def test_a_difference_within_the_tolerance_needs_no_explanation() -> None:
    assert candidates(D("0.01"), POOL, tolerance=D("0.01")) == Searched((), complete=True)


@pytest.mark.parametrize("off, hit", [("0.00000001", True), ("0.00000002", False)])
def test_a_candidate_may_miss_by_the_tolerance_and_no_more(off: str, hit: bool) -> None:
    residual = str(quantity.add(DEPOSIT.amount, D(off)))
    assert bool(explained(residual, tolerance="0.00000001")) == hit


def test_rounding_is_a_weak_sign() -> None:
    candidate = only("0.00000001")
    assert (candidate.cause, candidate.proven, candidate.record_ids) == (Cause.ROUNDING, False, ())
    assert explained("0.00000002") == ()  # three rows cannot leave more than one and a half


def test_transposed_digits_are_a_weak_sign() -> None:
    candidate = only("63.00000000", row("X", "81.40517733", "deposit"))
    assert (candidate.cause, candidate.proven, candidate.record_ids) == (Cause.WRONG_AMOUNT, False, ("X",))


def test_a_whole_balance_is_a_weak_sign() -> None:
    found = candidates(D("-77.10000003"), POOL, whole=(D("77.10000003"),)).candidates
    assert [(each.cause, each.proven) for each in found] == [(Cause.INTERNAL_TRANSFER, False)]


amounts = st.integers(-(10**6), 10**6).map(lambda units: Decimal(units).scaleb(-2))
pools = st.lists(
    st.builds(
        PoolRow,
        row_id=st.integers(0, 10**6).map(str),
        amount=amounts,
        fee=st.sampled_from([D(0), D("0.01"), D("-0.5")]),
        at=st.integers(0, 100).map(at),
        kind=st.sampled_from(["trade", "deposit", "withdrawal", "odd"]),
        side=st.sampled_from(["internal", "exchange"]),
        matched=st.booleans(),
    ),
    max_size=14,
    unique_by=lambda row: row.row_id,
)


@given(pool=pools, residual=amounts, tolerance=st.sampled_from([D(0), D("0.01"), D(5)]), data=st.data())
def test_every_candidate_adds_up_and_no_order_of_rows_changes_it(
    pool: list[PoolRow], residual: Decimal, tolerance: Decimal, data: st.DataObject
) -> None:
    found = candidates(residual, pool, tolerance=tolerance, places=2)
    for each in found.candidates:
        assert each.effect == quantity.total(part.effect for part in each.parts)
        assert quantity.absolute(quantity.subtract(residual, each.effect)) <= tolerance
        assert not each.proven or len(found.candidates) == 1
    assert candidates(residual, data.draw(st.permutations(pool)), tolerance=tolerance, places=2) == found


def test_the_pool_is_the_rows_of_the_place_that_nobody_used() -> None:
    case = Case(
        internal(
            movement("O", "9", kind="opening"),
            movement("TX:XRP", "40", refers_to="TX"),
            movement("B1", "3", kind="deposit", minute=-5),
        ),
        exchange(
            movement("L1", "25", refers_to="TX", fee="1"),
            movement("L2", "15", refers_to="TX"),
            movement("L3", "7", kind="reward", minute=-20),
            movement("L4", "8", kind="deposit"),
            movement("L5", "8", asset="USD"),
        ),
        (),
    )
    pool = {row.row_id: row for row in pool_of(case, XRP, used=frozenset({"L4"}))}
    assert list(pool) == ["TX", "L3", "B1"]
    assert (pool["TX"].amount, pool["TX"].fee, pool["TX"].matched, pool["TX"].ids) == (D(40), D(1), True, ("L1", "L2"))
    assert (pool["L3"].matched, pool["L3"].side) == (False, "exchange")
    assert (pool["B1"].matched, pool["B1"].side) == (False, "internal")
