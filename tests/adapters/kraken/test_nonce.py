"""Turns on a key: nonces grow whatever clocks and processes do, and a lockout is remembered by all."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.kraken.keyfile import KeyFile, KeyMemory
from gal_friday.adapters.kraken.nonce import KeyTurns, next_nonce, turns_of
from gal_friday.adapters.kraken.rate import TIERS, Counter
from gal_friday.ports.errors import ExchangeUnavailable

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@given(last=st.integers(0, 2**63), seconds=st.integers(631152000, 7258118400))
def test_every_nonce_is_larger_than_the_one_before(last: int, seconds: int) -> None:
    assert next_nonce(last, datetime.fromtimestamp(seconds, UTC)) > last


def test_a_nonce_is_the_clock_in_nanoseconds() -> None:
    assert next_nonce(0, NOON) == 1769860800 * 10**9


async def _nonces(turns: KeyTurns, clock: SteppedClock, count: int) -> list[int]:
    found = []
    for _ in range(count):
        async with turns.turn(clock, None, 1) as turn:
            found.append(turn.nonce)
    return found


async def test_a_clock_that_steps_back_does_not_repeat_a_nonce(tmp_path: Path) -> None:
    clock = SteppedClock(NOON)
    turns = turns_of("a", tmp_path)
    before = await _nonces(turns, clock, 2)
    clock.step_back(3600)
    after = await _nonces(turns, clock, 2)
    assert sorted(before + after) == before + after
    assert len(set(before + after)) == 4


async def test_a_restart_with_an_earlier_clock_does_not_repeat_a_nonce(tmp_path: Path) -> None:
    first = await _nonces(KeyTurns(KeyFile(tmp_path, "a")), SteppedClock(NOON), 3)
    second = await _nonces(KeyTurns(KeyFile(tmp_path, "a")), SteppedClock(NOON - timedelta(days=1)), 1)
    assert second[0] > first[-1]


def test_all_users_of_a_key_in_one_process_share_its_turns(tmp_path: Path) -> None:
    assert turns_of("a", tmp_path) is turns_of("a", tmp_path)
    assert turns_of("a", tmp_path) is not turns_of("b", tmp_path)


async def test_only_one_call_at_a_time_uses_a_key(tmp_path: Path) -> None:
    clock, turns, inside = SteppedClock(NOON), turns_of("a", tmp_path), []

    async def call() -> None:
        async with turns.turn(clock, None, 1) as turn:
            inside.append(("in", turn.nonce))
            await asyncio.sleep(0)
            inside.append(("out", turn.nonce))

    await asyncio.gather(*(call() for _ in range(5)))
    assert [step for step, _ in inside] == ["in", "out"] * 5


async def test_a_second_process_waits_until_the_key_is_free(tmp_path: Path) -> None:
    other = KeyFile(tmp_path, "a")
    assert other.try_lock()
    clock, turns = SteppedClock(NOON), KeyTurns(KeyFile(tmp_path, "a"))
    waiting = asyncio.create_task(_nonces(turns, clock, 1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not waiting.done()
    other.store(KeyMemory(nonce=5 * 10**18))
    other.unlock()
    assert await waiting == [5 * 10**18 + 1]


async def test_a_key_that_another_process_never_gives_back_is_unavailable(tmp_path: Path) -> None:
    other = KeyFile(tmp_path, "a")
    assert other.try_lock()
    with pytest.raises(ExchangeUnavailable, match="another process"):
        await _nonces(KeyTurns(KeyFile(tmp_path, "a")), SteppedClock(NOON), 1)
    other.unlock()


_PROCESS = """
import asyncio, json, sys
from pathlib import Path
from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.kraken.nonce import turns_of
async def main():
    turns, found = turns_of("a", Path(sys.argv[1])), []
    for _ in range(150):
        async with turns.turn(SystemClock(), None, 1) as turn:
            found.append(turn.nonce)
    print(json.dumps(found))
asyncio.run(main())
"""


def test_two_processes_on_one_key_never_use_a_nonce_twice(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _PROCESS, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for _ in range(2)
    ]
    found = [json.loads(process.communicate(timeout=50)[0]) for process in processes]
    assert len({*found[0], *found[1]}) == 300
    assert all(nonces == sorted(nonces) for nonces in found)


async def test_a_lockout_is_remembered_by_the_next_process_for_fifteen_minutes(tmp_path: Path) -> None:
    clock = SteppedClock(NOON)
    async with KeyTurns(KeyFile(tmp_path, "a")).turn(clock, None, 1) as turn:
        until = turn.lock_out(clock.now())
    assert until == NOON + timedelta(minutes=15)
    clock.advance(14 * 60 + 59)
    with pytest.raises(ExchangeUnavailable) as locked:
        await _nonces(KeyTurns(KeyFile(tmp_path, "a")), clock, 1)
    assert locked.value.retry_at == until
    clock.advance(1)
    assert len(await _nonces(KeyTurns(KeyFile(tmp_path, "a")), clock, 1)) == 1


async def test_the_call_counter_is_shared_with_the_next_process(tmp_path: Path) -> None:
    clock, starter = SteppedClock(NOON), TIERS["starter"]
    for _ in range(7):
        async with KeyTurns(KeyFile(tmp_path, "a")).turn(clock, starter, 2):
            pass
    assert clock.monotonic() == 0
    async with KeyTurns(KeyFile(tmp_path, "a")).turn(clock, starter, 2):
        pass
    assert clock.monotonic() == pytest.approx(1 / 0.33, abs=0.1)


@pytest.mark.parametrize(
    "damage", [b"", b"\0" * 1024, b"12345678 {}", b"garbage" * 200, b'00000000 {"turn":1,"memory":{}}']
)
def test_a_damaged_file_counts_as_empty(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "kraken-a.state").write_bytes(damage)
    assert KeyFile(tmp_path, "a").load(KeyMemory(nonce=7)) == KeyMemory(nonce=7)


@given(cut=st.integers(0, 1024))
def test_a_write_that_broke_off_leaves_the_record_before_it(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    folder = tmp_path_factory.mktemp("key")
    file, path = KeyFile(folder, "a"), folder / "kraken-a.state"
    earlier = KeyMemory(nonce=1, counter=Counter(3.0, NOON))
    file.store(earlier)
    before = path.read_bytes().ljust(1024, b"\0")
    later = KeyMemory(nonce=2, locked_until=NOON)
    file.store(later)
    after = path.read_bytes().ljust(1024, b"\0")
    path.write_bytes(after[:cut] + before[cut:])
    assert KeyFile(folder, "a").load(KeyMemory()) in (earlier, later)


def test_the_file_holds_neither_key_nor_secret_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "state", "0123456789abcdef")
    file.store(KeyMemory(nonce=1))
    path = tmp_path / "state" / "kraken-0123456789abcdef.state"
    assert path.stat().st_mode & 0o077 == 0
    assert set(json.loads(path.read_bytes()[512:].split(b" ", 1)[1])) == {"turn", "memory"}


async def test_no_call_is_made_with_a_nonce_that_cannot_be_remembered(tmp_path: Path) -> None:
    """I16: the next process would send the same nonce again."""
    file = KeyFile(tmp_path, "a")
    turns = KeyTurns(file)
    os.dup2(os.open("/dev/full", os.O_RDWR), file._fd)
    with pytest.raises(ExchangeUnavailable, match="set state_folder"):
        async with turns.turn(SteppedClock(NOON), None, 1):
            pytest.fail("the turn was given")
