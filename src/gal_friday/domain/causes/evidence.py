"""What several recognisers look at: whose a fill is, which rows belong to an event, how old a record is.

Questions about records only. No name of a cause is decided here, so that no recogniser depends on another.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset
from gal_friday.domain.case import Case, Lead, Place, once
from gal_friday.domain.cause import Cause
from gal_friday.domain.compare.stake import net
from gal_friday.domain.finding import Differs, ExchangeOnly, Finding, InternalOnly, Key
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import FILL_LEG_KINDS, Fill, Kind, Movement, Order
from gal_friday.domain.snapshot import Coverage, Side

REST_LAG = timedelta(seconds=90)
"""By how much Kraken's REST answers may lag behind its stream, with room (a fill was once 60 s late)."""
TRANSFER_TIME = timedelta(hours=1)
"""How long the second leg of an own transfer may take."""
SETTLING_TIME = timedelta(days=1)
"""How long a deposit or withdrawal may be on its way before it counts as lost."""
_TAKES = {
    "deposit": SETTLING_TIME,
    "withdrawal": SETTLING_TIME,
    "transfer": TRANSFER_TIME,
    "earn_transfer": TRANSFER_TIME,
}

_SETTLING = ("settle position", "settle-position")


class Recognised(Struct, frozen=True, gc=False):
    """A cause that the evidence shows, and the sentence that tells people so."""

    cause: Cause
    note: str


class Rest(NamedTuple):
    """What is left of a difference after every lead has been taken off."""

    place: Place
    residual: Decimal
    """What is still to be added to the internal amount."""
    case: Case
    tolerance: Decimal
    value: Decimal | None
    """Worth of the residual in the reporting currency, without sign; None without a price."""
    trivial_value: Decimal = Decimal(1)
    """Below this value nothing matters, even in sum."""
    currency: Asset = Asset("USD")
    """The reporting currency."""


def told(amount: Decimal, name: str) -> str:
    """Return an amount for people, without its sign: ``0.25 BTC``."""
    return f"{quantity.short(quantity.absolute(amount))} {name}"


def is_trade(lead: Lead) -> bool:
    """Say whether the lead is a leg of a fill, or its effect on a position."""
    return lead.kind == "fill" or lead.kind in FILL_LEG_KINDS


def rows_of(case: Case, side: Side, lead: Lead) -> tuple[Movement, ...]:
    """Return the rows of the lead's event on that side, in every asset and wallet."""
    return case.rows[side].get(lead.event, ())


def at_place(rows: Iterable[Movement], place: Place) -> tuple[Movement, ...]:
    """Return those rows that stand in this asset and wallet."""
    return tuple(row for row in rows if (row.asset, row.wallet) == (place.name, place.part))


def lacks_rows(lead: Lead, case: Case) -> bool:
    """Say whether the exchange has more rows of this event in this asset and wallet than the book."""
    mine, other = (at_place(rows_of(case, side, lead), lead.place) for side in ("internal", "exchange"))
    return len(other) > len(mine)


def amount_of(rows: Iterable[Movement]) -> Decimal:
    """Return what the rows moved before fees."""
    return quantity.total(row.amount for row in rows)


def fees_of(rows: Iterable[Movement]) -> dict[Asset, Decimal]:
    """Return the fee that the rows took of each asset; an asset without a fee is not listed."""
    fees: dict[Asset, Decimal] = {}
    for row in rows:
        fees[row.asset] = quantity.add(fees.get(row.asset, ZERO), row.fee)
    return {asset: fee for asset, fee in fees.items() if fee}


def reversed_by(rows: Iterable[Movement]) -> bool:
    """Say whether money went out and came back, or came and was taken back, within one event."""
    amounts = [row.amount for row in rows]
    return any(amount > 0 for amount in amounts) and any(amount < 0 for amount in amounts)


def fill_of(lead: Lead, case: Case) -> Fill | None:
    """Return the fill that the lead belongs to, the exchange's if it has it."""
    return case.fill(lead.event) or lead.fill


def both_fills(lead: Lead, case: Case) -> tuple[Fill, Fill] | None:
    """Return the book's and the exchange's version of the lead's fill, or None where one lacks it."""
    ours, theirs = case.fills["internal"].get(lead.event), case.fills["exchange"].get(lead.event)
    return (ours, theirs) if ours is not None and theirs is not None else None


def booked(lead: Lead, case: Case) -> bool:
    """Say whether the book has this fill, or some row of this event."""
    return lead.event in case.fills["internal"] or bool(rows_of(case, "internal", lead))


Owner = Literal["own", "foreign", "unknown"]


def whose(fill: Fill | None, case: Case) -> Owner:
    """Return whether the fill's order is the trading system's, somebody else's, or cannot be told.

    An order is foreign only where the book lists all of its orders and this one is not among them, neither by
    the exchange's id nor by the client's.
    """
    if fill is None or fill.order_id is None:
        return "unknown"
    theirs = case.orders["exchange"].get(fill.order_id)
    client = theirs.client_order_id if theirs else None
    own = _own_orders(case)
    if fill.order_id in own or client in own:
        return "own"
    return "foreign" if case.internal.coverage.orders == Coverage.TOTAL else "unknown"


