"""One POST to one receiver: a deadline for all of it, a bound on the answer, no redirects, no cookies, no second try.

The status decides: a receiver that answers 2xx has taken it, whatever becomes of the rest of its answer, so that one
that hangs or breaks off there does not get the same message again and again. A redirect is refused, wherever it leads:
what is signed for one receiver is for no other. Addresses come from the configuration alone, never from data, and so
may be private ones: most receivers are.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlsplit

import httpx2

from gal_friday.ports.alerts import Undelivered
from gal_friday.ports.clock import Clock

ANSWER_MAX = 64 * 1024
_REST_SECONDS = 1.0
"""For the rest of an answer, read so that the connection can be used again."""
_REDIRECT, _WRONG = 300, 400
_HEADERS = {"User-Agent": "gal-friday", "Accept-Encoding": "identity"}


class Poster:
    """Connections to one receiver, kept open between notices."""

    def __init__(self, name: str, url: str, clock: Clock, *, seconds: float = 10.0) -> None:
        """Keep the address; it may hold a secret, and is never shown. Nothing is opened yet."""
        self._name, self._url, self._clock, self._seconds = name, url, clock, seconds
        self._client: httpx2.AsyncClient | None = None

    async def post(self, body: bytes, headers: Mapping[str, str], *, path: str = "") -> None:
        """Return when the receiver has taken it.

        Raises:
            Undelivered: it did not take it, or nobody knows.
        """
        every = {"Content-Type": "application/json", **headers}
        try:
            async with asyncio.timeout(self._seconds):
                request = self._opened().build_request("POST", self._url + path, content=body, headers=every)
                answer = await self._opened().send(request, stream=True)
        except TimeoutError:
            raise Undelivered(f"{self._place} did not answer within {self._seconds:g} seconds") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            # None of the cause: it may quote the address.
            raise Undelivered(f"{self._place} was not reached ({type(error).__name__})") from None
        await self._read(answer)
        if answer.status_code >= _REDIRECT:
            raise self._refused(answer)

    def _opened(self) -> httpx2.AsyncClient:
        if self._client is None:
            timeout, none = httpx2.Timeout(self._seconds), CookieJar(DefaultCookiePolicy(allowed_domains=()))
            self._client = httpx2.AsyncClient(timeout=timeout, follow_redirects=False, headers=_HEADERS, cookies=none)
        return self._client

    @property
    def _place(self) -> str:
        return f"{self._name} ({urlsplit(self._url).hostname or 'no host'})"

    async def _read(self, answer: httpx2.Response) -> None:
        """Read what else it says, within bounds; nothing here depends on it."""
        read = 0
        with suppress(httpx2.HTTPError, httpx2.StreamError, TimeoutError):
            async with asyncio.timeout(_REST_SECONDS):
                async for part in answer.aiter_raw():
                    read += len(part)
                    if read > ANSWER_MAX:
                        break
        with suppress(httpx2.HTTPError):
            await answer.aclose()

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
        except (ValueError, OverflowError):
            return None
        then = then if then.tzinfo is not None else then.replace(tzinfo=UTC)
        return max((then - self._clock.now()).total_seconds(), 0.0)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None
