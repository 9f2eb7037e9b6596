"""The channel executions: sparse rows merged by order, fills told once, and fills that nobody told.

A row holds only what changed. What is known of an order is therefore everything that was ever told of it, the
newest by the exchange's own clock; an older row that comes late adds what was unknown and changes nothing else.

Every row that tells how far an order is executed is held against its fills: where it is executed further than
they say, a fill was not told, even if no number in the frames shows it.

Source: Kraken WebSocket v2 documentation, Executions.
"""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.adapters.kraken import wire
from gal_friday.adapters.kraken.names import Names
from gal_friday.adapters.kraken.stream_frames import EXECUTIONS
from gal_friday.adapters.kraken.stream_memory import Seen
from gal_friday.adapters.kraken.wire import Row
from gal_friday.domain.assets import Asset, base_and_quote
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.quantity import ZERO, add, text
from gal_friday.domain.records import Fill, OrderSide
from gal_friday.ports.stream import FillSeen, Missed, OrderSeen, StreamEvent

STATUSES = {
    "pending_new": "pending",
    "new": "open",
    "partially_filled": "open",
    "filled": "filled",
    "canceled": "canceled",
    "expired": "expired",
}
FILL = "trade"
STEPS = frozenset(
    {
        FILL, "pending_new", "new", "filled", "iceberg_refill", "canceled", "expired", "amended", "restated", "status",
    }
)  # fmt: skip
ORDERS_MAX = 10_000

# What a row says of the order; the rest is about one execution.
_OF_ORDER = frozenset(
    {
        "order_id", "order_status", "timestamp", "symbol", "side", "order_qty", "cum_qty", "cl_ord_id",
        "order_userref", "margin",
    }
)  # fmt: skip
_OF_FILL = _OF_ORDER | {"exec_id", "exec_type", "last_qty", "last_price", "cost", "fees"}


class Known(Struct, frozen=True):
    """What is known of one order, and what of it was told last."""

    fields: Row
    told: tuple[object, ...] = ()


class How(Struct, frozen=True):
    """How a row came."""

    at: datetime
    live: bool = True
    """As it happened; otherwise as part of a snapshot."""
    late: bool = False
    """Its number says that it belongs before what is known already."""


def merged(known: Row, row: Row, *, late: bool) -> Row:
    """Return what is known of an order after this row: the newer of two words for one thing."""
    news = {field: value for field, value in row.items() if field in _OF_ORDER and value is not None}
    return {**news, **known} if late else {**known, **news}


def is_late(known: Row, row: Row) -> bool:
    """Say whether this row was written before what is known already, by the exchange's clock."""
    if known.get("timestamp") is None or row.get("timestamp") is None:
        return False
    where = (EXECUTIONS, "")
    return wire.dated(row, "timestamp", where) < wire.dated(known, "timestamp", where)


