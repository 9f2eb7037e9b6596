"""Executions as records, and their true fees from the ledger.

The fee in Kraken's trade history is an estimate in the quote currency; what was really taken, and of
which asset, stands in the ledger rows that carry the trade's id (K4).

Source: Kraken REST documentation, Get Trades History; Kraken support, "Explanation of ledger fields".
"""

import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from gal_friday.adapters.kraken import wire
from gal_friday.adapters.kraken.names import Names
from gal_friday.adapters.kraken.wire import Row, Where
from gal_friday.domain.assets import Asset, Instrument, base_and_quote
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.quantity import add, text
from gal_friday.domain.records import FILL_LEG_KINDS, Extra, Fill, Movement, OrderSide, known_movement_kind

# What Kraken writes where a trade belongs to no position; the same for all accounts and years.
NO_POSITION = "TKH2SE-M7IF5-CFI7LT"

_FIELDS = frozenset({"ordertxid", "postxid", "pair", "time", "type", "price", "cost", "fee", "vol"})
_ZEROS = frozenset({None, "", "0", "0.0", "0.00000", "0.00000000", "none", 0})
_MARGIN_WORDS = ("closing", "initiated", "liquidat")


class Quotes:
    """Remembers the quote asset of each instrument while a list of fills is read."""

    def __init__(self, names: Names) -> None:
        """Resolve with *names*."""
        self._names = names
        self._found: dict[str, tuple[Instrument, Asset | None]] = {}

    def of(self, pair: str) -> tuple[Instrument, Asset | None]:
        """Return the instrument of a pair, and its quote asset where its name tells it."""
        found = self._found.get(pair)
        if found is None:
            name = self._names.instrument(pair)
            sides = base_and_quote(name)
            found = self._found[pair] = (name, sides[1] if sides else None)
        return found


def fill(row: Row, name: str, quotes: Quotes, endpoint: str) -> Fill:
    """Return the execution in this row, with the estimated fee in the quote asset.

    Raises:
        ExchangeMalformed: an amount, the side or the time cannot be read.
    """
    where = (endpoint, name)
    pair = wire.word(row, "pair", where)
    time = wire.number_text(row, "time", where)
    instrument, quote = quotes.of(pair)
    fee = wire.amount_or_none(row, "fee", where)
    margin = _on_margin(row, where)
    position = wire.word_or_empty(row, "postxid", where)
    try:
        return Fill(
            fill_id=name,
            instrument=instrument,
            side=_side(row, where),
            quantity=wire.amount(row, "vol", where),
            price=wire.amount(row, "price", where),
            at=wire.instant(time, "time", where),
            order_id=wire.word_or_empty(row, "ordertxid", where) or None,
            fee=fee,
            fee_asset=None if fee is None else quote,
            cost=wire.amount_or_none(row, "cost", where),
            margin=margin,
            position_id=position if margin and position and position != NO_POSITION else None,
            raw=(sys.intern(pair), time),
            extra={field: value for field, value in row.items() if field not in _FIELDS} or None,
        )
    except GalFridayError as error:
        wire.refuse_record(where, error)


def with_ledger_fees(fills: Iterable[Fill], movements: Iterable[Movement]) -> tuple[Fill, ...]:
    """Return the fills with the fees that the ledger shows for them, in the same order.

    A fill whose id no movement refers to keeps its estimate. Fees taken of several assets at once do not
    fit into one amount: the fee is then unknown (``None``) and ``extra["fees"]`` names each part. It is unknown too
    where a movement of a kind that nobody knows refers to the fill: that may be what it was taken with.
    """
    legs: defaultdict[str, list[Movement]] = defaultdict(list)
    unknown = set[str]()
    for movement in movements:
        if movement.refers_to is None:
            continue
        # A rollover refers to the position, whose id is that of its opening fill: it is no fee of the fill.
        if movement.kind in FILL_LEG_KINDS:
            legs[movement.refers_to].append(movement)
        elif not known_movement_kind(movement.kind):
            unknown.add(movement.refers_to)

    def charged(one: Fill) -> Fill:
        if one.fill_id in unknown:
            return _without_fee(one)
        return _with_fee(one, legs[one.fill_id]) if one.fill_id in legs else one

    return tuple(map(charged, fills))


def without_fees(fills: Iterable[Fill]) -> tuple[Fill, ...]:
    """Return the fills with their fees unknown; what Kraken's list estimated stays in ``extra["fee_estimate"]``.

    The list names the quote currency whatever the fee was taken from.
    """
    return tuple(map(_without_fee, fills))


def _without_fee(one: Fill) -> Fill:
    if one.fee is None:
        return one
    return replace(one, fee=None, fee_asset=None, extra={**(one.extra or {}), "fee_estimate": text(one.fee)})


def _with_fee(execution: Fill, legs: Sequence[Movement]) -> Fill:
    fees: dict[Asset, Decimal] = {}
    for leg in legs:
        if leg.fee:
            fees[leg.asset] = add(fees.get(leg.asset, Decimal(0)), leg.fee)
    taken = {asset: fee for asset, fee in fees.items() if fee}
    if not taken:
        return replace(execution, fee=Decimal(0)) if execution.fee_asset else execution
    if len(taken) == 1:
        ((asset, fee),) = taken.items()
        return replace(execution, fee=fee, fee_asset=asset)
    parts: Extra = {"fees": {asset: text(fee) for asset, fee in sorted(taken.items())}}
    return replace(execution, fee=None, fee_asset=None, extra={**(execution.extra or {}), **parts})


def _side(row: Row, where: Where) -> OrderSide:
    side = row.get("type")
    if side == "buy":
        return OrderSide.BUY
    if side != "sell":
        wire.refuse(where, "type", f"{str(side)[:40]!r} is neither buy nor sell")
    return OrderSide.SELL


def _on_margin(row: Row, where: Where) -> bool:
    if not _is_zero(row.get("margin")) and wire.amount(row, "margin", where):
        return True
    if not _is_zero(row.get("leverage")):
        return True
    # A fill that closes a position may need no margin of its own.
    misc = row.get("misc")
    return bool(misc) and any(word in str(misc) for word in _MARGIN_WORDS)


def _is_zero(value: Any) -> bool:
    return value is None or (isinstance(value, str | int) and value in _ZEROS)
