"""From an append-only list of entries to what follows from it: balances, positions, latest orders.

A spot fill moves the base asset by its quantity, the quote asset by its cost, and the fee asset by its
fee; a margin fill moves only its fee, and changes the position of its instrument. Where movements were
recorded for a fill, they stand in place of these derived legs, never beside them.

A plug adds its signed amount to its balance or position, from its instant on, until it has given way.

Entries listed twice count twice: that is what the trading system believes, and finding it is other
people's work. This module never drops, repairs or invents an entry, and never rounds an amount: only
an average price is a rounded number, because a quotient has to be.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from operator import attrgetter

import msgspec
from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.adjustment import StandingPlug
from gal_friday.domain.assets import Asset, Instrument, Wallet, base_and_quote
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import (
    ENDED_STATUSES,
    FILL_LEG_KINDS,
    Balance,
    Fill,
    Kind,
    Movement,
    Order,
    OrderSide,
    Position,
    PositionMode,
)
from gal_friday.domain.snapshot import Scales

AVERAGE_PRICE_PLACES = 12
# What a reduction leaves of a cost is a quotient; it is carried with so many more digits than the average
# shows that ten thousand reductions cannot reach the last shown one.
_CARRIED_PLACES = 30


class RolledUp(Struct, frozen=True, kw_only=True):
    """What follows from a list of entries."""

    balances: tuple[Balance, ...]
    """One for every asset and wallet that ever moved, zero included; ordered by both."""
    positions: tuple[Position, ...]
    """One net position for every instrument that ever had a margin fill or a plug, zero included; ordered by name."""
    orders: tuple[Order, ...]
    """The latest state of every order, in the order in which they first appeared."""
    legs: tuple[Movement, ...]
    """What the fills moved that have no recorded movements, in the order of the fills."""
    underivable: tuple[Fill, ...]
    """Fills without recorded movements whose instrument does not tell its assets: they moved nothing here."""


def roll_up(
    *,
    fills: Sequence[Fill] = (),
    movements: Sequence[Movement] = (),
    orders: Iterable[Order] = (),
    plugs: Iterable[StandingPlug] = (),
    scales: Scales = Scales(),  # noqa: B008 - frozen, and its dictionaries are only read
) -> RolledUp:
    """Return what follows from these entries, the oldest entry of each list first.

    *scales* tell where the exchange rounds: each balance says how many derived legs it may have rounded.
    """
    rolling = Rolling(scales)
    rolling.move(movements)
    rolling.plug(plugs)
    legs = rolling.fill(fills)
    return RolledUp(
        balances=rolling.balances(),
        positions=rolling.positions(),
        orders=latest_orders(orders),
        legs=legs,
        underivable=rolling.underivable(),
    )


class Rolling:
    """The same for entries that come in portions, so that nobody has to hold them all.

    Every movement comes before the first fill: a recorded movement stands in place of a derived leg.
    """

    def __init__(self, scales: Scales) -> None:
        """Begin with nothing; *scales* tell where the exchange rounds."""
        self._scales = scales
        self._totals: dict[tuple[Asset, Wallet], Decimal] = {}
        self._rounded: dict[tuple[Asset, Wallet], int] = {}
        self._told: set[str | None] = set()
        self._margin: list[Fill] = []
        self._plugs: list[StandingPlug] = []
        self._underivable: list[Fill] = []

    def move(self, movements: Iterable[Movement]) -> None:
        """Take these recorded movements, in the order in which they were recorded."""
        told = self._told
        for movement in movements:
            if movement.kind in FILL_LEG_KINDS:
                told.add(movement.refers_to)
            self._add(movement)

    def plug(self, plugs: Iterable[StandingPlug]) -> tuple[Movement, ...]:
        """Take these plugs, and return what those of balances move: one movement of kind ``plug`` each."""
        moved: list[Movement] = []
        for plug in plugs:
            if plug.kind is Kind.POSITIONS:
                self._plugs.append(plug)
            else:
                moved.append(moved_by_plug(plug))
                self._add(moved[-1])
        return tuple(moved)

    def fill(self, fills: Iterable[Fill]) -> tuple[Movement, ...]:
        """Take these fills, in the order in which they were recorded, and return the legs derived from them."""
        legs: list[Movement] = []
        for fill in fills:
            if fill.margin:
                self._margin.append(fill)
            if fill.fill_id in self._told:
                continue
            if not _tells_its_legs(fill):
                self._underivable.append(fill)
            else:
                legs += legs_of(fill)
        for leg in legs:
            self._add(leg)
            self._count_rounded(leg)
        return tuple(legs)

    def balances(self) -> tuple[Balance, ...]:
        """Return what all entries so far add up to; see ``RolledUp``."""
        return tuple(
            Balance(asset, wallet, total, rounded_records=self._rounded.get((asset, wallet), 0))
            for (asset, wallet), total in sorted(self._totals.items())
        )

    def positions(self) -> tuple[Position, ...]:
        """Return the net position of every instrument with a margin fill or plug so far; see ``net_positions``."""
        return net_positions(self._margin, self._plugs, oldest_first=self._scales.oldest_first)

    def underivable(self) -> tuple[Fill, ...]:
        """Return the fills so far that moved nothing here, because nobody can tell their legs."""
        return tuple(self._underivable)

    def _add(self, movement: Movement) -> None:
        # The longest loop of a run: most fees are zero, and a comparison is cheaper than a subtraction.
        key = (movement.asset, movement.wallet)
        change = quantity.subtract(movement.amount, movement.fee) if movement.fee else movement.amount
        self._totals[key] = quantity.add(self._totals.get(key, ZERO), change)

    def _count_rounded(self, leg: Movement) -> None:
        places = self._scales.assets.get(leg.asset)
        if places is not None and (quantity.is_finer(leg.amount, places) or quantity.is_finer(leg.fee, places)):
            key = (leg.asset, leg.wallet)
            self._rounded[key] = self._rounded.get(key, 0) + 1


def _tells_its_legs(fill: Fill) -> bool:
    if base_and_quote(fill.instrument) is not None:
        return True
    return fill.margin and (not fill.fee or fill.fee_asset is not None)


def legs_of(fill: Fill) -> tuple[Movement, ...]:
    """Return what this fill moved, one row per asset, as the exchange's ledger would list it.

    Amount and fee stand apart; each id is the fill's with the asset behind it. A fee that the source does
    not know is not taken off. Empty where the instrument does not tell its assets, and for a margin fill
    without a fee.
    """
    assets = base_and_quote(fill.instrument)
    if fill.margin:
        asset = fill.fee_asset or (assets[1] if assets else None)
        return (_leg(fill, asset, ZERO, fill.fee),) if fill.fee and asset else ()
    return _spot_legs(fill, *assets) if assets else ()


def _spot_legs(fill: Fill, base: Asset, quote: Asset) -> tuple[Movement, ...]:
    fee, fee_asset = fill.fee or ZERO, fill.fee_asset or quote
    given = quote if fill.side is OrderSide.BUY else base
    amounts = {base: fill.quantity, quote: cost_of(fill)}
    amounts[given] = quantity.negate(amounts[given])
    if fee and fee_asset not in amounts:
        amounts[fee_asset] = ZERO
    return tuple(_leg(fill, asset, amount, fee if asset == fee_asset else ZERO) for asset, amount in amounts.items())


def cost_of(fill: Fill) -> Decimal:
    """Return what the fill cost in the quote asset before the fee: as stated, else quantity × price."""
    return quantity.multiply(fill.quantity, fill.price) if fill.cost is None else fill.cost


def _leg(fill: Fill, asset: Asset, amount: Decimal, fee: Decimal) -> Movement:
    return Movement(
        movement_id=f"{fill.fill_id}:{asset}",
        kind="margin" if fill.margin else "trade",
        asset=asset,
        wallet=Wallet.SPOT,
        amount=amount,
        at=fill.at,
        fee=fee,
        refers_to=fill.fill_id,
    )


def moved_by_plug(plug: StandingPlug) -> Movement:
    """Return what is left of a plug of a balance, as the movement that it stands for."""
    return Movement(plug.plug_id, "plug", Asset(plug.name), Wallet(plug.part), plug.amount, plug.at)


class _Lot(Struct):
    """One opening, or what is left of it."""

    size: Decimal
    cost: Decimal | None
    """Positive for a long and for a short; None where nobody knows a price of some of it."""


class _Open:
    """What is open in one instrument while its fills and plugs are walked through, the oldest opening first.

    By average cost all of it is one opening, which grows and shrinks.
    """

    def __init__(self, *, oldest_first: bool) -> None:
        self._oldest_first = oldest_first
        self._lots: list[_Lot] = []
        self._long = True

    def take(self, fill: Fill) -> None:
        signed = fill.quantity if fill.side is OrderSide.BUY else quantity.negate(fill.quantity)
        self._take(signed, fill.price, cost_of(fill))

    def plug(self, plug: StandingPlug) -> None:
        price = plug.price
        if price is None and self._lots:
            price = self._average(_CARRIED_PLACES)
        cost = None if price is None else quantity.multiply(price, quantity.absolute(plug.amount))
        self._take(plug.amount, price, cost)

    def _take(self, signed: Decimal, price: Decimal | None, cost: Decimal | None) -> None:
        size, is_long = quantity.absolute(signed), signed > 0
        if self._lots and self._long is not is_long:
            left = self._reduce(size)
            if not left:
                return
            size, cost = left, cost if left == size else _times(price, left)
        if not size:
            return
        self._long = is_long
        if self._lots and not self._oldest_first:
            (lot,) = self._lots
            known = None if lot.cost is None or cost is None else quantity.add(lot.cost, cost)
            self._lots = [_Lot(quantity.add(lot.size, size), known)]
        else:
            self._lots.append(_Lot(size, cost))

    def _reduce(self, size: Decimal) -> Decimal:
        """Close so much, and return what is left to be opened on the other side."""
        while size and self._lots:
            lot = self._lots[0]
            if size >= lot.size:
                size = quantity.subtract(size, lot.size)
                del self._lots[0]
            else:
                left = quantity.subtract(lot.size, size)
                self._lots[0] = _Lot(left, _times(_average_of([lot], _CARRIED_PLACES), left))
                size = ZERO
        return size

    def _average(self, places: int) -> Decimal | None:
        return _average_of(self._lots, places)

    def position(self, instrument: Instrument) -> Position:
        size = quantity.total(lot.size for lot in self._lots)
        signed = size if self._long else quantity.negate(size)
        average = self._average(AVERAGE_PRICE_PLACES) if self._lots else None
        return Position(instrument, PositionMode.NET, signed, average_price=average)


def _average_of(lots: Sequence[_Lot], places: int) -> Decimal | None:
    costs = [lot.cost for lot in lots if lot.cost is not None]
    if len(costs) < len(lots):
        return None
    return quantity.rounded_quotient(quantity.total(costs), quantity.total(lot.size for lot in lots), places)


def _times(price: Decimal | None, size: Decimal) -> Decimal | None:
    return None if price is None else quantity.multiply(price, quantity.absolute(size))


def net_positions(
    fills: Iterable[Fill], plugs: Iterable[StandingPlug] = (), *, oldest_first: bool = False
) -> tuple[Position, ...]:
    """Return the net position of every instrument with a margin fill or a plug, ordered by name.

    Opening adds cost, and what flips starts anew at the price of the fill that flipped it. What reduces keeps the
    average, or closes the *oldest_first*. A plug without a price leaves the average as it is, or unknown where nothing
    was open. Both are taken in the order of their times; those of one instant in the order given, fills first.
    """
    open_parts: dict[Instrument, _Open] = {}
    steps: list[Fill | StandingPlug] = [fill for fill in fills if fill.margin]
    steps += [plug for plug in plugs if plug.kind is Kind.POSITIONS]
    for step in sorted(steps, key=attrgetter("at")):
        name = step.instrument if isinstance(step, Fill) else Instrument(step.name)
        part = open_parts.setdefault(name, _Open(oldest_first=oldest_first))
        if isinstance(step, Fill):
            part.take(step)
        else:
            part.plug(step)
    return tuple(part.position(instrument) for instrument, part in sorted(open_parts.items()))


def latest_orders(entries: Iterable[Order]) -> tuple[Order, ...]:
    """Return the latest state of every order, in the order in which they first appeared; see ``LatestOrders``."""
    latest = LatestOrders()
    latest.take(entries)
    return tuple(latest.orders)


class LatestOrders:
    """The latest state of every order, for entries that come in portions.

    The last entry wins, unless it is known to be the older (N6; see ``is_older``). An order
    known by the client's id alone becomes the one with the exchange's id as soon as an entry has both.
    """

    def __init__(self) -> None:
        """Begin with no order."""
        self.orders: list[Order] = []
        """In the order in which they first appeared."""
        self._slot_of: dict[tuple[str, str | None], int] = {}

    def take(self, entries: Iterable[Order]) -> None:
        """Take these entries, in the order in which they were recorded."""
        for entry in entries:
            slot = _slot(entry, self.orders, self._slot_of)
            if slot is None:
                slot = len(self.orders)
                self.orders.append(entry)
            else:
                self.orders[slot] = _later(self.orders[slot], entry)
            self._slot_of.update(dict.fromkeys(_names(self.orders[slot]), slot))


def _names(order: Order) -> list[tuple[str, str | None]]:
    names = [("order", order.order_id), ("client", order.client_order_id)]
    return [name for name in names if name[1] is not None]


def _slot(entry: Order, slots: list[Order], slot_of: dict[tuple[str, str | None], int]) -> int | None:
    if entry.order_id is None:
        return slot_of.get(("client", entry.client_order_id))
    by_id = slot_of.get(("order", entry.order_id))
    if by_id is not None or entry.client_order_id is None:
        return by_id
    by_client = slot_of.get(("client", entry.client_order_id))
    # A client may use one id for several orders: only one that has no other id yet can be this one.
    return by_client if by_client is not None and slots[by_client].order_id is None else None


def _later(known: Order, entry: Order) -> Order:
    wins, loses = (known, entry) if is_older(entry, known) else (entry, known)
    if wins.order_id is not None and wins.client_order_id is not None:
        return wins
    return msgspec.structs.replace(
        wins,
        order_id=wins.order_id or loses.order_id,
        client_order_id=wins.client_order_id or loses.client_order_id,
    )


def is_older(left: Order, right: Order) -> bool:
    """Say whether *left* is known to be an earlier state than *right*: both tell when they were true.

    Of one instant it is the one that had not ended yet: what has ended never works again.
    """
    if left.updated_at is None or right.updated_at is None:
        return False
    return (left.updated_at, left.status in ENDED_STATUSES) < (right.updated_at, right.status in ENDED_STATUSES)
