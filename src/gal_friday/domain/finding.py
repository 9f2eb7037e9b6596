"""What one comparison of one key says.

A finding is one of six alternatives, and a comparison gives exactly one for every key (I4). Not knowing is
one of the six, never an empty field. What a finding *means* (how bad, what to do) is decided elsewhere.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from gal_friday.domain.assets import Asset
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Side


class DiscrepancyType(StrEnum):
    """*What* differs. Why it differs is its cause, another list."""

    __hash__ = str.__hash__

    POSITION_MISSING_INTERNAL = "position_missing_internal"
    """The exchange holds a position that the book does not have."""
    POSITION_MISSING_EXCHANGE = "position_missing_exchange"
    """The book has a position that the exchange does not hold."""
    QUANTITY_MISMATCH = "quantity_mismatch"
    """Both sides have the position, in different size."""
    SIDE_MISMATCH = "side_mismatch"
    """One side is long where the other is short."""
    COST_BASIS_MISMATCH = "cost_basis_mismatch"
    """Same position, another average price."""
    BALANCE_MISMATCH = "balance_mismatch"
    """The totals of an asset in a wallet differ; a side that lacks the asset counts as zero and is named."""
    HOLD_MISMATCH = "hold_mismatch"
    """Open orders reserve another amount of the asset than the book believes."""
    ORDER_NOT_TRACKED = "order_not_tracked"
    """The exchange has an order that the book does not know."""
    ORDER_MISSING_EXCHANGE = "order_missing_exchange"
    """The book has an order that the exchange does not know: a ghost."""
    ORDER_STATE_MISMATCH = "order_state_mismatch"
    """Status or filled quantity of an order differ."""
    ORDER_TERMS_MISMATCH = "order_terms_mismatch"
    """Instrument, side, quantity or price of an order differ."""
    FILL_MISSING_INTERNAL = "fill_missing_internal"
    """A fill happened on the exchange and never reached the book."""
    FILL_MISSING_EXCHANGE = "fill_missing_exchange"
    """The book has a fill that the exchange does not know."""
    FILL_MISMATCH = "fill_mismatch"
    """Both sides have the fill, with other terms or another fee."""
    FILL_DUPLICATED = "fill_duplicated"
    """The book has the same fill more than once."""
    MOVEMENT_MISSING_INTERNAL = "movement_missing_internal"
    """Something moved on the exchange and never reached the book."""
    MOVEMENT_MISSING_EXCHANGE = "movement_missing_exchange"
    """The book has a movement that the exchange does not know."""
    MOVEMENT_MISMATCH = "movement_mismatch"
    """Both sides have the movement, with another amount, asset or wallet."""
    MOVEMENT_DUPLICATED = "movement_duplicated"
    """The book has the same movement more than once."""
    ORDER_DUPLICATED = "order_duplicated"
    """The book lists the same order more than once."""
    BALANCE_DUPLICATED = "balance_duplicated"
    """The book lists the same balance more than once."""
    POSITION_DUPLICATED = "position_duplicated"
    """The book lists the same position more than once."""
    UNRESOLVED_NAME = "unresolved_name"
    """An asset, instrument, movement kind or status that nobody knows."""
    ORDER_FILLS_MISMATCH = "order_fills_mismatch"
    """On one side, an order's filled quantity is not the sum of its fills."""
    POSITION_FILLS_MISMATCH = "position_fills_mismatch"
    """On one side, a position does not follow from its fills."""
    IDENTITY_CONFLICT = "identity_conflict"
    """On one side, one id stands for two contents."""
    SOURCE_INCONSISTENT = "source_inconsistent"
    """Records of one side contradict each other: held above total, filled above ordered."""
    LEDGER_GAP = "ledger_gap"
    """The exchange's running balances do not follow from its rows: rows are missing from what was read."""


class Key(Struct, frozen=True, order=True, gc=False):
    """What a finding is about: a kind, the name within it, and the part of it where there are several."""

    kind: Kind
    name: str
    """Asset, instrument, order id, fill id, or the id of a movement or of the event that its rows share."""
    part: str = ""
    """Wallet of a balance, mode or lot of a position, "client" where an order is known by the client's id
    alone, asset and wallet of an event, side of a source."""

    def __str__(self) -> str:
        """Return the key as it stands in reports: ``balances:BTC:spot``."""
        return f"{self.kind}:{self.name}:{self.part}" if self.part else f"{self.kind}:{self.name}"


class Stake(Struct, frozen=True, gc=False):
    """What a difference amounts to: so much of one asset, signed. Its value follows from a price."""

    amount: Decimal
    asset: Asset


class AmountMismatch(Struct, frozen=True, gc=False, tag="amount", tag_field="of"):
    """One field holds two different amounts, or amounts of something that nobody knows."""

    type: DiscrepancyType
    field: str
    internal: Decimal
    exchange: Decimal
    difference: Decimal
    """exchange − internal: positive is an excess, negative a shortfall."""
    stake: Stake | None = None


class TextMismatch(Struct, frozen=True, gc=False, tag="text", tag_field="of"):
    """One field holds two different words, or one that nobody knows."""

    type: DiscrepancyType
    field: str
    internal: str
    exchange: str
    stake: Stake | None = None


class Inconsistent(Struct, frozen=True, gc=False, tag="one_side", tag_field="of"):
    """The records of one side contradict each other."""

    type: DiscrepancyType
    side: Side
    field: str
    stated: str
    found: str
    about: str = ""
    stake: Stake | None = None


Mismatch = AmountMismatch | TextMismatch | Inconsistent


class Agrees(Struct, frozen=True, gc=False, tag="agrees", tag_field="finding"):
    """Both sides were seen in full, and the difference is within tolerance."""

    key: Key
    amount: Decimal = ZERO
    """What the book says; for records, their quantity."""
    difference: Decimal = ZERO
    """What was tolerated: it stays on the record."""


class Differs(Struct, frozen=True, gc=False, tag="differs", tag_field="finding"):
    """Both sides were seen, and differ beyond tolerance in one or more fields; or one contradicts itself."""

    key: Key
    mismatches: tuple[Mismatch, ...]
    about: str = ""
    """The instrument or asset, where the key is an id."""
    at: datetime | None = None
    """When the event took place that the sides tell differently, where they speak of one and it is known."""


class InternalOnly(Struct, frozen=True, gc=False, tag="internal_only", tag_field="finding"):
    """The book has it; the exchange, seen in full, does not."""

    key: Key
    type: DiscrepancyType
    amount: Decimal
    about: str = ""
    stake: Stake | None = None
    at: datetime | None = None
    repeats: tuple[Inconsistent, ...] = ()
    """That the book lists it more than once, said beside."""


class ExchangeOnly(Struct, frozen=True, gc=False, tag="exchange_only", tag_field="finding"):
    """The exchange has it; the book, seen in full, does not."""

    key: Key
    type: DiscrepancyType
    amount: Decimal
    about: str = ""
    stake: Stake | None = None
    at: datetime | None = None
    repeats: tuple[Inconsistent, ...] = ()
    """That the exchange lists it more than once, with different content, said beside."""


class Pending(Struct, frozen=True, gc=False, tag="pending", tag_field="finding"):
    """Something related is in motion: not yet to be judged."""

    key: Key
    reason: str
    until: datetime | None = None
    """When it becomes a discrepancy, where that is known."""


class CannotTell(Struct, frozen=True, gc=False, tag="cannot_tell", tag_field="finding"):
    """A side was not, or not fully, seen."""

    key: Key
    reason: str
    side: Side | None = None


Finding = Agrees | Differs | InternalOnly | ExchangeOnly | Pending | CannotTell
