"""What to do after a call that gave no result: ask again and when, or give up and say why.

A pure table of decisions; the loop that follows them is in ``client.py``. Every wait and every number of
attempts has a bound, and the pauses are spread without chance: by the digits of the call's own nonce.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from msgspec import Struct

from gal_friday.adapters.kraken.endpoints import Endpoint
from gal_friday.adapters.kraken.errors import ErrorClass, Refusal
from gal_friday.adapters.kraken.nonce import LOCKOUT
from gal_friday.adapters.kraken.transport import Answer
from gal_friday.domain.schedule import Obstacle
from gal_friday.ports.errors import (
    ExchangeFailed,
    ExchangeMalformed,
    ExchangeRefused,
    ExchangeUnavailable,
)


class Patience(Struct, frozen=True):
    """How often and how long one call may be tried."""

    attempts: int = 5
    """Calls in all, the first one included."""
    first_pause: float = 0.5
    """Seconds; doubles with each attempt."""
    longest_pause: float = 15.0
    longest_named_wait: float = 120.0
    """A time that the exchange names itself is waited for up to this; later ones go into ``retry_at``."""
    paused_in_all: float = 120.0
    """All pauses of one call together: a time that is named again and again is not waited for again and again."""
    slow: float = 5.0
    """An answer that takes longer is a slow one: Kraken's take less than a second, all pairs two or three."""
    slow_of_one: float = 60.0
    """So long, over all attempts, are slow answers of one endpoint waited for: twice the deadline of one answer."""
    slow_in_all: float = 90.0
    """So long of all endpoints together: with the answers in time, a run against a dripping exchange ends in two
    minutes."""


class NoResult(Struct, frozen=True):
    """Why one attempt gave no result."""

    because: str
    refusal: Refusal | None = None
    """The error list, where the answer had one."""
    retry_after: float | None = None
    """Seconds that the exchange asked to wait."""
    unreadable: bool = False
    """An answer came that was not JSON."""
    blocked: bool = False
    """The front end wants nothing from this address."""


class Again(Struct, frozen=True):
    """Try once more after a pause."""

    pause: float


BLOCKED_PAUSE = timedelta(minutes=10)

_ONCE_MORE = 2
_LONGEST_BELIEVED = 7 * 86400.0  # Seconds: an instant of year 9999 cannot be reckoned with.


def after(
    missed: NoResult, endpoint: Endpoint, *, attempt: int, nonce: int, now: datetime, patience: Patience
) -> Again | ExchangeFailed:
    """Return what to do after attempt number *attempt* (from 1): a pause, or the error to raise."""
    if missed.blocked:
        return ExchangeUnavailable(
            f"Kraken's front end blocks this address ({missed.because}); make no calls for a while, "
            "then check the network with: gal-friday preflight",
            retry_at=now + BLOCKED_PAUSE,
            obstacle=Obstacle.THROTTLED,
        )
    if missed.refusal is None:
        return _after_no_answer(missed, endpoint, attempt, nonce, now, patience)
    return _after_refusal(missed.refusal, endpoint, attempt, nonce, now, patience)


