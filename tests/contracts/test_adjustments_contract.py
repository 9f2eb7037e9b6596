"""What posting an adjustment promises, held against each kind of book: in memory, in SQLite, and in PostgreSQL."""

from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import pytest
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.adjusted import Applied, Refused
from gal_friday.domain.adjustment import PostFill, PostMovement, PostOrder
from gal_friday.domain.assets import Instrument
from gal_friday.domain.errors import IllegalStep
from gal_friday.domain.finding import Agrees
from gal_friday.domain.records import Kind, Order, OrderSide
from gal_friday.domain.report import compare
from gal_friday.domain.snapshot_json import read_snapshot, write_snapshot
from gal_friday.ports.errors import StoreFailed
from tests.contracts.adjusting import (
    CUT,
    FILL_EFFECTS,
    T0,
    WHOLE_FILL,
    Desk,
    back,
    desk,
    fill,
    legs,
    movement,
    plug,
)
from tests.postgres.databases import POSTGRESQL, Databases

XRP = "balances:XRP:spot"


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
async def book(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases) -> AsyncIterator[Desk]:
    async with desk(request.param, tmp_path, databases) as made:
        await made.append(movements=(movement("L0", "USD", "100", minute=-5),))
        yield made


async def test_an_adjustment_books_the_missing_record_under_its_own_id(book: Desk) -> None:
    done = await book.applied(*WHOLE_FILL, effects=FILL_EFFECTS)
    assert (done.version, await book.state(done.adjustment_id)) == (2, "applied")
    assert await book.totals() == {"USD": "79", "XRP": "40"}
    assert [row.fill_id for row in (await book.look()).fills] == ["T1"]


async def test_applying_twice_is_applying_once(book: Desk) -> None:  # I9
    done = await book.applied(*WHOLE_FILL, effects=FILL_EFFECTS)
    changes = await book.adjustments.changes(done.adjustment_id)
    assert await book.adjustments.apply(done.adjustment_id, token=None) == done
    assert await book.adjustments.changes(done.adjustment_id) == changes
    assert await book.book.version("main") == "2"


async def test_every_step_of_it_is_on_record(book: Desk) -> None:  # I10
    done = await book.applied(*WHOLE_FILL, effects=FILL_EFFECTS)
    changes = await book.adjustments.changes(done.adjustment_id)
    assert [one.to_state for one in changes] == ["approved", "intended", "applied"]
    assert [one.number for one in changes] == [1, 2, 3]


LATE = {
    "to the letter": fill(),
    "with trailing zeros": fill(amount="40.000"),
    "without its fee": fill(fee=None),
    "with another amount": fill(amount="41"),
}


@pytest.mark.parametrize("late", LATE.values(), ids=LATE)
async def test_a_fill_that_arrives_late_takes_the_place_of_the_booked_one(book: Desk, late: object) -> None:
    assert isinstance(late, type(fill()))
    done = await book.applied(PostFill(fill()), effects=FILL_EFFECTS)
    told = await book.append(fills=(late,))
    assert (told.new, told.replaced) == (1, ("T1",))
    assert (await book.look()).fills == (late,)
    usd = quantity.subtract(
        Decimal(100), quantity.add(quantity.multiply(late.quantity, late.price), late.fee or Decimal(0))
    )
    assert await book.totals() == {"USD": quantity.short(usd), "XRP": quantity.short(late.quantity)}
    assert (await book.append(fills=(late,))).new == 0
    assert await book.state(done.adjustment_id) == "applied"


async def test_booked_rows_stand_in_place_of_the_legs_of_a_fill_that_arrives_late(book: Desk) -> None:
    await book.applied(*WHOLE_FILL, effects=FILL_EFFECTS)
    await book.append(fills=(fill(fee=None),))
    assert await book.totals() == {"USD": "79", "XRP": "40"}


