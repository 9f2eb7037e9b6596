"""What holds for every call, whoever makes it: under which name, from where, and with which headers it is answered.

A page of another site whose name somebody points at this machine is refused by the name (DNS rebinding). Who asks, and
whether over TLS, is believed from a configured proxy alone. A secret in an address is refused: addresses end in logs. A
character NUL there is refused too: no name has one, and not every database can be asked for it.
"""

import re
from collections.abc import Callable
from urllib.parse import unquote_plus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gal_friday.api.problem import Problem, answer
from gal_friday.api.reception import Front, host_of
from gal_friday.domain.token_text import PATTERN

PROBES = frozenset({"/healthz", "/readyz"})
"""Asked by the address of the machine, and telling nothing that a stranger may not know."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
HSTS = "max-age=31536000"
REQUEST_ID = "X-Request-Id"

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TOKEN = re.compile(PATTERN)
_SECRETS = re.compile(r"(?i)(?:^|&)(?:access_token|api_key|password|secret|token)=")
_HOPS_MAX = 20
_DECODED_MAX = 3  # A token that was escaped more often than this is in nobody's log either.


class Shield:
    """Stands before the application."""

    def __init__(self, app: ASGIApp, *, front: Front, new_id: Callable[[], str]) -> None:
        """Stand before *app*; *new_id* names calls that come without a name."""
        self._app, self._front, self._new_id = app, front, new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, or refuse it; either way with every header."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        self._place(scope, headers)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                dress(MutableHeaders(scope=message), scope)
            await send(message)

        problem = self._refusal(scope, headers)
        await (self._app if problem is None else answer(problem))(scope, receive, with_headers)

    def _place(self, scope: Scope, headers: Headers) -> None:
        """Write down who asks, over what, and under which id."""
        peer = scope["client"][0] if scope.get("client") else ""
        state = scope.setdefault("state", {})
        state["address"] = peer
        if self._front.is_proxy(peer):
            state["address"] = self._forwarded(headers, peer)
            told = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip()
            scope["scheme"] = told if told in {"http", "https"} else scope["scheme"]
        given = headers.get(REQUEST_ID, "")
        state["request_id"] = given if _ID.fullmatch(given) else self._new_id()

    def _forwarded(self, headers: Headers, peer: str) -> str:
        """Return the last address that no proxy of ours has: what stands before it anybody may have written."""
        hops = [hop.strip() for hop in ",".join(headers.getlist("x-forwarded-for")).split(",")[-_HOPS_MAX:]]
        for hop in reversed(hops):
            if hop and not self._front.is_proxy(hop):
                return hop[:64]
        return peer

    def _refusal(self, scope: Scope, headers: Headers) -> Problem | None:
        hosts = headers.getlist("host")
        if scope["path"] not in PROBES and (len(hosts) != 1 or host_of(hosts[0]) not in self._front.hosts):
            detail = "this service does not go by that name; add it to api.allowed_hosts, or set api.public_url"
            return Problem(421, "unknown-host", "Not under this name", detail)
        if _holds_secret(scope["path"], scope.get("query_string", b"").decode("latin-1")):
            detail = "a secret in an address ends in logs: revoke it, and send the next one in a header"
            return Problem(400, "secret-in-address", "A secret in the address", detail)
        if "\0" in scope["path"] or b"%00" in scope.get("query_string", b""):
            return Problem(422, "bad-address", "No such address", "leave out the character NUL (%00): no name has one")
        return None


def _holds_secret(path: str, query: str) -> bool:
    for _ in range(_DECODED_MAX):
        if _TOKEN.search(path) or _TOKEN.search(query) or _SECRETS.search(query):
            return True
        path, query = unquote_plus(path), unquote_plus(query)
    return False


def dress(headers: MutableHeaders, scope: Scope) -> None:
    """Put on what every answer wears; *scope* is that of a call which was placed."""
    for name, value in HEADERS.items():
        headers[name] = value
    headers.setdefault("Cache-Control", "no-store")
    headers[REQUEST_ID] = scope["state"]["request_id"]
    if scope["scheme"] == "https":
        headers["Strict-Transport-Security"] = HSTS
