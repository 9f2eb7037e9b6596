"""What a single mistake leaves behind, each pattern by the whole of what is proposed for it."""

from decimal import Decimal
from typing import NamedTuple

import pytest

from gal_friday.domain.cause import Cause
from gal_friday.domain.patterns import Part
from gal_friday.domain.pool import PoolRow
from gal_friday.domain.residual import Candidate, candidates
from gal_friday.domain.snapshot import Side
from tests.domain.build import at

D = Decimal


def row(
    name: str,
    amount: str,
    kind: str = "trade",
    fee: str = "0",
    side: Side = "exchange",
    matched: bool = False,
    minute: float = 0,
    ids: tuple[str, ...] = (),
) -> PoolRow:
    return PoolRow(name, D(amount), D(fee), at(minute), kind, f"E{name}", side, matched, ids)


class Guessed(NamedTuple):
    """A candidate without how many chance alone would give."""

    parts: tuple[tuple[str, str, str, str], ...]
    """The records of each, its effect, its cause and its event."""
    effect: str
    cause: str
    rests_on: str
    note: str
    proven: bool


def guessed(candidate: Candidate) -> Guessed:
    return Guessed(
        tuple((" ".join(part.record_ids), str(part.effect), part.cause, part.event) for part in candidate.parts),
        str(candidate.effect),
        candidate.cause,
        candidate.rests_on,
        candidate.note,
        candidate.proven,
    )


DEPOSIT = row("D1", "812.40517733", "deposit", minute=-60)
FILL = row("T1", "-31.73519284", "trade", "0.08250119", minute=-50)
OURS = row("X1", "-57.11930046", "withdrawal", "0.30017", side="internal", minute=-40)
BOTH = row("B1", "402.77130518", "reward", matched=True, minute=-30)
POOL = (DEPOSIT, FILL, OURS, BOTH)

ALONE = "a row that only one side has"
TWICE = "this row, counted twice"


@pytest.mark.parametrize(
    "residual, part, note",
    [
        ("812.40517733", ("D1", "812.40517733", "unbooked_deposit", "ED1"), ALONE),
        ("-31.81769403", ("T1", "-31.81769403", "missed_fill", "ET1"), ALONE),
        ("57.41947046", ("X1", "57.41947046", "in_flight", "EX1"), ALONE),
        ("-0.08250119", ("T1", "-0.08250119", "unbooked_fee", "ET1"), "the fee of this row"),
        ("0.30017", ("X1", "0.30017", "fee_in_other_asset", "EX1"), "a fee that was not taken from here"),
        ("31.81769403", ("T1", "31.81769403", "duplicated_fill", "ET1"), TWICE),
        ("-812.40517733", ("D1", "-812.40517733", "duplicated_movement", "ED1"), TWICE),
        ("-402.77130518", ("B1", "-402.77130518", "duplicated_movement", "EB1"), TWICE),
        ("-63.47038568", ("T1", "-63.47038568", "wrong_side", "ET1"), "this row, booked with the other sign"),
        (
            "-7311.64659597",
            ("D1", "-7311.64659597", "wrong_amount", "ED1"),
            "this row, booked with the point 1 to the right",
        ),
        (
            "731.164659597",
            ("D1", "731.164659597", "wrong_amount", "ED1"),
            "this row, booked with the point 1 to the left",
        ),
        (
            "-80428.11255567",
            ("D1", "-80428.11255567", "wrong_amount", "ED1"),
            "this row, booked with the point 2 to the right",
        ),
        (
            "804.2811255567",
            ("D1", "804.2811255567", "wrong_amount", "ED1"),
            "this row, booked with the point 2 to the left",
        ),
        (
            "-811592.77215267",
            ("D1", "-811592.77215267", "wrong_amount", "ED1"),
            "this row, booked with the point 3 to the right",
        ),
        (
            "811.59277215267",
            ("D1", "811.59277215267", "wrong_amount", "ED1"),
            "this row, booked with the point 3 to the left",
        ),
    ],
)
def test_a_single_mistake_is_proposed_as_what_it_is(residual: str, part: tuple[str, str, str, str], note: str) -> None:
    searched = candidates(D(residual), POOL, places=8)
    expected = Guessed((part,), residual, part[2], "pattern", note, proven=True)
    assert [guessed(each) for each in searched.candidates] == [expected]
    assert searched.complete


@pytest.mark.parametrize(
    "residual",
    # What the book alone has was not booked from the exchange's row, and what both have is booked as it is.
    ["-114.23860092", "805.54261036", "0.60034"],
)
def test_a_row_of_which_it_is_known_how_it_is_booked_is_not_booked_otherwise(residual: str) -> None:
    assert candidates(D(residual), POOL, places=8).candidates == ()


OUT = row("W1", "-310.55170423", "withdrawal", "0.71", minute=-20)
BACK = row("W2", "310.55170423", "withdrawal", minute=-10)


