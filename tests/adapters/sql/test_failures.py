"""What people read when a database fails: which file, what is wrong, what to do; and nothing was written."""

import asyncio
import os
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.book_sql import SqlBook
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.adapters.sql.failures import translated
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.records import Movement
from gal_friday.domain.snapshot import Scales
from gal_friday.ports.errors import BookFailed, StoreFailed

T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOBODY = 65534


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder that any user may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def path(folder: Path) -> Path:
    return folder / "book.db"


@pytest.fixture
async def engine(path: Path) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(f"sqlite+aiosqlite:///{path}", busy_seconds=0.05)
    yield opened
    await opened.dispose()


@pytest.fixture
async def book(engine: AsyncEngine) -> SqlBook:
    await upgrade(engine)
    return SqlBook(engine, clock=SteppedClock(T0))


async def append(book: SqlBook, *, rows: int = 1, name: str = "L") -> int:
    movements = [
        Movement(f"{name}{number}", "deposit", Asset("BTC"), Wallet.SPOT, Decimal(1), T0) for number in range(rows)
    ]
    return (await book.append(account="main", exchange="kraken", movements=movements)).version


async def count(book: SqlBook) -> int:
    return len((await book.snapshot(account="main", since=T0, scales=Scales())).movements)


async def test_a_locked_file_says_so_and_the_same_call_works_later(book: SqlBook, path: Path) -> None:
    await append(book)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BookFailed, match=r"book\.db is locked by another program; .*try again"):
            await append(book, name="M")
        assert await count(book) == 1  # who only reads is not disturbed
    assert await append(book, name="M") == 2


async def test_two_writers_of_one_book_wait_for_each_other(folder: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{folder / 'book.db'}")
    await upgrade(engine)
    book = SqlBook(engine, clock=SteppedClock(T0))
    await asyncio.gather(*(append(book, name=f"{number}-") for number in range(8)))
    assert await count(book) == 8
    await engine.dispose()


async def test_a_full_disk_says_so_and_leaves_the_book_as_it_was(book: SqlBook, engine: AsyncEngine) -> None:
    await append(book)
    pages: list[int] = []

    @event.listens_for(engine.sync_engine, "begin")
    def limit(connection: object) -> None:
        cursor = connection.connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("PRAGMA page_count")
        pages.append(cursor.fetchone()[0])
        cursor.execute(f"PRAGMA max_page_count = {pages[0] + 2}")
        cursor.close()

    with pytest.raises(BookFailed, match=r"book\.db cannot grow: the disk is full; free some space"):
        await append(book, rows=5000, name="M")
    assert await count(book) == 1


def write_until_full(path: str) -> str:
    """Return what a process says that may not make any file larger than 2 MB: the tables fit, and not all rows."""
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))

    async def run() -> str:
        engine = open_engine(f"sqlite+aiosqlite:///{path}")
        try:
            await upgrade(engine)
            await append(SqlBook(engine, clock=SteppedClock(T0)), rows=20_000)
        except BookFailed as error:
            return str(error)
        finally:
            await engine.dispose()
        return "no failure"

    return asyncio.run(run())


