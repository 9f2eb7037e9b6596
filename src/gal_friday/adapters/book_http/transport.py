"""One HTTP exchange with whoever keeps a book: deadlines, a bounded answer, no redirects, no cookies, no second try.

The token goes to the one address that was configured and nowhere else, and stands in nothing that is raised.
"""

import asyncio
from urllib.parse import urlsplit

import httpx2
from msgspec import Struct

USER_AGENT = "gal-friday"


class UnusableAddress(ValueError):
    """What was configured can carry no token: the address, or the token itself; the message says which and why."""


class Unreachable(Exception):
    """No connection came about: nothing was sent."""


class NothingBack(Exception):
    """Something may have been sent, and nothing whole came back."""


class Deadlines(Struct, frozen=True):
    """The longest time, in seconds, that each part of one call may take."""

    total: float = 10.0
    connect: float = 5.0


class Returned(Struct, frozen=True):
    """What came back, whole."""

    status: int
    body: bytes


class Transport:
    """Connections to one host, with one token."""

    def __init__(self, url: str, token: str | None, *, deadlines: Deadlines) -> None:
        """Keep both.

        Raises:
            UnusableAddress: the address would carry the token over an open line, or holds more than it should.
        """
        self.url = checked(url)
        self._deadlines = deadlines
        self._http: httpx2.AsyncHTTPTransport | None = None
        self._headers = {"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "identity"}
        if token is not None:
            if not (token.isascii() and token.isprintable()) or " " in token:
                raise UnusableAddress("the token holds characters that no header can carry; make one of plain letters")
            self._headers["Authorization"] = f"Bearer {token}"
        self._token = token

    async def exchange(
        self, method: str, path: str, *, most: int, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> Returned:
        """Send one request, and return the whole answer, of at most so many bytes.

        Raises:
            Unreachable: nothing was sent.
            NothingBack: nobody knows whether it arrived.
        """
        limits = self._deadlines
        timeout = {"connect": limits.connect, "read": limits.total, "write": limits.total, "pool": limits.connect}
        request = httpx2.Request(
            method,
            f"{self.url}{path}",
            headers={**self._headers, **(headers or {})},
            content=body,
            extensions={"timeout": timeout},
        )
        try:
            async with asyncio.timeout(limits.total):
                return await self._sent(request, most)
        except TimeoutError:
            raise NothingBack(f"no answer within {limits.total:.3g} s") from None
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
            raise Unreachable("no connection could be made; check that it runs, and the network") from None
        except (httpx2.HTTPError, httpx2.StreamError, OSError) as error:
            raise NothingBack(f"the connection broke off ({type(error).__name__})") from None

    async def close(self) -> None:
        """Close the connections."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    def hidden(self, text: str) -> str:
        """Return a foreign text without the token in it, in case the other side repeats it."""
        return text.replace(self._token, "…") if self._token else text

    async def _sent(self, request: httpx2.Request, most: int) -> Returned:
        if self._http is None:
            # The transport beneath httpx2's client: it knows no cookies, no redirects, no .netrc and no proxies.
            self._http = httpx2.AsyncHTTPTransport(limits=httpx2.Limits(max_connections=2, keepalive_expiry=5.0))
        response = await self._http.handle_async_request(request)
        try:
            parts, size = [], 0
            async for part in response.aiter_bytes():
                size += len(part)
                if size > most:
                    raise NothingBack(f"the answer has more than {most} bytes")
                parts.append(part)
            return Returned(response.status_code, b"".join(parts))
        finally:
            await response.aclose()


def checked(url: str) -> str:
    """Return the address as it is called, without a slash at its end.

    Raises:
        UnusableAddress: it is none that may carry a token.
    """
    try:
        parts, read = urlsplit(url), httpx2.URL(url)
        host, scheme, _ = read.host, read.scheme, parts.port
    except (ValueError, httpx2.InvalidURL):
        raise UnusableAddress("the url cannot be read; write one such as https://bot.example/adjustments") from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UnusableAddress("the url holds more than scheme, host, port and path; take the rest out")
    local = host in {"127.0.0.1", "::1", "localhost"}
    if not host or scheme not in {"http", "https"} or (scheme == "http" and not local):
        raise UnusableAddress("only https, or http on this machine, may carry a token")
    return url.rstrip("/")
