"""Passwords, as argon2id keeps them: slow and large on purpose, in a thread, and never many at once.

Costs: RFC 9106, section 4, second recommended option (64 MiB, three passes, four lanes). What waits is bounded, so that
a flood of attempts costs whoever sends it a refusal, and this process neither its memory nor its other callers.
"""

import asyncio
import unicodedata
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.profiles import RFC_9106_LOW_MEMORY

from gal_friday.ports.errors import WorldFailed

P = ParamSpec("P")
R = TypeVar("R")

AT_ONCE = 2
WAITING_MAX = 32


class TooManyAtOnce(WorldFailed):
    """Too many passwords are being checked; nothing was checked, and trying again in a moment is safe."""


class Argon2Passwords:
    """``Passwords`` by argon2id."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """Keep the costs: those of RFC 9106 where none are given."""
        self._hasher = hasher or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._free = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._dummy: str | None = None

    async def kept(self, password: str) -> str:
        """Return what is kept of it; see ``Passwords``."""
        return await self._in_thread(self._hashed, password)

    async def fits(self, password: str, kept: str | None) -> bool:
        """Say whether it is the password; see ``Passwords``."""
        return await self._in_thread(self._fits, password, kept)

    def outdated(self, kept: str) -> bool:
        """Say whether it was made with other costs; see ``Passwords``."""
        return self._hasher.check_needs_rehash(kept)

    async def _in_thread(self, work: Callable[P, R], *args: P.args, **more: P.kwargs) -> R:
        if self._waiting >= WAITING_MAX:
            raise TooManyAtOnce("too many sign-ins at once; nothing was checked, try again in a moment")
        self._waiting += 1
        try:
            async with self._free:
                return await asyncio.to_thread(work, *args, **more)
        finally:
            self._waiting -= 1

    def _hashed(self, password: str) -> str:
        return self._hasher.hash(_one_form(password))

    def _fits(self, password: str, kept: str | None) -> bool:
        if self._dummy is None:
            self._dummy = self._hashed("nobody has this password")
        try:
            self._hasher.verify(self._dummy if kept is None else kept, _one_form(password))
        except (Argon2Error, InvalidHashError):
            return False
        return kept is not None


def _one_form(password: str) -> bytes:
    # NIST SP 800-63B-4, section 3.1.1.2: the same password from another keyboard is the same password.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