class Executions:
    """What is told of orders and fills, over all connections of one stream."""

    def __init__(self, names: Names, seen: Seen) -> None:
        """Tell no fill of *seen*, and remember there what was told."""
        self.names = names
        self._seen = seen
        self._orders: dict[str, Known] = {}

    def snapshot(self, rows: tuple[Row, ...], at: datetime) -> list[StreamEvent]:
        """Return what is new in a snapshot: fills that were not told yet, and the orders as they stand."""
        self._orders = {order_id: Known({}, known.told) for order_id, known in self._orders.items()}
        # Orders first, newest fill last: a fill then finds what the snapshot itself says of its order.
        steps = [row for row in rows if row.get("exec_type") != FILL]
        fills = [row for row in reversed(rows) if row.get("exec_type") == FILL]
        how = How(at, live=False)
        return [event for row in (*steps, *fills) for event in self._row(row, how)]

    def update(self, rows: tuple[Row, ...], at: datetime, *, late: bool = False) -> list[StreamEvent]:
        """Return what these rows tell, in their order; *late*: their number was passed already."""
        how = How(at, late=late)
        return [event for row in rows for event in self._row(row, how)]

    def _row(self, row: Row, how: How) -> list[StreamEvent]:
        try:
            order_id = wire.word(row, "order_id", (EXECUTIONS, ""))
            step = wire.word(row, "exec_type", (EXECUTIONS, order_id))
            known = self._orders.get(order_id) or Known({})
            how = replace(how, late=how.late or is_late(known.fields, row))
            if step == FILL:
                return self._fill(row, order_id, known, how)
            return self._step(row, step, order_id, known, how)
        except GalFridayError as error:
            return [Missed(f"an execution that cannot be read: {error}", how.at)]

    def _step(self, row: Row, step: str, order_id: str, known: Known, how: How) -> list[StreamEvent]:
        where = (EXECUTIONS, order_id)
        missed = self._held_against_fills(row, where, known, ZERO, how)
        fill_id = wire.word_or_empty(row, "exec_id", where)
        executed = fill_id and fill_id not in self._seen and row.get("last_qty") is not None
        if step not in STEPS or executed:
            missed.append(Missed(f"order {order_id}: {step[:40]!a} is no step that anybody here knows", how.at))
        return [*self._order(order_id, merged(known.fields, row, late=how.late), known, how.at), *missed]

    def _fill(self, row: Row, order_id: str, known: Known, how: How) -> list[StreamEvent]:
        where = (EXECUTIONS, order_id)
        fill_id = wire.word(row, "exec_id", where)
        if fill_id in self._seen:
            return self._of_fill(row, order_id, known, how)
        fill = fill_of({**known.fields, **row}, fill_id, self.names)
        missed = self._held_against_fills(row, where, known, fill.quantity, how)
        order = self._of_fill(row, order_id, known, how)
        # After everything that can fail: a fill that could not be read is not one that was told.
        self._seen.add(fill_id)
        return [FillSeen(fill, how.at, replayed=not how.live), *order, *missed]

    def _of_fill(self, row: Row, order_id: str, known: Known, how: How) -> list[StreamEvent]:
        """Return the order after its fill. Old fills in a snapshot say nothing of how orders stand now."""
        if not how.live:
            return []
        return self._order(order_id, merged(known.fields, row, late=how.late), known, how.at)

    @staticmethod
    def _held_against_fills(row: Row, where: wire.Where, known: Known, filled: Decimal, how: How) -> list[StreamEvent]:
        """Return a ``Missed`` where the order is executed further than its fills tell."""
        done = wire.amount_or_none(row, "cum_qty", where)
        if done is None or how.late or not how.live:
            return []
        before = wire.amount_or_none(known.fields, "cum_qty", where) or ZERO
        if done <= add(before, filled):
            return []
        return [Missed(f"order {where[1]}: {text(done)} executed, which its fills do not add up to", how.at)]

    def _order(self, order_id: str, fields: Row, known: Known, at: datetime) -> list[StreamEvent]:
        """Keep what is known of an order now, and return how it stands, unless that was told already."""
        where = (EXECUTIONS, order_id)
        word = wire.word_or_empty(fields, "order_status", where)
        symbol = wire.word_or_empty(fields, "symbol", where)
        quantity = wire.amount_or_none(fields, "order_qty", where)
        filled = wire.amount_or_none(fields, "cum_qty", where)
        seen = OrderSeen(
            order_id=order_id,
            status=STATUSES.get(word, word),
            received_at=at,
            instrument=self.names.instrument(symbol) if symbol else None,
            client_order_id=_client_id(fields, where),
            quantity=quantity,
            filled=filled,
            at=None if fields.get("timestamp") is None else wire.dated(fields, "timestamp", where),
        )
        # After everything that can fail: a row that cannot be read changes nothing.
        told = (word, quantity, filled)
        self._keep(order_id, Known(fields, told))
        return [] if not word or told == known.told else [seen]

    def _keep(self, order_id: str, known: Known) -> None:
        # Last in the order of use: what nobody spoke of for longest is forgotten first.
        self._orders.pop(order_id, None)
        self._orders[order_id] = known
        if len(self._orders) > ORDERS_MAX:
            del self._orders[next(iter(self._orders))]


def fill_of(row: Row, fill_id: str, names: Names) -> Fill:
    """Return the execution in this row, completed by what is known of its order.

    Raises:
        ExchangeMalformed: pair, side, size, price or time are missing or cannot be read.
    """
    where = (EXECUTIONS, fill_id)
    symbol = wire.word(row, "symbol", where)
    time = wire.word(row, "timestamp", where)
    instrument = names.instrument(symbol)
    quote = base_and_quote(instrument)
    fee, fee_asset, parts = _fees(row, names, quote[1] if quote else None, where)
    try:
        return Fill(
            fill_id=fill_id,
            instrument=instrument,
            side=_side(row, where),
            quantity=wire.amount(row, "last_qty", where),
            price=wire.amount(row, "last_price", where),
            at=wire.dated(row, "timestamp", where),
            order_id=wire.word(row, "order_id", where),
            fee=fee,
            fee_asset=fee_asset,
            cost=wire.amount_or_none(row, "cost", where),
            margin=row.get("margin") is True,
            raw=(symbol, time),
            extra={**parts, **{field: value for field, value in row.items() if field not in _OF_FILL}} or None,
        )
    except GalFridayError as error:
        wire.refuse_record(where, error)


def _fees(
    row: Row, names: Names, quote: Asset | None, where: wire.Where
) -> tuple[Decimal | None, Asset | None, dict[str, object]]:
    """Return the fee, its asset, and where it was taken of several assets the parts of it."""
    listed = row.get("fees")
    if listed is None:
        return None, None, {}
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        wire.refuse(where, "fees", "a list of fees was expected")
    taken: dict[Asset, Decimal] = {}
    for each in listed:
        asset = names.asset(wire.word(each, "asset", where))
        taken[asset] = add(taken.get(asset, ZERO), wire.amount(each, "qty", where))
    if not taken:
        return (None, None, {}) if quote is None else (ZERO, quote, {})
    if len(taken) == 1:
        ((asset, fee),) = taken.items()
        return fee, asset, {}
    return None, None, {"fees": {asset: text(fee) for asset, fee in sorted(taken.items())}}


def _side(row: Row, where: wire.Where) -> OrderSide:
    side = wire.word(row, "side", where)
    if side not in {"buy", "sell"}:
        wire.refuse(where, "side", f"{side[:40]!r} is neither buy nor sell")
    return OrderSide(side)


def _client_id(row: Row, where: wire.Where) -> str | None:
    own = wire.word_or_empty(row, "cl_ord_id", where)
    if own:
        return own
    reference = row.get("order_userref")
    return None if reference in (None, 0, "0", "") else str(reference)[:40]