@pytest.mark.parametrize("residual", ["-311.26170423", "311.26170423", "-310.55170423", "310.55170423"])
def test_of_a_withdrawal_that_came_back_one_half_may_be_booked(residual: str) -> None:
    searched = candidates(D(residual), (DEPOSIT, OUT, BACK), places=8)
    note = "a withdrawal that came back, of which the book has one half"
    part = ("W1 W2", residual, "failed_withdrawal", "EW1")
    assert [guessed(each) for each in searched.candidates] == [
        Guessed((part,), residual, "failed_withdrawal", "pattern", note, proven=True)
    ]


@pytest.mark.parametrize(
    "first, second",
    [
        (OUT._replace(kind="deposit"), BACK),
        (OUT, BACK._replace(kind="reward")),
        (OUT, BACK._replace(amount=D("310.5517042"))),
        (OUT._replace(side="internal"), BACK),
        (BACK._replace(at=at(-25)), OUT),
    ],
    ids=["no withdrawal", "came back as something else", "another amount", "the book's", "came before it went"],
)
def test_two_rows_are_no_withdrawal_that_came_back(first: PoolRow, second: PoolRow) -> None:
    searched = candidates(D("-311.26170423"), (first, second), places=8)
    assert Cause.FAILED_WITHDRAWAL not in {each.cause for each in searched.candidates}


NEWEST = (
    row("N1", "12.50173311", minute=-3),
    row("N2", "-7.20019042", "trade", "0.0131", minute=-2),
    row("N3", "91.33000717", "deposit", minute=-1),
)


@pytest.mark.parametrize(
    "residual, ids",
    [("84.11671675", "N2 N3"), ("96.61844986", "N1 N2 N3")],
)
def test_the_newest_rows_together_are_a_book_that_stood_still(residual: str, ids: str) -> None:
    searched = candidates(D(residual), (BOTH, *NEWEST), places=8)
    note = "everything since then is missing from the book"
    part = (ids, residual, "stale_book", f"E{ids[:2]}")
    assert [guessed(each) for each in searched.candidates] == [
        Guessed((part,), residual, "stale_book", "pattern", note, proven=True)
    ]


def test_rows_that_add_up_are_told_each_with_its_own_effect() -> None:
    searched = candidates(D("755.1676876"), (*POOL, row("N9", "3.117", minute=-5)), places=8)
    assert searched.candidates == ()
    # The deposit is missing, and the book has a withdrawal that is on its way: 812.40517733 + 57.41947046.
    searched = candidates(D("869.82464779"), (*POOL, row("N9", "3.117", minute=-5)), places=8)
    assert [guessed(each) for each in searched.candidates] == [
        Guessed(
            (
                ("D1", "812.40517733", "unbooked_deposit", "ED1"),
                ("X1", "57.41947046", "in_flight", "EX1"),
            ),
            "869.82464779",
            "unbooked_deposit",
            "search",
            "2 rows that only one side has add up to it",
            proven=True,
        )
    ]


WEAK = row("W", "12345.67", "deposit")


@pytest.mark.parametrize(
    "residual, places, whole, expected",
    [
        # Half a unit of the second digit for one row, on both sides of the bound.
        (
            "0.005",
            2,
            (),
            ((("", "0.005", "rounding", ""),), "rounding", "no more than rounding so many rows can leave"),
        ),
        (
            "-0.005",
            2,
            (),
            ((("", "-0.005", "rounding", ""),), "rounding", "no more than rounding so many rows can leave"),
        ),
        ("0.0051", 2, (), None),
        ("0.005", None, (), None),
        (
            "-77.5",
            2,
            (D("77.5"),),
            (
                (("", "-77.5", "internal_transfer", ""),),
                "internal_transfer",
                "a whole balance: another account or wallet",
            ),
        ),
        ("77.6", 2, (D("77.5"),), None),
        (
            "9000",
            2,
            (),
            None,
        ),
        # 12345.67 booked as 21345.67.
        (
            "-9000",
            2,
            (),
            ((("W", "-9000", "wrong_amount", "EW"),), "wrong_amount", "two digits of this row, transposed"),
        ),
        # ... and as 12345.76.
        (
            "-0.09",
            2,
            (),
            ((("W", "-0.09", "wrong_amount", "EW"),), "wrong_amount", "two digits of this row, transposed"),
        ),
    ],
)
def test_a_weak_sign_is_proposed_and_proves_nothing(
    residual: str,
    places: int | None,
    whole: tuple[Decimal, ...],
    expected: tuple[tuple[tuple[str, str, str, str], ...], str, str] | None,
) -> None:
    searched = candidates(D(residual), (WEAK,), places=places, whole=whole)
    found = [guessed(each) for each in searched.candidates]
    if expected is None:
        assert found == []
    else:
        parts, cause, note = expected
        assert found == [Guessed(parts, residual, cause, "pattern", note, proven=False)]


def test_the_part_of_a_row_names_the_records_that_it_stands_for() -> None:
    (found,) = candidates(D("-31.81769403"), (FILL._replace(record_ids=("L1", "L2")),), places=8).candidates
    assert found.parts == (Part(("L1", "L2"), D("-31.81769403"), Cause.MISSED_FILL, "ET1"),)
    assert found.record_ids == ("L1", "L2")
