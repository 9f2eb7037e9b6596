"""The one way a call to Kraken is made: allowed, in turn, paid for, signed, tried again within bounds.

A result is returned as it was sent, with the warnings that came with it. Every failure is one of the
errors of ``ports/errors.py``. After a refusal of the key itself this client makes no further call.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct

from gal_friday.adapters.kraken import wire
from gal_friday.adapters.kraken.endpoints import Endpoint, must_be_a_read
from gal_friday.adapters.kraken.errors import ErrorClass, Refusal, refusal
from gal_friday.adapters.kraken.nonce import Turn, turns_of
from gal_friday.adapters.kraken.patience import (
    BLOCKED_PAUSE,
    Again,
    NoResult,
    Patience,
    after,
    not_understood,
)
from gal_friday.adapters.kraken.rate import PUBLIC, Counter, charged, tier_named, wait_for
from gal_friday.adapters.kraken.signing import Credentials
from gal_friday.adapters.kraken.slowness import Slowness
from gal_friday.adapters.kraken.transport import Answer, NoAnswer, Transport
from gal_friday.domain.schedule import Obstacle
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import ExchangeRefused, ExchangeUnavailable
from gal_friday.ports.exchange import Call, Calls, Progress

Params = Mapping[str, str]

_FORM = "application/x-www-form-urlencoded"

_FOR_BUDGET = "seconds of waiting for Kraken's call budget"
_BEFORE_ASKING_AGAIN = "seconds of waiting before Kraken is asked again"
_WORTH_TELLING = 1.0


class Reply(Struct, frozen=True):
    """One good answer."""

    endpoint: str
    result: Any
    """As sent; an empty map where silence means empty; otherwise it is there."""
    body: bytes
    warnings: tuple[str, ...] = ()


class UnknownId(ExchangeRefused):
    """The exchange says that it does not know an id of the request: not that it exists no more (N4)."""


class WrongArguments(ExchangeRefused):
    """The exchange says that the request is wrong: with several ids in it, one of them may be."""


class Client:
    """Calls of one key."""

    def __init__(
        self,
        credentials: Credentials,
        transport: Transport,
        clock: Clock,
        *,
        tier: str = "starter",
        state_dir: Path | None = None,
        patience: Patience | None = None,
        progress: Progress | None = None,
        calls: Calls | None = None,
    ) -> None:
        """Share turn, counter and nonce with every other client of the same key and *state_dir*.

        *progress* is told of waits, in seconds so far: without a word they look like a program that hangs. *calls* is
        told of every call.
        """
        self._credentials = credentials
        self._transport = transport
        self._clock = clock
        self._tier = tier_named(tier)
        self._public_tier = None if self._tier is None else PUBLIC
        self._public = Counter()
        self._turns = turns_of(credentials.fingerprint, state_dir)
        self._patience = patience or Patience()
        self._slowness = Slowness(self._patience)
        self._progress, self._calls = progress, calls
        self._waited: dict[str, float] = {}
        self._took = 0.0
        self._stopped: str | None = None
        self._blocked_until: datetime | None = None

    async def call(self, endpoint: Endpoint, params: Params | None = None) -> Reply:
        """Return the result of one read, asking again where that is safe and may help.

        Raises:
            NotARead: the endpoint is not on the list of reads.
            UnknownId, WrongArguments: an id or another part of the request is not known there.
            ExchangeFailed: as the port says.
        """
        must_be_a_read(endpoint)
        attempt, paused = 0, 0.0
        while True:
            attempt += 1
            self._refuse_if_stopped()
            self._slowness.refuse(endpoint.name, self._clock.now())
            nonce, outcome = await self._attempt(endpoint, params or {})
            self._count(endpoint, outcome)
            if isinstance(outcome, Reply):
                return outcome
            now = self._clock.now()
            step = after(outcome, endpoint, attempt=attempt, nonce=nonce, now=now, patience=self._patience)
            if not isinstance(step, Again):
                self._learn(outcome, str(step), now)
                raise _narrowed(outcome.refusal, step)
            paused += step.pause
            if paused > self._patience.paused_in_all:
                raise _too_long(endpoint, outcome, attempt, now + timedelta(seconds=step.pause))
            self._tell(_BEFORE_ASKING_AGAIN, step.pause)
            await self._clock.sleep(step.pause)

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def _attempt(self, endpoint: Endpoint, params: Params) -> tuple[int, Reply | NoResult]:
        if not endpoint.private:
            return await self._public_attempt(endpoint, params)
        async with self._turns.turn(self._clock, self._tier, endpoint.cost, self._wait_for_budget) as turn:
            outcome = self._understood(endpoint, await self._post(endpoint, params, turn.nonce))
            if isinstance(outcome, NoResult) and outcome.refusal is not None:
                self._tell_the_key(turn, outcome.refusal)
            return turn.nonce, outcome

    async def _public_attempt(self, endpoint: Endpoint, params: Params) -> tuple[int, Reply | NoResult]:
        wait = wait_for(self._public, self._public_tier, endpoint.cost, self._clock.now())
        now = self._clock.now()
        self._public = charged(self._public, self._public_tier, endpoint.cost, now)
        self._wait_for_budget(wait)
        await self._clock.sleep(wait)
        answer = await self._exchange(endpoint, "GET", headers={}, query=urlencode(params))
        return int(now.timestamp() * 1e6), self._understood(endpoint, answer)

    async def _post(self, endpoint: Endpoint, params: Params, nonce: int) -> Answer | NoResult:
        body = urlencode({"nonce": nonce, **params, **self._credentials.second_factor})
        headers = {
            "API-Key": self._credentials.api_key,
            "API-Sign": self._credentials.signature(endpoint.path, nonce, body),
            "Content-Type": _FORM,
        }
        return await self._exchange(endpoint, "POST", headers=headers, body=body)

    async def _exchange(
        self, endpoint: Endpoint, method: str, *, headers: dict[str, str], body: str | None = None, query: str = ""
    ) -> Answer | NoResult:
        began, within = self._clock.monotonic(), self._slowness.seconds_left(endpoint.name)
        try:
            return await self._transport.exchange(
                method, endpoint.path, headers=headers, body=body, query=query, within=within
            )
        except NoAnswer as error:
            return NoResult(str(error))
        finally:
            self._took = self._clock.monotonic() - began
            self._slowness.took(endpoint.name, self._took, self._clock.now())

    def _count(self, endpoint: Endpoint, outcome: Reply | NoResult) -> None:
        if self._calls is None:
            return
        said = "ok" if isinstance(outcome, Reply) else "refused" if outcome.refusal is not None else "no_answer"
        left = self._turns.left(self._tier, self._clock.now()) if endpoint.private else None
        cost = endpoint.cost if endpoint.private else 0.0
        self._calls(Call(endpoint=endpoint.name, outcome=said, seconds=self._took, cost=cost, left=left))

    def _wait_for_budget(self, seconds: float) -> None:
        self._tell(_FOR_BUDGET, seconds)

    def _tell(self, what: str, seconds: float) -> None:
        self._waited[what] = self._waited.get(what, 0.0) + seconds
        # A wait that nobody notices needs no word.
        if self._progress is not None and seconds >= _WORTH_TELLING:
            self._progress(what, round(self._waited[what]), None)

    def _understood(self, endpoint: Endpoint, answer: Answer | NoResult) -> Reply | NoResult:
        if isinstance(answer, NoResult):
            return answer
        now = self._clock.now()
        if answer.status == 429 or answer.status >= 500:
            return not_understood(answer, now)
        try:
            envelope = wire.envelope(answer.body)
        except wire.Unreadable:
            return not_understood(answer, now)
        # What is sent back may quote what was sent: the key stays out of messages, reports and the database.
        refused = refusal([text.replace(self._credentials.api_key, "(key)") for text in envelope.errors])
        if refused is not None and (refused.worst > ErrorClass.MARKET_STATE or envelope.result is wire.MISSING):
            return NoResult(refused.text, refusal=refused)
        if answer.status >= 400:
            return not_understood(answer, now)
        return reply_of(endpoint, envelope.result, answer.body, refused)

    def _tell_the_key(self, turn: Turn, refused: Refusal) -> None:
        if refused.locked:
            turn.lock_out(self._clock.now())
        elif refused.worst is ErrorClass.RATE:
            turn.counter_is_full(self._tier, self._clock.now())

    def _learn(self, missed: NoResult, because: str, now: datetime) -> None:
        if missed.blocked:
            self._blocked_until = now + BLOCKED_PAUSE
        if missed.refusal is not None and missed.refusal.worst is ErrorClass.AUTH:
            self._stopped = because

    def _refuse_if_stopped(self) -> None:
        if self._stopped is not None:
            raise ExchangeRefused(self._stopped)
        if self._blocked_until is not None and self._clock.now() < self._blocked_until:
            raise ExchangeUnavailable(
                "Kraken's front end blocked this address; no call is made for a while",
                retry_at=self._blocked_until,
                obstacle=Obstacle.THROTTLED,
            )


def reply_of(endpoint: Endpoint, result: Any, body: bytes, refused: Refusal | None) -> Reply | NoResult:
    """Return the good answer that these bytes hold, or why they hold none."""
    if result is wire.MISSING:
        if not endpoint.silence_is_empty:
            # N1: history without a result is a failed read, not an empty one.
            return NoResult("an answer without a result", unreadable=True)
        result = {}
    return Reply(endpoint.name, result, body, () if refused is None else refused.texts)


def _too_long(endpoint: Endpoint, missed: NoResult, attempt: int, retry_at: datetime) -> ExchangeUnavailable:
    text = f"Kraken {endpoint.name}: {missed.because}, tried {attempt} times; asking again later is safe"
    return ExchangeUnavailable(text, retry_at=retry_at)


def _narrowed(refused: Refusal | None, error: Exception) -> Exception:
    if refused is not None and refused.worst is ErrorClass.NOT_FOUND:
        return UnknownId(str(error))
    if refused is not None and refused.worst is ErrorClass.PERMANENT:
        return WrongArguments(str(error))
    return error
