"""What people are told about: a condition that holds, the alert that it becomes, and each notice that goes out.

A condition is one thing that is wrong now. Those of one kind in one account are one alert, and what hits many accounts
is one about all of them, so that a mass event is one message. What follows from a condition is decided in
``alerting``, who hears of it in ``routing``; what a text says never goes beyond what the report shows, and never holds
a secret. Nothing here reads a clock or sends anything.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec
from msgspec import Struct

from gal_friday.domain.facts import Actor
from gal_friday.domain.ids import digest
from gal_friday.domain.materiality import Severity, more_severe

LINES_MAX = 5
"""Conditions that a notice names one by one, the worst first; the others it counts."""
TEXT_MAX = 300
"""Characters of a line: what it quotes may be of any length."""
_SHORT = 16


class AlertKind(StrEnum):
    """What people are told about."""

    RUN_FAILED = "run_failed"
    """The last run failed; graver after several that failed one after the other."""
    RUN_MISSED = "run_missed"
    """A run was due and did not happen."""
    STALE = "stale"
    """The account was not seen whole for too long."""
    OUTAGE = "outage"
    """The exchange gives several accounts no usable answer."""
    DISCREPANCIES = "discrepancies"
    """The sides differ, gravely enough to be told."""
    REVIEW_OVERDUE = "review_overdue"
    """Nobody has looked in time."""
    BREAKER_TRIPPED = "breaker_tripped"
    """Corrections of the account stopped."""
    ADJUSTMENT_UNSETTLED = "adjustment_unsettled"
    """Nobody knows whether the book holds an adjustment, or a difference was still seen after it."""
    KEY_EXPIRING = "key_expiring"
    """The key of an account ends soon."""
    JOURNAL_UNVERIFIED = "journal_unverified"
    """The journal is not what was written, or was not looked at for too long."""
    CHANNEL_FAILING = "channel_failing"
    """A channel does not take what it is given; the others tell."""
    EVALUATION_FAILING = "evaluation_failing"
    """What holds cannot be read, so nobody would be told of anything."""
    TEST = "test"
    """Somebody tries whether messages arrive."""


class Phase(StrEnum):
    """Where an alert stands."""

    PENDING = "pending"
    """It holds, and waits a moment for what belongs to it."""
    FIRING = "firing"
    """It holds, and whoever is to be told was told, unless it is muted."""
    ESCALATED = "escalated"
    """Nobody has taken it on in time: more people were told."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody has taken it on: nothing is repeated, unless it gets worse."""
    RESOLVED = "resolved"
    """It holds no more."""


class What(StrEnum):
    """What a notice says."""

    FIRING = "firing"
    GREW = "grew"
    RENEWED = "renewed"
    """Something new of the same kind, and no more of it."""
    REPEATED = "repeated"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    TEST = "test"


class Condition(Struct, frozen=True, kw_only=True, gc=False):
    """One thing that is wrong now."""

    kind: AlertKind
    account: str = ""
    """Empty where it concerns no single account."""
    exchange: str = ""
    subject: str = ""
    """The id of what it is about: a run, a discrepancy, a channel."""
    severity: Severity
    title: str
    lines: tuple[str, ...] = ()
    """What else there is to say, with values."""
    path: str = ""
    """Where to look, below the address of the dashboard."""
    since: datetime
    dated: bool = True
    """Whether *since* is when it began; else when it was last seen, and it began at some time before."""
    magnitude: int = 1
    """How much of it there is."""
    value: Decimal | None = None
    """What it is worth, where that is known; the worst is named first."""

    @property
    def fingerprint(self) -> str:
        """What makes it the same condition in every look."""
        return digest(self.kind, self.account, self.exchange, self.subject)


class Group(Struct, frozen=True, kw_only=True):
    """The conditions of one kind in one account, as they are told."""

    id: str
    """Of the alert that they are."""
    kind: AlertKind
    account: str
    exchange: str
    severity: Severity
    title: str
    lines: tuple[str, ...]
    path: str
    since: datetime
    newest: datetime | None
    """When the youngest of them began; None where that is not known of any."""
    magnitude: int
    few: bool = False
    """Of many accounts so few are left that news of it is measured anew."""
    subjects: tuple[str, ...]
    """What they are about, the worst of them."""


