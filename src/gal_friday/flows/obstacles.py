"""What stood in the way of a run: every failure of the exchange is noted on its way to who handles it.

A failure costs the part of the account that could not be read, and ends in the report as a sentence; when to come
back is decided by the schedule, which needs the kind of the failure and the instant that the exchange named. Nothing
here changes what is read or raised.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from gal_friday.domain.assets import Asset
from gal_friday.domain.records import Balance, Fill, Kind, Movement, Order, Position
from gal_friday.domain.schedule import Obstacle
from gal_friday.domain.snapshot import Scales
from gal_friday.ports.errors import ExchangeFailed, ExchangeRefused, ExchangeUnavailable
from gal_friday.ports.exchange import Capabilities, Check, Exchange, Reading

_WORST_FIRST = tuple(Obstacle)


class Heeded:
    """An exchange, with what it could not do noted."""

    def __init__(self, exchange: Exchange) -> None:
        """Ask *exchange*."""
        self._exchange = exchange
        self.obstacle: Obstacle | None = None
        """The worst that stood in the way until now."""
        self.until: datetime | None = None
        """The latest instant before which it is not to be asked again."""

    @property
    def name(self) -> str:
        """The exchange's short name."""
        return self._exchange.name

    @property
    def capabilities(self) -> Capabilities:
        """What the exchange can tell."""
        return self._exchange.capabilities

    async def open(self) -> None:
        """Make ready; see ``Exchange``."""
        async with self._heeding():
            await self._exchange.open()

    async def close(self) -> None:
        """Release connections."""
        await self._exchange.close()

    async def scales(self) -> Scales:
        """Return how many digits the exchange keeps; see ``Exchange``."""
        async with self._heeding():
            return await self._exchange.scales()

    async def balances(self) -> Reading[Balance]:
        """Return every balance; see ``Exchange``."""
        async with self._heeding():
            return await self._exchange.balances()

    async def positions(self) -> Reading[Position]:
        """Return the open positions; see ``Exchange``."""
        async with self._heeding():
            return await self._exchange.positions()

    async def orders(self, *, since: datetime, known: Sequence[str] = ()) -> Reading[Order]:
        """Return orders; see ``Exchange``."""
        async with self._heeding():
            return await self._exchange.orders(since=since, known=known)

    async def fills(self, *, since: datetime, until: datetime) -> Reading[Fill]:
        """Return fills; see ``Exchange``."""
        async with self._heeding():
            return await self._exchange.fills(since=since, until=until)

    async def movements(self, *, since: datetime, until: datetime) -> Reading[Movement]:
        """Return ledger rows; see ``Exchange``."""
        async with self._heeding():
            return await self._exchange.movements(since=since, until=until)

    async def head(self) -> str | None:
        """Return the id of the newest ledger row; see ``Exchange``."""
        async with self._heeding():
            return await self._exchange.head()

    async def confirm(self, kind: Kind, ids: Sequence[str]) -> Reading[Any]:
        """Return those of these records that exist; see ``Exchange``."""
        async with self._heeding():
            return await self._exchange.confirm(kind, ids)

    async def prices(self, assets: Sequence[Asset], *, currency: Asset) -> dict[Asset, Decimal]:
        """Return last prices; see ``Exchange``."""
        async with self._heeding():
            return await self._exchange.prices(assets, currency=currency)

    async def preflight(self) -> tuple[Check, ...]:
        """Look at key, rights, clock and state of the exchange; see ``Exchange``."""
        return await self._exchange.preflight()

    @asynccontextmanager
    async def _heeding(self) -> AsyncIterator[None]:
        try:
            yield
        except ExchangeUnavailable as failure:
            self._note(failure.obstacle, failure.retry_at)
            raise
        except ExchangeFailed as failure:
            self._note(Obstacle.REFUSED if isinstance(failure, ExchangeRefused) else Obstacle.OUTAGE, None)
            raise

    def _note(self, obstacle: Obstacle, until: datetime | None) -> None:
        known = [obstacle] if self.obstacle is None else [self.obstacle, obstacle]
        self.obstacle = min(known, key=_WORST_FIRST.index)
        named = [instant for instant in (self.until, until) if instant is not None]
        self.until = max(named, default=None)
