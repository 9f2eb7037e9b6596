"""An exchange whose answers others hear too: they learn what a run reads, at the instant at which it is read."""

from collections.abc import Callable, Sequence
from datetime import datetime

from gal_friday.domain.records import Balance, Kind, Order, Position
from gal_friday.domain.snapshot import Coverage
from gal_friday.flows.obstacles import Heeded
from gal_friday.ports.exchange import Exchange, Reading
from gal_friday.simulation.baselines.book import balances_of, orders_of, positions_of
from gal_friday.simulation.baselines.rules import Amounts

Hear = Callable[[Kind, Amounts], object]


class Overheard(Heeded):
    """An exchange; of each kind the first whole list of a run is told."""

    def __init__(self, exchange: Exchange, hear: Hear) -> None:
        """Ask *exchange*, and tell *hear* what it said."""
        super().__init__(exchange)
        self._hear = hear
        self._told: set[Kind] = set()

    async def balances(self) -> Reading[Balance]:
        """Return every balance; see ``Exchange``."""
        reading = await super().balances()
        self._tell(Kind.BALANCES, reading.coverage, balances_of(reading.rows))
        return reading

    async def positions(self) -> Reading[Position]:
        """Return the open positions; see ``Exchange``."""
        reading = await super().positions()
        self._tell(Kind.POSITIONS, reading.coverage, positions_of(reading.rows))
        return reading

    async def orders(self, *, since: datetime, known: Sequence[str] = ()) -> Reading[Order]:
        """Return orders; see ``Exchange``."""
        reading = await super().orders(since=since, known=known)
        self._tell(Kind.ORDERS, reading.coverage, orders_of(reading.rows))
        return reading

    def _tell(self, kind: Kind, coverage: Coverage, amounts: Amounts) -> None:
        if coverage is Coverage.TOTAL and kind not in self._told:
            self._told.add(kind)
            self._hear(kind, amounts)
