"""Two processes on one account: one outcome, known to both, and whoever lost the account writes nothing (I9, I13)."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from msgspec import Struct
from sqlalchemy import insert, update

from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.adapters.sql.engine import writing
from gal_friday.adapters.sql.tables import LEASES
from gal_friday.ports.errors import StoreFailed
from tests.contracts.adjusting import T0
from tests.crash import reader
from tests.crash.jobs import Life
from tests.crash.racing import ROWS, approve, made
from tests.crash.rounds import Ground, Worker, worker
from tests.postgres.databases import POSTGRESQL, Databases

pytestmark = [pytest.mark.crash, pytest.mark.asyncio(loop_scope="module")]
Said = list[dict[str, Any]]


class Account(Struct, frozen=True):
    """A database with a book and approved adjustments, and two processes that may work on it."""

    address: str
    folder: Path
    one: Worker
    other: Worker

    async def both(self, job: str, other_job: str) -> tuple[Said, Said]:
        """Let both work at once, and return what each said."""
        asked = {"address": self.address, "folder": str(self.folder)}
        lives = await asyncio.gather(self.one.live(**asked, job=job), self.other.live(**asked, job=other_job))
        assert [ended for ended, _ in lives] == [0, 0], lives
        return lives[0][1], lives[1][1]

    async def rows(self) -> reader.Rows:
        rows = await reader.read(self.address)
        assert rows is not None
        return rows

    async def leased(self, token: int) -> None:
        """Give the account to the owner of this token."""
        engine = open_engine(self.address)
        async with writing(engine, StoreFailed) as connection:
            new = {"token": token, "owner": f"owner {token}", "until": T0}
            done = await connection.execute(update(LEASES).where(LEASES.c.account == "main").values(new))
            if not done.rowcount:
                await connection.execute(insert(LEASES).values(new | {"account": "main"}))
        await engine.dispose()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workers() -> AsyncIterator[tuple[Worker, Worker]]:
    async with worker() as one, worker() as other:
        yield one, other


@pytest_asyncio.fixture(params=["sqlite", POSTGRESQL], loop_scope="module")
async def account(
    request: pytest.FixtureRequest, tmp_path: Path, databases: Databases, workers: tuple[Worker, Worker]
) -> AsyncIterator[Account]:
    one, other = workers
    async with (
        Ground(request.param, tmp_path, databases, one) as ground,
        ground.copy("append") as (address, folder),
    ):
        assert (await one.live(address=address, folder=str(folder), job="approve"))[0] == 0
        yield Account(address, folder, one, other)


async def test_two_processes_that_apply_one_adjustment_both_see_the_first_outcome(account: Account) -> None:
    one, other = await account.both("post", "post")
    assert one == other
    assert len(one) == len(ROWS)
    rows = await account.rows()
    assert reader.wrong(rows, [*one, *other]) == []
    assert rows["books"][0]["version"] == 1 + len(ROWS)
    assert reader.balances(rows)["XRP"] == f"{105 + len(ROWS)}"


async def test_what_is_delivered_while_it_is_applied_counts_once(account: Account) -> None:
    posted, delivered = await account.both("post", "deliver")
    rows = await account.rows()
    assert reader.wrong(rows, [*posted, *delivered]) == []
    assert reader.balances(rows)["XRP"] == f"{105 + len(ROWS)}"
    assert {reader.outcome_of(rows)["records"][name] for name in ROWS} == {1}


async def test_a_process_that_slept_through_the_loss_of_its_lease_writes_nothing(account: Account) -> None:
    await account.leased(1)
    asked = {"address": account.address, "folder": str(account.folder), "job": "post"}
    await account.one.begin(**asked, token=1, pause=True)
    (paused,) = await account.one.until("paused")
    await account.leased(2)
    before = await account.rows()
    os.kill(paused["paused"], signal.SIGCONT)
    said = await account.one.until("ended")
    assert "run by somebody else" in said[0]["overtaken"]
    assert await account.rows() == before
    ended, done = await account.other.live(**asked, token=2)
    assert ended == 0
    assert {one["outcome"]["outcome"] for one in done} == {"applied"}
    assert reader.wrong(await account.rows(), done) == []


async def test_what_is_confirmed_twice_is_told_once(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'book.db'}")
    await upgrade(engine)
    life = Life(engine, tmp_path, lambda _: None)
    await life.append()
    await approve(life)
    name = made(ROWS[0]).adjustment_id
    await life.adjustments.apply(name, token=None)
    # As the second of two processes does that both found it written.
    await life.adjustments._confirmed([name])
    rows = await reader.read(str(engine.url))
    await engine.dispose()
    assert rows is not None
    assert reader.wrong(rows) == []
