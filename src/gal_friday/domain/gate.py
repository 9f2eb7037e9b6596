"""May a trading system go on in this instrument? One question, one answer, and every reason against it.

The answer is yes only where the account was seen whole a short while ago and nothing severe is open that touches the
instrument. What was not checked is never a yes (I6): no run, a failed one, an incomplete one, one that is too old, an
asset that the last check did not see. Nothing here reads or asks; it judges what it is given.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from gal_friday.domain.assets import Asset, Instrument, base_and_quote, is_unresolved
from gal_friday.domain.decision import breakers_of
from gal_friday.domain.discrepancy import BalanceDiscrepancy, PositionDiscrepancy
from gal_friday.domain.followed import Followed
from gal_friday.domain.instants import instant
from gal_friday.domain.materiality import Severity
from gal_friday.domain.policy import Policy
from gal_friday.domain.verdict import ReconciliationStatus, Verdict

MAX_AGE = timedelta(minutes=90)
"""A check that is older says nothing any more; longer than the hour between two runs, shorter than two of them."""
SEVERE = (Severity.HIGH, Severity.CRITICAL)
"""What stops trading; what is smaller is told and does not."""
_AHEAD = timedelta(minutes=1)
"""Clocks of two machines differ; a check from further in the future is none."""


class Why(StrEnum):
    """What speaks against trading."""

    __hash__ = str.__hash__

    NEVER_CHECKED = "never_checked"
    """No run has seen the account whole."""
    LAST_RUN_FAILED = "last_run_failed"
    LAST_RUN_INCOMPLETE = "last_run_incomplete"
    TOO_OLD = "too_old"
    """The last good check is older than it may be."""
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    """Its name does not tell what is traded."""
    NOT_SEEN = "not_seen"
    """The last good check saw nothing of an asset: perhaps nobody holds it yet, perhaps it has another name."""
    DISCREPANCY = "discrepancy"
    """A severe one is open and touches the instrument, or the whole account."""
    BREAKER = "breaker"
    """Corrections of the account are stopped."""
    OUTCOME_UNKNOWN = "outcome_unknown"
    """Nobody knows whether an adjustment is in the book."""


class Against(Struct, frozen=True):
    """One reason against it."""

    why: Why
    text: str
    """A sentence for people, with what to do."""
    subject: str = ""
    """The id of the run, discrepancy or adjustment."""


class Check(Struct, frozen=True, kw_only=True):
    """A run, as far as the gate has to know it."""

    reconciliation_id: str
    at: datetime
    status: str
    verdict: str
    assets: frozenset[str]
    """What it saw, on either side."""


class Standing(Struct, frozen=True, kw_only=True):
    """What is known of an account now."""

    account: str
    last: Check | None = None
    """The newest run, whatever it was about."""
    good: Check | None = None
    """The newest one that saw everything: about all kinds of record, neither failed nor incomplete."""
    discrepancies: int = 0
    """How many the newest run found."""
    severe: tuple[Followed, ...] = ()
    """Open discrepancies that are high or critical."""
    and_more: bool = False
    """There are more of them than anybody can look at: they concern every instrument."""
    flips: int = 0
    """The most often that an open discrepancy came back."""
    unknown: tuple[str, ...] = ()
    """Adjustments of which nobody knows whether they are in the book."""
    unverified: tuple[str, ...] = ()
    """Adjustments after which a difference was still seen."""


class Gate(Struct, frozen=True, kw_only=True):
    """The answer."""

    account: str
    instrument: str
    may_trade: bool
    because: tuple[Against, ...]
    """Everything against it; empty where the answer is yes."""
    checked_at: datetime | None
    """The instant of the last good check."""
    age_seconds: int | None
    max_age_seconds: int


def gate(
    standing: Standing,
    instrument: Instrument,
    now: datetime,
    *,
    policy: Policy,
    max_age: timedelta = MAX_AGE,
    first: bool = False,
) -> Gate:
    """Return whether trading may go on, and why not.

    *policy* holds the breakers. *first* says that whoever asks knows the instrument's assets to be new: not having
    been seen does not count then.
    """
    assets = base_and_quote(instrument)
    because = (
        *_of_checks(standing, now, max_age),
        *_of_names(standing, instrument, assets, first),
        *_of_discrepancies(standing, assets),
        *_of_adjustments(standing, policy),
    )
    good = standing.good
    return Gate(
        account=standing.account,
        instrument=instrument,
        may_trade=not because,
        because=because,
        checked_at=None if good is None else good.at,
        age_seconds=None if good is None else max(0, int((now - good.at).total_seconds())),
        max_age_seconds=int(max_age.total_seconds()),
    )


def _of_checks(standing: Standing, now: datetime, max_age: timedelta) -> Iterator[Against]:
    last, good = standing.last, standing.good
    if last is not None and last.status == ReconciliationStatus.FAILED:
        yield Against(Why.LAST_RUN_FAILED, "the last run failed; look at its report", last.reconciliation_id)
    elif last is not None and last.verdict == Verdict.INCOMPLETE:
        text = "the last run could not check everything; look at its report"
        yield Against(Why.LAST_RUN_INCOMPLETE, text, last.reconciliation_id)
    if good is None:
        text = "no run has seen the whole account yet; ask for one: POST /api/reconciliation/run"
        yield Against(Why.NEVER_CHECKED, text)
    elif not -_AHEAD <= now - good.at <= max_age:
        text = f"the last good check is of {instant(good.at)}; ask for a run: POST /api/reconciliation/run"
        yield Against(Why.TOO_OLD, text, good.reconciliation_id)


def _of_names(
    standing: Standing, instrument: Instrument, assets: Sequence[Asset] | None, first: bool
) -> Iterator[Against]:
    if assets is None:
        text = f"{instrument!r} does not tell what is traded; write it as BASE/QUOTE, such as BTC/USD"
        yield Against(Why.UNKNOWN_INSTRUMENT, text)
    elif standing.good is not None and not first:
        for asset in assets:
            if asset not in standing.good.assets:
                text = f"the last check saw no {asset} on either side; if it is new to the account, ask with first=true"
                yield Against(Why.NOT_SEEN, text, standing.good.reconciliation_id)


def _of_discrepancies(standing: Standing, assets: Sequence[Asset] | None) -> Iterator[Against]:
    if standing.and_more:
        yield Against(Why.DISCREPANCY, f"more than {len(standing.severe)} severe ones are open; review them")
        return
    for one in standing.severe:
        if assets is None or touches(one, assets):
            text = f"{one.severity} {one.type} on {_named(one)} since {instant(one.since)}; review {one.id}"
            yield Against(Why.DISCREPANCY, text, one.id)


def _of_adjustments(standing: Standing, policy: Policy) -> Iterator[Against]:
    # What was not seen stands among the reasons by itself, and is not told twice.
    tripped = breakers_of(
        discrepancies=standing.discrepancies,
        degraded=(),
        flips=standing.flips,
        unverified=standing.unverified,
        policy=policy,
    )
    yield from (Against(Why.BREAKER, f"{said}; a person has to look") for said in tripped)
    for name in standing.unknown:
        text = f"nobody knows whether adjustment {name} is in the book; the next run looks it up"
        yield Against(Why.OUTCOME_UNKNOWN, text, name)


def _named(one: Followed) -> str:
    """Return what it is on: of a record what is traded or moved as well, because its id tells nobody."""
    name = one.key.name or one.key.kind
    about = "" if isinstance(one.latest, BalanceDiscrepancy | PositionDiscrepancy) else one.latest.about
    return f"{about} {name}" if about and about != name else name


def touches(one: Followed, assets: Sequence[Asset]) -> bool:
    """Say whether a discrepancy concerns one of these assets; what names no asset concerns all of them (I15)."""
    match one.latest:
        case BalanceDiscrepancy(currency=name):
            return name in assets or is_unresolved(name)
        case PositionDiscrepancy(trading_pair=name):
            return _shares(name, assets)
        case record:
            return _shares(record.about, assets) if "/" in record.about else _is_among(record.about, assets)


def _shares(instrument: str, assets: Sequence[Asset]) -> bool:
    of_it = base_and_quote(Instrument(instrument))
    return of_it is None or any(asset in assets for asset in of_it)


def _is_among(name: str, assets: Sequence[Asset]) -> bool:
    return not name or name in assets or is_unresolved(name)
