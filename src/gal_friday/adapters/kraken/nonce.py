"""Whose turn it is to use a key: one nonce after the other, one call at a time, also across processes.

Kraken accepts a nonce only if it is larger than all before it on the same key. So a call takes its turn:
take the nonce, sign, send, receive. Within a process the turn is a lock per key; between processes a
file lock. What must outlive the process is in one small file per key: the last nonce, a lockout, the
call counter. The file holds no secret; its name is a digest.

Source: Kraken support, "What is a nonce?"; Kraken REST documentation, Spot REST Rate Limits.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from weakref import WeakKeyDictionary, WeakValueDictionary

from msgspec.structs import replace

from gal_friday.adapters.kraken.keyfile import KeyFile, KeyMemory
from gal_friday.adapters.kraken.rate import Tier, charged, full, level_at, wait_for
from gal_friday.domain.schedule import Obstacle
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import ExchangeUnavailable

# Kraken speaks of "about fifteen minutes" and does not say whether calls during it prolong it.
LOCKOUT = timedelta(minutes=15)

Waiting = Callable[[float], None]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_POLL_SECONDS = 0.02
_QUEUE_SECONDS = 120.0


def next_nonce(last: int, now: datetime) -> int:
    """Return a nonce above *last*: the clock in nanoseconds, or *last* + 1 where the clock is behind."""
    return max(last + 1, (now - _EPOCH) // _MICROSECOND * 1000)


class Turn:
    """One call's use of the key. What the answer teaches about the key is told to it before the turn ends."""

    def __init__(self, key: "KeyTurns", nonce: int) -> None:
        """Hold the *nonce* of this call."""
        self.nonce = nonce
        self._key = key

    def lock_out(self, now: datetime) -> datetime:
        """Remember that the exchange locked this key out; return until when nobody may call."""
        until = now + LOCKOUT
        self._key.remember(replace(self._key.memory, locked_until=until))
        return until

    def counter_is_full(self, tier: Tier | None, now: datetime) -> None:
        """Remember that the exchange counts more calls than we do."""
        self._key.remember(replace(self._key.memory, counter=full(tier, now)))


class KeyTurns:
    """One key as this process uses it. Get it from ``turns_of``, so that all users of a key share it."""

    def __init__(self, file: KeyFile | None) -> None:
        """Read what earlier processes left behind, where there is a file."""
        self._file = file
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
        self.memory = KeyMemory()

    @asynccontextmanager
    async def turn(
        self, clock: Clock, tier: Tier | None, cost: float, waiting: Waiting | None = None
    ) -> AsyncIterator[Turn]:
        """Wait for the key and for the counter, then hold both for one call.

        *waiting* is told, before each wait for the counter, how many seconds it takes.

        Raises:
            ExchangeUnavailable: the key is locked out, or another process holds it for too long.
        """
        async with self._lock():
            await self._claim(clock, tier, cost, waiting)
            try:
                nonce = next_nonce(self.memory.nonce, clock.now())
                counter = charged(self.memory.counter, tier, cost, clock.now())
                # Before the call: a nonce that was sent once is spent, whatever comes back.
                self.remember(replace(self.memory, nonce=nonce, counter=counter))
                yield Turn(self, nonce)
            finally:
                self._release()

    def left(self, tier: Tier | None, now: datetime) -> float | None:
        """Return how many points of the call budget are left; None where there is no limit."""
        return None if tier is None else tier.maximum - level_at(self.memory.counter, tier, now)

    def remember(self, memory: KeyMemory) -> None:
        """Keep what is known about the key, here and in the file."""
        self.memory = memory
        if self._file is not None:
            self._file.store(memory)

    def locked_until(self, now: datetime) -> datetime | None:
        """Return until when the exchange wants no call with this key; None if it may be used."""
        until = self.memory.locked_until
        return until if until is not None and now < until <= now + LOCKOUT else None

    async def _claim(self, clock: Clock, tier: Tier | None, cost: float, waiting: Waiting | None) -> None:
        while True:
            await self._acquire(clock)
            try:
                self._refuse_if_locked(clock.now())
                wait = wait_for(self.memory.counter, tier, cost, clock.now())
            except BaseException:
                self._release()
                raise
            if wait <= 0:
                return
            # Let another process in while we only wait.
            self._release()
            if waiting is not None:
                waiting(wait)
            await clock.sleep(wait)

    async def _acquire(self, clock: Clock) -> None:
        if self._file is None:
            return
        patience = clock.monotonic() + _QUEUE_SECONDS
        while not self._file.try_lock():
            if clock.monotonic() > patience:
                raise ExchangeUnavailable(
                    "another process is using the same Kraken key; give each process a key of its own"
                )
            await clock.sleep(_POLL_SECONDS)
        self.memory = self._file.load(self.memory)

    def _release(self) -> None:
        if self._file is not None:
            self._file.unlock()

    def _refuse_if_locked(self, now: datetime) -> None:
        until = self.locked_until(now)
        if until is not None:
            raise ExchangeUnavailable(
                f"Kraken locked this key out; no call is made before {until:%Y-%m-%d %H:%M:%S} UTC. "
                "Check that key and secret belong together.",
                retry_at=until,
                obstacle=Obstacle.LOCKOUT,
            )

    def _lock(self) -> asyncio.Lock:
        loop = asyncio.get_running_loop()
        return self._locks.setdefault(loop, asyncio.Lock())


_SHARED: WeakValueDictionary[tuple[str, str], KeyTurns] = WeakValueDictionary()


def turns_of(fingerprint: str, folder: Path | None) -> KeyTurns:
    """Return the turns of this key, the same object for everybody in this process.

    Without a *folder* nothing outlives the process, and other processes are not seen.
    """
    name = (fingerprint, "" if folder is None else str(folder.resolve()))
    shared = _SHARED.get(name)
    if shared is None:
        shared = KeyTurns(None if folder is None else KeyFile(folder, fingerprint))
        _SHARED[name] = shared
    return shared
