"""Last prices, directly or over one currency in between. An asset without such a way has no price here.

Source: Kraken REST documentation, Get Ticker Information.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from msgspec import Struct

from gal_friday.adapters.kraken import wire
from gal_friday.adapters.kraken.endpoints import TICKER
from gal_friday.adapters.kraken.names import Names
from gal_friday.adapters.kraken.session import Session, rows_inside
from gal_friday.domain.assets import Asset
from gal_friday.domain.quantity import multiply, parse, rounded, rounded_quotient, short

_BETWEEN = (Asset("USD"), Asset("EUR"), Asset("USDT"))
# Longer lists are not asked for by name: the answer for all pairs is one call too.
_PAIRS_BY_NAME = 100
_PLACES = 20
_ONE = Decimal(1)


class Leg(Struct, frozen=True):
    """One step of a way: a pair, and whether it is walked against its direction."""

    pair: str
    backwards: bool = False


Way = tuple[Leg, ...]


async def last_prices(session: Session, assets: Sequence[Asset], *, currency: Asset) -> dict[Asset, Decimal]:
    """Return the last price in *currency* of those assets that have one."""
    ways = {asset: way for asset in assets if (way := _way(session.names, asset, currency)) is not None}
    pairs = sorted({leg.pair for way in ways.values() for leg in way})
    last = await _last_trades(session, pairs) if pairs else {}
    found = {asset: _along(way, last) for asset, way in ways.items()}
    return {asset: price for asset, price in found.items() if price is not None}


def _way(names: Names, asset: Asset, currency: Asset) -> Way | None:
    if asset == currency:
        return ()
    direct = _leg(names, asset, currency)
    if direct is not None:
        return (direct,)
    return next(_ways_between(names, asset, currency), None)


def _ways_between(names: Names, asset: Asset, currency: Asset) -> Iterator[Way]:
    for middle in _BETWEEN:
        first, second = _leg(names, asset, middle), _leg(names, middle, currency)
        if first is not None and second is not None:
            yield first, second


def _leg(names: Names, asset: Asset, currency: Asset) -> Leg | None:
    pair = names.listed_pair(asset, currency)
    if pair is not None:
        return Leg(pair)
    pair = names.listed_pair(currency, asset)
    return None if pair is None else Leg(pair, backwards=True)


async def _last_trades(session: Session, pairs: Sequence[str]) -> dict[str, Decimal]:
    params = {"pair": ",".join(pairs)} if len(pairs) <= _PAIRS_BY_NAME else {}
    reply = await session.client.call(TICKER, params)
    rows = rows_inside(reply, "")
    wanted = frozenset(pairs)
    return {name: _last(row, name) for name, row in rows.items() if name in wanted}


def _last(row: wire.Row, name: str) -> Decimal:
    trade = row.get("c")
    if not isinstance(trade, list) or not trade:
        wire.refuse((TICKER.name, name), "c", "a last trade was expected")
    return wire.amount({"c": trade[0]}, "c", (TICKER.name, name))


def _along(way: Way, last: dict[str, Decimal]) -> Decimal | None:
    price = _ONE
    for leg in way:
        step = last.get(leg.pair)
        if not step or step < 0:
            # A pair that never traded shows zero: that is no price.
            return None
        price = multiply(price, rounded_quotient(_ONE, step, _PLACES) if leg.backwards else step)
    return parse(short(rounded(price, _PLACES)))