@once
def _own_orders(case: Case) -> frozenset[str]:
    """Return every id, the exchange's and the client's, under which the book knows an order."""
    orders = case.internal.orders
    names = {order.order_id for order in orders} | {order.client_order_id for order in orders}
    return frozenset(name for name in names | {fill.order_id for fill in case.internal.fills} if name)


Nature = Literal["trade", "liquidation", "settlement"]


def nature_of(fill: Fill | None, rows: Iterable[Movement], order: Order | None) -> Nature:
    """Return what kind of execution it was, as the exchange itself calls it.

    A liquidation shows in the words of order or trade, or in results booked in several currencies at once:
    collateral was sold. Source: Kraken REST documentation, Get Trades History (ordertype), Get Ledgers Info.
    """
    rows = tuple(rows)
    words = " ".join((*_words(fill), *_words(order)))
    sold = {row.asset for row in rows if row.kind == "margin" and row.amount}
    if "liquidat" in words or len(sold) > 1:
        return "liquidation"
    if any(word in words for word in _SETTLING) or any(row.kind == "settlement" for row in rows):
        return "settlement"
    return "trade"


def _words(record: Fill | Order | None) -> Iterable[str]:
    if record is None:
        return
    if isinstance(record, Order) and record.type:
        yield record.type
    for field in ("ordertype", "misc"):
        yield str((record.extra or {}).get(field, ""))


def nature(lead: Lead, case: Case) -> Nature:
    """Return what kind of execution the lead belongs to."""
    return _nature(case, lead.event)


@once
def _nature(case: Case, event: str) -> Nature:
    fill = case.fill(event)
    order = case.orders["exchange"].get(fill.order_id or "") if fill else None
    return nature_of(fill, case.rows["exchange"].get(event, ()), order)


def other_version(lead: Lead, case: Case) -> Movement | None:
    """Return the row of the other side that is this lead's row under another asset or wallet; None without one."""
    if not lead.rows or not lead.moved or lead.what == "duplicated":
        return None
    others = case.rows["exchange" if lead.side == "internal" else "internal"]
    rows = (*others.get(lead.event, ()), *others.get(lead.rows[0].movement_id, ()))
    if not rows or at_place(rows, lead.place):
        return None
    found = {row.movement_id: row for row in rows if row.amount == lead.moved and row.kind == lead.kind}
    return next(iter(found.values())) if len(found) == 1 else None


def elsewhere(lead: Lead, case: Case) -> Movement | None:
    """Return this lead's row under another asset or wallet, where that is its cause; a rollover is told as itself."""
    return None if lead.kind == "rollover" else other_version(lead, case)


def apart(lead: Lead, ours: str, theirs: str) -> str:
    """Return that the lead's record stands in one place in the book and in another at the exchange."""
    if lead.side == "exchange":
        ours, theirs = theirs, ours
    return f"{lead.kind} {lead.event} is in {theirs} at the exchange, and in {ours} in the book"


def age(at: datetime | None, case: Case) -> timedelta:
    """Return how long before the later of the two readings this was."""
    return max(case.internal.as_of, case.exchange.as_of) - at if at is not None else timedelta.max


def takes(kind: str) -> timedelta:
    """Return how long a movement of this kind may be in the book before the exchange must show it."""
    return _TAKES.get(kind, REST_LAG)


def order_named(case: Case, side: Side, key: Key) -> Order | None:
    """Return the order that a finding is about, as that side has it."""
    named = case.orders[side].get(key.name)
    if named is not None:
        return named
    other = case.orders["exchange" if side == "internal" else "internal"].get(key.name)
    client = key.name if key.part == "client" else other.client_order_id if other else None
    return _by_client(case, side).get(client) if client else None


def known_by_client(order: Order, case: Case, side: Side) -> Order | None:
    """Return what that side has under the client's id of an order of the other side; None without one."""
    return _by_client(case, side).get(order.client_order_id) if order.client_order_id else None


@once
def _by_client(case: Case, side: Side) -> Mapping[str, Order]:
    """Return the orders of that side by the client's id; of several under one, the first that is listed."""
    orders = reversed(case.snapshot(side).orders)
    return {order.client_order_id: order for order in orders if order.client_order_id}


def both_orders(finding: Finding, case: Case) -> tuple[Order, Order] | None:
    """Return the book's and the exchange's version of an order that differs."""
    if not isinstance(finding, Differs) or finding.key.kind is not Kind.ORDERS:
        return None
    ours, theirs = (order_named(case, side, finding.key) for side in ("internal", "exchange"))
    return (ours, theirs) if ours is not None and theirs is not None else None


def lone_order(finding: Finding, case: Case, side: Side) -> Order | None:
    """Return the order that only this side has, or None where the finding says something else."""
    lone = ExchangeOnly if side == "exchange" else InternalOnly
    if finding.key.kind is not Kind.ORDERS or not isinstance(finding, lone):
        return None
    return order_named(case, side, finding.key)


def net_of(rows: Iterable[Movement]) -> Decimal:
    """Return by how much the rows changed their wallets, fees taken off."""
    return quantity.total(map(net, rows))


def significant(amount: Decimal) -> int:
    """Return how many digits of the amount carry information: 0.25 has two, 1500 has two."""
    return len(quantity.short(quantity.absolute(amount)).replace(".", "").strip("0"))
