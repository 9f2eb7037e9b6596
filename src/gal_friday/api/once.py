"""Every POST can be sent again: under the same Idempotency-Key it gets the first answer, and nothing is done twice.

Only what succeeded is kept; what was refused may be asked again under its key. A key is the caller's own, and good for
one call: with another address or body it is refused.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from typing import Annotated

from fastapi import Header, Request, Response

from gal_friday.api.backend import Backend
from gal_friday.api.problem import Problem
from gal_friday.flows.door import Caller
from gal_friday.ports.answers import Asked, Claimed, Free, Given, OtherCall, UnderWay
from gal_friday.ports.errors import StoreFailed

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[!-~]+$",
        description="Any text of your own without blanks: the same call under the same key is done once.",
    ),
]
_DONE = 300
_TIDIED_EVERY = 500
_TAKEN_MAX = 10_000
REPLAYED = "Idempotency-Replayed"


async def once(
    request: Request, backend: Backend, who: Caller, key: str | None, work: Callable[[], Awaitable[Response]]
) -> Response:
    """Return what *work* answers, or the first answer that was given under this key.

    Raises:
        Problem: 409 while the first call is under way, 422 where the key was used for another call.
    """
    if key is None:
        return await work()
    now, limits = backend.clock.now(), backend.limits
    asked = Asked(caller=f"{who.by}:{who.credential}", key=key, what=await _what(request), at=now)
    stale, forgotten = now - limits.answer_due, now - limits.answers_kept
    taken = _taken(request)
    if (before := taken.get((asked.caller, key))) is not None:
        await _given_back(backend, before, taken)
    match await _claimed(backend, asked, stale, forgotten, taken):
        case Given(status, content, media_type):
            return Response(content, status, {REPLAYED: "true", "Cache-Control": "no-store"}, media_type)
        case OtherCall():
            detail = "this Idempotency-Key was used for another call; take a new one for every call"
            raise Problem(422, "key-used", "Key used before", detail)
        case UnderWay():
            detail = "the first call under this Idempotency-Key has no answer yet; ask again in a moment"
            raise Problem(409, "key-busy", "Still under way", detail, headers={"Retry-After": "1"})
        case Free():
            answer = await _first(backend, asked, work, taken)
            await _tidied(request, backend, forgotten)
            return answer


_Taken = dict[tuple[str, str], Asked]


def _taken(request: Request) -> _Taken:
    """Return the keys of calls that came to nothing and that could not be given back: the next call tries again."""
    state = request.app.state
    if not hasattr(state, "taken_keys"):
        state.taken_keys = {}
    taken: _Taken = state.taken_keys
    return taken


async def _claimed(backend: Backend, asked: Asked, stale: datetime, forgotten: datetime, taken: _Taken) -> Claimed:
    try:
        return await backend.answers.claim(asked, stale_before=stale, forgotten_before=forgotten)
    except StoreFailed:
        # It may have been taken although the answer was lost, and whoever calls again would wait for nobody.
        await _given_back(backend, asked, taken)
        raise


async def _first(backend: Backend, asked: Asked, work: Callable[[], Awaitable[Response]], taken: _Taken) -> Response:
    try:
        answer = await work()
        if answer.status_code < _DONE:
            given = Given(answer.status_code, bytes(answer.body), answer.media_type or "")
            await backend.answers.keep(asked, given)
            return answer
    except BaseException:
        await _given_back(backend, asked, taken)
        raise
    await _given_back(backend, asked, taken)
    return answer


async def _tidied(request: Request, backend: Backend, forgotten: datetime) -> None:
    """Remove, now and then, what nobody may ask for again."""
    state = request.app.state
    state.kept_answers = getattr(state, "kept_answers", 0) + 1
    if state.kept_answers % _TIDIED_EVERY == 1:
        with suppress(StoreFailed):
            await backend.answers.forget(forgotten)


async def _given_back(backend: Backend, asked: Asked, taken: _Taken) -> None:
    # What went wrong first is what has to be told. An answer that was kept, and nobody heard of it, stays.
    if len(taken) >= _TAKEN_MAX:
        del taken[next(iter(taken))]  # free again after a while
    taken[asked.caller, asked.key] = asked
    with suppress(StoreFailed):
        await backend.answers.release(asked)
        taken.pop((asked.caller, asked.key), None)


async def _what(request: Request) -> str:
    body = sha256(await request.body()).hexdigest()
    return f"{request.method} {request.url.path}?{request.url.query} {body}"