@pytest.mark.parametrize("names", [("L1", "L2"), ("own-1", "own-2")], ids=["their ids", "our ids"])
@pytest.mark.parametrize("steps", [*permutations(("adjust", "fill", "xrp", "usd"))], ids="-".join)
async def test_each_record_counts_once_in_whatever_order_it_comes(
    tmp_path: Path, steps: tuple[str, ...], names: tuple[str, str]
) -> None:
    async with desk("memory", tmp_path, None) as book:
        await book.append(movements=(movement("L0", "USD", "100", minute=-5),))
        made = await book.made(*WHOLE_FILL, effects=FILL_EFFECTS)  # computed before anything arrived
        await book.approved(made)
        xrp, usd = legs(names)
        for step in steps:
            if step == "adjust":
                await book.adjustments.apply(made.adjustment_id, token=None)
            else:
                fills, rows = {"fill": ((fill(),), ()), "xrp": ((), (xrp,)), "usd": ((), (usd,))}[step]
                await book.append(fills=fills, movements=rows)
        assert await book.totals() == {"USD": "79", "XRP": "40"}


async def test_a_row_that_arrives_late_under_its_own_id_takes_that_ones_place_alone(book: Desk) -> None:
    xrp, usd = legs()
    half, other = replace(xrp, amount=Decimal(15)), replace(xrp, movement_id="L3", amount=Decimal(25))
    await book.applied(PostMovement(half), PostMovement(other), PostMovement(usd), effects=FILL_EFFECTS)
    assert (await book.append(movements=(half,))).replaced == ("L1",)
    assert await book.totals() == {"USD": "79", "XRP": "40"}


async def test_what_was_delivered_meanwhile_is_not_booked_again(book: Desk) -> None:
    made = await book.made(*WHOLE_FILL, effects=FILL_EFFECTS)
    await book.approved(made)
    await book.append(fills=(fill(),))
    outcome = await book.adjustments.apply(made.adjustment_id, token=None)
    assert outcome == Refused(made.adjustment_id, "already in the book: fill T1")
    assert await book.state(made.adjustment_id) == "refused"
    assert await book.adjustments.apply(made.adjustment_id, token=None) == outcome


async def test_a_wrong_record_is_taken_back_and_the_right_one_booked_in_its_place(book: Desk) -> None:
    wrong = fill(amount="4", fee=None)
    await book.append(fills=(wrong,))
    effects = {XRP: "36", "balances:USD:spot": "-19"}
    await book.applied(back("T1"), PostFill(fill()), effects=effects)
    assert (await book.look()).fills == (fill(),)
    assert (await book.append(fills=(wrong,))).new == 0  # delivered again, it does not come back
    assert await book.totals() == {"USD": "79", "XRP": "40"}


async def test_a_duplicate_is_taken_back_once(book: Desk) -> None:
    await book.append(fills=(fill(), fill()))
    effects = {XRP: "-40", "balances:USD:spot": "21"}
    await book.applied(back("T1", 1, 2), effects=effects)
    assert await book.totals() == {"USD": "79", "XRP": "40"}
    reason = await book.refused(back("T1", 1, 2), effects=effects, generation="again")
    assert reason == "the book moved on: it has 1 entries of T1, not 2"


@pytest.mark.parametrize("entries,of", [(0, 1), (2, 1), (1, 2), (-1, 1)])
async def test_never_more_is_taken_back_than_there_is(book: Desk, entries: int, of: int) -> None:
    await book.append(fills=(fill(),))
    assert "the book moved on" in await book.refused(back("T1", entries, of), effects={})


async def test_a_plug_is_a_movement_of_the_books_own_so_that_it_adds_up(book: Desk) -> None:
    await book.applied(plug("3"), effects={XRP: "3"})
    held = await book.look()
    assert await book.totals() == {"USD": "100", "XRP": "3"}
    assert [(row.kind, row.asset, row.amount, row.at) for row in held.movements if row.kind == "plug"] == [
        ("plug", "XRP", Decimal(3), CUT)
    ]
    assert held.notes == ("suspense: 3 XRP in 1 plug",)
    again = read_snapshot(write_snapshot(held), source="export")
    assert again == held
    assert again.extra == {"suspense": [{"kind": "balances", "name": "XRP", "part": "spot", "amount": "3", "plugs": 1}]}


