"""An adjustment handed over to a book that is kept elsewhere: what is said, what can come back, and what follows.

Whoever keeps that book posts it, or does not. Only an answer that names the adjustment that was asked about settles
anything; whatever else comes back, or nothing, leaves the outcome unknown, and the account stops until it is
answered or seen (I7). Nothing here sends, and nothing is ever handed over under a second id (I9).
"""

from enum import StrEnum
from typing import Any, assert_never

import msgspec
from msgspec import Struct

from gal_friday.domain.adjusted import Step
from gal_friday.domain.adjustment import Adjustment
from gal_friday.domain.plain import NOT_READ, plain

HANDOVER = "gal-friday/handover/1"
"""The format of what is handed over."""
ANSWER = "gal-friday/answer/1"
"""The format of what comes back."""


class Handover(Struct, frozen=True, kw_only=True):
    """One adjustment, as it is handed over."""

    adjustment_id: str
    """The idempotency key: however often it arrives, it is posted once."""
    account: str
    content: str
    """The digest of the postings: one key never stands for two contents."""
    token: int | None = None
    """Of the account's lease: what comes with a smaller one than was seen before is refused."""
    body: bytes
    """What is sent, as it is sent."""


def handover_of(adjustment: Adjustment, *, token: int | None) -> Handover:
    """Return what is said of an adjustment to whoever keeps the book; amounts are text in plain digits."""
    said: dict[str, Any] = {
        "format": HANDOVER,
        "adjustment_id": adjustment.adjustment_id,
        "account": adjustment.account,
        "exchange": adjustment.exchange,
        "type": adjustment.type.value,
        "cause": adjustment.cause,
        "reason": adjustment.reason,
        "content": adjustment.content,
        "postings": adjustment.postings,
        "effects": adjustment.effects,
        "record_ids": adjustment.record_ids,
        "reverses": adjustment.reverses,
        "expected_version": adjustment.book_version,
        "computed_at": adjustment.at,
        "token": token,
    }
    return Handover(
        adjustment_id=adjustment.adjustment_id,
        account=adjustment.account,
        content=adjustment.content,
        token=token,
        body=msgspec.json.encode(plain(said)),
    )


class Took(Struct, frozen=True):
    """It is in the book."""

    version: str | None = None
    """The book's version afterwards, where it has one."""


class TurnedDown(Struct, frozen=True):
    """It is not in the book and will not be, unless it is handed over again."""

    reason: str


class Absent(Struct, frozen=True):
    """Asked for it, the book says that it does not have it."""


class Waits(Struct, frozen=True):
    """It arrived, and the book has not decided about it."""

    reason: str


class Closed(Struct, frozen=True):
    """It had arrived and was never decided about; from now on it is not to be."""


class NotSent(Struct, frozen=True):
    """It certainly did not reach the book: nobody answers there, or this program may not speak there."""

    reason: str
    """With the way out."""


class NoAnswer(Struct, frozen=True):
    """Nothing came back that says what became of it."""

    reason: str


Answer = Took | TurnedDown | Absent | Waits | Closed | NotSent | NoAnswer


class Sighting(StrEnum):
    """What a run saw of everything that an adjustment was made for."""

    AGREES = "agrees"
    """Both sides agree on every key of it."""
    UNCHANGED = "unchanged"
    """The whole difference is still there."""
    UNCLEAR = "unclear"
    """Neither, or it was not looked at since."""


Steps = tuple[tuple[Step, str], ...]
"""Steps in their order, each with what is noted about it."""


def steps_after_sending(answer: Answer) -> Steps:
    """Return what becomes of an adjustment that was just handed over, once this came back."""
    match answer:
        case Took():
            return ((Step.APPLY, "the book says that it took it"),)
        case TurnedDown(reason):
            return ((Step.REFUSE, reason),)
        case NotSent(reason):
            return ((Step.WITHDRAW, f"it did not reach the book: {reason}"),)
        case Absent() | Closed():
            return ((Step.LOSE_SIGHT, "the book, asked at once, did not have it; it may still arrive"),)
        case Waits(reason) | NoAnswer(reason):
            return ((Step.LOSE_SIGHT, reason),)
        case _:
            assert_never(answer)


def steps_after_asking(answer: Answer, sighting: Sighting) -> Steps:
    """Return what becomes of an adjustment of unknown outcome, once the book was asked and a run has looked.

    No step where neither settles it: then it stays as it is.
    """
    match answer:
        case Took():
            return ((Step.APPLY, "asked again, the book says that it has it"),)
        case TurnedDown(reason):
            return ((Step.REFUSE, reason),)
        case Absent():
            return _without_it(sighting)
        case Closed() | NotSent() | NoAnswer() if sighting is Sighting.AGREES:
            # The book did not say; what is seen does (I7).
            seen = "a run saw both sides agree on everything it was made for"
            return ((Step.APPLY, seen), (Step.VERIFY, seen))
        case Closed() | Waits() | NotSent() | NoAnswer():
            return ()
        case _:
            assert_never(answer)


def _without_it(sighting: Sighting) -> Steps:
    if sighting is Sighting.UNCHANGED:
        return ((Step.WITHDRAW, "the book, asked, does not have it, and the whole difference is still seen"),)
    if sighting is Sighting.AGREES:
        withdrawn = "the book, asked, does not have it"
        return ((Step.WITHDRAW, withdrawn), (Step.EXPIRE, "both sides agree without it"))
    return ()


def why(answer: Answer) -> str:
    """Return in words why the outcome is still unknown after this answer."""
    match answer:
        case Waits(reason) | NotSent(reason) | NoAnswer(reason) | TurnedDown(reason):
            return reason
        case Absent():
            return "the book, asked, does not have it, and no run has seen yet that nothing came of it"
        case Took() | Closed():
            return ""
        case _:
            assert_never(answer)


class Told(Struct, frozen=True, kw_only=True):
    """An answer as it arrives: a JSON object. What else stands in it is left alone."""

    format: str
    adjustment_id: str
    outcome: str
    version: str | int | None = None
    reason: str = ""


_REASON_MAX = 500
_TOLD = msgspec.json.Decoder(Told)


def answer_in(body: bytes, adjustment_id: str) -> Answer:
    """Return what an answer says about this adjustment; NoAnswer where it says nothing that counts."""
    try:
        told = _TOLD.decode(body)
    except NOT_READ:
        return NoAnswer("what came back is no answer (docs/handing-over.md shows one)")
    if told.format != ANSWER:
        return NoAnswer("what came back is of another format")
    return answer_told(told, adjustment_id)


def answer_told(told: Told, adjustment_id: str) -> Answer:
    """Return what was told about this adjustment; what is told about another one says nothing about it."""
    if told.adjustment_id != adjustment_id:
        return NoAnswer("what came back is about another adjustment")
    reason = clean(told.reason)
    match told.outcome:
        case "applied":
            return Took(None if told.version is None else clean(str(told.version)))
        case "refused":
            return TurnedDown(reason or "the book refused it and gave no reason")
        case "absent":
            return Absent()
        case "waiting":
            return Waits(reason or "the book has it and has not decided about it yet")
        case _:
            return NoAnswer("what came back has an outcome that nobody knows")  # I15: it stays unknown


def clean(text: str) -> str:
    """Return a foreign text as one printable line of bounded length."""
    line = " ".join(text.split())
    return "".join(each if each.isprintable() else "?" for each in line)[:_REASON_MAX]