def seconds_of(retry_after: str | None, now: datetime) -> float | None:
    """Return the seconds in a Retry-After header, which may also hold a date; None where it says nothing."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit() and len(text) <= 6:
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError):
        return None
    wait = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(0.0, wait), _LONGEST_BELIEVED)


def not_understood(answer: Answer, now: datetime) -> NoResult:
    """Return what an answer means that is not JSON: front-end pages, cut bodies, status codes."""
    html = "html" in answer.content_type or answer.body[:200].lstrip()[:1] == b"<"
    because = f"HTTP {answer.status}{' with a page instead of data' if html else ', not readable as JSON'}"
    if answer.status == 429:
        wait = seconds_of(answer.retry_after, now)
        return NoResult("HTTP 429: too many requests", retry_after=15.0 if wait is None else wait)
    if answer.status == 403:
        return NoResult(because, blocked=True)
    return NoResult(because, unreadable=answer.status < 500 and not html)


def _after_no_answer(
    missed: NoResult, endpoint: Endpoint, attempt: int, nonce: int, now: datetime, patience: Patience
) -> Again | ExchangeFailed:
    wait = missed.retry_after
    if attempt < patience.attempts and (wait is None or wait <= patience.longest_named_wait):
        return Again(_pause(attempt, nonce, patience) if wait is None else wait)
    text = f"Kraken {endpoint.name}: {missed.because}, tried {attempt} times"
    if missed.unreadable:
        return ExchangeMalformed(f"{text}. Nothing of it was used.")
    return ExchangeUnavailable(
        f"{text}; asking again later is safe",
        retry_at=None if wait is None else now + timedelta(seconds=wait),
    )


def _after_refusal(
    refusal: Refusal, endpoint: Endpoint, attempt: int, nonce: int, now: datetime, patience: Patience
) -> Again | ExchangeFailed:
    said = f"Kraken {endpoint.name}: {refusal.text}"
    more = attempt < patience.attempts
    match refusal.worst:
        case ErrorClass.THROTTLED:
            return _after_throttle(refusal, said, attempt, now, patience)
        case ErrorClass.RETRYABLE | ErrorClass.MARKET_STATE if more:
            return Again(_pause(attempt, nonce, patience))
        case ErrorClass.RATE if more:
            # The counter is taken as full by now; this pause comes on top for the other user of the key.
            return Again(5.0 + _pause(attempt, nonce, patience))
        case ErrorClass.NONCE if attempt < _ONCE_MORE:
            return Again(0.0)
        case _:
            tried = f" (tried {attempt} times)" if attempt > 1 else ""
            return _given_up(refusal.worst, said + tried, endpoint, now)


def _given_up(worst: ErrorClass, said: str, endpoint: Endpoint, now: datetime) -> ExchangeFailed:
    if worst in _WHAT_TO_DO_LATER:
        retry_at = now + LOCKOUT if worst is ErrorClass.LOCKOUT else None
        obstacle = _OBSTACLES.get(worst, Obstacle.OUTAGE)
        return ExchangeUnavailable(f"{said}; {_WHAT_TO_DO_LATER[worst]}", retry_at=retry_at, obstacle=obstacle)
    if worst is ErrorClass.WARNING:
        return ExchangeMalformed(f"{said}: a warning without a result. Nothing of it was used.")
    if worst is ErrorClass.PERMISSION:
        return ExchangeRefused(f"{said}; give the key the right {endpoint.right or 'to ask this'!r}")
    if worst is ErrorClass.AUTH:
        return ExchangeRefused(f"{said}; check key, secret and second factor. They are not used again.")
    return ExchangeRefused(f"{said}; asking again will not help")


_OBSTACLES = {ErrorClass.RATE: Obstacle.THROTTLED, ErrorClass.LOCKOUT: Obstacle.LOCKOUT}

_WHAT_TO_DO_LATER = {
    ErrorClass.RETRYABLE: "asking again later is safe",
    ErrorClass.MARKET_STATE: "asking again later is safe",
    ErrorClass.RATE: "check the tier setting, and that no other program uses this key",
    ErrorClass.NONCE: (
        "another program uses this key, or once used it with larger nonces: make a key of its own for this service"
    ),
    ErrorClass.LOCKOUT: (
        "no call is made with this key for fifteen minutes. Check that key and secret belong together, "
        "and that no other program uses them"
    ),
}


def _after_throttle(
    refusal: Refusal, said: str, attempt: int, now: datetime, patience: Patience
) -> Again | ExchangeFailed:
    wait = patience.longest_pause if refusal.until is None else refusal.until - now.timestamp()
    if attempt < patience.attempts and wait <= patience.longest_named_wait:
        return Again(max(wait, patience.first_pause))
    return ExchangeUnavailable(
        f"{said}; asking again later is safe",
        retry_at=now + timedelta(seconds=max(0.0, wait)),
        obstacle=Obstacle.THROTTLED,
    )


def _pause(attempt: int, nonce: int, patience: Patience) -> float:
    # Two services that failed together must not come back together; three digits of the nonce spread them.
    spread = 0.5 + (nonce // 1000 % 1000) / 1000
    return min(patience.longest_pause, patience.first_pause * 2.0 ** (attempt - 1)) * spread
