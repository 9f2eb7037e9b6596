"""kill −9 in the middle of writing: nothing acknowledged is lost, and delivering it all again adds nothing (I16)."""

import asyncio
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from gal_friday.adapters.book_sql import SqlBook
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.records import Movement
from gal_friday.domain.snapshot import Scales

T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)
ROWS = 20
SCRIPT = """
import importlib.util, asyncio
spec = importlib.util.spec_from_file_location("here", {here!r})
here = importlib.util.module_from_spec(spec)
spec.loader.exec_module(here)
asyncio.run(here.write_for_ever({address!r}))
"""


def call(number: int) -> list[Movement]:
    return [
        Movement(f"L{number}-{row}", "deposit", Asset("BTC"), Wallet.SPOT, Decimal("0.00000001"), T0)
        for row in range(ROWS)
    ]


async def write_for_ever(address: str) -> None:
    """Append call after call, and say the number of each once it was acknowledged."""
    book = SqlBook(open_engine(address), clock=SteppedClock(T0))
    number = 0
    while True:
        await book.append(account="main", exchange="kraken", movements=call(number))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        number += 1


@pytest.mark.crash
async def test_kill_9_loses_nothing_acknowledged_and_keeps_no_half_call(address: str) -> None:
    engine = open_engine(address)
    await upgrade(engine)
    book = SqlBook(engine, clock=SteppedClock(T0))
    await book.append(account="main", exchange="kraken")
    acknowledged = -1
    for calls in (1, 7, 30):
        acknowledged = max(acknowledged, await killed_after(address, calls))
        kept = (await book.snapshot(account="main", since=T0, scales=Scales())).movements
        assert len(kept) % ROWS == 0
        assert len(kept) // ROWS >= acknowledged + 1
    for number in range(acknowledged + 1):
        assert (await book.append(account="main", exchange="kraken", movements=call(number))).new == 0
    await engine.dispose()


async def killed_after(address: str, calls: int) -> int:
    """Return the number of the last call that a writer acknowledged before it was killed."""
    script = SCRIPT.format(here=__file__, address=address)
    source = str(Path(__file__).parents[3] / "src")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": source}
    )
    assert process.stdout is not None
    for _ in range(calls):
        assert await process.stdout.readline()
    process.kill()
    rest = (await process.communicate())[0].decode().split("\n")
    return max([calls - 1, *(int(line) for line in rest[:-1])])
