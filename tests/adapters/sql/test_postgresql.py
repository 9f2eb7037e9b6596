"""What people read when a PostgreSQL server fails, and what is in the book afterwards: everything or nothing."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import await_only

from gal_friday.adapters.book_sql import SqlBook
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.sql import current_revision, newest_revision, open_engine, upgrade
from gal_friday.adapters.sql.engine import reading, writing
from gal_friday.adapters.store import SqlStore
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.records import Movement
from gal_friday.domain.snapshot import Scales
from gal_friday.ports.errors import BookFailed, StoreFailed
from tests.contracts.test_store_contract import report, run
from tests.postgres.databases import Databases

pytestmark = pytest.mark.postgres
T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)
WAITING = (
    "SELECT count(*) > 0 FROM pg_locks JOIN pg_stat_activity USING (pid) "
    "WHERE NOT granted AND datname = current_database()"
)
PAGE = Path(__file__).parents[3] / "docs" / "database.md"


@pytest.fixture
async def address(databases: Databases) -> AsyncIterator[str]:
    """Give the address of a database with all tables."""
    async with databases.fresh(tables=True) as given:
        yield given


@pytest.fixture
async def engine(address: str) -> AsyncIterator[AsyncEngine]:
    """Give an engine with little patience."""
    opened = open_engine(address, busy_seconds=0.2, statement_seconds=2)
    yield opened
    await opened.dispose()


@pytest.fixture
async def other(address: str) -> AsyncIterator[AsyncEngine]:
    """Give another program's engine on the same database."""
    opened = open_engine(address)
    yield opened
    await opened.dispose()


@pytest.fixture
def book(engine: AsyncEngine) -> SqlBook:
    return SqlBook(engine, clock=SteppedClock(T0))


async def append(book: SqlBook, name: str = "L", *, rows: int = 3) -> int:
    movements = [
        Movement(f"{name}{number}", "deposit", Asset("BTC"), Wallet.SPOT, Decimal(1), T0) for number in range(rows)
    ]
    return (await book.append(account="main", exchange="kraken", movements=movements)).version


async def count(book: SqlBook) -> int:
    return len((await book.snapshot(account="main", since=T0, scales=Scales())).movements)


async def test_a_locked_book_says_so_and_the_same_call_works_later(book: SqlBook, other: AsyncEngine) -> None:
    await append(book)
    async with other.begin() as held:
        await held.execute(text("SELECT * FROM books FOR UPDATE"))
        with pytest.raises(BookFailed, match="is locked by another program; let that one finish, then try again"):
            await append(book, "M")
        assert await count(book) == 3  # who only reads is not disturbed
    assert await append(book, "M") == 2


async def test_a_server_without_our_tables_says_which_command_makes_them(databases: Databases) -> None:
    async with databases.fresh() as empty:
        engine = open_engine(empty)
        with pytest.raises(BookFailed, match="has no tables of this program yet; run: gal-friday db upgrade"):
            await append(SqlBook(engine, clock=SteppedClock(T0)))
        await engine.dispose()


async def test_two_programs_that_upgrade_at_once_do_it_once(databases: Databases) -> None:
    async with databases.fresh() as empty:
        engines = [open_engine(empty) for _ in range(3)]
        await asyncio.gather(*(upgrade(engine) for engine in engines))
        assert await current_revision(engines[0]) == newest_revision()
        for engine in engines:
            await engine.dispose()


async def end_connection(other: AsyncEngine, victim: int) -> None:
    async with other.connect() as connection:
        await connection.execute(text("SELECT pg_terminate_backend(:victim, 5000)"), {"victim": victim})


def ended_before(engine: AsyncEngine, other: AsyncEngine, moment: str) -> Callable[[], None]:
    """End the engine's connection when it is about to do this; return what lets it live again."""

    def end(connection: Any) -> None:
        raw = connection.connection.dbapi_connection.driver_connection
        await_only(end_connection(other, raw.get_server_pid()))

    def before_statement(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith(moment):
            end(connection)

    name, listener = ("commit", end) if moment == "COMMIT" else ("before_cursor_execute", before_statement)
    event.listen(engine.sync_engine, name, listener)
    return lambda: event.remove(engine.sync_engine, name, listener)


@pytest.mark.parametrize("moment", ["SELECT", "INSERT INTO book_movements", "UPDATE books", "COMMIT"])
async def test_a_connection_that_ends_in_the_middle_leaves_nothing_half_written(  # I16
    book: SqlBook, engine: AsyncEngine, other: AsyncEngine, moment: str
) -> None:
    await append(book)
    live_again = ended_before(engine, other, moment)
    with pytest.raises(BookFailed, match="ended the connection; check that the server runs, then try again"):
        await append(book, "M")
    live_again()
    assert await count(book) == 3
    assert await book.version("main") == "1"
    assert await append(book, "M") == 2
    assert await count(book) == 6


async def test_connections_that_ended_while_nobody_used_them_are_replaced(book: SqlBook, other: AsyncEngine) -> None:
    await append(book)
    async with other.connect() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assert await append(book, "M") == 2


async def test_a_read_whose_connection_ends_says_so_and_the_next_one_works(
    book: SqlBook, engine: AsyncEngine, other: AsyncEngine
) -> None:
    await append(book)
    live_again = ended_before(engine, other, "SELECT book_movements")
    with pytest.raises(BookFailed, match="ended the connection"):
        await count(book)
    live_again()
    assert await count(book) == 3


async def test_a_call_that_is_cancelled_holds_no_lock_and_writes_nothing(book: SqlBook, other: AsyncEngine) -> None:
    await append(book)
    async with other.begin() as held:
        await held.execute(text("SELECT * FROM books FOR UPDATE"))
        patient = SqlBook(other, clock=SteppedClock(T0))
        waiting = asyncio.create_task(append(patient, "M"))
        waits = False
        while not waits:  # each question is answered by the server: the loop goes on meanwhile
            waits = (await held.execute(text(WAITING))).scalar_one()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert await append(book, "N") == 2
    assert await count(book) == 6


async def test_a_server_that_does_not_answer_in_time_says_so(address: str) -> None:
    hasty = open_engine(address, statement_seconds=0.05)
    with pytest.raises(StoreFailed, match="did not answer in time; try again"):
        async with reading(hasty, StoreFailed) as connection:
            await connection.execute(text("SELECT pg_sleep(30)"))
    async with reading(hasty, StoreFailed) as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
    await hasty.dispose()


async def test_who_changes_what_another_one_read_is_told_to_try_again(engine: AsyncEngine, other: AsyncEngine) -> None:
    await append(SqlBook(engine, clock=SteppedClock(T0)))
    change = text("UPDATE books SET version = version + 1")

    async def change_after_another() -> None:
        async with writing(engine, BookFailed) as connection:
            await connection.execute(text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))
            await connection.execute(text("SELECT * FROM books"))
            async with other.begin() as another:
                await another.execute(change)
            await connection.execute(change)

    with pytest.raises(BookFailed, match="changed in the meantime; try again"):
        await change_after_another()


