"""Each call as a step, under the name of its route: an address with an id in it would be a name of its own."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gal_friday.ports.steps import Steps


class Stepped:
    """Stands before the application. What a caller says of a trace of theirs is not taken: anybody may call."""

    def __init__(self, app: ASGIApp, *, steps: Steps) -> None:
        """Stand before *app*."""
        self._app, self._steps = app, steps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, as a step."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._steps("call", method=scope["method"]) as step:

            async def noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    step.note(status=message["status"], route=getattr(scope.get("route"), "path_format", ""))
                await send(message)

            await self._app(scope, receive, noted)
