"""The public endpoints: status, time, assets, pairs, prices. No key is needed for them."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import UNSET, Raw

from gal_friday.adapters.simulated.clock import TICKS_PER_SECOND, ticks_of
from gal_friday.adapters.simulated.exchange import Exchange
from gal_friday.adapters.simulated.instruments import Asset, Pair, Schedule, schedules
from gal_friday.adapters.simulated.refusal import invalid
from gal_friday.adapters.simulated.render import amount
from gal_friday.adapters.simulated.wire import WireAsset, WirePair, WireTicker
from gal_friday.domain import quantity

Params = Mapping[str, str]
PublicEndpoint = Callable[[Exchange, Params], Any]

CLASSES = ("currency", "tokenized_asset")


def system_status(exchange: Exchange, _params: Params) -> Any:
    """Return the state of the exchange: online, maintenance, cancel_only or post_only."""
    return {"status": exchange.status, "timestamp": f"{exchange.now():%Y-%m-%dT%H:%M:%SZ}"}


def server_time(exchange: Exchange, _params: Params) -> Any:
    """Return the exchange's clock."""
    now = exchange.now()
    return {
        "unixtime": ticks_of(now) // TICKS_PER_SECOND,
        "rfc1123": f"{now:%a}, {now.day:2d} {now:%b %y %H:%M:%S} +0000",
    }


def assets(exchange: Exchange, params: Params) -> Any:
    """Return the assets of a class, or those asked for; ``assetVersion=1`` keys them by modern name."""
    modern = params.get("assetVersion") == "1"
    wanted = _names(params, "asset")
    if wanted:
        found = [exchange.instruments.asset(name) for name in wanted]
    else:
        aclass = _aclass(params, "aclass")
        found = [each for each in exchange.instruments.assets.values() if each.listed and each.aclass == aclass]
    return {each.modern if modern else each.id: _asset(each) for each in found}


def asset_pairs(exchange: Exchange, params: Params) -> Any:
    """Return the pairs whose base is of a class, or those asked for; ``info`` narrows the fields."""
    modern = params.get("assetVersion") == "1"
    wanted = _names(params, "pair")
    if wanted:
        found = [exchange.instruments.pair(name) for name in wanted]
    else:
        aclass = _aclass(params, "aclass_base")
        found = [each for each in exchange.instruments.pairs.values() if each.listed and each.aclass_base == aclass]
    narrow = _INFO.get(params.get("info") or "info")
    if narrow is None:
        raise invalid("info")
    return {each.modern if modern else each.id: narrow(_pair(exchange, each)) for each in found}


def ticker(exchange: Exchange, params: Params) -> Any:
    """Return prices by pair id: of the pairs asked for, or of all that have a price."""
    wanted = _names(params, "pair")
    if wanted:
        found = [exchange.instruments.pair(name) for name in wanted]
    else:
        found = [each for each in exchange.instruments.pairs.values() if each.listed]
    return {each.id: _ticker(exchange, each) for each in found if each.id in exchange.prices}


def _asset(asset: Asset) -> WireAsset:
    return WireAsset(
        aclass=asset.aclass,
        altname=asset.altname,
        decimals=asset.decimals,
        display_decimals=asset.display_decimals,
        status=asset.status,
        collateral_value=Raw(asset.collateral.encode()) if asset.collateral else UNSET,
    )


def _pair(exchange: Exchange, pair: Pair) -> WirePair:
    taker, maker = schedules(pair) if exchange.quirks.lists_fees else ((), ())
    wire = WirePair(
        altname=pair.altname,
        aclass_base=pair.aclass_base,
        base=pair.base,
        aclass_quote="currency",
        quote=pair.quote,
        lot="unit" if pair.lot_decimals == 8 else f"unit{pair.lot_decimals}",
        cost_decimals=pair.cost_decimals,
        pair_decimals=pair.pair_decimals,
        lot_decimals=pair.lot_decimals,
        lot_multiplier=1,
        leverage_buy=list(pair.leverage),
        leverage_sell=list(pair.leverage),
        fees=_schedule(taker),
        fees_maker=_schedule(maker),
        fee_volume_currency="ZUSD",
        margin_call=80,
        margin_stop=40,
        ordermin=pair.ordermin,
        costmin="0.00002" if pair.quote == "XXBT" else "0.5",
        tick_size=quantity.text(quantity.unit(pair.pair_decimals)),
        status=pair.status,
        execution_venue=pair.venue,
        wsname=pair.wsname or UNSET,
    )
    if pair.position_limits:
        wire.long_position_limit, wire.short_position_limit = pair.position_limits
    return wire


def _schedule(steps: Schedule) -> list[tuple[int, Raw]]:
    return [(least, Raw(rate.encode())) for least, rate in steps]


def _leverage(pair: WirePair) -> Any:
    return {"leverage_buy": pair.leverage_buy, "leverage_sell": pair.leverage_sell}


def _fees(pair: WirePair) -> Any:
    return {"fees": pair.fees, "fees_maker": pair.fees_maker, "fee_volume_currency": pair.fee_volume_currency}


def _margin(pair: WirePair) -> Any:
    return {"margin_call": pair.margin_call, "margin_level": pair.margin_stop}


_INFO: dict[str, Callable[[WirePair], Any]] = {
    "info": lambda pair: pair, "leverage": _leverage, "fees": _fees, "margin": _margin,
}  # fmt: skip


def _ticker(exchange: Exchange, pair: Pair) -> WireTicker:
    last = exchange.prices[pair.id]
    opening = exchange.opening_prices[pair.id]
    digits = pair.price_decimals
    price = amount(last, digits)
    spread = quantity.unit(pair.pair_decimals)
    return WireTicker(
        a=[amount(quantity.add(last, spread), digits), "1", "1.000"],
        b=[price, "1", "1.000"],
        c=[price, "0.10000000"],
        v=["100.00000000", "240.00000000"],
        p=[price, price],
        t=[1200, 2880],
        low=[amount(min(last, opening), digits)] * 2,
        h=[amount(max(last, opening), digits)] * 2,
        o=amount(opening, digits),
    )


def _names(params: Params, name: str) -> list[str]:
    return [part.strip() for part in params.get(name, "").split(",") if part.strip()]


def _aclass(params: Params, name: str) -> str:
    aclass = params.get(name) or "currency"
    if aclass not in CLASSES:
        raise invalid(name)
    return aclass


PUBLIC: dict[str, PublicEndpoint] = {
    "SystemStatus": system_status,
    "Time": server_time,
    "Assets": assets,
    "AssetPairs": asset_pairs,
    "Ticker": ticker,
}
