"""One call to the service, made again where that is safe: every POST has a key, so nothing is ever done twice.

What is tried again: no connection, no answer, too much at once (429), not available now (503), and a first attempt that
is still under way. Everything else is an answer, and is raised as it came.
"""

import asyncio
import os
import socket
from collections.abc import Mapping
from typing import Any

import httpx2
import msgspec
from msgspec import Struct

from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.ids import digest
from gal_friday.domain.plain import NOT_READ


class Problem(GalFridayError):
    """The service said no; the message is what it said."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        """Keep the HTTP *status* and the *code* for programs."""
        super().__init__(detail)
        self.status, self.code = status, code


class Unreachable(GalFridayError):
    """No answer, however often it was tried; calling again is safe."""


class Patience(Struct, frozen=True, kw_only=True):
    """How long and how often a call is tried."""

    attempts: int = 6
    first_wait: float = 0.2
    """Seconds before the second attempt; doubled from then on."""
    longest_wait: float = 5.0
    seconds: float = 30.0
    """Of one attempt."""


class _Said(Struct):
    type: str = ""
    detail: str = ""


_AGAIN = frozenset({429, 503})
_BUSY = "key-busy"
_WRONG = 400


class Transport:
    """Calls one service with one token."""

    def __init__(self, url: str, token: str, patience: Patience, http: httpx2.AsyncClient | None = None) -> None:
        """Open nothing yet. *http* is for whoever has a client of their own, such as a test."""
        self._headers = {"Authorization": f"Bearer {token}"}
        self._patience = patience
        self.http = http or httpx2.AsyncClient(base_url=url, timeout=patience.seconds)
        self._calls = 0

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> bytes:
        """Return what is at this address."""
        return await self._call("GET", path, params, b"", {})

    async def post(
        self, path: str, content: bytes = b"", params: Mapping[str, str] | None = None, *, key: str | None = None
    ) -> bytes:
        """Return the answer to a call that is done once, however often it has to be sent."""
        headers = {"Idempotency-Key": key or self._new_key(path, content), "Content-Type": "application/json"}
        return await self._call("POST", path, params, content, headers)

    def headers(self) -> dict[str, str]:
        """Return what every call shows."""
        return dict(self._headers)

    async def wait(self, failed: int, asked: str | None = None) -> None:
        """Wait before another attempt, as long as the service asks for, and longer with every failure."""
        seconds = self._patience.first_wait * 2.0 ** min(failed, 10)
        if asked is not None and asked.isdigit():
            seconds = max(seconds, float(asked))
        await asyncio.sleep(min(seconds, self._patience.longest_wait))

    async def _call(
        self, method: str, path: str, params: Mapping[str, str] | None, content: bytes, headers: dict[str, str]
    ) -> bytes:
        every = self._headers | headers
        reason = ""
        for failed in range(self._patience.attempts):
            try:
                answer = await self.http.request(method, path, params=params, content=content, headers=every)
            except httpx2.TransportError as error:
                reason = type(error).__name__
                await self.wait(failed)
                continue
            if answer.status_code < _WRONG:
                return answer.content
            problem = problem_of(answer.status_code, answer.content)
            if answer.status_code not in _AGAIN and problem.code != _BUSY:
                raise problem
            reason = str(problem)
            await self.wait(failed, answer.headers.get("retry-after"))
        tried = f"{self._patience.attempts} attempts"
        raise Unreachable(f"{method} {path} has no answer after {tried} ({reason}); is the service up?")

    def _new_key(self, path: str, content: bytes) -> str:
        self._calls += 1
        # Nothing here may draw lots: who calls, since when and for how manieth time tells calls apart as well.
        since = str(asyncio.get_running_loop().time())
        return digest(socket.gethostname(), str(os.getpid()), str(id(self)), since, str(self._calls), path, content)


def problem_of(status: int, content: bytes) -> Problem:
    """Return what the service said, from problem+json or whatever else stands there."""
    try:
        said = msgspec.json.decode(content, type=_Said)
    except NOT_READ:
        said = _Said()
    code = said.type.rpartition(":")[2] or str(status)
    return Problem(status, code, said.detail or f"the service answered {status}; is this its address?")


def decoded(content: bytes, kind: Any) -> Any:
    """Return an answer as a value of this kind.

    Raises:
        Unreachable: it is none: somebody else answers at this address.
    """
    try:
        return msgspec.json.decode(content, type=kind)
    except NOT_READ as error:
        raise Unreachable(f"this is no answer of the service ({error}); is this its address?") from None
