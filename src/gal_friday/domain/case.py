"""Everything that is known about the two sides of one account, laid out so that a cause can be looked for.

A *lead* is one thing that the comparison of records left over: a row that only one side has, a row that they
have differently, a row that the book has twice. Its effect is what has to be added to the internal amount
to come nearer to the exchange's. Leads are what explanations are made of; a lead is used once.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Literal, NamedTuple

from gal_friday.domain.finding import Agrees, Finding, Key
from gal_friday.domain.records import FILL_LEG_KINDS, Balance, Fill, Kind, Movement, Order
from gal_friday.domain.snapshot import Side, Snapshot


class Place(NamedTuple):
    """Where an amount stands: a balance (asset and wallet) or a position (instrument and part)."""

    kind: Kind
    name: str
    part: str


What = Literal["missing", "phantom", "differs", "duplicated"]
"""The book lacks it, has what the exchange lacks, has it otherwise, has it more than once."""


class Lead(NamedTuple):
    """One thing that the comparison of records left over, and what it does to one place."""

    place: Place
    what: What
    effect: Decimal
    """What to add to the internal amount: positive where the book has too little."""
    event: str
    """The id that its rows refer to: a fill, a position, a transfer; else the row's own."""
    record_ids: tuple[str, ...]
    """The ids of the records it rests on, so that a machine can look them up again."""
    at: datetime
    kind: str
    """The movement kind, or ``fill`` for the effect of a margin fill on its position."""
    rows: tuple[Movement, ...] = ()
    """The rows of the side that has them; the exchange's where both do."""
    fill: Fill | None = None


class Case:
    """The two snapshots with their findings, indexed by id. Nothing in it changes."""

    def __init__(self, internal: Snapshot, exchange: Snapshot, findings: Iterable[Finding]) -> None:
        """Keep the sides and what comparing them found."""
        self.internal = internal
        self.exchange = exchange
        self.findings = tuple(findings)

    def snapshot(self, side: Side) -> Snapshot:
        """Return the snapshot of that side."""
        return self.internal if side == "internal" else self.exchange

    @cached_property
    def unlike(self) -> Mapping[Key, Finding]:
        """Return the findings that do not agree, by key."""
        return {finding.key: finding for finding in self.findings if not isinstance(finding, Agrees)}

    @cached_property
    def fills(self) -> Mapping[Side, Mapping[str, Fill]]:
        """Return the fills of each side by id."""
        return {
            "internal": {fill.fill_id: fill for fill in self.internal.fills},
            "exchange": {fill.fill_id: fill for fill in self.exchange.fills},
        }

    @cached_property
    def balances(self) -> Mapping[Side, Mapping[tuple[str, str], Balance]]:
        """Return the balances of each side by asset and wallet."""
        return {
            "internal": {(row.asset, row.wallet): row for row in self.internal.balances},
            "exchange": {(row.asset, row.wallet): row for row in self.exchange.balances},
        }

    @cached_property
    def unlike_balances(self) -> Mapping[str, tuple[Key, ...]]:
        """Return the keys of balances that do not agree, by asset."""
        assets: dict[str, list[Key]] = {}
        for key in self.unlike:
            if key.kind is Kind.BALANCES:
                assets.setdefault(key.name, []).append(key)
        return {asset: tuple(keys) for asset, keys in assets.items()}

    @cached_property
    def orders(self) -> Mapping[Side, Mapping[str, Order]]:
        """Return the orders of each side by the exchange's id."""
        return {
            "internal": {order.order_id: order for order in self.internal.orders if order.order_id},
            "exchange": {order.order_id: order for order in self.exchange.orders if order.order_id},
        }

    @cached_property
    def rows(self) -> Mapping[Side, Mapping[str, tuple[Movement, ...]]]:
        """Return the movements of each side by the event they refer to, and by their own id."""
        return {"internal": _by_event(self.internal), "exchange": _by_event(self.exchange)}

    def fill(self, fill_id: str) -> Fill | None:
        """Return the fill of this id, the exchange's if it has it."""
        return self.fills["exchange"].get(fill_id) or self.fills["internal"].get(fill_id)

    def event_of(self, row: Movement) -> str:
        """Return the event that a movement is part of.

        The legs of a fill share the fill's id. A rollover refers to the position that it keeps open, whose id is
        that of the opening fill: it is an event of its own.
        """
        if row.refers_to is None:
            return row.movement_id
        if row.kind not in FILL_LEG_KINDS and self.fill(row.refers_to) is not None:
            return row.movement_id
        return row.refers_to

    def knows_order(self, order_id: str | None) -> bool:
        """Say whether the book knows an order of this id."""
        return order_id is not None and order_id in self.orders["internal"]


def _by_event(snapshot: Snapshot) -> Mapping[str, tuple[Movement, ...]]:
    events: dict[str, list[Movement]] = {}
    for row in snapshot.movements:
        events.setdefault(row.refers_to or row.movement_id, []).append(row)
        if row.refers_to:
            events.setdefault(row.movement_id, []).append(row)
    return {event: tuple(rows) for event, rows in events.items()}
