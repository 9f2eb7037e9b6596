"""How long slow answers may hold up a run: per endpoint, and over all of them together.

An answer that drips in, or never comes, costs its whole deadline, again with every attempt and at every part of a
run. So the seconds are added up. An endpoint that took too many is left alone for a while, and its part is not
checked; where all of them are slow, the exchange is. It never cuts an answer that comes in an ordinary time.
"""

from datetime import datetime, timedelta

from gal_friday.adapters.kraken.patience import Patience
from gal_friday.ports.errors import ExchangeUnavailable

# Long enough for a run to end, short enough for the next one to try again.
PAUSE = timedelta(minutes=2)

# What an answer in ordinary time gives back: a few slow ones among a thousand pages are no reason to stop.
_GIVEN_BACK = 1.0

_ALL = ""


class Slowness:
    """The seconds that slow answers took, and what is left alone because of them."""

    def __init__(self, patience: Patience) -> None:
        """Begin with nothing lost."""
        self._slow = patience.slow
        self._most = {_ALL: patience.slow_in_all}
        self._most_of_one = patience.slow_of_one
        self._lost: dict[str, float] = {}
        self._until: dict[str, datetime] = {}

    def refuse(self, endpoint: str, now: datetime) -> None:
        """Pass unless this endpoint, or the whole exchange, was too slow a moment ago.

        Raises:
            ExchangeUnavailable: it was; no call is made.
        """
        for name in (endpoint, _ALL):
            until = self._until.get(name)
            if until is not None and now < until:
                raise ExchangeUnavailable(
                    f"Kraken{f' {name}' if name else ''} answers too slowly: {self._lost[name]:.0f} s were lost on "
                    "it, and it is not asked again for two minutes; asking again later is safe",
                    retry_at=until,
                )
            if until is not None:
                del self._until[name], self._lost[name]

    def seconds_left(self, endpoint: str) -> float:
        """Return how long the next answer may take: never less than what is called ordinary."""
        left = min(self._limit(name) - self._lost.get(name, 0.0) for name in (endpoint, _ALL))
        return max(self._slow, left)

    def took(self, endpoint: str, seconds: float, now: datetime) -> None:
        """Count an answer, or the wait for one that did not come."""
        lost = seconds if seconds >= self._slow else -_GIVEN_BACK
        for name in (endpoint, _ALL):
            self._lost[name] = max(0.0, self._lost.get(name, 0.0) + lost)
            if self._lost[name] >= self._limit(name):
                self._until[name] = now + PAUSE

    def _limit(self, name: str) -> float:
        return self._most.get(name, self._most_of_one)
