"""Failures of the world, named by what to do next.

    WorldFailed
    ├── ExchangeFailed
    │   ├── ExchangeUnavailable    no usable answer now: asking again later is safe and may help
    │   ├── ExchangeRefused        this key may not, or the request is wrong: a person has to act
    │   └── ExchangeMalformed      an answer that cannot be read: nothing of it was used
    ├── BookFailed                 the trading system's book could not be read or written
    │   └── NoOpening              a book cannot begin from what was stated: whoever stated it has to say more
    ├── PricesFailed               a source of prices could not be read, or states what is none
    └── StoreFailed                our own database could not be read or written
        ├── AccountBusy            somebody else works on the account: later
        ├── ReviewOvertaken        somebody else took a step in a review first
        └── SeveralMatch           the beginning of an id that could be several

Adapters translate what their libraries raise into these, once, at the border. Every message says what
happened, to what, and what to do next; none carries a secret.
"""

from datetime import datetime

from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.schedule import Obstacle


class WorldFailed(GalFridayError):
    """Something outside this program failed."""


class ExchangeFailed(WorldFailed):
    """A read from the exchange gave no usable answer."""


class ExchangeUnavailable(ExchangeFailed):
    """No answer in time, or a refusal that passes: asking again is safe."""

    def __init__(self, message: str, *, retry_at: datetime | None = None, obstacle: Obstacle = Obstacle.OUTAGE) -> None:
        """Keep what stands in the way, and before when asking again is pointless or harmful, where that is known."""
        super().__init__(message)
        self.retry_at, self.obstacle = retry_at, obstacle


class ExchangeRefused(ExchangeFailed):
    """The exchange will not answer this key or this request; asking again will not help."""


class ExchangeMalformed(ExchangeFailed):
    """The answer arrived and cannot be read; nothing of it was used."""


class BookFailed(WorldFailed):
    """The book could not be read or written."""


class NoOpening(BookFailed):
    """A book cannot begin from what was stated; the message says what has to be stated."""


class PricesFailed(WorldFailed):
    """A source of prices could not be read, or what it states is no price."""


class StoreFailed(WorldFailed):
    """Our own database could not be read or written."""


class AccountBusy(StoreFailed):
    """Somebody else works on the account now; nothing was read and nothing written."""


class ReviewOvertaken(StoreFailed):
    """Somebody else has taken a step in a review since it was read; nothing was written."""


class SeveralMatch(StoreFailed):
    """Several ids begin with what was asked for; the message lists some of them."""
