"""What the stream tells makes an account due: a fill that the book lacks after its grace, and what may be missed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gal_friday.adapters.clock import SteppedClock
from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.records import Fill, OrderSide
from gal_friday.ports.errors import BookFailed, StoreFailed
from gal_friday.ports.stream import BalanceSeen, Connected, Disconnected, FillSeen, Missed, OrderSeen, StreamEvent
from gal_friday.service.listening import Listening

T0 = datetime(2026, 3, 1, tzinfo=UTC)


def fill(name: str, *, replayed: bool = False) -> FillSeen:
    one = Fill(name, Instrument("XRP/USD"), OrderSide.BUY, Decimal(1), Decimal(1), T0)
    return FillSeen(one, T0, replayed)


def balance(movement: str | None, refers_to: str | None = None) -> BalanceSeen:
    return BalanceSeen(Asset("USD"), Wallet.SPOT, Decimal(1), T0, movement_id=movement, refers_to=refers_to)


class Told:
    """A stream that tells what the test puts into it, the book of the account, and when it was marked."""

    def __init__(self) -> None:
        self.clock = SteppedClock(T0, auto=False)
        self.queue: asyncio.Queue[StreamEvent | None] = asyncio.Queue()
        self.book: set[str] = set()
        self.asked: list[Collection[str]] = []
        self.marks: list[float] = []
        self.book_fails = self.store_fails = False
        self.began = 0

    async def events(self) -> AsyncGenerator[StreamEvent, None]:
        self.began += 1
        while (event := await self.queue.get()) is not None:
            yield event

    async def knows(self, ids: Collection[str]) -> Collection[str]:
        self.asked.append(sorted(ids))
        if self.book_fails:
            raise BookFailed("the file is gone")
        return self.book & set(ids)

    async def mark(self) -> None:
        self.marks.append(self.clock.monotonic())
        if self.store_fails:
            raise StoreFailed("the database is gone")

    @asynccontextmanager
    async def listened(self) -> AsyncIterator[Listening]:
        one = Listening("main", self, self.knows, self.mark, self.clock, grace=timedelta(seconds=5))
        task = asyncio.create_task(one.run())
        try:
            yield one
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def tell(self, *events: StreamEvent | None, then: float = 0) -> None:
        """Tell these, and let so many seconds pass."""
        for event in events:
            self.queue.put_nowait(event)
        for _ in range(round(then * 10) + 1):
            for _ in range(10):
                await asyncio.sleep(0)
            self.clock.advance(0.1)


async def test_a_fill_that_the_book_lacks_after_its_grace_makes_the_account_due() -> None:
    told = Told()
    async with told.listened():
        await told.tell(fill("T1"), then=4.9)
        assert told.marks == []
        await told.tell(then=0.5)
    assert len(told.marks) == 1
    assert 5.0 <= told.marks[0] <= 5.3


async def test_a_fill_that_the_book_has_after_its_grace_makes_nothing_due() -> None:
    told = Told()
    async with told.listened():
        await told.tell(fill("T1"), then=2)
        told.book.add("T1")
        await told.tell(then=10)
    assert (told.asked, told.marks) == ([["T1"]], [])


async def test_many_fills_at_once_are_asked_for_at_once() -> None:
    told = Told()
    async with told.listened():
        await told.tell(*(fill(f"T{n}") for n in range(3)), then=6)
    assert (told.asked, len(told.marks)) == ([["T0", "T1", "T2"]], 1)


@pytest.mark.parametrize("event", [Missed("a gap", T0)], ids=str)
async def test_what_may_have_been_missed_makes_the_account_due_at_once(event: StreamEvent) -> None:
    told = Told()
    async with told.listened():
        await told.tell(event)
    assert len(told.marks) == 1


async def test_what_was_missed_is_looked_for_once_more_when_it_is_old_enough_to_be_judged() -> None:
    told = Told()
    async with told.listened():
        await told.tell(Missed("a gap", T0), then=2)
        await told.tell(Missed("another gap", T0), then=4.9)
        assert len(told.marks) == 2
        await told.tell(then=5)
    assert len(told.marks) == 3


@pytest.mark.parametrize(
    "event",
    [
        fill("T1", replayed=True),
        balance(None),
        Connected(T0),
        OrderSeen("O1", "open", T0),
        Disconnected("cut", False, T0),
    ],
    ids=lambda one: type(one).__name__,
)
async def test_what_says_nothing_new_makes_nothing_due(event: StreamEvent) -> None:
    told = Told()
    async with told.listened():
        await told.tell(event, then=10)
    assert told.marks == []


async def test_a_row_of_a_fill_is_that_fills_business() -> None:
    told = Told()
    told.book.add("T1")
    async with told.listened():
        await told.tell(fill("T1"), balance("L1", "T1"), then=10)
    assert told.marks == []


async def test_any_other_movement_makes_the_account_due_after_its_grace() -> None:
    told = Told()
    async with told.listened():
        await told.tell(balance("L1"), then=4.8)
        assert told.marks == []
        await told.tell(then=1)
    assert len(told.marks) == 1


async def test_a_book_that_cannot_be_read_makes_the_account_due() -> None:
    told = Told()
    told.book_fails = True
    async with told.listened():
        await told.tell(fill("T1"), then=6)
    assert len(told.marks) == 1


async def test_a_database_that_is_gone_ends_no_listening() -> None:
    told = Told()
    told.store_fails = True
    async with told.listened():
        await told.tell(Missed("a", T0), Missed("b", T0))
    assert len(told.marks) == 2


async def test_a_refused_stream_is_tried_again_after_a_quarter_of_an_hour() -> None:
    told = Told()
    async with told.listened() as one:
        await told.tell(Connected(T0))
        assert one.connected
        await told.tell(Disconnected("no right", True, T0), None, then=899)
        assert (told.began, one.connected, one.because) == (1, False, "no right")
        await told.tell(then=2)
    assert told.began == 2
