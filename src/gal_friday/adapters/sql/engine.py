"""Opening a database from its address, and the two ways to use it: reading and writing.

A read sees one state from its first statement to its last. A write holds the lock from its first
statement on, so that what it read is still true when it writes. Nothing is retried here: whoever called
knows whether trying again is safe.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import aiosqlite
from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gal_friday.adapters.sql.failures import Failure, redacted, translated, without_secrets
from gal_friday.ports.errors import StoreFailed

BUSY_SECONDS = 5.0  # Longer than any write of ours takes; shorter than a person's patience.
CONNECT_SECONDS = 10.0
IDLE_SECONDS = 15
WRITE_SECONDS = 120
"""Longer than any import takes. A program that stood still between the two messages of one statement is not idle to
PostgreSQL, and its locks would stay for good."""
CLOSE_SECONDS = 3.0
_NEXT_SECONDS = 0.1
STATEMENT_SECONDS = 60.0
KEPT_OPEN = 15  # SQLite: opening a connection costs more than most questions, and one beyond these is closed after use.

_LOG_TRIES = 20

_WRITE = "gal_friday_write"


def open_engine(
    address: str, *, busy_seconds: float = BUSY_SECONDS, statement_seconds: float = STATEMENT_SECONDS
) -> AsyncEngine:
    """Return an engine for ``sqlite+aiosqlite:///path`` or ``postgresql://user@host/name``.

    Nothing is connected yet. *busy_seconds* is how long a write waits for another program's lock,
    *statement_seconds* how long PostgreSQL may take to answer one statement. Whoever opens an engine awaits
    ``close_engine``. The engine's own URL holds no secret.

    Raises:
        StoreFailed: the address is none, or names a database that this program does not speak to; the message
            shows nothing of it.
    """
    url = checked(address)
    if url.get_backend_name() == "sqlite":
        connect = partial(_connect_sqlite, str(url.database), busy_seconds)
        engine = create_async_engine(url, async_creator=connect, hide_parameters=True, pool_size=KEPT_OPEN)
        _settle_sqlite(engine)
        return engine
    options = {"timeout": CONNECT_SECONDS, "command_timeout": statement_seconds}
    settings = {
        "lock_timeout": str(int(busy_seconds * 1000)),
        # Whoever stands still in the middle of a transaction holds up everybody else; the server ends it.
        "idle_in_transaction_session_timeout": str(IDLE_SECONDS * 1000),
        "application_name": "gal-friday",
    }
    try:
        return create_async_engine(
            without_secrets(url),
            async_creator=partial(_connect_postgresql, url, options | {"server_settings": settings}),
            pool_pre_ping=True,
            hide_parameters=True,
        )
    except ArgumentError:
        raise StoreFailed(_UNREADABLE) from None
    except ModuleNotFoundError as error:
        raise StoreFailed("PostgreSQL needs its driver; install it: pip install 'gal-friday[postgres]'") from error


async def close_engine(engine: AsyncEngine) -> None:
    """Close every connection, in order where the database answers; what it leaves waiting is cut off.

    Takes a few seconds at the most, wherever the other end went.
    """
    within = CLOSE_SECONDS
    while True:
        try:
            async with asyncio.timeout(within):
                await engine.dispose()
        except TimeoutError:
            within = _NEXT_SECONDS  # The one that did not answer is cut off; the others may wait as much in vain.
        else:
            return


def checked(address: str) -> URL:
    """Return the address taken apart, with the driver that this program uses; nothing is opened.

    Raises:
        StoreFailed: as ``open_engine`` does.
    """
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        # None of the cause, which may quote a part of the password.
        raise StoreFailed(_UNREADABLE) from None
    if url.drivername in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+asyncpg")
    match url.drivername:
        case "sqlite+aiosqlite" if not url.database:
            raise StoreFailed(f"the database address names no file; write {_EXAMPLE}")
        case "postgresql+asyncpg":
            _check_place(url)
        case "sqlite+aiosqlite":
            pass
        case _:
            raise StoreFailed(f"{url.drivername} is no database that this program speaks to; write {_EXAMPLE}")
    return url


def with_password(address: str, password: str) -> str:
    """Return the address with this password in it; whoever shows an address shows it ``without_secrets``.

    Raises:
        StoreFailed: as ``open_engine`` does.
    """
    return checked(address).set(password=password).render_as_string(hide_password=False)


def _check_place(url: URL) -> None:
    if "@" in (url.host or ""):
        raise StoreFailed("the database address has an @ in its password or user; write it as %40 there")
    ports = [url.port, *",".join(url.normalized_query.get("port", ())).split(",")]
    if any(port not in {None, ""} and not (str(port).isdecimal() and 0 < int(port) <= _LAST_PORT) for port in ports):
        raise StoreFailed(f"the database address names no port from 1 to {_LAST_PORT}; write {_EXAMPLE}")


_EXAMPLE = "sqlite+aiosqlite:///gal-friday.db or postgresql+asyncpg://user@host/name"
_UNREADABLE = f"no database address can be read from the one given; write {_EXAMPLE}"
_LAST_PORT = 65535


async def _connect_postgresql(url: URL, options: dict[str, Any]) -> Any:
    import asyncpg  # an extra: who uses SQLite need not have it

    # Several hosts are several options to one library and one with commas to the other.
    query = {name: ",".join(parts) for name, parts in url.normalized_query.items()}
    address = url.set(drivername="postgresql", query=query).render_as_string(hide_password=False)
    try:
        # The driver reads the address itself, so that every option of PostgreSQL's own addresses is understood.
        return await asyncpg.connect(address, **options)
    except (ValueError, OverflowError) as error:
        # None of the cause: it may quote the address.
        raise ArgumentError(f"{type(error).__name__}, {redacted(str(error), url)}") from None


async def _connect_sqlite(path: str, busy_seconds: float) -> aiosqlite.Connection:
    connection = aiosqlite.connect(path, timeout=busy_seconds)
    thread = connection._thread
    thread.daemon = True  # A connection that was forgotten must not keep the process alive.
    try:
        return await connection
    except BaseException:
        # aiosqlite stops its thread and does not wait for it: a loop that closes meanwhile (the end of a
        # command) would have it print a traceback. It needs nothing of the loop to end.
        thread.join()
        raise


def _settle_sqlite(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def settle(connection: Any, _record: Any) -> None:
        # The driver would begin transactions on its own, late and without the lock: see begin().
        connection.isolation_level = None
        try:
            _set_pragmas(connection.cursor())
        except BaseException:
            connection.close()  # the pool does not know it yet, and would leave it open
            raise

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and takes the lock later fails in the middle when two do so.
        writes = connection.get_execution_options().get(_WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _set_pragmas(cursor: Any) -> None:
    _keep_a_log(cursor)
    # What was acknowledged is on the disk (I16); NORMAL could lose the last transactions.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    # Without it INSERT OR REPLACE removes a row and no trigger hears of it.
    cursor.execute("PRAGMA recursive_triggers = ON")
    cursor.close()


def _keep_a_log(cursor: Any) -> None:
    """Have the file written through a log; it stays so once somebody has seen to it.

    Two programs that do so to a new file at the same moment refuse each other: SQLite waits for no lock here. A lock
    that it does wait for lets the other one end.
    """
    for _ in range(_LOG_TRIES):
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except aiosqlite.OperationalError:
            cursor.execute("BEGIN EXCLUSIVE")
            cursor.execute("COMMIT")
        else:
            return
    cursor.execute("PRAGMA journal_mode = WAL")


@asynccontextmanager
async def reading(engine: AsyncEngine, failure: Failure) -> AsyncIterator[AsyncConnection]:
    """Give a connection that sees one state of the database, whatever others write meanwhile.

    Raises:
        BookFailed, StoreFailed: whichever *failure* is; the database cannot be read.
    """
    with translated(failure, engine.url):
        async with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            async with connection.begin():
                yield connection


@asynccontextmanager
async def writing(engine: AsyncEngine, failure: Failure) -> AsyncIterator[AsyncConnection]:
    """Give a connection in one transaction, committed at the end, undone when anything is raised.

    Raises:
        BookFailed, StoreFailed: whichever *failure* is; nothing was written. Only where a server's connection is
            lost while it commits can nobody tell: whoever writes here must be able to write the same again.
    """
    with translated(failure, engine.url):
        async with engine.connect() as connection:
            await connection.execution_options(**{_WRITE: True})
            async with connection.begin():
                await _bound(connection)
                yield connection


async def _bound(connection: AsyncConnection) -> None:
    """Let the server end this transaction if it lasts too long, where it can: PostgreSQL 17 and later."""
    if (connection.dialect.server_version_info or (0,)) >= (17,) and connection.dialect.name == "postgresql":
        await connection.exec_driver_sql(f"SET LOCAL transaction_timeout = '{WRITE_SECONDS}s'")
