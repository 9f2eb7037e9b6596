"""How the exchange lies: faults of its answers that come and go, and habits that differ from run to run.

Each seed draws which of them exist in its world at all (a swarm), and how often they bite: far more often than in life.
"""

from datetime import timedelta
from random import Random

from gal_friday.adapters.simulated import Exchange
from gal_friday.adapters.simulated.faults import FAULTS, Faults

_WITHOUT = ("other_account", "number_amounts", "exponent_amounts")
"""No client can see that it is told of another account."""
_LAGS = ("fill_lag", "ledger_lag", "new_order_lag")


class Storms:
    """The faults of one world."""

    def __init__(self, exchange: Exchange, faults: Faults, chance: Random) -> None:
        """Draw which faults there are in this world."""
        self._exchange, self._faults, self._chance = exchange, faults, chance
        names = [name for name in FAULTS if name not in _WITHOUT]
        self.names = sorted(chance.sample(names, chance.randint(0, 8)))

    def change(self) -> None:
        """Let some faults end and others begin, and draw how far answers lag behind."""
        self._faults.switch_off()
        if self.names and self._chance.random() < 0.5:
            share = self._chance.choice((0.01, 0.05, 0.3))
            self._faults.switch_on(self._chance.choice(self.names), times=None, chance=share)
        for name in _LAGS:
            setattr(self._exchange.quirks, name, timedelta(seconds=self._chance.choice((0, 0, 1, 5, 12, 30))))

    def calm(self) -> None:
        """End them all."""
        self._faults.switch_off()
        for name in _LAGS:
            setattr(self._exchange.quirks, name, timedelta())
