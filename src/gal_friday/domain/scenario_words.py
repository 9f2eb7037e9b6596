"""One line of a scenario, taken word by word. It knows what a word can be, not what a line means."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.errors import GalFridayError, MalformedAmount
from gal_friday.domain.exact_json import Unreadable, an_instant

_DIGITS_MAX = 2
"""Of a number of digits."""
_AGO_MAX, _AGO_CHARS = timedelta(days=36_525), 9
_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


class MalformedScenario(GalFridayError, ValueError):
    """A scenario that cannot be read; the message names file, line, the word and what was expected."""


class Words:
    """The words of one line that have not been taken yet."""

    def __init__(self, text: str, source: str, line: int) -> None:
        """Begin before the first word of line number *line* of *source*."""
        self.text = text.strip()
        self.source = source
        self.line = line
        self._left = text.split()

    def refused(self, expected: str) -> MalformedScenario:
        """Return the error that says what stands here and what was expected instead."""
        found = repr(self._left[0]) if self._left else "the end of the line"
        return MalformedScenario(f"{self.source}, line {self.line}: {found} where {expected} was expected")

    def broken(self, rule: GalFridayError) -> MalformedScenario:
        """Return the error that says which rule of the records this line breaks."""
        return MalformedScenario(f"{self.source}, line {self.line}: {rule}")

    def peek(self) -> str:
        """Return the next word without taking it; empty at the end."""
        return self._left[0] if self._left else ""

    def next(self, expected: str = "a word") -> str:
        """Take and return the next word."""
        if not self._left:
            raise self.refused(expected)
        return self._left.pop(0)

    def put_back(self, word: str) -> None:
        """Give back a word that was taken, so that the error names it."""
        self._left.insert(0, word)

    def takes(self, word: str) -> bool:
        """Take the next word if it is this one, and say whether it was."""
        if self.peek() != word:
            return False
        self._left.pop(0)
        return True

    def expects(self, word: str, expected: str) -> None:
        """Take the next word, which must be this one."""
        if not self.takes(word):
            raise self.refused(expected)

    def one_of(self, what: str, known: Sequence[str]) -> str:
        """Take the next word, which must be one of these."""
        if self.peek() not in known:
            raise self.refused(f"{what} ({', '.join(known)})")
        return self._left.pop(0)

    def rest(self) -> str:
        """Take and return everything that is left."""
        left, self._left = " ".join(self._left), []
        return left

    def end(self) -> None:
        """Refuse the line if anything is left of it."""
        if self._left:
            raise self.refused("the end of the line")

    def amount(self, expected: str = "an amount") -> Decimal:
        """Take and return an amount, digit for digit."""
        try:
            found = quantity.parse(self.peek())
        except MalformedAmount:
            raise self.refused(expected) from None
        self._left.pop(0)
        return found

    def digits(self) -> int:
        """Take and return a number of digits after the point."""
        if not self.peek().isdecimal() or len(self.peek()) > _DIGITS_MAX:
            raise self.refused("a number of digits")
        return int(self._left.pop(0))

    def fee(self) -> tuple[Decimal, Asset]:
        """Take and return an amount and the asset it is in."""
        return self.amount("a fee"), Asset(self.next("the asset of the fee"))

    def yes(self) -> bool:
        """Return that the word was there; it stands alone."""
        return True

    def instant(self, expected: str) -> datetime:
        """Take and return an instant with its zone, as 2026-03-01T00:00:00Z."""
        try:
            found = an_instant(self.peek())
        except Unreadable:
            raise self.refused(f"{expected} with its zone, as 2026-03-01T00:00:00Z,") from None
        self._left.pop(0)
        return found

    def when(self) -> datetime | timedelta:
        """Take and return an instant, or how long ago it was: ``30s ago``, ``5m ago``, ``2h ago``, ``3d ago``."""
        word = self.peek()
        if word[:-1].isdecimal() and word[-1:] in _UNITS and self._left[1:2] == ["ago"]:
            ago = int(word[:-1]) * _UNITS[word[-1]] if len(word) <= _AGO_CHARS else timedelta.max
            if ago > _AGO_MAX:
                raise self.refused(f"at most {_AGO_MAX.days}d ago")
            del self._left[:2]
            return ago
        return self.instant("an instant, or 30s ago, 5m ago, 2h ago, 3d ago")

    def holding(self) -> tuple[Asset, Wallet]:
        """Take and return an asset and its wallet: ``BTC`` is spot, ``BTC.earn`` is not."""
        name, dot, wallet = self.peek().partition(".")
        if not name or (dot and wallet not in tuple(Wallet)):
            raise self.refused(f"an asset, as BTC or BTC.earn, with a known wallet ({', '.join(Wallet)}),")
        self._left.pop(0)
        return Asset(name), Wallet(wallet or Wallet.SPOT)

    def options(self, known: dict[str, Callable[["Words"], Any]]) -> dict[str, Any]:
        """Take what is left of the line: words of this table, each followed by what it takes, in any order."""
        given: dict[str, Any] = {}
        while self._left:
            word = self.one_of("one of the words that may follow", tuple(known))
            if word in given:
                raise self.refused(f"no second {word}, but the end of the line,")
            given[word] = known[word](self)
        return given