async def test_the_comparison_does_not_look_for_a_plug_at_the_exchange(book: Desk) -> None:
    await book.applied(plug("3"), effects={XRP: "3"})
    held = await book.look()
    real = replace(held, side="exchange", movements=tuple(row for row in held.movements if row.kind != "plug"))
    assert {type(one) for one in compare(held, real).findings} == {Agrees}


async def test_a_plug_rests_on_the_version_that_it_was_computed_from(book: Desk) -> None:
    made = await book.made(plug("3"), effects={XRP: "3"})
    await book.approved(made)
    await book.append(movements=(movement("L9", "USD", "1"),))
    outcome = await book.adjustments.apply(made.adjustment_id, token=None)
    assert outcome == Refused(made.adjustment_id, "the book moved on: it is at version 2, not 1")


async def test_a_refused_plug_can_be_proposed_anew_from_a_newer_reading(book: Desk) -> None:
    made = await book.made(plug("3"), effects={XRP: "3"})
    await book.approved(made)
    await book.append(movements=(movement("L9", "USD", "1"),))
    await book.adjustments.apply(made.adjustment_id, token=None)
    anew = await book.made(plug("3"), effects={XRP: "3"}, at=T0.replace(hour=13))
    assert (await book.approved(anew)).state == "approved"
    assert isinstance(await book.adjustments.apply(anew.adjustment_id, token=None), Applied)


async def test_a_plug_gives_way_to_the_record_that_arrives_late(book: Desk) -> None:
    done = await book.applied(plug("5"), effects={XRP: "5"})
    told = await book.append(movements=(movement("L1", "XRP", "3", minute=1),))
    assert told.gave_way == (f"plug:{done.adjustment_id}:0",)
    assert await book.totals() == {"USD": "100", "XRP": "5"}
    assert (await book.look()).notes == ("suspense: 2 XRP in 1 plug",)
    await book.append(movements=(movement("L2", "XRP", "3", minute=2),))
    assert await book.totals() == {"USD": "100", "XRP": "6"}
    assert (await book.look()).notes == ()


@pytest.mark.parametrize("late", [movement("L1", "XRP", "-3"), movement("L1", "XRP", "3", minute=31)])
async def test_a_plug_does_not_give_way_to_another_story(book: Desk, late: object) -> None:
    assert isinstance(late, type(movement()))
    await book.applied(plug("5"), effects={XRP: "5"})
    assert (await book.append(movements=(late,))).gave_way == ()
    assert (await book.look()).notes == ("suspense: 5 XRP in 1 plug",)


async def test_a_plug_gives_way_to_a_record_that_another_adjustment_books(book: Desk) -> None:
    first = await book.applied(plug("50"), effects={XRP: "50"})
    done = await book.applied(*WHOLE_FILL, effects=FILL_EFFECTS)
    assert done.gave_way == (f"plug:{first.adjustment_id}:0",)
    assert await book.totals() == {"USD": "79", "XRP": "50"}
    # Its own record arrives later and takes the booked one's place: nothing gives way a second time.
    assert (await book.append(fills=(fill(),), movements=legs())).gave_way == ()
    assert await book.totals() == {"USD": "79", "XRP": "50"}


async def test_a_plug_of_a_position_is_part_of_it_and_gives_way(book: Desk) -> None:
    await book.applied(plug("10", "XRP/USD", kind=Kind.POSITIONS), effects={"positions:XRP/USD:net": "10"})
    assert await book.positions() == {"XRP/USD": "10"}
    assert (await book.look()).notes == ("suspense: 10 XRP/USD in 1 plug",)
    await book.append(fills=(fill(amount="4", margin=True),))
    assert await book.positions() == {"XRP/USD": "10"}
    assert (await book.look()).notes == ("suspense: 6 XRP/USD in 1 plug",)


