"""The proofs of a balance, whole, with both sides of every tolerance and window; and the links of a chain."""

from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.chain import Gap, Link, by_counter, chained, gaps_in, gaps_of, name_of, net, when
from gal_friday.domain.divergence import Change, FirstDivergence, State
from gal_friday.domain.explanation import Waypoint
from gal_friday.domain.proof import Proof, Reading, proofs_of
from gal_friday.domain.records import Movement
from gal_friday.domain.snapshot import Coverage, Scales, Since, Snapshot
from tests.domain.build import D, at, balance, covering, exchange, internal, movement
from tests.domain.test_proof import SINCE, XRP, ledger, proof, theirs_with

L1, L2 = ledger(("L1", "10", "10"), ("L2", "5", "15"))
LATER = Change(at(-59), "L2", "trade", ("L2",), D(5), at(-59))
PLAIN = movement("L1", "10", minute=-60)


def step(row: Movement, internal: str, exchange: str, **more: Any) -> Waypoint:
    return Waypoint(
        at=row.at,
        record_id=row.movement_id,
        kind="trade",
        amount=row.amount,
        internal=D(internal),
        exchange=D(exchange),
        **more,
    )


def test_the_proofs_of_a_balance_are_told_whole() -> None:
    found = proof(internal(balance("XRP", "10"), PLAIN), theirs_with("15", L1, L2))
    apart = FirstDivergence(State.AT_EVENT, D(5), at(-60), "L1", at(-59), ("L2",), "L2", "trade")
    assert found == Proof(
        internal_rolls=True,
        exchange_rolls=True,
        items_match=False,
        closings_agree=False,
        gaps=(),
        changes=(LATER,),
        divergence=apart,
        course=(step(L1, "10", "10"), step(L2, "10", "15", side="exchange", diverges=True)),
    )
    assert found.reading is Reading.ITEMS


def test_where_all_agrees_there_is_no_course() -> None:
    found = proof(internal(balance("XRP", "15"), L1, L2), theirs_with("15", L2, L1, L1))
    assert found == Proof(True, True, True, True, (), (), FirstDivergence(State.NONE), ())


def test_a_side_that_contradicts_itself_has_no_course() -> None:
    found = proof(internal(balance("XRP", "11"), PLAIN), theirs_with("15", L1, L2))
    apart = FirstDivergence(State.FROM_THE_START, D(-1))
    assert (found.internal_rolls, found.course) == (False, ())
    assert found.divergence == apart
    gone = proof(internal(balance("XRP", "10"), PLAIN), theirs_with("16", L1, L2))
    assert (gone.internal_rolls, gone.exchange_rolls, gone.course) == (True, False, ())


def test_rows_that_are_missing_are_told_whole() -> None:
    last = replace(L2, movement_id="L3", balance_after=D(18))
    found = proof(internal(balance("XRP", "18"), L1, last), theirs_with("18", L1, last))
    assert found.gaps == (Gap("XXRP", "L1", "L3", at(-59), D(3)),)
    # A book that took its rows from there lacks the same one.
    assert (found.internal_rolls, found.exchange_rolls, found.reading) == (False, False, Reading.BOTH_INCOMPLETE)


@pytest.mark.parametrize("side", ["internal", "exchange"])
@pytest.mark.parametrize("seen, expected", [(Coverage.TOTAL, "-5"), (Coverage.PARTIAL, None), (Coverage.NONE, None)])
def test_an_absent_balance_is_zero_only_where_everything_was_seen(
    side: str, seen: Coverage, expected: str | None
) -> None:  # I5
    there = balance("XRP", "5" if side == "exchange" else "-5")
    covered = covering("balances", seen)
    ours = internal(coverage=covered) if side == "internal" else internal(balance("XRP", "5"))
    theirs = exchange(coverage=covered) if side == "exchange" else exchange(there)
    found = proof(ours, theirs)
    assert found.closings_agree is (None if expected is None else False)
    assert (found.divergence is None) is (expected is None)
    if expected is not None:
        assert found.divergence == FirstDivergence(State.FROM_THE_START, D(-5))


