"""One request as an endpoint sees it: who asks, for what, and what of the past this key may see.

The windows of a key (``query_from``, ``query_to``) and the lag of REST both cut history silently: the
answer looks complete and says nothing (seen on Kraken).
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeVar

from gal_friday.adapters.simulated.account import Account
from gal_friday.adapters.simulated.clock import TICKS_PER_SECOND, ticks_in, ticks_of
from gal_friday.adapters.simulated.exchange import Exchange
from gal_friday.adapters.simulated.history import History
from gal_friday.adapters.simulated.keys import ApiKey
from gal_friday.adapters.simulated.refusal import invalid
from gal_friday.domain import quantity

FOREVER = 1 << 62
_SECONDS = re.compile(r"[0-9]{1,12}(?:\.[0-9]*)?", re.ASCII)

Row = TypeVar("Row")


class Request:
    """The parameters of one private request, with the account and the key behind it."""

    def __init__(self, exchange: Exchange, key: ApiKey, params: Mapping[str, str]) -> None:
        self.exchange = exchange
        self.key = key
        self.params = params
        self.account: Account = exchange.account(key.account)
        # Set by faults: balances as they stood so many ledger rows ago; pages moved by so many rows.
        self.rows_behind = 0
        self.page_shift = 0

    def text(self, name: str, default: str = "") -> str:
        """Return a parameter as text; an empty one counts as absent."""
        return self.params.get(name) or default

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a parameter as a yes or no."""
        text = self.params.get(name, "").lower()
        return default if not text else text in ("true", "1", "yes")

    def names(self, name: str) -> list[str]:
        """Return a comma list."""
        return [part.strip() for part in self.text(name).split(",") if part.strip()]

    def offset(self) -> int:
        """Return ``ofs``, moved by a fault if one is at work."""
        text = self.text("ofs", "0")
        if not text.isdecimal():
            raise invalid("ofs")
        return max(0, int(text) + self.page_shift)

    @property
    def fills_until(self) -> int:
        """The time up to which fills have reached REST."""
        return self._cutoff(ticks_in(self.exchange.quirks.fill_lag))

    @property
    def ledger_until(self) -> int:
        """The time up to which ledger rows have reached REST."""
        return self._cutoff(ticks_in(self.exchange.quirks.ledger_lag))

    @property
    def orders_until(self) -> int:
        """The time up to which new orders have reached REST."""
        return self._cutoff(ticks_in(self.exchange.quirks.new_order_lag))

    def clipped(self, after: int, until: int) -> tuple[int, int]:
        """Return a window of time cut to what this key may see."""
        if self.key.query_from:
            after = max(after, self.key.query_from * TICKS_PER_SECOND - 1)
        if self.key.query_to:
            until = min(until, self.key.query_to * TICKS_PER_SECOND)
        return after, until

    def sees(self, ticks: int, until: int) -> bool:
        """Say whether a row of that time is visible to this key."""
        after, until = self.clipped(-1, until)
        return after < ticks <= until

    def bounds(self, history: History[Row], until: int) -> tuple[int, int]:
        """Return the window that ``start`` (exclusive) and ``end`` (inclusive) ask for, in ticks."""
        after = self._instant("start", history, -1)
        end = self._instant("end", history, FOREVER)
        return self.clipped(after, min(end, until))

    def _instant(self, name: str, history: History[Row], default: int) -> int:
        text = self.text(name)
        if not text:
            return default
        if _SECONDS.fullmatch(text):
            return int(quantity.multiply(Decimal(text), Decimal(TICKS_PER_SECOND)))
        found = history.time_of(text)
        if found is None:
            raise invalid(name)
        return found

    def _cutoff(self, lag: int) -> int:
        return ticks_of(self.exchange.now()) - lag if lag else FOREVER
