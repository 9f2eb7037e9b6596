"""Two books told the same hold the same: in memory and in a database, however often they are told."""

import asyncio
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gal_friday.adapters.book_sql.book import SqlBook
from gal_friday.adapters.book_sql.memory import MemoryBook
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.sql.engine import open_engine
from gal_friday.adapters.sql.migration import upgrade
from gal_friday.domain.records import Fill, Movement, Order
from gal_friday.ports.book import Appended
from tests.contracts.test_book_contract import T0, AnyBook, append, fill, movement, order

calls = st.lists(
    st.lists(
        st.sampled_from(
            [
                fill("A"),
                fill("A", amount="41"),
                fill("B", margin=True),
                movement("A"),
                movement("B", "XRP", "-1"),
                order("open"),
                order("pending"),
                order("open", minute=1),
                order("filled", minute=2),
                order("open", order_id="O2"),
            ]
        ),
        max_size=5,
    ),
    max_size=5,
)


async def deliver(book: AnyBook, call: list[Fill | Movement | Order]) -> Appended:
    return await append(
        book,
        fills=tuple(one for one in call if isinstance(one, Fill)),
        movements=tuple(one for one in call if isinstance(one, Movement)),
        orders=tuple(one for one in call if isinstance(one, Order)),
    )


@settings(max_examples=25, deadline=None)
@given(calls)
def test_every_book_keeps_the_same_and_a_repeated_call_adds_nothing(
    several: list[list[Fill | Movement | Order]],
) -> None:
    async def run() -> None:
        clock = SteppedClock(T0)
        with TemporaryDirectory() as folder:
            engine = open_engine(f"sqlite+aiosqlite:///{folder}/book.db")
            await upgrade(engine)
            kept, remembered = SqlBook(engine, clock=clock), MemoryBook(clock=clock)
            try:
                await append(kept)
                await append(remembered)
                for call in several:
                    assert await deliver(kept, call) == await deliver(remembered, call)
                    assert (await deliver(kept, call)).new == 0
                assert await kept.export("main") == await remembered.export("main")
            finally:
                await engine.dispose()

    asyncio.run(run())


async def test_a_part_of_a_book_is_whole_events_and_whole_orders() -> None:
    book, lone = MemoryBook(clock=SteppedClock(T0)), order("open", order_id="O2")
    leg = replace(movement("L1"), kind="trade", refers_to="A")
    await append(book, movements=(leg, movement("L2")), fills=(fill("A"), fill("B")))
    await append(book, orders=(replace(lone, order_id=None, client_order_id="mine"), lone))
    await append(book, orders=(replace(lone, client_order_id="mine"), order("open")))
    kept = book.kept("main")
    assert kept is not None
    whole = kept.about(["L1", "O2"]).standing().values()
    records = [one.record for one in whole]
    assert records[:2] == [fill("A"), leg]
    assert [one.order_id for one in records[2:] if isinstance(one, Order)] == [None, "O2", "O2"]
