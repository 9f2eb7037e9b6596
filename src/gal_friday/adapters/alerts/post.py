"""One POST to one receiver: a deadline for all of it, a bound on the answer, no redirects, no cookies, no second try.

A redirect is refused, wherever it leads: what is signed for one receiver is for no other. Addresses come from the
configuration alone, never from data, and so may be private ones: most receivers are.
"""

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx2

from gal_friday.ports.alerts import Undelivered
from gal_friday.ports.clock import Clock

ANSWER_MAX = 64 * 1024
_REDIRECT, _WRONG = 300, 400
_HEADERS = {"User-Agent": "gal-friday", "Accept-Encoding": "identity"}


class Poster:
    """Connections to one receiver, kept open between notices."""

    def __init__(self, name: str, url: str, clock: Clock, *, seconds: float = 10.0) -> None:
        """Keep the address; it may hold a secret, and is never shown. Nothing is opened yet."""
        self._name, self._url, self._clock, self._seconds = name, url, clock, seconds
        self._client: httpx2.AsyncClient | None = None

    async def post(self, body: bytes, headers: Mapping[str, str], *, path: str = "") -> bytes:
        """Return what the receiver answered.

        Raises:
            Undelivered: it did not take it, or nobody knows.
        """
        if self._client is None:
            timeout = httpx2.Timeout(self._seconds)
            self._client = httpx2.AsyncClient(timeout=timeout, follow_redirects=False, headers=_HEADERS)
        every = {"Content-Type": "application/json", **headers}
        try:
            async with self._client.stream("POST", self._url + path, content=body, headers=every) as answer:
                read = await self._read(answer)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            # None of the cause: it may quote the address.
            raise Undelivered(f"{self._place} was not reached ({type(error).__name__})") from None
        if answer.status_code >= _REDIRECT:
            raise self._refused(answer)
        return read

    @property
    def _place(self) -> str:
        return f"{self._name} ({urlsplit(self._url).hostname or 'no host'})"

    async def _read(self, answer: httpx2.Response) -> bytes:
        read = bytearray()
        async for part in answer.aiter_raw():
            read += part
            if len(read) > ANSWER_MAX:
                break  # What it says beyond that is of no use; the status stands.
        return bytes(read[:ANSWER_MAX])

    def _refused(self, answer: httpx2.Response) -> Undelivered:
        if answer.status_code < _WRONG:
            what = f"answered {answer.status_code}, a redirect, which is not followed; name the address itself"
            return Undelivered(f"{self._place} {what}")
        wait = self._asked_to_wait(answer.headers.get("Retry-After"))
        return Undelivered(f"{self._place} answered {answer.status_code}", retry_after=wait)

    def _asked_to_wait(self, text: str | None) -> float | None:
        if text is None:
            return None
        if text.isascii() and text.isdigit():
            return float(text[:9])
        try:
            then = parsedate_to_datetime(text)
        except ValueError:
            return None
        then = then if then.tzinfo is not None else then.replace(tzinfo=UTC)
        return max((then - self._clock.now()).total_seconds(), 0.0)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None
