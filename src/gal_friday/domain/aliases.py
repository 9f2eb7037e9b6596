"""The names that a trading system uses for what this project calls BTC or XRP/USD.

An alias table is exact and case-sensitive, like every other name: what is not in it stays as it is.
"""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain.assets import Asset, Instrument
from gal_friday.domain.records import Fill
from gal_friday.domain.snapshot import Snapshot


class Aliases(Struct, frozen=True):
    """The user's name → the canonical one."""

    assets: Mapping[str, Asset] = {}
    instruments: Mapping[str, Instrument] = {}


def renamed(snapshot: Snapshot, aliases: Aliases) -> Snapshot:
    """Return the snapshot under canonical names. Rows that now share a name stay rows of their own."""
    if not aliases.assets and not aliases.instruments:
        return snapshot
    assets, instruments = aliases.assets, aliases.instruments
    return replace(
        snapshot,
        balances=tuple(replace(row, asset=assets.get(row.asset, row.asset)) for row in snapshot.balances),
        positions=tuple(
            replace(row, instrument=instruments.get(row.instrument, row.instrument)) for row in snapshot.positions
        ),
        orders=tuple(
            replace(row, instrument=instruments.get(row.instrument, row.instrument)) for row in snapshot.orders
        ),
        fills=tuple(_fill(row, aliases) for row in snapshot.fills),
        movements=tuple(replace(row, asset=assets.get(row.asset, row.asset)) for row in snapshot.movements),
    )


def _fill(row: Fill, aliases: Aliases) -> Fill:
    fee_asset = None if row.fee_asset is None else aliases.assets.get(row.fee_asset, row.fee_asset)
    return replace(row, instrument=aliases.instruments.get(row.instrument, row.instrument), fee_asset=fee_asset)
