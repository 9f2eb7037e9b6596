"""Attempts, counted in the memory of one process, in a bounded number of places.

Whoever restarts the service can also read its database: what a restart forgets helps nobody from outside.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime

from gal_friday.domain.throttle import LIMITS, Limit, Tried, charged, refunded

PLACES_MAX = 10_000


class MemoryThrottle:
    """``Throttle`` that forgets when the process ends."""

    def __init__(self, limits: Mapping[Tried, Limit] = LIMITS, *, places: int = PLACES_MAX) -> None:
        """Begin with nothing counted."""
        self._limits, self._most = limits, places
        self._until: OrderedDict[tuple[Tried, str], datetime] = OrderedDict()

    def charge(self, what: Sequence[tuple[Tried, str]], now: datetime) -> int:
        """Count one attempt under each of these, or none; see ``Throttle``."""
        found = {one: charged(self._limits[one[0]], self._until.get(one), now) for one in what}
        if wait := max((one.wait for one in found.values()), default=0):
            return wait
        for one, outcome in found.items():
            self._until[one] = outcome.until
            self._until.move_to_end(one)
        while len(self._until) > self._most:
            self._until.popitem(last=False)
        return 0

    def forgive(self, what: Sequence[tuple[Tried, str]]) -> None:
        """Take one attempt back; see ``Throttle``."""
        for one in what:
            if one in self._until:
                self._until[one] = refunded(self._limits[one[0]], self._until[one])
