"""Entries that repair the book: what they post, what they rest on, and what becomes of them.

An adjustment by evidence books the very record that the book lacks, under the id that the exchange gave it, or
takes back one that should not be there. A plug forces two numbers together: a signed amount, posted against a
visible suspense line, which gives way as soon as the real record arrives. Neither ever sets an amount, and neither
removes anything: what was posted can be taken back by another adjustment, and both stay.

Nothing here decides whether to adjust, and nothing here writes.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

import msgspec
from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.ids import digest
from gal_friday.domain.plain import plain
from gal_friday.domain.records import Fill, Kind, Movement, Order


class AdjustmentType(StrEnum):
    """What kind of entry repairs the book."""

    __hash__ = str.__hash__

    ADD_POSITION = "add_position"
    """Plug: the book lacks a position altogether."""
    POSITION_QUANTITY = "position_quantity"
    """Plug: a position of another size."""
    BALANCE = "balance"
    """Plug: another balance."""
    BOOK_FILL = "book_fill"
    """Evidence: a fill that never reached the book, or reached it with other terms."""
    BOOK_MOVEMENT = "book_movement"
    """Evidence: a movement that never reached the book, or reached it with another amount."""
    REVERSE_DUPLICATE = "reverse_duplicate"
    """Evidence: the book has a record more often than it happened."""
    REVERSE_RECORD = "reverse_record"
    """Evidence: the book has a record that the exchange, asked for it by its id, denies."""
    CLOSE_ORDER = "close_order"
    """Evidence: the book believes in an order that has ended, or never was."""
    ORDER_STATE = "order_state"
    """Evidence: an order in another state, or one that the book does not know."""
    REVERSAL = "reversal"
    """Takes an earlier adjustment back."""

    @property
    def is_plug(self) -> bool:
        """Whether it forces a number instead of booking a record."""
        return self in (AdjustmentType.ADD_POSITION, AdjustmentType.POSITION_QUANTITY, AdjustmentType.BALANCE)


class PostFill(Struct, frozen=True, tag="fill", tag_field="post"):
    """Book this fill, as the exchange states it."""

    fill: Fill


class PostMovement(Struct, frozen=True, tag="movement", tag_field="post"):
    """Book this movement, as the exchange states it."""

    movement: Movement


class PostOrder(Struct, frozen=True, tag="order", tag_field="post"):
    """Book this state of an order."""

    order: Order


class TakeBack(Struct, frozen=True, tag="take_back", tag_field="post"):
    """Take back so many of the entries that the book has under this id, the latest first."""

    kind: Kind
    """Fills or movements."""
    record_id: str
    entries: int
    """How many to take back."""
    of: int
    """How many there must be: with another number the book is not the one that was looked at."""


class Plug(Struct, frozen=True, tag="plug", tag_field="post"):
    """Post a signed amount against suspense."""

    kind: Kind
    """Balances or positions."""
    name: str
    """Asset, or instrument."""
    part: str
    """Wallet, or net."""
    amount: Decimal
    price: Decimal | None = None
    """At which a position is taken in; None leaves its average price as it is."""


class TakeBackAdjustment(Struct, frozen=True, tag="take_back_adjustment", tag_field="post"):
    """Take back whatever of this adjustment still stands."""

    adjustment_id: str


Posting = PostFill | PostMovement | PostOrder | TakeBack | Plug | TakeBackAdjustment


class StandingPlug(Struct, frozen=True, kw_only=True):
    """What is left of a plug that was posted: it gives way to the real record, in part or whole."""

    plug_id: str
    adjustment_id: str
    kind: Kind
    name: str
    part: str
    amount: Decimal
    """Signed; never more than was posted."""
    price: Decimal | None = None
    at: datetime
    """From which instant on it counts: the cut it was computed at."""

    @property
    def key(self) -> str:
        """The place that it is posted at, as in reports: ``balances:BTC:spot``."""
        return f"{self.kind}:{self.name}:{self.part}"


class Suspense(Struct, frozen=True):
    """The sum of the plugs of one place: it must drain to zero, and is never mixed into anything else."""

    kind: Kind
    name: str
    part: str
    amount: Decimal
    plugs: int


class Effect(Struct, frozen=True):
    """What the adjustment does to one amount of the book."""

    key: str
    """As in reports: ``balances:BTC:spot``."""
    before: Decimal
    after: Decimal

    @property
    def change(self) -> Decimal:
        """What is added."""
        return quantity.subtract(self.after, self.before)


class AdjustmentState(StrEnum):
    """What became of an adjustment."""

    __hash__ = str.__hash__

    PROPOSED = "proposed"
    """A person has to decide."""
    REJECTED = "rejected"
    """A person decided against it."""
    EXPIRED = "expired"
    """Nobody decided in time, or the book or the difference is no longer what it was made for."""
    APPROVED = "approved"
    """A person, or policy, decided for it; nothing is written yet."""
    INTENDED = "intended"
    """About to be written: after a crash, whether it was is looked up and not guessed."""
    APPLIED = "applied"
    """In the book, and read back."""
    REFUSED = "refused"
    """Nothing was written: the book was not what the adjustment was computed from, or another run took over."""
    OUTCOME_UNKNOWN = "outcome_unknown"
    """Nobody knows whether a book that is not ours took it. Stops the account until it is observed."""
    VERIFIED = "verified"
    """A later run saw every key agree that it was made for."""
    UNVERIFIED = "unverified"
    """A later run still saw a difference. Stops corrections of the account."""
    REVERSED = "reversed"
    """Taken back by another adjustment; both stay on record."""


UNSETTLED = (AdjustmentState.APPROVED, AdjustmentState.INTENDED, AdjustmentState.OUTCOME_UNKNOWN)
"""What a restart has to look after."""


class Adjustment(Struct, frozen=True, kw_only=True):
    """One repair of one book. Its id is derived from its content, so that it cannot be made twice."""

    adjustment_id: str
    account: str
    exchange: str
    type: AdjustmentType
    postings: tuple[Posting, ...]
    discrepancies: tuple[str, ...]
    """The ids of the discrepancies that it is to make agree, sorted."""
    keys: tuple[str, ...]
    """The keys they are about, sorted."""
    effects: tuple[Effect, ...]
    """What its postings do to balances and positions, by key; plugs that give way to them are not part of it."""
    record_ids: tuple[str, ...]
    """The exchange's records it rests on; none for a plug."""
    cause: str
    reason: str
    """A sentence for people."""
    value: Decimal | None = None
    """The largest value among its effects, in the reporting currency; None without a price."""
    reconciliation_id: str
    """The run that found it."""
    book_version: str | None = None
    """The version of the book that it was computed from."""
    policy_version: str = ""
    at: datetime
    """When it was computed: the cut of its run."""
    reverses: str | None = None
    """The adjustment that it takes back."""

    @property
    def is_plug(self) -> bool:
        """Whether it forces a number instead of booking a record."""
        return self.type.is_plug

    @property
    def content(self) -> str:
        """A digest of what would be posted: an approval is good for this and nothing else."""
        return content_of(self.postings)


def content_of(postings: Iterable[Posting]) -> str:
    """Return the digest of these postings, in their order; the same for those that a report has kept."""
    return digest(*(msgspec.json.encode(plain(each), order="deterministic") for each in postings))


def adjustment_id(account: str, exchange: str, postings: Iterable[Posting], generation: str) -> str:
    """Return the id of an adjustment: the same postings for the same sighting are the same adjustment.

    *generation* tells when the difference was opened: one that came back after it had agreed is another one.
    """
    return "adj_" + digest(account, exchange, content_of(postings), generation)[:16]


def records_of(posting: Posting) -> tuple[str, ...]:
    """Return the ids of the records that this posting books or takes back."""
    match posting:
        case PostFill(fill):
            return (fill.fill_id,)
        case PostMovement(movement):
            return (movement.movement_id,)
        case PostOrder(order):
            return (order.name,)
        case TakeBack(record_id=record_id):
            return (record_id,)
        case Plug() | TakeBackAdjustment():
            return ()
        case _:
            assert_never(posting)
