"""The assets and pairs of the simulated exchange, and how a request may name them.

Ids are looked up, never taken apart: XRP/USD is ``XXRPZUSD`` while DOGE/USD is ``XDGUSD``, and no rule
gives the one from the other (Kraken REST documentation, Get Tradable Asset Pairs). The rows themselves
stand in ``instrument_table``.
"""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from gal_friday.adapters.simulated.refusal import UNKNOWN_ASSET, UNKNOWN_PAIR, Refused


class Asset(msgspec.Struct, frozen=True):
    """One asset id: ``XXBT``, ``ZUSD``, ``AAPLx``, or a variant such as ``DOT28.S``."""

    id: str
    altname: str
    modern: str
    decimals: int
    display_decimals: int
    aclass: str = "currency"
    collateral: str | None = None
    status: str = "enabled"
    listed: bool = True
    plain: str = ""


class Pair(msgspec.Struct, frozen=True):
    """One tradable pair; ``listed`` is false for a delisted one that only history still names."""

    id: str
    altname: str
    wsname: str | None
    modern: str
    base: str
    quote: str
    pair_decimals: int
    cost_decimals: int
    ordermin: str
    lot_decimals: int = 8
    aclass_base: str = "currency"
    leverage: tuple[int, ...] = ()
    stable: bool = False
    status: str = "online"
    position_limits: tuple[int, int] | None = None
    venue: str = "international"
    listed: bool = True

    @property
    def price_decimals(self) -> int:
        """Digits of a trade price: as many as the finer of price and cost."""
        return max(self.pair_decimals, self.cost_decimals)


Schedule = tuple[tuple[int, str], ...]

# Thirty-day volume in US dollars and percent (Kraken fee schedule, spot and stable pairs).
TAKER: Schedule = (
    (0, "0.4"), (10_000, "0.35"), (50_000, "0.24"), (100_000, "0.22"), (250_000, "0.2"), (500_000, "0.18"),
    (1_000_000, "0.16"), (2_500_000, "0.14"), (5_000_000, "0.12"), (10_000_000, "0.1"),
)  # fmt: skip
MAKER: Schedule = (
    (0, "0.25"), (10_000, "0.2"), (50_000, "0.14"), (100_000, "0.12"), (250_000, "0.1"), (500_000, "0.08"),
    (1_000_000, "0.06"), (2_500_000, "0.04"), (5_000_000, "0.02"), (10_000_000, "0"),
)  # fmt: skip
STABLE: Schedule = (
    (0, "0.2"), (50_000, "0.16"), (100_000, "0.12"), (250_000, "0.08"), (500_000, "0.04"),
    (1_000_000, "0.02"), (10_000_000, "0.01"),
)  # fmt: skip


def schedules(pair: Pair) -> tuple[Schedule, Schedule]:
    """Return the taker and the maker schedule of a pair."""
    return (STABLE, STABLE) if pair.stable else (TAKER, MAKER)


def percent(schedule: Schedule, volume: Decimal) -> Decimal:
    """Return the fee in percent that a thirty-day *volume* has earned."""
    return Decimal([rate for least, rate in schedule if volume >= least][-1])


class Instruments:
    """Every asset and pair by each of its names."""

    def __init__(self, assets: Iterable[Asset], pairs: Iterable[Pair]) -> None:
        self.assets: dict[str, Asset] = {}
        self.pairs = {pair.id: pair for pair in pairs}
        self._asset_names: dict[str, str] = {}
        self._pair_names: dict[str, str] = {}
        self._between: dict[tuple[str, str], Pair] = {}
        for asset in assets:
            self.add(asset)
        for pair in self.pairs.values():
            self._name_pair(pair)

    def _name_pair(self, pair: Pair) -> None:
        # The id wins over another pair's altname; of two pairs with one altname the first keeps it.
        self._pair_names[pair.id] = pair.id
        for name in (pair.altname, pair.wsname, pair.modern):
            if name:
                self._pair_names.setdefault(name, pair.id)
        self._between.setdefault((pair.base, pair.quote), pair)

    def add(self, asset: Asset) -> Asset:
        """Make *asset* known and return it."""
        self.assets[asset.id] = asset
        self._asset_names[asset.id] = asset.id
        self._asset_names.setdefault(asset.altname, asset.id)
        self._asset_names.setdefault(asset.modern, asset.id)
        return asset

    def asset(self, name: str) -> Asset:
        """Return the asset of that id, altname or modern name.

        Raises:
            Refused: EQuery:Unknown asset.
        """
        try:
            return self.assets[self._asset_names[name]]
        except KeyError:
            raise Refused(UNKNOWN_ASSET) from None

    def pair(self, name: str) -> Pair:
        """Return the pair of that id, altname, slash name or modern name.

        Raises:
            Refused: EQuery:Unknown asset pair.
        """
        try:
            return self.pairs[self._pair_names[name]]
        except KeyError:
            raise Refused(UNKNOWN_PAIR) from None

    def rename_pair(self, name: str, new_id: str) -> Pair:
        """List a pair under another id from now on, and return it; what is kept may go on naming it by the old one."""
        old = self.pair(name)
        new = self.pairs[new_id] = msgspec.structs.replace(old, id=new_id)
        del self.pairs[old.id]
        self._pair_names |= {name: new_id for name, pair_id in self._pair_names.items() if pair_id == old.id}
        self._pair_names[new_id] = new_id
        self._between |= {ends: new for ends, pair in self._between.items() if pair == old}
        return new

    def between(self, base: str, quote: str) -> Pair | None:
        """Return the pair that prices *base* in *quote*, if there is one."""
        return self._between.get((base, quote))

    def variant(self, asset_id: str, suffix: str) -> Asset:
        """Return the asset that holds *asset_id* in another wallet: ``XXBT`` and ``.F`` give ``XBT.F``."""
        plain = self.asset(asset_id)
        name = f"{plain.altname}{suffix}"
        if name in self.assets:
            return self.assets[name]
        return self.add(
            Asset(
                id=name,
                altname=name,
                modern=f"{plain.modern}{suffix}",
                decimals=plain.decimals,
                display_decimals=plain.display_decimals,
                aclass=plain.aclass,
                listed=False,
                plain=plain.id,
            )
        )

    def plain_of(self, asset_id: str) -> str:
        """Return the id of the plain asset behind a variant; the id itself for a plain asset."""
        return self.assets[asset_id].plain or asset_id
