"""Discrepancies: findings that say the sides differ, named, valued and graded.

One finding gives one discrepancy for each thing that it says differs. The id is derived from content, so
that the same discrepancy is met again in every run.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple, assert_never

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.explanation import Explanation
from gal_friday.domain.finding import (
    AmountMismatch,
    Differs,
    DiscrepancyType,
    ExchangeOnly,
    Finding,
    Inconsistent,
    InternalOnly,
    Key,
    Mismatch,
    Stake,
    TextMismatch,
)
from gal_friday.domain.ids import discrepancy_id
from gal_friday.domain.materiality import (
    Prices,
    Severity,
    more_severe,
    severity_by_share,
    severity_by_value,
    value_of,
)
from gal_friday.domain.policy import Policy
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Side

State = Literal["suspected", "confirmed", "cleared"]


class BalanceDiscrepancy(Struct, frozen=True, kw_only=True, gc=False):
    """A balance or a hold on which the sides differ. Amounts are whole units of *currency*."""

    id: str
    key: str
    currency: str
    wallet: str
    type: DiscrepancyType
    internal: Decimal
    exchange: Decimal
    difference: Decimal
    """exchange − internal: positive is an excess, negative a shortfall."""
    severity: Severity
    value: Decimal | None = None
    """Worth of the difference in the reporting currency, without sign; None without a price."""
    missing_on: Side | None = None
    """The side that does not list the asset at all, and so counts as zero."""
    state: State = "suspected"
    cause: str | None = None
    explanation: str | None = None
    bridge: Explanation | None = None
    """From the internal amount over each item to the exchange's, to the last digit."""
    age_seconds: int | None = None
    """Since it began to be wrong, or was first seen; None where neither tells."""
    occurrences: int = 1
    """In how many runs it was seen, this one included."""


class PositionDiscrepancy(Struct, frozen=True, kw_only=True, gc=False):
    """A margin position on which the sides differ. Quantities are signed: negative is short."""

    id: str
    key: str
    trading_pair: str
    mode: str
    type: DiscrepancyType
    internal: Decimal
    exchange: Decimal
    difference: Decimal
    severity: Severity
    value: Decimal | None = None
    state: State = "suspected"
    cause: str | None = None
    explanation: str | None = None
    bridge: Explanation | None = None
    age_seconds: int | None = None
    occurrences: int = 1


class RecordDiscrepancy(Struct, frozen=True, kw_only=True, gc=False):
    """An order, a fill, a movement or the records of one side on which something differs."""

    id: str
    key: str
    record_id: str
    about: str
    """The instrument or asset."""
    type: DiscrepancyType
    field: str
    internal: str | None = None
    """What the book says, as text; None where it has nothing."""
    exchange: str | None = None
    difference: Decimal | None = None
    side: Side | None = None
    """The side that contradicts itself, where only one is concerned."""
    severity: Severity
    value: Decimal | None = None
    state: State = "suspected"
    cause: str | None = None
    explanation: str | None = None
    age_seconds: int | None = None
    occurrences: int = 1


Discrepancy = BalanceDiscrepancy | PositionDiscrepancy | RecordDiscrepancy


class Why(NamedTuple):
    """Why the sides differ on a key, as far as it is known."""

    cause: str | None = None
    note: str | None = None
    """A sentence for people."""
    bridge: Explanation | None = None
    """Of a balance or position: how its amounts lead from one side to the other."""


NOT_KNOWN = Why()


class Grader(Struct, frozen=True):
    """What is needed to name, value and grade."""

    account: str
    exchange: str
    policy: Policy
    prices: Prices
    now: datetime


def discrepancies_of(finding: Finding, grader: Grader, why: Why = NOT_KNOWN) -> Iterator[Discrepancy]:
    """Yield the discrepancies of one finding; none for those that agree, are pending, or cannot be told."""
    match finding:
        case Differs(key, mismatches, about, at):
            age = _age(grader, at)
            yield from (_of_mismatch(grader, key, mismatch, about, why, age) for mismatch in mismatches)
        case InternalOnly(key, kind, amount, about):
            field, difference = _field_of(key), quantity.negate(amount)
            lack = AmountMismatch(kind, field, amount, ZERO, difference, finding.stake)
            yield _one_sided(grader, finding, lack, "exchange", why)
            age = _age(grader, finding.at)
            yield from (_of_mismatch(grader, key, repeat, about, why, age) for repeat in finding.repeats)
        case ExchangeOnly(key, kind, amount, about):
            lack = AmountMismatch(kind, _field_of(key), ZERO, amount, amount, finding.stake)
            yield _one_sided(grader, finding, lack, "internal", why)
            age = _age(grader, finding.at)
            yield from (_of_mismatch(grader, key, repeat, about, why, age) for repeat in finding.repeats)
        case _:
            return


def _field_of(key: Key) -> str:
    """Return the field that differs, where a side lacks the key: the same as where it does not lack it."""
    match key.kind:
        case Kind.BALANCES:
            return "total"
        case Kind.HOLDS:
            return "held"
        case _:
            return "quantity"


def _one_sided(
    grader: Grader, finding: InternalOnly | ExchangeOnly, lack: AmountMismatch, missing_on: Side, why: Why
) -> Discrepancy:
    key, about = finding.key, finding.about
    if key.kind in (Kind.BALANCES, Kind.HOLDS):
        return _balance(grader, key, lack, missing_on, why)
    if key.kind is Kind.POSITIONS:
        return _position(grader, key, lack, why)
    internal = quantity.text(lack.internal) if missing_on == "exchange" else None
    exchange = quantity.text(lack.exchange) if missing_on == "internal" else None
    return _record(grader, key, lack, about, internal, exchange, why, _age(grader, finding.at))