def rounding(ours: Snapshot, theirs: Snapshot, floor: str = "0") -> Proof:
    return proof(ours, replace(theirs, scales=Scales(assets={Asset("XRP"): 4})), floor)


@pytest.mark.parametrize("off, holds", [("0.00015", True), ("0.0001500001", False), ("-0.00015", True)])
def test_a_book_that_rounds_may_be_off_by_half_a_unit_for_each_rounded_record(off: str, holds: bool) -> None:
    held = balance("XRP", str(D(10) + D(off)), rounded_records=3)
    found = rounding(internal(held, PLAIN), exchange(balance("XRP", "10"), PLAIN))
    assert (found.internal_rolls, found.closings_agree, found.items_match) == (holds, holds, True)
    # Rounded on the exchange's side, that counts for the closing, and its own rows have to lead there all the same.
    theirs = exchange(replace(held, rounded_records=3), PLAIN)
    other = rounding(internal(balance("XRP", "10"), PLAIN), theirs)
    assert (other.closings_agree, other.exchange_rolls) == (holds, False)
    assert rounding(internal(balance("XRP", "10"), PLAIN), theirs, "0.0002").exchange_rolls is True


def test_a_side_that_lists_no_such_balance_rounds_nothing() -> None:
    dust = balance("XRP", "0.00005")
    assert rounding(internal(), exchange(dust)).closings_agree is False
    assert rounding(internal(dust), exchange()).closings_agree is False


@pytest.mark.parametrize(
    "off, floor, match", [("0.00005", "0", True), ("0.000051", "0", False), ("0.01", "0.01", True)]
)
def test_each_item_may_be_off_by_one_rounding_or_by_the_tolerance(off: str, floor: str, match: bool) -> None:
    booked = replace(PLAIN, amount=D(10) + D(off))
    found = rounding(internal(balance("XRP", "10"), booked), exchange(balance("XRP", "10"), PLAIN), floor)
    assert found.items_match is match


def test_without_the_beginning_nothing_rolls_forward_unless_rows_state_their_balance() -> None:
    ours = internal(balance("XRP", "10"), PLAIN, since=SINCE)
    assert (proof(ours, theirs_with("10", L1)).internal_rolls, proof(ours, theirs_with("10", L1)).exchange_rolls) == (
        None, True,
    )  # fmt: skip
    plain = theirs_with("10", PLAIN)
    assert proof(ours, plain).exchange_rolls is None
    assert proof(ours, replace(plain, since=Since())).exchange_rolls is True
    # Rows that state a balance have to end in the one that the book has.
    assert proof(internal(balance("XRP", "10"), L1, since=SINCE), plain).internal_rolls is True
    assert proof(internal(balance("XRP", "11"), L1, since=SINCE), plain).internal_rolls is False
    assert proof(internal(balance("XRP", "15"), L1, replace(L2, balance_after=None)), plain).internal_rolls is True


@pytest.mark.parametrize("minute, counts", [(-30, True), (-30.001, False)])
@pytest.mark.parametrize("side", ["internal", "exchange"])
def test_what_came_before_both_were_asked_for_is_no_item(minute: float, counts: bool, side: str) -> None:
    alone = movement("L7", "1", minute=minute)
    begins, earlier = Since(movements=at(-30)), Since(movements=at(-90))
    ours = internal(balance("XRP", "1"), alone, since=begins if side == "internal" else earlier)
    theirs = exchange(balance("XRP", "0"), since=begins if side == "exchange" else earlier)
    found = proof(ours, theirs)
    gone = Change(at(minute), "L7", "trade", ("L7",), D(-1), at(minute))
    assert found.changes == ((gone,) if counts else ())
    assert found.items_match is not counts


