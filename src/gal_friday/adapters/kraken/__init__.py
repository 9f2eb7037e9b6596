"""Kraken, spot and margin: read-only, exact, and honest about what it could not read."""

from gal_friday.adapters.kraken.adapter import BASE_URL, KrakenExchange
from gal_friday.adapters.kraken.exports import Exports, MalformedExport, read_exports
from gal_friday.adapters.kraken.listing import KnownAsset, KnownNames, KnownPair
from gal_friday.adapters.kraken.names import Names
from gal_friday.adapters.kraken.parse_fills import with_ledger_fees
from gal_friday.adapters.kraken.patience import Patience
from gal_friday.adapters.kraken.rate import Counter, level_at, tier_named
from gal_friday.adapters.kraken.recorded import NO_KEY, NO_SECRET, Player, Recorder
from gal_friday.adapters.kraken.transport import Deadlines

__all__ = [
    "Exports",
    "MalformedExport",
    "BASE_URL",
    "Counter",
    "Deadlines",
    "KnownAsset",
    "KnownNames",
    "KnownPair",
    "KrakenExchange",
    "NO_KEY",
    "NO_SECRET",
    "Names",
    "Patience",
    "Player",
    "Recorder",
    "level_at",
    "read_exports",
    "tier_named",
    "with_ledger_fees",
]
