"""SIGTERM ends a service in time and in order, whatever its database, its exchange and its channels do."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random  # noqa: TID251 - only random.Random(seed)

import pytest
from sqlalchemy import make_url

from gal_friday.adapters.schedule import SqlSchedules
from gal_friday.adapters.sql.engine import close_engine, open_engine
from tests.adapters.alerts.receivers import raw, receiving
from tests.postgres.databases import Databases
from tests.service.wire import Wire
from tests.service.wired import World, until, wired
from tests.signals import heard

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to handle")
IN_TIME = 45.0
"""Seconds, on a machine that has much to do: 8 to 24 were measured there."""
SHORT = "[service]\ndrain_seconds = 1\n"
HOOK = """[alerts]
severity = "low"
[alerts.channels.here]
type = "webhook"
url = "{url}"
secret = "env:GAL_FRIDAY_TEST_HOOK"
"""
SEEDS = range(2)


@asynccontextmanager
async def process(world: World) -> AsyncIterator[Callable[[], Awaitable[tuple[int, str]]]]:
    """Serve in a process of its own; give what sends SIGTERM, and returns the exit status and what was said."""
    made = _started(world.file)

    async def stopped() -> tuple[int, str]:
        made.send_signal(signal.SIGTERM)
        _, said = await asyncio.to_thread(made.communicate, timeout=IN_TIME)
        return made.returncode, said.decode()

    try:
        yield stopped
    finally:
        if made.poll() is None:
            made.kill()
            made.communicate()


def _started(file: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gal_friday", "serve", "--config", str(file)]
    environment = os.environ | {"GAL_FRIDAY_TEST_HOOK": "known to both sides"}
    with heard(signal.SIGTERM):
        return subprocess.Popen(command, stderr=subprocess.PIPE, env=environment)


@asynccontextmanager
async def looking(address: str) -> AsyncIterator[SqlSchedules]:
    """Give the schedules as they stand in the database, past any wire."""
    engine = open_engine(address)
    try:
        yield SqlSchedules(engine)
    finally:
        await close_engine(engine)


async def begun(schedules: SqlSchedules) -> bool:
    return bool(await schedules.under_way())


async def ran(schedules: SqlSchedules) -> bool:
    return any(one.last_report and one.begun is None for one in await schedules.all())


async def stands(wire: Wire, wanted: bool) -> bool:
    return (wire.standing > 0) is wanted


async def test_it_stops_in_time_though_the_exchange_and_a_channel_answer_nothing(tmp_path: Path) -> None:
    async with (
        receiving(raw(b"", then_hang=True)) as receiver,
        wired(tmp_path, listened=True, more=SHORT + HOOK.format(url=receiver.url)) as world,
        process(world) as stopped,
        looking(f"sqlite+aiosqlite:///{tmp_path}/gal-friday.db") as schedules,
    ):

        async def told() -> bool:
            return bool(receiver.got) and await ran(schedules)

        await until(told, 60)
        world.wire.slow(0.1)
        world.wire.reset()  # the stream comes back, and has the account read
        await until(lambda: begun(schedules), 60)
        world.wire.swallow()
        status, said = await stopped()
        assert (status, said.splitlines()[-1]) == (0, "Stopped."), said
        assert not await schedules.under_way()


@pytest.mark.postgres
@pytest.mark.parametrize("seed", SEEDS)
async def test_it_stops_in_time_though_its_database_answers_nothing(
    databases: Databases, tmp_path: Path, seed: int
) -> None:
    chance = Random(seed)
    async with databases.fresh(tables=True) as address:
        url = make_url(address)
        async with Wire(str(url.host), int(url.port or 5432)) as wire:
            through = url.set(host="127.0.0.1", port=wire.port).render_as_string(hide_password=False)
            async with wired(tmp_path, listened=True, database=through, more=SHORT) as world, process(world) as stopped:
                world.wire.slow(0.05)  # so that a run takes a while
                async with looking(address) as schedules:
                    await until(lambda: (begun, ran)[seed % 2](schedules), 60)
                await asyncio.sleep(chance.random())
                wire.swallow()
                await asyncio.sleep(chance.choice((0.0, 0.1, 3.0)))
                status, said = await stopped()
                assert (status, said.splitlines()[-1]) == (0, "Stopped."), said


@pytest.mark.postgres
async def test_it_stops_in_time_though_its_database_lets_it_not_even_begin(
    databases: Databases, tmp_path: Path
) -> None:
    async with databases.fresh(tables=True) as address:
        url = make_url(address)
        async with Wire(str(url.host), int(url.port or 5432)) as wire:
            through = url.set(host="127.0.0.1", port=wire.port).render_as_string(hide_password=False)
            async with wired(tmp_path, database=through, more=SHORT) as world:
                await until(lambda: stands(wire, False))
                wire.swallow()
                async with process(world) as stopped:
                    await until(lambda: stands(wire, True), 60)
                    status, said = await stopped()
                assert (status, said) == (0, "Stopped.\n")
