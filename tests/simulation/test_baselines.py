"""The baselines do what they say, harm nobody else's world, and are counted by the same truth."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.cause import Cause
from gal_friday.domain.records import Kind, Movement
from gal_friday.simulation.baselines.beside import Beside, Score, Truth
from gal_friday.simulation.baselines.rules import Rule, first_specification, overwrite, tolerance_only
from gal_friday.simulation.baselines.table import compared
from gal_friday.simulation.events import Heard
from gal_friday.simulation.many import outcomes
from gal_friday.simulation.measure import measured
from gal_friday.simulation.page import html, markdown
from gal_friday.simulation.planted import Planted
from gal_friday.simulation.world import Settings

D = Decimal
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
USD = "balances:USD:spot"


@pytest.mark.parametrize(
    "kind, ours, theirs, shown, sets",
    [
        (Kind.BALANCES, "1000", "1000.00000001", False, False),
        (Kind.BALANCES, "1000", "1001", True, True),
        (Kind.BALANCES, "1000", "1001.01", True, False),
        (Kind.BALANCES, "-1000", "-1001", True, True),
        (Kind.BALANCES, "0", "1", True, False),
        (Kind.POSITIONS, "100", "101", True, True),
        (Kind.POSITIONS, "100", "101.01", True, False),
        (Kind.POSITIONS, "100", "0", True, False),
    ],
)
def test_the_first_specification_sets_what_is_small(
    kind: Kind, ours: str, theirs: str, shown: bool, sets: bool
) -> None:
    said = first_specification(kind, {"k": D(ours)}, {"k": D(theirs)})
    assert (bool(said.shown), said.sets) == (shown, {"k": D(theirs)} if sets else {})


def test_the_first_specification_looks_for_open_orders_that_are_unknown_and_for_no_others() -> None:
    ours, theirs = {"ended": D(0), "ghost": D(1)}, {"ended": D(1), "foreign": D(1), "old": D(0)}
    said = first_specification(Kind.ORDERS, ours, theirs)
    assert (said.shown, said.sets) == ({"foreign"}, {})


@pytest.mark.parametrize("theirs, shown", [("1001", False), ("1001.1", True), ("999", False), ("998.9", True)])
def test_a_tolerance_is_a_share_of_the_larger_side(theirs: str, shown: bool) -> None:
    said = tolerance_only(Kind.BALANCES, {"k": D(1000)}, {"k": D(theirs)})
    assert (bool(said.shown), said.sets) == (shown, {})


def test_overwriting_sets_everything_that_differs() -> None:
    said = overwrite(Kind.BALANCES, {"a": D(1), "b": D(2), "c": D(3)}, {"a": D(1), "b": D(5)})
    assert said.sets == {"b": D(5), "c": D(0)}


def heard(amount: str, minute: float = 0) -> Heard:
    at = NOON + timedelta(minutes=minute)
    return Heard("deposit", movements=(Movement("L1", "deposit", Asset("USD"), Wallet.SPOT, D(amount), at),))


def truth(amount: str, minute: float) -> Truth:
    return Truth(NOON + timedelta(minutes=minute), {USD: D(amount)}, set())


def missed(amount: str, minute: float = 0) -> Planted:
    place = (Asset("USD"), Wallet.SPOT)
    at = NOON + timedelta(minutes=minute)
    return Planted(
        "a0", "late", at, ("movements:L2",), frozenset({Cause.UNBOOKED_DEPOSIT}), frozenset(), {place: D(amount)}
    )


def stood(rule: Rule, *planted: Planted) -> tuple[Beside, Score]:
    score = Score(rule.name)
    one = Beside(rule, planted, score)
    one.writes(heard("1000"), truth("1000", 0))
    return one, score


def test_a_record_that_arrives_after_a_set_amount_that_held_it_is_a_wrong_correction() -> None:
    one, score = stood(Rule("", overwrite), missed("5", 1))
    one.reads(Kind.BALANCES, {USD: D(1005)}, truth("1005", 10))
    assert (score.found, score.false, score.corrected, score.wrong) == (0, 0, 1, 0)
    one.writes(heard("5", 1), truth("1005", 20))
    assert (one.book[USD], score.wrong) == (D(1010), 1)
    one.reads(Kind.BALANCES, {USD: D(1005)}, truth("1005", 30))
    assert (score.false, score.shown, score.wrong) == (0, 2, 1), "what it spoiled is no false discrepancy"


def test_an_amount_that_is_set_to_a_stale_answer_is_a_wrong_correction_and_a_false_discrepancy() -> None:
    one, score = stood(Rule("", overwrite))
    one.reads(Kind.BALANCES, {USD: D(900)}, truth("1000", 1))
    assert (score.false, score.corrected, score.wrong) == (1, 1, 1)


def test_an_error_has_to_be_told_once_it_is_old_enough_and_as_long_as_it_is_there() -> None:
    one, score = stood(Rule("", tolerance_only), missed("0.5", 1))
    for minute in (2, 5, 10):
        one.reads(Kind.BALANCES, {USD: D("1000.5")}, truth("1000.5", minute))
    assert (score.due, score.missed) == (2, 2)
    one.writes(heard("0.5", 1), truth("1000.5", 11))
    one.reads(Kind.BALANCES, {USD: D("1000.5")}, truth("1000.5", 12))
    assert (score.due, score.missed) == (2, 2)


QUIET = Settings(hours=2, errors=0.0, baselines=True)
WILD = Settings(hours=2, errors=0.03, baselines=True)


def test_a_plain_book_that_is_let_alone_follows_what_happens_to_the_last_digit() -> None:
    touched = {"restored", "silent_adjustments"}
    whole = [one for one in outcomes(range(4), QUIET, jobs=1) if touched.isdisjoint(one.lies)]
    assert whole, "in some worlds no book is put back to a backup, and the exchange keeps nothing to itself"
    found = compared(one.beside for one in whole)
    alone = next(one for one in found if one.name == "a tolerance")
    assert (alone.off, alone.corrected, alone.planted) == (0, 0, 0)


def test_baselines_change_nothing_in_the_world_that_they_live_in() -> None:
    with_them, alone = (outcomes([7], settings, jobs=1)[0] for settings in (WILD, replace(WILD, baselines=False)))
    assert with_them.tally == alone.tally
    assert with_them.beside[0].name == "Gal-Friday"
    assert not alone.beside


def test_they_find_less_and_spoil_more_than_the_product_and_the_page_says_so() -> None:
    found = measured(outcomes(range(100, 104), WILD, jobs=1))
    product, first, _, over = found.beside
    assert product.wrong == product.false == product.missed == 0
    assert first.missed > 0
    assert over.wrong > 0
    for page in (markdown, html):
        assert "the first specification" in page(found, command="", about="")
