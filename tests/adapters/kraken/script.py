"""A scripted exchange for the connector's tests: it answers what the test wrote down, and nothing else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx2

from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.kraken.client import Client
from gal_friday.adapters.kraken.patience import Patience
from gal_friday.adapters.kraken.signing import Credentials
from gal_friday.adapters.kraken.transport import Deadlines, Transport
from gal_friday.ports.exchange import Progress

KEY = "a-key-that-must-not-be-seen"
SECRET = "a2V5IG1hdGVyaWFsIHRoYXQgbXVzdCBub3QgYmUgc2Vlbg=="

Scripted = httpx2.Response | Exception | Callable[[httpx2.Request], httpx2.Response]


def ok(result: Any, *errors: str) -> httpx2.Response:
    """Return an answer in Kraken's envelope."""
    return httpx2.Response(200, json={"error": list(errors), "result": result})


def refused(*errors: str) -> httpx2.Response:
    """Return an answer that holds only errors."""
    return httpx2.Response(200, json={"error": list(errors)})


def raw(text: str, status: int = 200, **headers: str) -> httpx2.Response:
    """Return an answer with exactly this body."""
    return httpx2.Response(status, content=text.encode(), headers={"content-type": "application/json", **headers})


class Script:
    """Answers in the order given; the last one stays. Remembers what was asked."""

    def __init__(self) -> None:
        self.answers: list[Scripted] = []
        self.requests: list[httpx2.Request] = []
        self.transport = httpx2.MockTransport(self._answer)

    def says(self, *answers: Scripted) -> "Script":
        self.answers = list(answers)
        return self

    def form(self, number: int = -1) -> dict[str, str]:
        """Return the form fields of one request."""
        return dict(parse_qsl(self.requests[number].content.decode()))

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else _fresh(answer)


def _fresh(answer: httpx2.Response) -> httpx2.Response:
    return httpx2.Response(answer.status_code, content=answer.content, headers=answer.headers)


class Connection:
    """A client over a script, on a clock that moves only by waiting."""

    def __init__(self, state_dir: Path | None, tier: str = "starter", **deadlines: float) -> None:
        self.script = Script()
        self.clock = SteppedClock()
        self.client = self.another(state_dir, tier, progress=None, **deadlines)

    def another(
        self, state_dir: Path | None, tier: str = "starter", *, progress: Progress | None = None, **deadlines: float
    ) -> Client:
        """Return one more client of the same key on the same clock."""
        transport = Transport(
            "https://kraken.test", deadlines=Deadlines(**deadlines), http=self.script.transport, body_max=4096
        )
        credentials = Credentials(KEY, SECRET)
        return Client(
            credentials,
            transport,
            self.clock,
            tier=tier,
            state_dir=state_dir,
            patience=Patience(attempts=4),
            progress=progress,
        )

    def waited(self) -> float:
        """Return the seconds that were waited in all."""
        return self.clock.monotonic()


def body_of(result: Any) -> bytes:
    """Return an envelope around a result, as bytes."""
    return json.dumps({"error": [], "result": result}).encode()
