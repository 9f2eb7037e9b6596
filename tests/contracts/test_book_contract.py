"""What every book promises, held against each: in memory, in SQLite, and in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from gal_friday.adapters.book_sql.book import SqlBook
from gal_friday.adapters.book_sql.memory import MemoryBook
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.sql.engine import open_engine
from gal_friday.adapters.sql.migration import upgrade
from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.records import Balance, Fill, Kind, Movement, Order, OrderSide, Position, PositionMode
from gal_friday.domain.snapshot import Coverage, Coverages, Scales, Since, Snapshot
from gal_friday.domain.snapshot_json import read_snapshot, write_snapshot
from gal_friday.ports.book import Appended
from gal_friday.ports.errors import BookFailed
from tests.postgres.databases import POSTGRESQL, Databases

T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)
LONG_AGO = T0 - timedelta(days=1000)

AnyBook = SqlBook | MemoryBook


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(T0 + timedelta(hours=1))


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
async def book(
    request: pytest.FixtureRequest, tmp_path: Path, clock: SteppedClock, databases: Databases
) -> AsyncIterator[AnyBook]:
    if request.param == "memory":
        yield MemoryBook(clock=clock)
        return
    async with AsyncExitStack() as stack:
        if request.param == "sqlite":
            engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'book.db'}")
            await upgrade(engine)
        else:
            engine = open_engine(await stack.enter_async_context(databases.fresh(tables=True)))
        yield SqlBook(engine, clock=clock)
        await engine.dispose()


def fill(fill_id: str = "T1", *, amount: str = "40", minute: int = 0, margin: bool = False, side: str = "buy") -> Fill:
    return Fill(
        fill_id,
        Instrument("XRP/USD"),
        OrderSide(side),
        Decimal(amount),
        Decimal("0.6"),
        T0 + timedelta(minutes=minute),
        order_id="O1",
        fee=Decimal("0.06"),
        fee_asset=Asset("USD"),
        margin=margin,
    )


def movement(movement_id: str = "L1", asset: str = "USD", amount: str = "100", *, minute: int = 0) -> Movement:
    return Movement(movement_id, "deposit", Asset(asset), Wallet.SPOT, Decimal(amount), T0 + timedelta(minutes=minute))


def order(status: str = "open", *, order_id: str = "O1", minute: int | None = None) -> Order:
    return Order(
        order_id,
        Instrument("XRP/USD"),
        OrderSide.BUY,
        Decimal(100),
        Decimal(40),
        status,
        updated_at=None if minute is None else T0 + timedelta(minutes=minute),
    )


async def look(book: AnyBook, *, since: datetime = LONG_AGO, scales: Scales | None = None) -> Snapshot:
    return await book.snapshot(account="main", since=since, scales=scales or Scales())


def totals(snapshot: Snapshot) -> dict[str, str]:
    return {balance.asset: quantity.short(balance.total) for balance in snapshot.balances}


async def append(
    book: AnyBook,
    *,
    fills: tuple[Fill, ...] = (),
    movements: tuple[Movement, ...] = (),
    orders: tuple[Order, ...] = (),
) -> Appended:
    return await book.append(account="main", exchange="kraken", fills=fills, movements=movements, orders=orders)


async def test_an_account_nobody_spoke_of_is_not_an_empty_one(book: AnyBook) -> None:  # N1
    with pytest.raises(BookFailed, match=r"no account 'main'.*gal-friday book import"):
        await look(book)
    with pytest.raises(BookFailed, match="no account 'main'"):
        await book.export("main")


async def test_what_was_appended_is_in_the_snapshot_to_the_last_digit(book: AnyBook) -> None:
    fine = replace(
        fill(amount="12345678901234567890.123456789012345678"),
        extra={"x": Decimal("0.10")},
        raw=("XXRPZUSD",),
    )
    done = await append(book, fills=(fine,), movements=(movement(amount="0.100"),), orders=(order(),))
    snapshot = await look(book)
    assert done == Appended(version=1, new=3, already_known=0)
    assert (snapshot.fills, snapshot.orders) == ((fine,), (order(),))
    assert str(snapshot.fills[0].quantity) == "12345678901234567890.123456789012345678"
    assert str(next(row for row in snapshot.movements if row.movement_id == "L1").amount) == "0.100"
    assert (snapshot.side, snapshot.account, snapshot.exchange) == ("internal", "main", "kraken")
    assert await book.accounts() == ("main",)


async def test_balances_and_positions_follow_from_the_entries(book: AnyBook) -> None:
    await append(book, fills=(fill(), fill("T2", margin=True)), movements=(movement(),))
    snapshot = await look(book)
    assert totals(snapshot) == {"USD": "75.88", "XRP": "40"}
    assert [(row.instrument, row.quantity) for row in snapshot.positions] == [("XRP/USD", Decimal(40))]
    assert [row.movement_id for row in snapshot.movements] == ["L1", "T1:XRP", "T1:USD", "T2:USD"]


async def test_a_book_covers_everything_it_holds(book: AnyBook, clock: SteppedClock) -> None:
    await append(book, movements=(movement(),))
    snapshot = await look(book)
    assert {snapshot.coverage.of(kind) for kind in Kind if kind is not Kind.SOURCES} == {Coverage.TOTAL}
    assert snapshot.since == Since(orders=LONG_AGO, fills=LONG_AGO, movements=LONG_AGO)
    assert (snapshot.as_of, snapshot.version) == (clock.now(), "1")


async def test_delivering_the_same_call_again_changes_nothing(book: AnyBook) -> None:
    for known in (0, 5):
        done = await append(book, fills=(fill(), fill()), movements=(movement(),), orders=(order(), order("filled")))
        assert done == Appended(version=1, new=5 - known, already_known=known)
    assert totals(await look(book)) == {"USD": "51.88", "XRP": "80"}


async def test_a_record_listed_twice_in_one_call_is_kept_twice(book: AnyBook) -> None:
    await append(book, fills=(fill(), fill()))
    assert len((await look(book)).fills) == 2


async def test_a_record_delivered_in_two_calls_is_kept_once(book: AnyBook) -> None:
    await append(book, fills=(fill(),))
    assert await append(book, fills=(fill(), fill("T2"))) == Appended(version=2, new=1, already_known=1)
    assert len((await look(book)).fills) == 2


async def test_trailing_zeros_make_no_other_record(book: AnyBook) -> None:
    await append(book, fills=(fill(amount="40"),))
    assert (await append(book, fills=(fill(amount="40.00"),))).new == 0


async def test_what_nobody_interprets_makes_no_other_record(book: AnyBook) -> None:
    opened, row = replace(fill(margin=True), raw=("XXRPZUSD",), extra={"posstatus": "open"}), movement()
    await append(book, fills=(opened,), movements=(row,))
    closed = replace(opened, extra={"posstatus": "closed", "net": Decimal("0.5")})
    again = await append(book, fills=(closed,), movements=(replace(row, raw=("XRP",), extra={"subtype": ""}),))
    assert again == Appended(version=1, new=0, already_known=2)
    snapshot = await look(book)
    assert (snapshot.fills, [row.quantity for row in snapshot.positions]) == ((opened,), [Decimal(40)])


async def test_one_id_with_other_content_is_kept_beside_the_first(book: AnyBook) -> None:
    await append(book, fills=(fill(),))
    assert await append(book, fills=(fill(amount="41"),)) == Appended(version=2, new=1, already_known=0)
    assert totals(await look(book))["XRP"] == "81"


async def test_the_latest_state_of_an_order_stands(book: AnyBook) -> None:
    await append(book, orders=(order("pending"),))
    await append(book, orders=(order("open"),))
    assert (await append(book, orders=(order("open"),))).new == 0
    assert [one.status for one in (await look(book)).orders] == ["open"]


async def test_an_undated_state_may_come_back(book: AnyBook) -> None:
    for status in ("open", "pending", "open"):
        assert (await append(book, orders=(order(status),))).new == 1
    assert [one.status for one in (await look(book)).orders] == ["open"]


async def test_a_dated_state_delivered_late_does_not_undo_the_newer_one(book: AnyBook) -> None:  # N6
    await append(book, orders=(order("open", minute=1),))
    await append(book, orders=(order("filled", minute=2),))
    assert (await append(book, orders=(order("open", minute=1),))).new == 0
    await append(book, orders=(order("pending", minute=0),))
    assert [one.status for one in (await look(book)).orders] == ["filled"]


async def test_records_begin_at_the_instant_asked_for_and_balances_at_the_beginning(book: AnyBook) -> None:
    await append(
        book,
        fills=(fill("old", minute=-2), fill("edge", minute=0)),
        movements=(movement("before", minute=-1), movement("at", minute=0)),
        orders=(
            order("filled", order_id="gone", minute=-1),
            order("filled", order_id="new", minute=0),
            order("open", order_id="live", minute=-500),
            order("filled", order_id="undated"),
        ),
    )
    snapshot = await look(book, since=T0)
    assert [row.fill_id for row in snapshot.fills] == ["edge"]
    assert [row.movement_id for row in snapshot.movements] == ["at", "edge:XRP", "edge:USD"]
    assert [row.name for row in snapshot.orders] == ["new", "live", "undated"]
    assert totals(snapshot) == {"USD": "151.88", "XRP": "80"}


async def test_records_come_oldest_first_whatever_the_order_of_delivery(book: AnyBook) -> None:
    await append(book, fills=(fill("late", minute=9),))
    await append(book, fills=(fill("early", minute=1),))
    assert [row.fill_id for row in (await look(book)).fills] == ["early", "late"]


async def test_sums_say_how_many_rounded_records_they_hold(book: AnyBook) -> None:
    await append(book, fills=(fill(amount="1.001"),))
    snapshot = await look(book, scales=Scales(assets={Asset("USD"): 2, Asset("XRP"): 2}))
    assert {row.asset: row.rounded_records for row in snapshot.balances} == {"USD": 1, "XRP": 1}


async def test_a_fill_nobody_can_break_down_takes_away_the_claim_to_be_complete(book: AnyBook) -> None:  # I15
    await append(book, fills=(replace(fill(), instrument=Instrument("?XFOO")),))
    snapshot = await look(book)
    assert (snapshot.coverage.balances, snapshot.coverage.movements) == (Coverage.PARTIAL, Coverage.PARTIAL)
    assert [gap.kind for gap in snapshot.not_checked] == [Kind.BALANCES, Kind.MOVEMENTS]
    assert "?XFOO" in snapshot.not_checked[0].reason


async def test_accounts_do_not_mix(book: AnyBook) -> None:
    await append(book, fills=(fill(),))
    await book.append(account="other", exchange="kraken", fills=(fill(),))
    assert totals(await look(book)) == {"USD": "-24.06", "XRP": "40"}


async def test_an_account_stays_at_its_exchange(book: AnyBook) -> None:
    await append(book, fills=(fill(),))
    with pytest.raises(BookFailed, match="kept at kraken, the entries are of bitstamp"):
        await book.append(account="main", exchange="bitstamp", fills=(fill("T2"),))
    assert len((await look(book)).fills) == 1


async def test_an_account_can_begin_empty(book: AnyBook) -> None:
    assert await append(book) == Appended(version=0, new=0, already_known=0)
    assert (await look(book)).balances == ()


STATED = Snapshot(
    side="internal",
    account="main",
    exchange="kraken",
    as_of=T0,
    coverage=Coverages(balances=Coverage.TOTAL, positions=Coverage.TOTAL, fills=Coverage.TOTAL),
    since=Since(fills=T0 - timedelta(hours=1)),
    balances=(
        Balance(Asset("USD"), Wallet.SPOT, Decimal("1000.123456789")),
        Balance(Asset("XRP"), Wallet.SPOT, Decimal(40)),
        Balance(Asset("ETH"), Wallet.EARN, Decimal(0)),
        Balance(Asset("BTC"), Wallet.SPOT, Decimal("-0.5")),
    ),
    positions=(
        Position(Instrument("BTC/USD"), PositionMode.NET, Decimal("-2"), average_price=Decimal("50000.5")),
        Position(Instrument("ETH/USD"), PositionMode.SHORT, Decimal(3), average_price=Decimal(2000)),
        Position(Instrument("XRP/USD"), PositionMode.NET, Decimal(60), average_price=Decimal("0.5")),
    ),
    orders=(order("open", minute=-3),),
    fills=(fill(minute=-2), fill("T2", minute=-1, margin=True)),
)


async def test_a_book_opened_from_a_snapshot_says_what_it_stated(book: AnyBook) -> None:
    await book.open_with(STATED)
    snapshot = await look(book)
    assert totals(snapshot) == {"BTC": "-0.5", "ETH": "0", "USD": "1000.123456789", "XRP": "40"}
    assert [(row.instrument, quantity.short(row.quantity)) for row in snapshot.positions] == [
        ("BTC/USD", "-2"),
        ("ETH/USD", "-3"),
        ("XRP/USD", "60"),
    ]
    assert snapshot.positions[0].average_price == Decimal("50000.5")
    assert snapshot.orders == STATED.orders


async def test_what_opened_a_book_is_part_of_it_and_of_no_window(book: AnyBook) -> None:
    await book.open_with(STATED)
    snapshot, exported = await look(book), await book.export("main")
    assert [row.movement_id for row in exported.movements if row.kind == "opening"] == [
        "opening:USD:spot",
        "opening:ETH:earn",
        "opening:BTC:spot",
    ]
    assert [row.fill_id for row in exported.fills if row.fill_id.startswith("opening")] == [
        "opening:BTC/USD",
        "opening:ETH/USD:short",
        "opening:XRP/USD",
    ]
    assert [row.fill_id for row in snapshot.fills] == ["T1", "T2"]
    assert snapshot.movements == ()  # the statement spoke of none, so the book knows them from T0 on


async def test_an_opened_book_claims_no_history_that_it_was_not_given(book: AnyBook) -> None:  # N3
    await book.open_with(STATED)
    snapshot = await look(book)
    assert snapshot.since == Since(orders=LONG_AGO, fills=T0 - timedelta(hours=1), movements=T0)


async def test_what_moved_and_is_not_listed_in_a_full_statement_is_zero(book: AnyBook) -> None:
    await book.open_with(replace(STATED, balances=STATED.balances[:1]))
    assert totals(await look(book)) == {"USD": "1000.123456789", "XRP": "0"}


async def test_a_book_that_has_begun_is_not_opened_again(book: AnyBook) -> None:
    await append(book, fills=(fill(),))
    with pytest.raises(BookFailed, match=r"begun already \(version 1\)"):
        await book.open_with(STATED)
    assert totals(await look(book))["XRP"] == "40"


async def test_a_book_does_not_begin_from_a_partial_statement(book: AnyBook) -> None:  # I5
    with pytest.raises(BookFailed, match=r'"coverage": \{"balances": "total"\}'):
        await book.open_with(replace(STATED, coverage=Coverages(positions=Coverage.TOTAL)))
    assert await book.accounts() == ()


async def test_no_price_is_invented_for_an_opening_position(book: AnyBook) -> None:  # N5
    with pytest.raises(BookFailed, match="XRP/USD has no average_price"):
        await book.open_with(replace(STATED, positions=(replace(STATED.positions[2], average_price=None),)))
    with pytest.raises(BookFailed, match="XRP/USD has no average_price"):
        await book.open_with(replace(STATED, positions=()))
    assert await book.accounts() == ()


async def test_what_was_exported_opens_an_equal_book(book: AnyBook, clock: SteppedClock) -> None:
    await book.open_with(STATED)
    await append(book, fills=(fill("T3"), fill("T3")), movements=(movement(),), orders=(order("filled", minute=5),))
    exported = await book.export("main")
    other = MemoryBook(clock=clock)
    await other.open_with(read_snapshot(write_snapshot(exported), source="export"))
    again = await other.export("main")
    assert replace(again, version=None) == replace(exported, version=None)


async def test_entries_of_one_instant_keep_the_order_of_delivery(book: AnyBook) -> None:
    ids = [f"T{number}" for number in (5, 3, 9, 1, 7)]
    await append(book, fills=tuple(fill(one) for one in ids[:3]))
    await append(book, fills=tuple(fill(one) for one in ids[3:]))
    assert [row.fill_id for row in (await look(book)).fills] == ids


async def test_calls_at_the_same_time_are_kept_once_each(book: AnyBook) -> None:
    fills = [fill(f"T{number}") for number in range(4)]
    done = await asyncio.gather(*(append(book, fills=(one,)) for one in fills * 2))
    assert sorted(one.version for one in done if one.new) == [1, 2, 3, 4]
    assert sum(one.already_known for one in done) == 4
    assert totals(await look(book))["XRP"] == "160"


async def test_the_version_grows_with_every_write_and_is_that_of_a_snapshot(book: AnyBook) -> None:
    assert await book.version("main") is None
    await append(book, fills=(fill("T1"),))
    first = await book.version("main")
    assert first == (await look(book)).version
    await append(book, fills=(fill("T2"),))
    assert await book.version("main") == (await look(book)).version != first
