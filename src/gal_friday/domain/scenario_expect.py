"""What a scenario expects: the lines that begin with ``expect``, as values. Nothing is judged here."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.cause import Cause
from gal_friday.domain.finding import DiscrepancyType
from gal_friday.domain.records import Kind
from gal_friday.domain.scenario_words import Words
from gal_friday.domain.verdict import Verdict

_RECORDS = {
    "order": Kind.ORDERS,
    "fill": Kind.FILLS,
    "movement": Kind.MOVEMENTS,
    "hold": Kind.HOLDS,
    "position": Kind.POSITIONS,
    "source": Kind.SOURCES,
}
_STATES = ("agrees", "excess", "shortfall", "pending", "cannot")
_CAUSES = tuple(cause.value for cause in Cause)


class Line(Struct, frozen=True):
    """Where an expectation stands, for messages."""

    number: int
    text: str


class AmountKey(Struct, frozen=True):
    """A balance (asset and wallet) or a position (instrument)."""

    kind: Kind
    name: str
    part: str = ""
    """The wallet; empty for a position, whatever part of it differs."""


class ExpectedAmount(Struct, frozen=True):
    """An amount differs, and this is the bridge from the book to the exchange."""

    line: Line
    key: AmountKey
    difference: Decimal
    ids: tuple[str, ...]
    """Records or events that the items rest on; empty for none."""
    residual: Decimal
    causes: tuple[Cause, ...] = ()
    """Of the items, in any order; empty where the scenario does not say."""


class ExpectedState(Struct, frozen=True):
    """An amount agrees, or cannot be judged."""

    line: Line
    key: AmountKey
    state: Literal["agrees", "pending", "cannot tell"]


class ExpectedRecord(Struct, frozen=True):
    """A record differs, in this way, for this reason."""

    line: Line
    kind: Kind
    name: str
    type: DiscrepancyType
    cause: Cause | None = None


class ExpectedVerdict(Struct, frozen=True):
    """What the comparison as a whole comes to."""

    line: Line
    verdict: Verdict


class ExpectedTie(Struct, frozen=True):
    """Something can be explained in more than one way, and the answer says so."""

    line: Line


Expectation = ExpectedAmount | ExpectedState | ExpectedRecord | ExpectedVerdict | ExpectedTie


def read_expectation(words: Words) -> Expectation:
    """Return the expectation in a line of which the first word has been taken.

    Raises:
        MalformedScenario: a word that nobody knows in its place.
    """
    line = Line(words.line, words.text)
    if words.takes("tie"):
        return ExpectedTie(line)
    if words.takes("verdict"):
        return ExpectedVerdict(line, Verdict(words.one_of("a verdict", tuple(Verdict))))
    if words.peek() in _RECORDS:
        return _record(line, words)
    return _amount(line, _key(words), words)


def _record(line: Line, words: Words) -> ExpectedRecord:
    kind, name = _RECORDS[words.next()], words.next("an id, or an asset or instrument")
    kind_of = DiscrepancyType(words.one_of("a type of discrepancy", tuple(DiscrepancyType)))
    because = _because(words)
    return ExpectedRecord(line, kind, name, kind_of, because[0] if because else None)


def _key(words: Words) -> AmountKey:
    if "/" in words.peek():
        return AmountKey(Kind.POSITIONS, words.next())
    asset, wallet = words.holding()
    return AmountKey(Kind.BALANCES, asset, wallet)


def _amount(line: Line, key: AmountKey, words: Words) -> Expectation:
    state = words.one_of("what is expected of it", _STATES)
    match state:
        case "agrees" | "pending":
            return ExpectedState(line, key, state)
        case "cannot":
            words.expects("tell", "tell")
            return ExpectedState(line, key, "cannot tell")
        case _:
            return _difference(line, key, state, words)


def _difference(line: Line, key: AmountKey, state: str, words: Words) -> ExpectedAmount:
    size = words.amount("by how much")
    words.expects("=", "= and what explains it")
    ids: list[str] = []
    while words.peek() not in ("residual", ""):
        ids.append(words.next())
    words.expects("residual", "residual and what is left")
    left = words.amount("what is left")
    difference = size if state == "excess" else quantity.negate(size)
    return ExpectedAmount(line, key, difference, _named(ids), left, _because(words))


def _named(ids: list[str]) -> tuple[str, ...]:
    return () if ids == ["nothing"] else tuple(word.rstrip(",") for word in ids)


def _because(words: Words) -> tuple[Cause, ...]:
    if not words.takes("because"):
        return ()
    causes = []
    while words.peek():
        word = words.next()
        if word.rstrip(",") not in _CAUSES:
            words.put_back(word)
            raise words.refused(f"a cause ({', '.join(_CAUSES)})")
        causes.append(Cause(word.rstrip(",")))
    if not causes:
        raise words.refused(f"a cause ({', '.join(_CAUSES)})")
    return tuple(causes)