async def test_a_quota_says_so_and_the_book_is_whole_afterwards(path: Path) -> None:
    script = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('here', {__file__!r})\n"
        "here = importlib.util.module_from_spec(spec); spec.loader.exec_module(here)\n"
        f"print(here.write_until_full({str(path)!r}))\n"
    )
    environment = dict(os.environ) | {"PYTHONPATH": str(Path(__file__).parents[3] / "src")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    said = (await process.communicate())[0].decode()
    assert "could not be read or written; check the disk" in said or "the disk is full" in said
    with closing(sqlite3.connect(path)) as after:
        assert after.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert after.execute("SELECT count(*) FROM book_movements").fetchone() == (0,)


@pytest.fixture
def nobody() -> Iterator[None]:
    """Give root's rights up for as long as the test takes; others have none to give up."""
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(NOBODY)
    yield
    if was_root:
        os.seteuid(0)


@pytest.fixture
async def read_only(book: SqlBook, engine: AsyncEngine, path: Path) -> Path:
    await append(book)
    await engine.dispose()
    _forbid_writing(path)
    return path


def _forbid_writing(path: Path) -> None:
    path.chmod(0o444)
    path.parent.chmod(0o555)


@pytest.mark.usefixtures("read_only", "nobody")
async def test_a_file_that_may_only_be_read_says_so(engine: AsyncEngine) -> None:
    book = SqlBook(engine, clock=SteppedClock(T0))
    with pytest.raises(BookFailed, match=r"book\.db (may only be read; give this user|cannot be opened; check)"):
        await append(book, name="M")


@pytest.mark.parametrize(
    "content", [b"this is no database at all, whatever its name says\n" * 200, b"SQLite format 3\0" * 300]
)
async def test_a_file_that_is_no_database_says_so(path: Path, engine: AsyncEngine, content: bytes) -> None:
    await asyncio.to_thread(path.write_bytes, content)
    with pytest.raises(StoreFailed, match=r"book\.db (is no database; name another file|is damaged|cannot be opened)"):
        await upgrade(engine)
    assert await asyncio.to_thread(path.read_bytes) == content


@pytest.fixture
async def damaged(book: SqlBook, engine: AsyncEngine, path: Path) -> Path:
    await append(book, rows=5000)
    await engine.dispose()
    _damage(path)
    return path


def _damage(path: Path) -> None:
    data = path.read_bytes()
    middle = len(data) // 2
    path.write_bytes(data[:middle] + b"\xff" * 40_000 + data[middle + 40_000 :])


@pytest.mark.usefixtures("damaged")
async def test_a_damaged_file_is_refused_and_not_read_in_part(engine: AsyncEngine) -> None:  # N1
    with pytest.raises(BookFailed, match=r"book\.db is damaged; keep a copy, and restore it"):
        await count(SqlBook(engine, clock=SteppedClock(T0)))


async def test_a_folder_that_does_not_exist_says_so(folder: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{folder / 'no' / 'book.db'}")
    with pytest.raises(StoreFailed, match=r"no/book\.db cannot be opened; check that its folder exists"):
        await upgrade(engine)
    await engine.dispose()


async def test_a_database_without_tables_says_which_command_makes_them(engine: AsyncEngine) -> None:
    with pytest.raises(BookFailed, match="has no tables of this program yet; run: gal-friday db upgrade"):
        await append(SqlBook(engine, clock=SteppedClock(T0)))


async def test_a_server_that_is_not_there_says_so_without_the_password() -> None:
    engine = open_engine("postgresql+asyncpg://me:hunter2@127.0.0.1:1/book")
    with pytest.raises(StoreFailed, match="cannot be reached") as caught:
        await upgrade(engine)
    assert "hunter2" not in str(caught.value)
    await engine.dispose()


def test_errors_that_are_not_the_databases_pass_unchanged() -> None:
    with pytest.raises(KeyError), translated(BookFailed, make_url("sqlite+aiosqlite:///x")):
        raise KeyError("ours")


async def broken_off() -> None:
    """Wait as a driver does that tells of the connection which being cancelled cost it."""
    with translated(StoreFailed, make_url("postgresql://here/x")):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise ConnectionError("connection was closed in the middle of operation") from None


async def test_a_task_that_is_cancelled_ends_though_its_driver_tells_of_the_connection_instead() -> None:
    async def asking() -> None:
        for _ in range(2):
            with suppress(StoreFailed):
                await broken_off()

    task = asyncio.create_task(asking())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait((task,), timeout=1)
    assert task.cancelled()


async def test_a_time_that_runs_out_is_told_as_such_whatever_the_driver_tells() -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(broken_off(), 0.01)
