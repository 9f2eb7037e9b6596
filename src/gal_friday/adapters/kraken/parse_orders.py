"""Orders as records. Each status has its own meaning; one that nobody knows survives as its own text (I15).

Source: Kraken REST documentation, Get Open Orders, Get Closed Orders, Query Orders Info.
"""

from datetime import datetime
from decimal import Decimal

from gal_friday.adapters.kraken import wire
from gal_friday.adapters.kraken.names import Names
from gal_friday.adapters.kraken.wire import Row, Where
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.records import Order, OrderSide

# Kraken's word for executed is "closed"; how much of it was executed is said by vol_exec, not by the word.
STATUSES = {
    "pending": "pending",
    "open": "open",
    "closed": "filled",
    "canceled": "canceled",
    "expired": "expired",
}

_FIELDS = frozenset({"status", "descr", "vol", "vol_exec", "opentm", "closetm", "cl_ord_id"})


def order(row: Row, name: str, names: Names, endpoint: str) -> Order:
    """Return the order in this row.

    Raises:
        ExchangeMalformed: side, size, executed size or status cannot be read.
    """
    where = (endpoint, name)
    descr = row.get("descr")
    if not isinstance(descr, dict):
        wire.refuse(where, "descr", "a description was expected")
    pair = wire.word(descr, "pair", where)
    status = wire.word(row, "status", where)
    kind = wire.word_or_empty(descr, "ordertype", where) or None
    opened = _time(row, "opentm", where)
    try:
        return Order(
            order_id=name,
            instrument=names.instrument(pair),
            side=_side(descr, where),
            quantity=wire.amount(row, "vol", where),
            filled=wire.amount(row, "vol_exec", where),
            status=STATUSES.get(status, status),
            client_order_id=_client_id(row, where),
            type=kind,
            price=_limit_price(descr, kind, where),
            opened_at=opened,
            updated_at=_time(row, "closetm", where) or opened,
            raw=(pair, status),
            extra={field: value for field, value in row.items() if field not in _FIELDS} | {"descr": descr},
        )
    except GalFridayError as error:
        wire.refuse_record(where, error)


def _side(descr: Row, where: Where) -> OrderSide:
    side = wire.word(descr, "type", where)
    if side not in {"buy", "sell"}:
        wire.refuse(where, "type", f"{side[:40]!r} is neither buy nor sell")
    return OrderSide(side)


def _client_id(row: Row, where: Where) -> str | None:
    own = wire.word_or_empty(row, "cl_ord_id", where)
    if own:
        return own
    # Zero is what Kraken shows for an order without a reference.
    reference = row.get("userref")
    return None if reference in (None, 0, "0", "") else str(reference)


def _limit_price(descr: Row, kind: str | None, where: Where) -> Decimal | None:
    if kind != "limit":
        # For other types the field holds a trigger, an offset, or nothing: it is not the order's price.
        return None
    price = wire.amount_or_none(descr, "price", where)
    return price or None


def _time(row: Row, field: str, where: Where) -> datetime | None:
    if row.get(field) is None:
        return None
    text = wire.number_text(row, field, where)
    return wire.instant(text, field, where) if text.strip("0.") else None