def _age(grader: Grader, at: datetime | None) -> int | None:
    return None if at is None else max(0, int((grader.now - at).total_seconds()))


def _of_mismatch(grader: Grader, key: Key, mismatch: Mismatch, about: str, why: Why, age: int | None) -> Discrepancy:
    match mismatch:
        case AmountMismatch() if key.kind in (Kind.BALANCES, Kind.HOLDS):
            return _balance(grader, key, mismatch, None, why)
        case AmountMismatch() if key.kind is Kind.POSITIONS:
            return _position(grader, key, mismatch, why)
        case AmountMismatch():
            ours, theirs = quantity.text(mismatch.internal), quantity.text(mismatch.exchange)
            return _record(grader, key, mismatch, about, ours, theirs, why, age)
        case TextMismatch():
            return _record(grader, key, mismatch, about, mismatch.internal, mismatch.exchange, why, age)
        case Inconsistent(side=side):
            # Both numbers are that side's own: the other has no say in it.
            text = f"{mismatch.stated} against {mismatch.found}"
            if side == "internal":
                return _record(grader, key, mismatch, mismatch.about, text, None, why, age)
            return _record(grader, key, mismatch, mismatch.about, None, text, why, age)
        case _:
            assert_never(mismatch)


def _balance(
    grader: Grader, key: Key, mismatch: AmountMismatch, missing_on: Side | None, why: Why
) -> BalanceDiscrepancy:
    value = value_of(mismatch.stake, grader.prices, grader.policy)
    return BalanceDiscrepancy(
        id=_id(grader, key, mismatch),
        key=str(key),
        currency=key.name,
        wallet=key.part,
        type=mismatch.type,
        internal=mismatch.internal,
        exchange=mismatch.exchange,
        difference=mismatch.difference,
        severity=_graded(grader, value, _by_share(grader, mismatch)),
        value=value,
        missing_on=missing_on,
        cause=why.cause,
        explanation=why.note,
        bridge=why.bridge,
    )


def _position(grader: Grader, key: Key, mismatch: AmountMismatch, why: Why) -> PositionDiscrepancy:
    value = value_of(mismatch.stake, grader.prices, grader.policy)
    return PositionDiscrepancy(
        id=_id(grader, key, mismatch),
        key=str(key),
        trading_pair=key.name,
        mode=key.part,
        type=mismatch.type,
        internal=mismatch.internal,
        exchange=mismatch.exchange,
        difference=mismatch.difference,
        severity=_graded(grader, value, _position_floor(grader, mismatch)),
        value=value,
        cause=why.cause,
        explanation=why.note,
        bridge=why.bridge,
    )


def _record(
    grader: Grader,
    key: Key,
    mismatch: Mismatch,
    about: str,
    internal: str | None,
    exchange: str | None,
    why: Why,
    age_seconds: int | None = None,
) -> RecordDiscrepancy:
    value = value_of(mismatch.stake, grader.prices, grader.policy)
    # A bridge says why an amount differs, not why the row that states it stands there twice.
    known = NOT_KNOWN if why.bridge else why
    return RecordDiscrepancy(
        id=_id(grader, key, mismatch),
        key=str(key),
        record_id=key.name,
        about=about,
        type=mismatch.type,
        field=mismatch.field,
        internal=internal,
        exchange=exchange,
        difference=mismatch.difference if isinstance(mismatch, AmountMismatch) else None,
        side=mismatch.side if isinstance(mismatch, Inconsistent) else None,
        # A record is there or not: no share of it is wrong, so its value alone speaks.
        severity=_graded(grader, value, Severity.MEDIUM if value is None else Severity.LOW),
        value=value,
        cause=known.cause,
        explanation=known.note,
        age_seconds=age_seconds,
    )


def _id(grader: Grader, key: Key, mismatch: Mismatch) -> str:
    side = mismatch.side if isinstance(mismatch, Inconsistent) else ""
    place = (grader.account, grader.exchange, key.kind, key.name, key.part)
    return discrepancy_id(*place, mismatch.type, mismatch.field, side)


def _by_share(grader: Grader, mismatch: AmountMismatch) -> Severity:
    return severity_by_share(mismatch.difference, mismatch.internal, mismatch.exchange, grader.policy)


def _position_floor(grader: Grader, mismatch: AmountMismatch) -> Severity:
    match mismatch.type:
        # One side has nothing to take a share of: each direction has its own floor.
        case DiscrepancyType.POSITION_MISSING_EXCHANGE:
            return Severity.CRITICAL
        case DiscrepancyType.POSITION_MISSING_INTERNAL:
            return Severity.HIGH
        case DiscrepancyType.UNRESOLVED_NAME:
            return Severity.CRITICAL if mismatch.internal else Severity.HIGH
        case _:
            return _by_share(grader, mismatch)


def _graded(grader: Grader, value: Decimal | None, floor: Severity) -> Severity:
    if value is None:
        return floor
    if value < grader.policy.trivial_value:
        return Severity.LOW
    return more_severe(floor, severity_by_value(value, grader.policy))


def stake_assets(finding: Finding) -> Iterator[Stake]:
    """Yield what the finding has at stake, so that prices can be asked for before it is graded."""
    match finding:
        case Differs(_, mismatches):
            yield from (mismatch.stake for mismatch in mismatches if mismatch.stake is not None)
        case InternalOnly() | ExchangeOnly():
            if finding.stake is not None:
                yield finding.stake
            yield from (repeat.stake for repeat in finding.repeats if repeat.stake is not None)
        case _:
            return
