"""Everything that one run was told, kept so that its report can be worked out again (I12).

A ``Tape`` takes it down in the order in which the run heard it; a ``Playing`` says it again in the same order, and
refuses whatever was not recorded. Raw answers are kept as bytes, to be read by the connector once more; they are
recorded above the place where calls are signed, so no key, signature or nonce comes near a tape.
"""

import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec
from msgspec import Struct

from gal_friday.domain.aliases import Aliases
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.plain import NOT_READ
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Kind

Read = TypeVar("Read", datetime, float)

# Pages of JSON shrink to a seventh at the quickest level; slower ones gain little and cost a run its time.
_LEVEL = 1
_FORMAT = 1


class NotRecorded(GalFridayError):
    """Something was asked that the recorded run did not ask: this program goes another way, or a part is missing."""


class DamagedRecording(GalFridayError):
    """A recording is not what was recorded."""

    def __init__(self, place: str, expected: str, found: str) -> None:
        """Name the place, the digest that was recorded, and the one that is found."""
        super().__init__(f"{place} is not what was recorded: digest {found}, recorded was {expected}")
        self.place, self.expected, self.found = place, expected, found


class Failure(Struct, frozen=True):
    """A failure of the world, as the run was told of it."""

    kind: str
    """The name of the error."""
    words: str


class Call(Struct, frozen=True, kw_only=True):
    """One call to the exchange: what was asked, and how many bytes of which digest came back."""

    endpoint: str
    params: dict[str, str]
    size: int = 0
    digest: str = ""
    failure: Failure | None = None


class Heard(Struct, frozen=True, kw_only=True):
    """What anybody but the exchange said: the book, the database, a source of prices."""

    asked: str
    """Who was asked for what."""
    said: bytes = b""
    failure: Failure | None = None


class Repairs(Struct, frozen=True):
    """What a run was allowed to do about what differs."""

    mode: str
    adjustments: bool
    """Whether the book can be written to from here."""
    desk: bool
    """Whether people can decide about discrepancies here."""


class Conditions(Struct, frozen=True, kw_only=True):
    """What a run was begun with."""

    program: str
    """The version of this program."""
    account: str
    exchange: str
    since: datetime
    only: tuple[Kind, ...]
    policy: Policy
    aliases: Aliases
    allow_trading_key: bool = False
    prices: tuple[str, ...] = ()
    """The names of the configured sources of prices, in the order in which they were asked."""
    repairs: Repairs | None = None
    """None where nothing was decided."""


class Recording(Struct, frozen=True, kw_only=True):
    """Everything that one run was told."""

    conditions: Conditions
    instants: tuple[datetime, ...]
    """What the clock said, reading by reading."""
    seconds: tuple[float, ...]
    """What the clock for durations said."""
    calls: tuple[Call, ...]
    heard: tuple[Heard, ...]
    gone: bytes = b""
    """Names that the exchange had listed once and listed no more, as its connector writes them."""
    format: int = _FORMAT


class Packed(Struct, frozen=True, kw_only=True):
    """A recording as it is kept."""

    story: bytes
    answers: bytes
    """The raw answers one behind the other, compressed."""
    digest: str
    size: int
    """Bytes of the raw answers before they were compressed."""


class Kept(Struct, frozen=True, kw_only=True):
    """What is known of a recording for ever, whether or not it is still there."""

    reconciliation_id: str
    account: str
    at: datetime
    program: str
    digest: str
    size: int
    kept_size: int


def kept_of(reconciliation_id: str, packed: Packed, conditions: Conditions, at: datetime) -> Kept:
    """Return what stays known of this recording."""
    return Kept(
        reconciliation_id=reconciliation_id,
        account=conditions.account,
        at=at,
        program=conditions.program,
        digest=packed.digest,
        size=packed.size,
        kept_size=len(packed.story) + len(packed.answers),
    )


class Recordings(Protocol):
    """Keeps recordings for as long as the settings say. What was kept is never changed, only forgotten."""

    async def keep(self, reconciliation_id: str, packed: Packed, conditions: Conditions, *, at: datetime) -> None:
        """Keep the recording of a recorded report; doing it again changes nothing.

        Raises:
            StoreFailed: nothing was written.
        """
        ...

    async def about(self, reconciliation_id: str) -> Kept | None:
        """Return what is known of a report's recording; None where none was ever kept."""
        ...

    async def content(self, reconciliation_id: str) -> Packed | None:
        """Return the recording itself; None where there is none, or none any more."""
        ...

    async def forget(self, before: datetime) -> int:
        """Remove the content of every recording made before this instant; return how many there were."""
        ...


