"""The network between the service and the simulated exchange: it takes time, and breaks in every way it can."""

from collections.abc import Callable
from random import Random

import httpx2

from gal_friday.adapters.simulated.answer import Answer, Ending, HttpRequest
from gal_friday.adapters.simulated.service import Service
from gal_friday.ports.clock import Clock

_LATENCIES = (0.03, 0.05, 0.05, 0.08, 0.3)

_STALE = ("page_repeated", "stale_balance", "unknown_enum")
"""Faults by which an answer is untrue, and no answer of itself tells so."""
_WRONG_TIME = ("clock_offset", "Time")
"""By a time that is untrue, what has just happened looks as old as what should have been seen."""


class Wire(httpx2.AsyncBaseTransport):
    """Carries requests to the exchange in this process, on the time of its clock."""

    def __init__(
        self, service: Service, chance: Random, clock: Clock, *, answered: Callable[[], object] = lambda: None
    ) -> None:
        """Carry to *service*; how long it takes is drawn from *chance*, and *answered* hears of every answer made."""
        self._when_answered = answered
        self.stale_at = clock.now()
        """When an untrue answer was given last: an old one in place of the new one, or a wrong time."""
        self._service, self._chance, self._clock = service, chance, clock

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Carry one request there and its answer back."""
        asked = HttpRequest(
            request.method,
            request.url.path,
            request.url.query.decode(),
            {name.lower(): value for name, value in request.headers.items()},
            await request.aread(),
        )
        await self._clock.sleep(self._chance.choice(_LATENCIES))
        refused = self._service.enter(asked)
        if refused is not None:
            return _response(refused)
        try:
            answer = self._answered(asked)
            await self._clock.sleep(answer.delay + self._chance.choice(_LATENCIES))
        finally:
            self._service.leave(asked)
        match answer.ending:
            case Ending.COMPLETE:
                return _response(answer)
            case Ending.NEVER:
                await self._clock.sleep(float(request.extensions.get("timeout", {}).get("read") or 30))
                raise httpx2.ReadTimeout("no answer came", request=request)
            case Ending.RESET:
                raise httpx2.ReadError("the connection was reset", request=request)
            case Ending.CUT:
                raise httpx2.RemoteProtocolError("the connection closed in the middle of the body", request=request)

    def _answered(self, asked: HttpRequest) -> Answer:
        fired = self._service.faults.fired
        before = len(fired)
        answer = self._service.answer(asked)
        self._when_answered()
        if any(one[0] in _STALE or one == _WRONG_TIME for one in fired[before:]):
            self.stale_at = self._clock.now()
        return answer


def _response(answer: Answer) -> httpx2.Response:
    headers = [("content-type", answer.content_type), *answer.headers]
    return httpx2.Response(answer.status, headers=headers, content=answer.body)
