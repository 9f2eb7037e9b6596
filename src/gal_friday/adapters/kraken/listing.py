"""What Kraken lists, and what it ever listed: assets and pairs by their ids.

Delisted names vanish from Kraken's lists while old orders, trades and ledger rows keep naming them, so a
name that was seen once is never forgotten: pass what a store has kept, keep what was learned.
"""

from collections.abc import Mapping

from msgspec import Struct

from gal_friday.adapters.kraken import legacy, wire
from gal_friday.adapters.kraken.wire import Row

INTERNATIONAL = "international"
"""Kraken's own books; a pair on another execution venue is another instrument."""


class KnownAsset(Struct, frozen=True):
    """One asset, as the exchange describes it."""

    altname: str
    decimals: int | None = None
    aclass: str = "currency"


class KnownPair(Struct, frozen=True):
    """One pair, as the exchange describes it. Base and quote are asset ids."""

    altname: str
    base: str
    quote: str
    wsname: str = ""
    venue: str = INTERNATIONAL
    cost_decimals: int | None = None


class KnownNames(Struct, frozen=True):
    """Assets and pairs by id."""

    assets: dict[str, KnownAsset] = {}
    pairs: dict[str, KnownPair] = {}

    def with_newer(self, newer: "KnownNames") -> "KnownNames":
        """Return both, the newer description where an id stands in both."""
        return KnownNames({**self.assets, **newer.assets}, {**self.pairs, **newer.pairs})

    def without(self, listed: "KnownNames") -> "KnownNames":
        """Return those whose ids are not *listed*."""
        assets = {name: one for name, one in self.assets.items() if name not in listed.assets}
        return KnownNames(assets, {name: one for name, one in self.pairs.items() if name not in listed.pairs})


def assets_listed(result: object) -> dict[str, KnownAsset]:
    """Return the assets of an answer of Assets.

    Raises:
        ExchangeMalformed: a row without an altname.
    """
    return {name: _asset(row, name) for name, row in wire.rows_of(result, "Assets").items()}


def pairs_listed(result: object) -> dict[str, KnownPair]:
    """Return the pairs of an answer of AssetPairs.

    Raises:
        ExchangeMalformed: a row without altname, base or quote.
    """
    return {name: _pair(row, name) for name, row in wire.rows_of(result, "AssetPairs").items()}


def legacy_names() -> KnownNames:
    """Return the old spellings, for work without a network."""
    assets = {name: KnownAsset(altname) for name, altname in legacy.ALTNAMES.items()}
    return KnownNames(assets, {name: _old_pair(*sides) for name, sides in legacy.PAIRS.items()})


def altname_of(pair: KnownPair, assets: Mapping[str, KnownAsset]) -> str | None:
    """Return the altname that a pair of these two assets has by Kraken's custom; None if one is unknown."""
    base, quote = assets.get(pair.base), assets.get(pair.quote)
    return None if base is None or quote is None else base.altname + quote.altname


def _asset(row: Row, name: str) -> KnownAsset:
    where = ("Assets", name)
    return KnownAsset(
        altname=wire.word(row, "altname", where),
        decimals=_digits(row, "decimals"),
        aclass=wire.word_or_empty(row, "aclass", where) or "currency",
    )


def _pair(row: Row, name: str) -> KnownPair:
    where = ("AssetPairs", name)
    return KnownPair(
        altname=wire.word(row, "altname", where),
        base=wire.word(row, "base", where),
        quote=wire.word(row, "quote", where),
        wsname=wire.word_or_empty(row, "wsname", where),
        venue=wire.word_or_empty(row, "execution_venue", where) or INTERNATIONAL,
        cost_decimals=_digits(row, "cost_decimals"),
    )


def _digits(row: Row, field: str) -> int | None:
    digits = wire.whole_number(row.get(field))
    return digits if digits is not None and 0 <= digits <= 30 else None


def _old_pair(base: str, quote: str) -> KnownPair:
    left = legacy.ALTNAMES.get(base, base)
    right = legacy.ALTNAMES.get(quote, quote)
    return KnownPair(altname=left + right, base=base, quote=quote, wsname=f"{left}/{right}")
