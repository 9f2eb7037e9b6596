"""How much a call may send: refused as soon as it is known to be too much, before anything of it is read."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gal_friday.api.problem import Problem, answer

FEEDS = "/api/book/"
_SMALL = 100
"""What does not feed the book says what a person has to say: a hundredth."""


class Bounded:
    """Puts a bound on the body of every call."""

    def __init__(self, app: ASGIApp, *, body_bytes: int) -> None:
        """Stand before *app*."""
        self._app, self._most = app, body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, or answer 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._most if scope["path"].startswith(FEEDS) else self._most // _SMALL
        if _stated(scope) > most:
            await answer(_too_large(most))(scope, receive, send)
            return
        so_far = 0

        async def counted() -> Message:
            nonlocal so_far
            message = await receive()
            so_far += len(message.get("body", b""))
            if so_far > most:
                raise _too_large(most)
            return message

        await self._app(scope, counted, send)


def _stated(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 19 else 1 << 62
    return 0


def _too_large(most: int) -> Problem:
    detail = f"a call to this address may send {most} bytes; send the records in parts"
    return Problem(413, "too-large", "The body is too large", detail, headers={"Connection": "close"})
