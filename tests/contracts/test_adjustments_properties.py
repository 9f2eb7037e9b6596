"""Whatever is delivered, adjusted and taken back, in whatever order, the book is the plain sum of what stands."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.adjusted import Applied
from gal_friday.domain.adjustment import Adjustment, PostFill, PostMovement
from gal_friday.domain.errors import IllegalStep
from gal_friday.domain.records import Fill, Kind, Movement
from gal_friday.domain.roll_up import roll_up
from tests.contracts.adjusting import Desk, adjustment, back, desk, fill, legs, movement, plug

XRP, USD = "balances:XRP:spot", "balances:USD:spot"
FILLS = [fill("T1"), fill("T2", "7", fee=None), fill("T3", "5", margin=True), fill("T1", "41")]
ROWS = [*legs(), *legs(("own-1", "own-2")), movement("L8"), movement("L9", "XRP", "-2", minute=1)]

ADJUSTMENTS: list[Callable[[str], Adjustment]] = [
    lambda version: adjustment(PostFill(fill()), effects={XRP: "40", USD: "-21"}, version=version),
    lambda version: adjustment(
        PostFill(fill()), *map(PostMovement, legs()), effects={XRP: "40", USD: "-21"}, version=version
    ),
    lambda version: adjustment(PostMovement(movement("L8")), effects={XRP: "3"}, version=version),
    lambda version: adjustment(
        PostFill(fill("T3", "5", margin=True)), effects={USD: "-1", "positions:XRP/USD:net": "5"}, version=version
    ),
    lambda version: adjustment(back("T2"), effects={XRP: "-7", USD: "3.5"}, version=version),
    lambda version: adjustment(plug("4"), effects={XRP: "4"}, version=version),
    lambda version: adjustment(plug("-6"), effects={XRP: "-6"}, version=version),
    lambda version: adjustment(
        plug("3", "XRP/USD", kind=Kind.POSITIONS), effects={"positions:XRP/USD:net": "3"}, version=version
    ),
]

steps = st.lists(
    st.one_of(
        st.tuples(st.just("fills"), st.lists(st.sampled_from(FILLS), min_size=1, max_size=3)),
        st.tuples(st.just("rows"), st.lists(st.sampled_from(ROWS), min_size=1, max_size=3)),
        st.tuples(st.just("adjust"), st.integers(0, len(ADJUSTMENTS) - 1)),
        st.tuples(st.just("back"), st.integers(0, 5)),
    ),
    max_size=9,
)
Step = tuple[str, list[Fill] | list[Movement] | int]


async def amounts(book: Desk) -> dict[str, str]:
    held = await book.look()
    said = {f"balances:{row.asset}:{row.wallet}": quantity.short(row.total) for row in held.balances if row.total}
    return said | {
        f"positions:{row.instrument}:net": quantity.short(row.quantity) for row in held.positions if row.quantity
    }


async def take(book: Desk, step: Step, applied: list[str]) -> None:
    match step:
        case ("fills", list(fills)):
            await book.append(fills=tuple(fills))  # type: ignore[arg-type]
        case ("rows", list(rows)):
            await book.append(movements=tuple(rows))  # type: ignore[arg-type]
        case ("adjust", int(which)):
            made = ADJUSTMENTS[which](await book.book.version("main") or "0")
            await book.approved(replace(made, adjustment_id=f"adj_{len(applied)}_{which}"))
            done = await book.adjustments.apply(f"adj_{len(applied)}_{which}", token=None)
            if isinstance(done, Applied):
                applied.append(done.adjustment_id)
        case ("back", int(which)) if which < len(applied):
            with suppress(IllegalStep):
                done = await book.take_back(applied[which])
                assert isinstance(done, Applied)
                applied.append(done.adjustment_id)


async def told(kind: str, story: list[Step]) -> list[dict[str, str]]:
    """Return the amounts of a book after every step."""
    with TemporaryDirectory() as folder:
        async with desk(kind, Path(folder), None) as book:
            await book.append()
            applied: list[str] = []
            after = []
            for step in story:
                await take(book, step, applied)
                held = await book.look()
                standing = [row for row in held.movements if not row.movement_id.startswith(("T1:", "T2:", "T3:"))]
                plain = roll_up(fills=held.fills, movements=standing)
                assert {(row.asset, row.total) for row in plain.balances if row.total} == {
                    (row.asset, row.total) for row in held.balances if row.total
                }
                after.append(await amounts(book))
            return after


@given(steps)
def test_balances_are_the_plain_sum_of_what_stands(story: list[Step]) -> None:
    asyncio.run(told("memory", story))


@settings(max_examples=25)
@given(steps)
def test_a_book_in_a_database_says_what_one_in_memory_says(story: list[Step]) -> None:
    assert asyncio.run(told("sqlite", story)) == asyncio.run(told("memory", story))


@given(steps, st.integers(0, len(ADJUSTMENTS) - 1))
def test_taking_back_restores_every_amount(story: list[Step], which: int) -> None:
    async def run() -> None:
        async with desk("memory", Path(), None) as book:
            await book.append()
            applied: list[str] = []
            for step in story:
                await take(book, step, applied)
            before, number = await amounts(book), len(applied)
            await take(book, ("adjust", which), applied)
            if len(applied) > number:
                assert isinstance(await book.take_back(applied[-1]), Applied)
            assert await amounts(book) == before

    asyncio.run(run())


@given(steps, st.sampled_from([*FILLS, *ROWS]))
def test_what_arrives_never_counts_beside_what_gave_way_to_it(story: list[Step], late: Fill | Movement) -> None:
    """A record moves a place by no more than itself, and by less only where a plug gives way in its direction."""

    async def run() -> None:
        async with desk("memory", Path(), None) as book:
            await book.append()
            applied: list[str] = []
            for step in story:
                await take(book, step, applied)
            before = await book.look()
            done = await (book.append(fills=(late,)) if isinstance(late, Fill) else book.append(movements=(late,)))
            after = await book.look()
            if not done.gave_way and not done.new:
                assert replace(after, as_of=before.as_of) == before
            suspended = [
                quantity.total(Decimal(line["amount"]) for line in (held.extra or {}).get("suspense", ()))
                for held in (before, after)
            ]
            assert (suspended[0] != suspended[1]) == bool(done.gave_way)

    asyncio.run(run())