async def test_taking_back_restores_exactly_and_both_stay_on_record(book: Desk) -> None:
    await book.append(fills=(fill(amount="4", fee=None),))
    before = await book.look()
    done = await book.applied(back("T1"), PostFill(fill()), effects={XRP: "36", "balances:USD:spot": "-19"})
    reversal = await book.take_back(done.adjustment_id)
    assert isinstance(reversal, Applied)
    assert replace(await book.look(), version=None) == replace(before, version=None)
    assert (await book.state(done.adjustment_id), await book.state(reversal.adjustment_id)) == ("reversed", "applied")
    with pytest.raises(IllegalStep, match="taken back before"):
        await book.adjustments.reversal(done.adjustment_id, reason="again")


async def test_what_was_taken_back_stands_again_when_that_is_taken_back(book: Desk) -> None:
    done = await book.applied(*WHOLE_FILL, effects=FILL_EFFECTS)
    first = await book.take_back(done.adjustment_id)
    second = await book.take_back(first.adjustment_id)
    assert isinstance(second, Applied)
    assert await book.totals() == {"USD": "79", "XRP": "40"}
    assert (await book.state(done.adjustment_id), await book.state(first.adjustment_id)) == ("applied", "reversed")
    third = await book.take_back(done.adjustment_id)
    assert isinstance(third, Applied)
    assert await book.totals() == {"USD": "100"}


async def test_what_an_adjustment_took_back_goes_again_when_its_reversal_is_taken_back(book: Desk) -> None:
    await book.append(fills=(fill(amount="4", fee=None),))
    done = await book.applied(back("T1"), effects={XRP: "-4", "balances:USD:spot": "2"})
    without = await book.totals()
    first = await book.take_back(done.adjustment_id)
    assert await book.totals() != without
    second = await book.take_back(first.adjustment_id)
    assert isinstance(second, Applied)
    assert await book.totals() == without
    assert (await book.state(done.adjustment_id), await book.state(first.adjustment_id)) == ("applied", "reversed")


async def test_nothing_is_brought_back_beside_what_was_delivered_since(book: Desk) -> None:
    done = await book.applied(PostFill(fill()), effects=FILL_EFFECTS)
    first = await book.take_back(done.adjustment_id)
    await book.append(fills=(fill(),))
    with pytest.raises(IllegalStep, match="delivered T1 since"):
        await book.adjustments.reversal(first.adjustment_id, reason="again")


async def test_what_arrived_meanwhile_stays_when_an_adjustment_is_taken_back(book: Desk) -> None:
    done = await book.applied(*WHOLE_FILL, effects=FILL_EFFECTS)
    await book.append(fills=(fill(),))
    assert isinstance(await book.take_back(done.adjustment_id), Applied)
    assert await book.totals() == {"USD": "79", "XRP": "40"}  # by the legs of its own fill
    late = await book.applied(PostMovement(movement()), effects={XRP: "3"})
    await book.append(movements=(movement(),))
    with pytest.raises(IllegalStep, match=r"nothing of adjustment .* stands any more"):
        await book.adjustments.reversal(late.adjustment_id, reason="wrong")


async def test_a_plug_taken_back_is_released_as_far_as_it_stands(book: Desk) -> None:
    done = await book.applied(plug("5"), effects={XRP: "5"})
    await book.append(movements=(movement("L1", "XRP", "3", minute=1),))
    reversal = await book.take_back(done.adjustment_id)
    assert isinstance(reversal, Applied)
    assert await book.totals() == {"USD": "100", "XRP": "3"}
    with pytest.raises(IllegalStep, match="was taken back and stays so"):
        await book.adjustments.reversal(reversal.adjustment_id, reason="again")


