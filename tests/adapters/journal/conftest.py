"""A database of either kind with all tables, a journal on it, and the rows behind their guards."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.journal import SigningKey, SqlJournal
from gal_friday.adapters.journal.key import FILE_NAME
from gal_friday.adapters.sql.engine import open_engine, writing
from gal_friday.adapters.sql.migration import upgrade
from gal_friday.domain.facts import Fact, FactKind
from gal_friday.ports.errors import StoreFailed
from tests.postgres.databases import POSTGRESQL, Databases

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECRET = bytes(range(32))
Append = Callable[..., Awaitable[None]]


def fact(number: int = 0, kind: str = FactKind.REVIEW_COMMENTED, account: str = "main") -> Fact:
    """Return a fact that no row of another table goes with."""
    return Fact(kind=kind, at=AT, account=account, subject=f"dis_{number:04}", body={"note": f"seen {number} times"})


def put_key(folder: Path, secret: bytes = SECRET) -> SigningKey:
    """Put a key into this folder, as the program would have made it."""
    key = SigningKey.of(secret)
    folder.mkdir(exist_ok=True)
    path = folder / FILE_NAME
    path.unlink(missing_ok=True)
    path.touch(0o600)
    path.write_text(key.written())
    return key


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    """Give the key that signs, always the same."""
    return put_key(tmp_path / "state")


@pytest.fixture
def journal(tmp_path: Path, key: SigningKey) -> SqlJournal:
    """Give the journal, with its key in a folder of the test."""
    return SqlJournal(tmp_path / "state", SteppedClock(start=AT))


@pytest.fixture(params=["sqlite", POSTGRESQL])
async def engine(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases) -> AsyncIterator[AsyncEngine]:
    """Give a database with all tables, of either kind."""
    if request.param == "sqlite":
        opened = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'journal.db'}")
        await upgrade(opened)
        yield opened
        await opened.dispose()
        return
    async with databases.fresh(tables=True) as address:
        opened = open_engine(address)
        yield opened
        await opened.dispose()


@pytest.fixture
def append(engine: AsyncEngine, journal: SqlJournal) -> Append:
    """Return what writes facts in one transaction."""

    async def written(*facts: Fact) -> None:
        async with writing(engine, StoreFailed) as connection:
            await journal.append(connection, facts)

    return written