class Tape:
    """Takes down what a run is told, in the order in which it hears it."""

    def __init__(self) -> None:
        """Begin empty."""
        self.gone = b""
        self._instants: list[datetime] = []
        self._seconds: list[float] = []
        self._calls: list[Call] = []
        self._heard: list[Heard] = []
        self._press = zlib.compressobj(_LEVEL)
        self._pressed: list[bytes] = []
        self._size = 0

    def instant(self, at: datetime) -> datetime:
        """Take down what the clock said, and return it."""
        self._instants.append(at)
        return at

    def second(self, at: float) -> float:
        """Take down what the clock for durations said, and return it."""
        self._seconds.append(at)
        return at

    def answer(self, endpoint: str, params: Mapping[str, str], body: bytes) -> None:
        """Take down a call and the raw answer that was used."""
        digest = hashlib.sha256(body).hexdigest()
        self._calls.append(Call(endpoint=endpoint, params=dict(params), size=len(body), digest=digest))
        self._pressed.append(self._press.compress(body))
        self._size += len(body)

    def no_answer(self, endpoint: str, params: Mapping[str, str], failure: Exception) -> None:
        """Take down a call that gave nothing, and what was said about it."""
        self._calls.append(Call(endpoint=endpoint, params=dict(params), failure=_told(failure)))

    def hear(self, asked: str, said: bytes) -> None:
        """Take down what anybody else said."""
        self._heard.append(Heard(asked=asked, said=said))

    def hear_failure(self, asked: str, failure: Exception) -> None:
        """Take down that somebody else could not say it."""
        self._heard.append(Heard(asked=asked, failure=_told(failure)))

    def packed(self, conditions: Conditions) -> Packed:
        """Return all of it as it is kept. The tape ends here."""
        recording = Recording(
            conditions=conditions,
            instants=tuple(self._instants),
            seconds=tuple(self._seconds),
            calls=tuple(self._calls),
            heard=tuple(self._heard),
            gone=self.gone,
        )
        story = zlib.compress(msgspec.msgpack.encode(recording), _LEVEL)
        answers = b"".join((*self._pressed, self._press.flush()))
        return Packed(story=story, answers=answers, digest=digest_of(story, answers), size=self._size)


def digest_of(story: bytes, answers: bytes) -> str:
    """Return what a recording as a whole is known by: SHA-256 over both its parts, each with its length."""
    whole = hashlib.sha256()
    for part in (story, answers):
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)
    return whole.hexdigest()


def unpacked(packed: Packed) -> tuple[Recording, tuple[bytes, ...]]:
    """Return the recording and its raw answers, each with the digest that was recorded.

    Raises:
        DamagedRecording: names the first answer that is another one, or the whole.
    """
    found = digest_of(packed.story, packed.answers)
    try:
        recording = msgspec.msgpack.decode(zlib.decompress(packed.story), type=Recording)
        bodies = tuple(_cut(zlib.decompress(packed.answers), recording.calls))
    except (zlib.error, *NOT_READ):
        raise DamagedRecording("recording", packed.digest, found) from None
    for number, (call, body) in enumerate(zip(recording.calls, bodies, strict=True)):
        actual = hashlib.sha256(body).hexdigest()
        if call.failure is None and actual != call.digest:
            raise DamagedRecording(f"recording.calls[{number}] ({call.endpoint})", call.digest, actual)
    if found != packed.digest:
        raise DamagedRecording("recording", packed.digest, found)
    return recording, bodies


def _cut(answers: bytes, calls: Sequence[Call]) -> Iterator[bytes]:
    at = 0
    for call in calls:
        yield answers[at : at + call.size]
        at += call.size


def _told(failure: Exception) -> Failure:
    return Failure(type(failure).__name__, str(failure))


class Playing:
    """Says again what a run was told, strictly in order."""

    def __init__(self, recording: Recording, bodies: Sequence[bytes]) -> None:
        """Begin at the beginning."""
        self.conditions, self.gone = recording.conditions, recording.gone
        self._instants, self._seconds = list(reversed(recording.instants)), list(reversed(recording.seconds))
        self._calls = list(zip(recording.calls, bodies, strict=True))
        self._heard = recording.heard
        self._called = self._listened = 0
        self._ended: set[int] = set()
        self.missed: NotRecorded | None = None
        """The first that was asked and not recorded. Who asked may have gone on without it."""

    def instant(self) -> datetime:
        """Return what the clock said next; it stands still where the run read it no more."""
        return self._read(self._instants, "the clock was read more often than recorded")

    def second(self) -> float:
        """Return what the clock for durations said next."""
        return self._read(self._seconds, "the clock for durations was read more often than recorded")

    def call(self, endpoint: str, params: Mapping[str, str]) -> bytes | Failure:
        """Return the raw answer to this call, or what was said instead.

        Raises:
            NotRecorded: another call was made at this place, or none.
        """
        if self._called == len(self._calls):
            raise self._miss(f"{_spoken(endpoint, params)} was not recorded: there were {self._called} calls")
        call, body = self._calls[self._called]
        if (call.endpoint, call.params) != (endpoint, dict(params)):
            instead = _spoken(call.endpoint, call.params)
            raise self._miss(f"{_spoken(endpoint, params)} was not recorded: call {self._called} was {instead}")
        self._called += 1
        return body if call.failure is None else call.failure

    def hear(self, asked: str) -> bytes | Failure:
        """Return what was said to this.

        Raises:
            NotRecorded: something else was asked at this place, or nothing.
        """
        if self._listened == len(self._heard):
            raise self._miss(f"{asked} was not recorded: it was asked for later than everything else")
        heard = self._heard[self._listened]
        if heard.asked != asked:
            raise self._miss(f"{asked} was not recorded: {heard.asked} was asked for there")
        self._listened += 1
        return heard.said if heard.failure is None else heard.failure

    def _read(self, left: list[Read], missing: str) -> Read:
        if len(left) > 1:
            return left.pop()
        if not left:
            raise self._miss(missing)
        # The last one is kept: a program that goes on for longer than the recorded run is then read to its end.
        if self._ended & {id(left)}:
            self._miss(missing)
        self._ended.add(id(left))
        return left[0]

    def _miss(self, what: str) -> NotRecorded:
        missed = NotRecorded(what)
        self.missed = self.missed or missed
        return missed


def _spoken(endpoint: str, params: Mapping[str, str]) -> str:
    asked = "&".join(f"{name}={value}" for name, value in params.items())
    return f"{endpoint}?{asked}" if asked else endpoint
