"""A discrepancy over time: one value with its state, its counts, its age and its history.

It has the same id in every run, because the id is derived from content. What becomes of it is decided in
``following``; this is what there is to know about it, and how that is written down and read back equal.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from gal_friday.domain.discrepancy import (
    BalanceDiscrepancy,
    Discrepancy,
    PositionDiscrepancy,
    RecordDiscrepancy,
    State,
)
from gal_friday.domain.finding import DiscrepancyType, Key
from gal_friday.domain.materiality import Severity
from gal_friday.domain.plain import plain

Event = Literal["opened", "confirmed", "changed", "cleared", "reopened"]


class Change(Struct, frozen=True):
    """One step in the life of a discrepancy."""

    number: int
    """Counted from 1 over its whole life."""
    at: datetime
    what: Event
    state: State
    """The state that it led to."""
    note: str = ""


class Facts(Struct, frozen=True, kw_only=True):
    """Everything about a followed discrepancy but its latest sighting."""

    id: str
    account: str
    exchange: str
    key: Key
    type: DiscrepancyType
    state: State
    first_seen: datetime
    last_seen: datetime
    opened_at: datetime
    """When it was first seen since it last agreed; *first_seen* where it never did."""
    since: datetime
    """When what is wrong began: the time of the first bad event where that is known, else *opened_at*."""
    read_from: datetime | None = None
    """From when on records must be read to judge it; None where no window matters."""
    confirmed_at: datetime | None = None
    cleared_at: datetime | None = None
    occurrences: int = 1
    """In how many runs it was seen, over its whole life."""
    clean_observations: int = 1
    """The same since *opened_at*."""
    flips: int = 0
    """How often it came back after it had agreed, but for what began with an event since: that is another error."""
    largest_value: Decimal | None = None
    changes: int = 0
    """How many changes there were; *history* holds the newest of them."""
    history: tuple[Change, ...] = ()
    revision: int = 0
    """Counts what runs wrote here, so that two runs at once cannot both carry on from one state."""

    @property
    def is_open(self) -> bool:
        """Whether it has not been seen to agree."""
        return self.state != "cleared"

    @property
    def judged_at(self) -> datetime:
        """The instant of the last observation that decided anything."""
        return max(self.last_seen, self.cleared_at or self.last_seen)


class Followed(Facts, frozen=True, kw_only=True):
    """A discrepancy over time, under the id that it has in every run."""

    latest: Discrepancy
    """As it was last seen, with the state that it has now."""

    @property
    def severity(self) -> Severity:
        """How much attention it deserved when last seen."""
        return self.latest.severity

    def to_json(self) -> bytes:
        """Return it as compact JSON; amounts are strings of plain digits."""
        return msgspec.json.encode(plain(self))

    @staticmethod
    def from_json(data: bytes) -> "Followed":
        """Return what was written as this JSON; equal to what wrote it."""
        fields = msgspec.json.decode(data)
        latest = _latest(fields.pop("latest"))
        return Followed(**asdict(msgspec.convert(fields, Facts)), latest=latest)


def _latest(fields: dict[str, Any]) -> Discrepancy:
    """Return the discrepancy that these fields are of: each kind names its subject in a word of its own."""
    if "currency" in fields:
        return msgspec.convert(fields, BalanceDiscrepancy)
    if "trading_pair" in fields:
        return msgspec.convert(fields, PositionDiscrepancy)
    return msgspec.convert(fields, RecordDiscrepancy)
