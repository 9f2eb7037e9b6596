"""Until when the keys in use are valid, noted after every run, so that somebody is told before one ends."""

from contextlib import suppress
from datetime import datetime

from gal_friday.adapters.kraken import KrakenExchange
from gal_friday.ports.alerts import Watched
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.exchange import Exchange


async def note_key(watched: Watched, account: str, exchange: Exchange, at: datetime) -> None:
    """Keep until when the key that a run used is valid, where the exchange told it."""
    if isinstance(exchange, KrakenExchange) and exchange.key_ends.known:
        # Only the reminder is lost; the next run says it again.
        with suppress(StoreFailed):
            await watched.key_seen(account, exchange.key_ends.at, at)
