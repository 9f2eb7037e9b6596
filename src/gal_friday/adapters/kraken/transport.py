"""One HTTP exchange with Kraken: deadlines, a limit on the answer's size, no redirects, no cookies.

It knows nothing of keys or JSON and never tries a second time. Whatever goes wrong on the way becomes
``NoAnswer``; every answer that arrived, good or bad, becomes ``Answer``.
"""

import asyncio
import math
import ssl
from functools import cache
from urllib.parse import urlsplit

import httpx2
from msgspec import Struct

from gal_friday.ports.errors import ExchangeMalformed, ExchangeRefused

USER_AGENT = "gal-friday (read-only reconciliation)"

# A page of 50 rows has about 20 kB, all pairs together about 1 MB.
BODY_MAX = 32 * 1024 * 1024


_HEADERS = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", "Accept": "application/json"}


class Deadlines(Struct, frozen=True):
    """The longest time, in seconds, that each part of one call may take."""

    connect: float = 5.0
    read: float = 20.0
    total: float = 30.0


class NoAnswer(Exception):
    """Nothing usable arrived: no connection, too late, or broken off. Reads can be asked again."""


class Answer(Struct, frozen=True):
    """What came back, whole."""

    status: int
    body: bytes
    content_type: str = ""
    retry_after: str | None = None


class Transport:
    """Connections to one host, kept open between calls."""

    def __init__(
        self,
        base_url: str,
        *,
        deadlines: Deadlines,
        proxy: str | None = None,
        http: httpx2.AsyncBaseTransport | None = None,
        body_max: int = BODY_MAX,
    ) -> None:
        """Refuse a base address that would send the key over an open line."""
        self._base = _checked(base_url)
        self._deadlines = deadlines
        self._proxy = proxy
        self._given = http
        self._http: httpx2.AsyncBaseTransport | None = http
        self._body_max = body_max
        self._urls: dict[str, httpx2.URL] = {}
        self._extensions = {
            "timeout": {
                "connect": deadlines.connect,
                "read": deadlines.read,
                "write": deadlines.read,
                "pool": deadlines.connect,
            }
        }

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str],
        body: str | None = None,
        query: str = "",
        within: float = math.inf,
    ) -> Answer:
        """Send one request and return the whole answer; *within* so many seconds, where the deadline is later.

        Raises:
            NoAnswer: nothing usable arrived in time.
            ExchangeRefused: the answer is a redirect; a key is never sent to another place.
            ExchangeMalformed: the answer is larger than any of Kraken's.
        """
        request = httpx2.Request(
            method,
            self._url(path, query),
            headers={**headers, **_HEADERS},
            content=None if body is None else body.encode(),
            extensions=self._extensions,
        )
        deadline = min(self._deadlines.total, within)
        try:
            async with asyncio.timeout(deadline):
                return await self._send(request)
        except TimeoutError as error:
            raise NoAnswer(f"no answer within {deadline:.3g} s") from error
        except (httpx2.HTTPError, httpx2.StreamError, OSError) as error:
            raise NoAnswer(_without_answer(error)) from error

    async def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        http, self._http = self._http, self._given
        if http is not None and http is not self._given:
            await http.aclose()

    async def _send(self, request: httpx2.Request) -> Answer:
        # The transport beneath httpx2's client: it knows no cookies, no redirects and no .netrc, and it
        # saves a fifth of the time of a call.
        response = await self._open().handle_async_request(request)
        try:
            if 300 <= response.status_code < 400:
                raise ExchangeRefused(
                    f"{self._base} answered with a redirect ({response.status_code}), which is not followed "
                    "because the key would go with it; check url and the network"
                )
            return Answer(
                status=response.status_code,
                body=await self._read(response),
                content_type=response.headers.get("content-type", ""),
                retry_after=response.headers.get("retry-after"),
            )
        finally:
            await response.aclose()

    async def _read(self, response: httpx2.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > self._body_max:
                raise ExchangeMalformed(f"the answer of {self._base} has more than {self._body_max} bytes")
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _url(self, path: str, query: str) -> httpx2.URL:
        if query:
            return httpx2.URL(f"{self._base}{path}?{query}")
        url = self._urls.get(path)
        if url is None:
            url = self._urls[path] = httpx2.URL(self._base + path)
        return url

    def _open(self) -> httpx2.AsyncBaseTransport:
        if self._http is None:
            self._http = httpx2.AsyncHTTPTransport(
                verify=_trusted(), proxy=self._proxy, limits=httpx2.Limits(max_connections=4, keepalive_expiry=60.0)
            )
        return self._http


@cache
def _trusted() -> ssl.SSLContext:
    """Return whom to trust; read once in a process, since reading all certificates takes longer than a call."""
    return httpx2.create_ssl_context()


def _checked(base_url: str) -> str:
    try:
        parts, url = urlsplit(base_url), httpx2.URL(base_url)
    except (ValueError, httpx2.InvalidURL):
        raise ExchangeRefused("the url cannot be read; write one such as https://api.kraken.com") from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ExchangeRefused("the url holds more than scheme, host, port and path; take the rest out")
    local = url.host in {"127.0.0.1", "::1", "localhost"}
    if not url.host or url.scheme not in {"http", "https"} or (url.scheme == "http" and not local):
        raise ExchangeRefused(f"url {base_url!r}: only https, or http on this machine, may carry a key")
    return base_url.rstrip("/")


def _without_answer(error: Exception) -> str:
    """Return in words what went wrong on the way."""
    if isinstance(error, httpx2.ConnectError):
        return "no connection could be made; check the network and the address"
    return f"the connection broke off ({type(error).__name__})"
