"""Everything that is known about the two sides of one account, laid out so that a cause can be looked for.

A *lead* is one thing that the comparison of records left over: a row that only one side has, a row that they
have differently, a row that the book has twice. Its effect is what has to be added to the internal amount
to come nearer to the exchange's. Leads are what explanations are made of; a lead is used once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cached_property, wraps
from typing import Any, Literal, NamedTuple, TypeVar, TypeVarTuple

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.finding import Agrees, AmountMismatch, Differs, ExchangeOnly, Finding, InternalOnly, Key
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import FILL_LEG_KINDS, Fill, Kind, Movement, Order
from gal_friday.domain.snapshot import Coverage, Side, Snapshot


class Place(NamedTuple):
    """Where an amount stands: a balance (asset and wallet) or a position (instrument and part)."""

    kind: Kind
    name: str
    part: str


_AMOUNTS = (Kind.BALANCES, Kind.POSITIONS)


def behind(kind: Kind) -> Kind:
    """Return the kind of records that tell why an amount of this kind is what it is."""
    return Kind.FILLS if kind is Kind.POSITIONS else Kind.MOVEMENTS


What = Literal["missing", "phantom", "differs", "duplicated"]
"""The book lacks it, has what the exchange lacks, has it otherwise, has it more than once."""


class Lead(Struct, frozen=True, gc=False):
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
    side: Side
    """Whose record it is; the exchange's where both have it, but for the place where only the book has it."""
    moved: Decimal
    """What its rows moved before fees; the size of the fill where it has no rows."""
    rows: tuple[Movement, ...] = ()
    """Its rows on that side."""
    fill: Fill | None = None


class Case:
    """The two snapshots with their findings, indexed by id. Nothing in it changes."""

    def __init__(self, internal: Snapshot, exchange: Snapshot, findings: Iterable[Finding]) -> None:
        """Keep the sides and what comparing them found."""
        self.internal = internal
        self.exchange = exchange
        self.findings = tuple(findings)
        self.answers: dict[object, Any] = {}
        """What was asked of this case once and need not be worked out again (``once``)."""

    def snapshot(self, side: Side) -> Snapshot:
        """Return the snapshot of that side."""
        return self.internal if side == "internal" else self.exchange

    def saw_all(self, kind: Kind) -> bool:
        """Say whether every record of this kind was seen on both sides: only then do ids prove anything."""
        return all(side.coverage.of(kind) == Coverage.TOTAL for side in (self.internal, self.exchange))

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
    def amounts(self) -> Mapping[Place, tuple[Decimal, Decimal]]:
        """Return the internal and the exchange's amount of every balance and position that differs."""
        found = ((key, _amounts(finding)) for key, finding in self.unlike.items() if key.kind in _AMOUNTS)
        return {Place(key.kind, key.name, key.part): amounts for key, amounts in found if amounts is not None}

    @cached_property
    def differences(self) -> Mapping[Place, Decimal]:
        """Return exchange − internal of every balance and position that differs."""
        return {place: quantity.subtract(theirs, ours) for place, (ours, theirs) in self.amounts.items()}

    @cached_property
    def wallets(self) -> Mapping[str, Sequence[Place]]:
        """Return where each asset's balances differ."""
        assets: dict[str, list[Place]] = {}
        for place in self.differences:
            if place.kind is Kind.BALANCES:
                assets.setdefault(place.name, []).append(place)
        return assets

    @cached_property
    def orders(self) -> Mapping[Side, Mapping[str, Order]]:
        """Return the orders of each side by the exchange's id."""
        return {
            "internal": {order.order_id: order for order in self.internal.orders if order.order_id},
            "exchange": {order.order_id: order for order in self.exchange.orders if order.order_id},
        }

    @cached_property
    def rows(self) -> Mapping[Side, Mapping[str, tuple[Movement, ...]]]:
        """Return the movements of each side by the event they refer to and by their own id, repeats left out."""
        return {"internal": _by_event(self.internal), "exchange": _by_event(self.exchange)}

    @cached_property
    def _standing(self) -> Mapping[Side, Mapping[tuple[str, str], tuple[Movement, ...]]]:
        return {"internal": _by_place(self.internal), "exchange": _by_place(self.exchange)}

    def standing(self, side: Side, place: Place) -> tuple[Movement, ...]:
        """Return the movements of that side in this asset and wallet, oldest first."""
        return self._standing[side].get((place.name, place.part), ())

    def difference_at(self, place: Place) -> Decimal:
        """Return exchange − internal of a balance or position that differs; zero where nothing differs there."""
        return self.differences.get(place, ZERO)

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
    for row in {(row.movement_id, row.asset, row.wallet): row for row in snapshot.movements}.values():
        for name in dict.fromkeys((row.refers_to or row.movement_id, row.movement_id)):
            events.setdefault(name, []).append(row)
    return {event: tuple(rows) for event, rows in events.items()}


def _by_place(snapshot: Snapshot) -> Mapping[tuple[str, str], tuple[Movement, ...]]:
    places: dict[tuple[str, str], list[Movement]] = {}
    for row in snapshot.movements:
        places.setdefault((row.asset, row.wallet), []).append(row)
    return {place: tuple(sorted(rows, key=_when)) for place, rows in places.items()}


def _when(row: Movement) -> tuple[datetime, str]:
    return row.at, row.movement_id


def _amounts(finding: Finding) -> tuple[Decimal, Decimal] | None:
    match finding:
        case Differs(mismatches=mismatches):
            for each in mismatches:
                if isinstance(each, AmountMismatch) and each.field != "cost":
                    return each.internal, each.exchange
            return None
        case InternalOnly(amount=amount):
            return amount, ZERO
        case ExchangeOnly(amount=amount):
            return ZERO, amount
        case _:
            return None


_Asked = TypeVarTuple("_Asked")
_Answer = TypeVar("_Answer")


def once(ask: Callable[[Case, *_Asked], _Answer]) -> Callable[[Case, *_Asked], _Answer]:
    """Let a question about a case be worked out once: the answer is kept in the case, and goes when it goes."""

    @wraps(ask)
    def answer(case: Case, *args: *_Asked) -> _Answer:
        asked = (ask, args)
        if asked not in case.answers:
            case.answers[asked] = ask(case, *args)
        answered: _Answer = case.answers[asked]
        return answered

    return answer
