"""What is wrong in a book on purpose, and how the balances are off because of it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.cause import Cause
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Fill, Movement, Order

Place = tuple[Asset, Wallet]
Effects = dict[Place, Decimal]
_NOT_ALONE = frozenset(
    {Cause.MANUAL_TRADE, Cause.FOREIGN_ORDER, Cause.LIQUIDATION, Cause.STALE_BOOK, Cause.UNEXPLAINED}
)
Record = Fill | Movement | Order


class Planted(Struct):
    """Something that is wrong in the book on purpose."""

    account: str
    lie: str
    at: datetime
    keys: tuple[str, ...]
    """The findings that must name it, as long as they are not right."""
    causes: frozenset[Cause]
    """What it may be called."""
    records: frozenset[str]
    """Ids of fills, orders, rows and transfers that may be named beside it."""
    effects: Effects
    """exchange − internal, until it is put right."""
    instrument: Instrument | None = None
    truth: tuple[Record, ...] = ()
    """What the exchange has under these keys; nothing where it has nothing."""
    parts: Mapping[str, Effects] = {}
    """What each record of the event moved, by its id: an event of several can be put right in part."""
    over: datetime | None = None
    """When the book was right again, in everything."""
    right: frozenset[str] = frozenset()
    """Keys in which it is right again."""
    wrong_again: Mapping[str, datetime] = {}
    """When a key was wrong anew that had been right again: one of several parts was taken back later than another."""
    by: str = ""
    """Who put it right: the bot itself, the policy, a person."""
    order_is_behind: bool = False
    """Whether its fill is in the book again, and the order there does not know it yet."""

    coming: bool = False
    """Whether what is wrong is still on its way into the book."""
    decided: bool = False
    """Whether a person said that it is to stay."""

    @property
    def small(self) -> bool:
        """Whether the policy may put it right by itself: proven, no stranger's, not one of a mass, with one cause."""
        return bool(self.truth) and not self.causes & _NOT_ALONE and not self.decided

    @property
    def is_off(self) -> bool:
        """Whether balances are off because of it."""
        return self.over is None and any(key not in self.right for key in self.keys if not key.startswith("orders:"))

    @property
    def left(self) -> Effects:
        """What of the effects is left, where some of its records are right again."""
        left = dict(self.effects)
        for key in self.right:
            for place, amount in self.parts.get(key.partition(":")[2], {}).items():
                # What the exchange has and the book lacks is missing there; what the book alone has is too much.
                add(left, place, quantity.negate(amount) if self.truth else amount)
        return left


def add(effects: Effects, place: Place, amount: Decimal) -> None:
    """Add an amount to what stands at a place."""
    effects[place] = quantity.add(effects.get(place, ZERO), amount)