async def test_what_gave_way_to_an_adjustment_stands_again_when_that_is_taken_back(book: Desk) -> None:
    await book.applied(plug("50"), effects={XRP: "50"})
    done = await book.applied(*WHOLE_FILL, effects=FILL_EFFECTS)
    await book.take_back(done.adjustment_id)
    assert await book.totals() == {"USD": "100", "XRP": "50"}
    assert (await book.look()).notes == ("suspense: 50 XRP in 1 plug",)


async def test_taking_back_releases_no_plug(book: Desk) -> None:
    done = await book.applied(*WHOLE_FILL, effects=FILL_EFFECTS)
    await book.applied(plug("-9"), effects={XRP: "-9"})
    await book.take_back(done.adjustment_id)
    assert await book.totals() == {"USD": "100", "XRP": "-9"}


async def test_nothing_of_a_plug_comes_back_that_was_taken_back_itself(book: Desk) -> None:
    first = await book.applied(plug("50"), effects={XRP: "50"})
    done = await book.applied(*WHOLE_FILL, effects=FILL_EFFECTS)
    await book.take_back(first.adjustment_id)
    assert await book.totals() == {"USD": "79", "XRP": "40"}
    await book.take_back(done.adjustment_id)
    assert await book.totals() == {"USD": "100"}


async def test_the_book_must_change_by_what_the_adjustment_says(book: Desk) -> None:
    reason = await book.refused(PostMovement(movement()), effects={XRP: "4"})
    assert reason == "the book moved on: balances:XRP:spot would change by 3, not by 4"


async def test_no_adjustment_touches_what_nobody_knows(book: Desk) -> None:  # I15
    assert "nobody knows the name ?XFOO" in await book.refused(plug("1", "?XFOO"), effects={"balances:?XFOO:spot": "1"})
    strange = replace(fill(), instrument=Instrument("?XFOO"))
    assert "nobody knows" in await book.refused(PostFill(strange), effects={})
    odd = replace(movement(), kind="teleport")
    assert "of a kind that nobody may book" in await book.refused(PostMovement(odd), effects={XRP: "3"})


def order(status: str, *, minute: int | None = None) -> Order:
    at = None if minute is None else T0.replace(minute=minute)
    return Order("O1", Instrument("XRP/USD"), OrderSide.BUY, Decimal(9), Decimal(0), status, updated_at=at)


async def test_a_state_of_an_order_is_booked_unless_the_book_has_a_newer_one(book: Desk) -> None:
    await book.book.append(account="main", exchange="kraken", orders=(order("open", minute=5),))
    stale = await book.refused(PostOrder(order("canceled", minute=4)), effects={})
    assert stale == "the book has a newer state of order O1: open"
    assert "already in the book" in await book.refused(PostOrder(order("open", minute=5)), effects={})
    done = await book.applied(PostOrder(order("canceled", minute=6)), effects={})
    assert [one.status for one in (await book.look()).orders] == ["canceled"]
    await book.take_back(done.adjustment_id)
    assert [one.status for one in (await book.look()).orders] == ["open"]


async def test_delivering_an_order_again_does_not_undo_what_was_booked_of_it(book: Desk) -> None:
    orders = (order("open"),)
    await book.book.append(account="main", exchange="kraken", orders=orders)
    await book.applied(PostOrder(order("canceled")), effects={})
    assert (await book.book.append(account="main", exchange="kraken", orders=orders)).new == 0
    assert [one.status for one in (await book.look()).orders] == ["canceled"]


async def test_an_account_without_a_book_is_not_adjusted(book: Desk) -> None:
    made = replace(await book.made(plug("3"), effects={XRP: "3"}), account="other", adjustment_id="adj_other")
    await book.approved(made)
    outcome = await book.adjustments.apply("adj_other", token=None)
    assert isinstance(outcome, Refused)


async def test_an_adjustment_that_was_never_kept_is_refused(book: Desk) -> None:
    with pytest.raises(StoreFailed, match="no adjustment adj_none"):
        await book.adjustments.apply("adj_none", token=None)