@pytest.mark.parametrize("minute, counts", [(-45, False), (-44.999, True)])
def test_what_is_not_later_than_the_opening_of_the_book_is_no_item(minute: float, counts: bool) -> None:
    opened = [movement(f"O{when_}", "50", kind="opening", minute=when_) for when_ in (-90, -45)]
    theirs = exchange(balance("XRP", "101"), movement("L7", "1", minute=minute))
    found = proof(internal(balance("XRP", "100"), *opened), theirs)
    assert [change.event for change in found.changes] == (["L7"] if counts else [])
    # An opening is the book's own: the exchange has none, and lacks none.
    assert all(change.event == "L7" for change in found.changes)


def test_the_balances_of_all_places_are_proven_with_their_own_tolerance() -> None:
    asked: list[str] = []

    def tolerance(asset: Asset) -> Any:
        asked.append(asset)
        return D(1) if asset == "BTC" else D(0)

    ours = internal(balance("BTC", "1"), balance("XRP", "1"), movement("L1", "1", "ETH"))
    theirs = exchange(balance("BTC", "2"), balance("XRP", "2"))
    found = proofs_of(ours, theirs, tolerance=tolerance)
    assert {place[0]: each.closings_agree for place, each in found.items()} == {"BTC": True, "ETH": True, "XRP": False}
    assert asked == ["BTC", "ETH", "XRP"]
    assert list(proofs_of(ours, theirs, tolerance=tolerance, places=[XRP])) == [(Asset("XRP"), Wallet.SPOT)]


# --- chains -----------------------------------------------------------------------------------------------------


def test_the_links_of_a_chain_say_what_each_row_moved_and_what_is_missing_before_it() -> None:
    first = replace(L1, amount=D(11), fee=D(1))
    second = replace(L2, amount=D(5), fee=D("0.5"), balance_after=D("14.5"))
    third = movement("L3", "2", minute=-58, fee="0.25", balance_after=D(20), raw=("XXRP",))
    silent = movement("L4", "1", minute=-57, raw=("XXRP",))
    assert chained([third, silent, second, first]) == [
        Link(first, D(10), None),
        Link(second, D("4.5"), None),
        Link(third, D("5.5"), Gap("XXRP", "L2", "L3", at(-58), D("3.75"))),
        Link(silent, D(1), None),
    ]
    assert [net(row) for row in (first, second, third, silent)] == [D(10), D("4.5"), D("1.75"), D(1)]
    assert when(first) == (at(-60), "L1")


def test_each_name_has_a_chain_and_keeps_its_places_among_the_others() -> None:
    flexible = [
        movement("F1", "1", minute=-59.5, balance_after=D(1), raw=("XRP.F",)),
        movement("F2", "1", minute=-58.5, balance_after=D(3), raw=("XRP.F",)),
    ]
    links = chained([L2, *flexible, L1])
    assert [link.row.movement_id for link in links] == ["L1", "F1", "L2", "F2"]
    assert [link.gap for link in links] == [None, None, None, Gap("XRP.F", "F1", "F2", at(-58.5), D(1))]
    assert [(counter, len(rows)) for counter, rows in by_counter([L1, *flexible, L2, L1]).items()] == [
        ("XXRP", 2), ("XRP.F", 2),
    ]  # fmt: skip
    unnamed = replace(L1, raw=())
    assert (name_of(L1), name_of(unnamed), name_of(replace(L1, raw=("",)))) == ("XXRP", "", "")
    assert list(by_counter([unnamed, replace(L1, raw=("",))])) == [(Asset("XRP"), Wallet.SPOT)]


def test_gaps_are_told_oldest_first_whatever_name_they_are_of() -> None:
    def broken(name: str, begin: float) -> list[Movement]:
        return [
            movement(f"{name}{number}", "1", minute=begin + number, balance_after=D(after), raw=(name,))
            for number, after in enumerate((1, 2, 4))
        ]

    late, early = broken("B", -30), broken("A", -60)
    assert gaps_of([*late, *early]) == (
        Gap("A", "A1", "A2", at(-58), D(1)),
        Gap("B", "B1", "B2", at(-28), D(1)),
    )
    assert gaps_in(late) == (Gap("B", "B1", "B2", at(-28), D(1)),)
    assert gaps_in(late[:2]) == ()
