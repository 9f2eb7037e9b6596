"""What every read of one opened account shares: calls, names, the clock's offset, the key's window."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from gal_friday.adapters.kraken import wire
from gal_friday.adapters.kraken.client import Client, Params, Reply
from gal_friday.adapters.kraken.endpoints import Endpoint
from gal_friday.adapters.kraken.key import KeyInfo
from gal_friday.adapters.kraken.names import Names
from gal_friday.adapters.kraken.trail import KeepRaw, Trail
from gal_friday.adapters.kraken.wire import Row
from gal_friday.domain.snapshot import Coverage
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import ExchangeMalformed
from gal_friday.ports.exchange import Progress

CLOCK_FAR_OFF = timedelta(seconds=60)
"""From this difference on, the last hours of our clock are other hours at the exchange."""


def clock_says(offset: timedelta) -> str:
    """Return in words by how much the exchange's clock is ahead of ours, and what to do."""
    way = "behind" if offset > timedelta(0) else "ahead of"
    return f"this clock is {abs(offset.total_seconds()):.0f} s {way} Kraken's; set it right"


class Session(Struct, frozen=True, kw_only=True):
    """One account, ready to be read."""

    client: Client
    clock: Clock
    names: Names
    key: KeyInfo | None
    """None where this key cannot be asked about itself."""
    offset: timedelta = timedelta(0)
    """By how much the exchange's clock is ahead of ours."""
    keep_raw: KeepRaw | None = None
    progress: Progress | None = None

    def trail(self) -> Trail:
        """Return a new collection of evidence."""
        return Trail(self.keep_raw)

    async def rows(self, endpoint: Endpoint, params: Params, trail: Trail, inside: str = "") -> dict[str, Row]:
        """Return the rows of one answer, found in the field *inside* where that is given."""
        reply = await self.client.call(endpoint, params)
        rows = rows_inside(reply, inside)
        trail.add(reply, len(rows))
        return rows

    async def asked_for(
        self, endpoint: Endpoint, ids: Sequence[str], trail: Trail, *, field: str = "txid", more: Params | None = None
    ) -> dict[str, Row]:
        """Return the rows of these ids, as far as they exist.

        Raises:
            ExchangeMalformed: it tells of others, so it is the answer to another question and denies nothing.
        """
        rows = await self.rows(endpoint, {field: ",".join(ids), **(more or {})}, trail)
        if strangers := sorted(rows.keys() - set(ids)):
            others = f"{strangers[0]} and {len(strangers) - 1} more" if len(strangers) > 1 else strangers[0]
            raise ExchangeMalformed(
                f"Kraken {endpoint.name}: nobody asked for {others}; nothing of this answer was used"
            )
        return rows

    def window_gaps(self, since: datetime, until: datetime) -> tuple[str, ...]:
        """Return why not all of this time can be shown: the key is limited, or our clock means another time."""
        gaps = () if self.key is None else self.key.gaps(since, until)
        return gaps if abs(self.offset) < CLOCK_FAR_OFF else (*gaps, clock_says(self.offset))

    def window_params(self, since: datetime, until: datetime) -> dict[str, str]:
        """Return start and end of a time window in whole seconds, wide enough to hold it.

        Kraken's start is exclusive and its documents speak of whole seconds; the rows are cut to the
        window afterwards. The frozen end keeps later rows from pushing the pages.
        """
        latest = until + max(timedelta(0), self.offset)
        return {
            "start": str(max(0, math.floor(since.timestamp()) - 1)),
            "end": str(math.ceil(latest.timestamp()) + 1),
        }


def rows_inside(reply: Reply, inside: str) -> dict[str, Row]:
    """Return the rows of an answer whose result holds them in the field *inside*.

    Raises:
        ExchangeMalformed: the field is missing: that is no empty list (N1).
    """
    result = reply.result
    if inside:
        if not isinstance(result, dict):
            wire.refuse((reply.endpoint, ""), "", "an object was expected")
        result = result.get(inside)
    return dict(wire.rows_of(result, reply.endpoint))


def coverage_of(reasons: Sequence[str]) -> Coverage:
    """Return TOTAL where nothing stands against it."""
    return Coverage.PARTIAL if reasons else Coverage.TOTAL