class Told(Struct, frozen=True):
    """What people know of an alert."""

    at: datetime
    first_at: datetime
    severity: Severity
    magnitude: int
    """The most that was ever told in this episode, or since it was about a few accounts alone."""
    newest: datetime | None


class Alert(Struct, frozen=True, kw_only=True):
    """An alert as it stands. It keeps its id for ever; every time that it comes back is an episode."""

    id: str
    kind: AlertKind
    account: str
    exchange: str
    phase: Phase
    episode: int
    severity: Severity
    title: str
    lines: tuple[str, ...]
    path: str
    since: datetime
    newest: datetime | None
    magnitude: int
    subjects: tuple[str, ...] = ()
    began: datetime
    """When it was first seen in this episode."""
    gone_since: datetime | None = None
    """Since when nothing of it is seen any more; it is resolved after a while."""
    resolved_at: datetime | None = None
    told: Told | None = None
    """None where nobody was told in this episode."""
    notices: int = 0
    """How many notices there were in this episode."""
    channels: tuple[str, ...] = ()
    """Which channels were told in this episode."""
    muted: str = ""
    """Why nobody is told now: the id of a silence, a maintenance window, an alert that explains it; empty for told."""
    raised: bool = False
    """Whether it fired in this episode, told or muted."""
    escalated: bool = False
    acknowledged_by: Actor | None = None
    acknowledged_at: datetime | None = None
    flaps: int = 0
    """How often it came back shortly after it was resolved, up to now."""
    revision: int = 0
    """Counts what was written, so that two processes cannot both carry on from one state."""

    @property
    def is_open(self) -> bool:
        """Whether it holds, or did a moment ago."""
        return self.phase is not Phase.RESOLVED

    @property
    def incident(self) -> str:
        """The one name under which receivers know this episode."""
        return f"{self.id}.{self.episode}"

    def to_json(self) -> bytes:
        """Return it as compact JSON."""
        return msgspec.json.encode(self)

    @staticmethod
    def from_json(data: bytes) -> "Alert":
        """Return what was written as this JSON."""
        return msgspec.json.decode(data, type=Alert)


class Notice(Struct, frozen=True, kw_only=True):
    """One message about an alert, as it was when it was written."""

    alert_id: str
    episode: int
    number: int
    """Counted from 1 within the episode."""
    what: What
    at: datetime
    kind: AlertKind
    account: str
    exchange: str
    severity: Severity
    title: str
    lines: tuple[str, ...]
    path: str
    since: datetime
    magnitude: int
    subjects: tuple[str, ...] = ()
    escalated: bool = False
    by: str = ""
    """Who took it on, where somebody did."""

    @property
    def incident(self) -> str:
        """The one name under which receivers know the episode."""
        return f"{self.alert_id}.{self.episode}"

    @property
    def key(self) -> str:
        """The name of this message alone: whoever receives it twice can drop the second."""
        return f"{self.incident}.{self.number}"

    def to_json(self) -> bytes:
        """Return it as compact JSON."""
        return msgspec.json.encode(self)

    @staticmethod
    def from_json(data: bytes) -> "Notice":
        """Return what was written as this JSON."""
        return msgspec.json.decode(data, type=Notice)


def alert_id(kind: str, account: str, exchange: str) -> str:
    """Return the id of the alert of this kind in this account."""
    return "alr_" + digest(kind, account, exchange)[:_SHORT]


def rank(severity: Severity) -> int:
    """Return a number that grows with severity."""
    return _RANKS[severity]


_RANKS = {severity: number for number, severity in enumerate(Severity)}


def worst_of(conditions: "list[Condition]") -> Severity:
    """Return the gravest severity among these."""
    return more_severe(*{one.severity for one in conditions})