async def test_two_that_wait_for_each_other_do_not_wait_for_ever(address: str) -> None:
    patient, other = open_engine(address), open_engine(address)
    for account in ("a", "b"):
        await SqlBook(patient, clock=SteppedClock(T0)).append(account=account, exchange="kraken")
    both = asyncio.Barrier(2)

    async def lock(engine: AsyncEngine, first: str, second: str) -> None:
        async with writing(engine, BookFailed) as connection:
            query = text("SELECT * FROM books WHERE account = :account FOR UPDATE")
            await connection.execute(query, {"account": first})
            await both.wait()
            await connection.execute(query, {"account": second})

    done = await asyncio.gather(lock(patient, "a", "b"), lock(other, "b", "a"), return_exceptions=True)
    failed = [one for one in done if one is not None]
    assert [type(one) for one in failed] == [BookFailed]
    assert "changed in the meantime; try again" in str(failed[0])
    await patient.dispose()
    await other.dispose()


async def test_the_same_report_recorded_by_two_at_once_is_recorded_once(engine: AsyncEngine, address: str) -> None:
    engines = [open_engine(address) for _ in range(4)]
    stores = [SqlStore(one) for one in engines]
    done = await asyncio.gather(*(store.save_report(report(), run()) for store in stores), return_exceptions=True)
    failed = [one for one in done if one is not None]
    assert {type(one) for one in failed} <= {StoreFailed}
    assert all("was given the same by another program at the same moment; try again" in str(one) for one in failed)
    for store in stores:
        await store.save_report(report(), run())
    assert len(await stores[0].reports()) == len(await stores[0].open_discrepancies("main")) == 1
    for one in engines:
        await one.dispose()


async def test_a_key_that_is_there_already_is_told_in_words(engine: AsyncEngine) -> None:
    await append(SqlBook(engine, clock=SteppedClock(T0)))
    with pytest.raises(BookFailed, match="was given the same by another program at the same moment; try again"):
        async with writing(engine, BookFailed) as connection:
            await connection.execute(text("INSERT INTO books SELECT * FROM books"))


async def test_a_text_that_postgresql_cannot_keep_is_told_in_words(book: SqlBook) -> None:
    with pytest.raises(BookFailed, match="cannot keep a text with the character NUL in it"):
        await append(book, "L\0")
    assert await book.accounts() == ()


async def test_the_rights_that_the_page_grants_are_enough_and_not_more(
    databases: Databases, address: str, engine: AsyncEngine
) -> None:
    name, user = make_url(address).database, f"limited_{make_url(address).database}"
    granted = [part for part in re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL) if "GRANT" in part]
    rights = [line.replace("gal_friday", user) for line in granted[0].split(";") if line.strip()]
    await databases.command(f"CREATE ROLE {user} LOGIN PASSWORD 'x'", *rights, database=name)
    limited = open_engine(make_url(address).set(username=user, password="x").render_as_string(hide_password=False))
    try:
        await upgrade(limited)  # up to date: nothing to do, nothing asked for
        book, store = SqlBook(limited, clock=SteppedClock(T0)), SqlStore(limited)
        await append(book)
        first = run()
        await store.save_report(report(), first)
        await store.save_report(report("rec_2", minute=5), run(*first.open, at=5))
        assert (await count(book), len(await store.reports())) == (3, 2)
        for statement in ("DELETE FROM books", "UPDATE book_movements SET account = 'x'", "DROP TABLE books"):
            with pytest.raises(BookFailed, match=r"refuses this user; grant it the rights|must be owner"):
                async with writing(limited, BookFailed) as connection:
                    await connection.execute(text(statement))
    finally:
        await limited.dispose()
        await databases.command(f"DROP OWNED BY {user}", f"DROP ROLE {user}", database=name)


async def test_instants_are_the_same_whatever_zone_the_server_has(engine: AsyncEngine) -> None:
    book = SqlBook(engine, clock=SteppedClock(T0))
    await append(book, rows=1)
    async with reading(engine, BookFailed) as connection:
        assert (await connection.execute(text("SHOW TimeZone"))).scalar_one() not in {"", "UTC"}
        found = (await connection.execute(text("SELECT at = '2026-01-31 12:00Z' FROM book_movements"))).scalar_one()
    assert found is True
    kept = await book.snapshot(account="main", since=T0 - timedelta(1), scales=Scales())
    assert kept.movements[0].at == T0
