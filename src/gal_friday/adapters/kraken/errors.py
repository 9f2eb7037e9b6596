"""What Kraken's error texts mean, as one table, and what has to be done about each class.

Every entry of an answer is classified by its beginning (first match wins), all texts are kept, and the
worst class decides. An unknown text is never retried and survives word for word (I15).

Source: Kraken REST documentation, Errors; Kraken's own clients.
"""

from collections.abc import Sequence
from enum import IntEnum

from msgspec import Struct


class ErrorClass(IntEnum):
    """What to do, worst last."""

    WARNING = 0
    """The result is valid; keep the text."""
    MARKET_STATE = 1
    """Concerns orders; reads go on."""
    RETRYABLE = 2
    """Ask again after a growing pause."""
    RATE = 3
    """Take the counter as full and wait."""
    THROTTLED = 4
    """Wait until the time that the text names."""
    NONCE = 5
    """Ask once more with a fresh nonce."""
    NOT_FOUND = 6
    """The exchange does not know this id."""
    TRADING_LIMIT = 7
    """Never met by a read; surfaced as it is."""
    TOKEN = 8
    """A stream token ran out; surfaced as it is."""
    PERMANENT = 9
    """The request is wrong; asking again will not help."""
    UNKNOWN = 10
    """Nobody has given this text a meaning; not retried."""
    PERMISSION = 11
    """This key may not use this endpoint; others go on."""
    LOCKOUT = 12
    """No call at all with this key for fifteen minutes."""
    AUTH = 13
    """Key or signature are wrong: this source stops."""


RULES: tuple[tuple[str, ErrorClass], ...] = (
    ("EAPI:Rate limit exceeded", ErrorClass.RATE),
    ("EGeneral:Too many requests", ErrorClass.RATE),
    ("EAuth:Rate limit exceeded", ErrorClass.RATE),
    ("EAuth:Too many requests", ErrorClass.RATE),
    ("EAPI:Invalid key", ErrorClass.AUTH),
    ("EAPI:Invalid signature", ErrorClass.AUTH),
    ("EAuth:", ErrorClass.AUTH),
    ("EGeneral:Permission denied", ErrorClass.PERMISSION),
    ("EAccount:", ErrorClass.PERMISSION),
    ("ETrade:User Locked", ErrorClass.PERMISSION),
    ("EAPI:Invalid nonce", ErrorClass.NONCE),
    ("ESession:Invalid session", ErrorClass.TOKEN),
    ("EAPI:Invalid token", ErrorClass.TOKEN),
    ("EGeneral:Temporary lockout", ErrorClass.LOCKOUT),
    ("EService:Throttled", ErrorClass.THROTTLED),
    ("EService:Market in ", ErrorClass.MARKET_STATE),
    ("EService:Unavailable", ErrorClass.RETRYABLE),
    ("EService:Busy", ErrorClass.RETRYABLE),
    ("EService:Timeout", ErrorClass.RETRYABLE),
    ("EService:Deadline elapsed", ErrorClass.RETRYABLE),
    ("EGeneral:Internal error", ErrorClass.RETRYABLE),
    ("EDatabase:Internal error", ErrorClass.RETRYABLE),
    ("EOrder:Rate limit exceeded", ErrorClass.TRADING_LIMIT),
    ("EOrder:Domain rate limit exceeded", ErrorClass.TRADING_LIMIT),
    ("EOrder:Invalid order", ErrorClass.NOT_FOUND),
    ("EOrder:Unknown order", ErrorClass.NOT_FOUND),
    ("EOrder:Unknown position", ErrorClass.NOT_FOUND),
    ("EGeneral:Invalid arguments", ErrorClass.PERMANENT),
    ("EGeneral:Unknown method", ErrorClass.PERMANENT),
    ("EQuery:Unknown asset", ErrorClass.PERMANENT),
    ("EQuery:Invalid asset pair", ErrorClass.PERMANENT),
    ("EAPI:Bad request", ErrorClass.PERMANENT),
    ("EAPI:Feature disabled", ErrorClass.PERMANENT),
    ("EFunding:", ErrorClass.PERMANENT),
    ("EEarnings:", ErrorClass.PERMANENT),
    ("EBM:", ErrorClass.PERMANENT),
    ("EOrder:", ErrorClass.PERMANENT),
    ("W", ErrorClass.WARNING),
)

_TEXT_MAX = 300
_TEXTS_MAX = 10


class Refusal(Struct, frozen=True):
    """The error list of one answer."""

    worst: ErrorClass
    texts: tuple[str, ...]
    """All entries, word for word (shortened only where absurdly long or many)."""
    locked: bool = False
    """One entry said that the key is locked out, whatever else came with it."""
    until: int | None = None
    """Unix second at which a throttled key may come back."""

    @property
    def text(self) -> str:
        """All entries in one line."""
        return "; ".join(self.texts)


def classify(text: str) -> ErrorClass:
    """Return the class of one entry; an entry that matches no rule is UNKNOWN."""
    # "EService: Throttled" is an older spelling of "EService:Throttled".
    normal = text.replace(": ", ":", 1)
    for beginning, meaning in RULES:
        if normal.startswith(beginning):
            return meaning
    return ErrorClass.UNKNOWN


def refusal(entries: Sequence[str]) -> Refusal | None:
    """Return what the error list of an answer means together; None for an empty list."""
    if not entries:
        return None
    classes = [classify(entry) for entry in entries]
    return Refusal(
        worst=max(classes),
        texts=_shortened(entries),
        locked=ErrorClass.LOCKOUT in classes,
        until=_throttled_until(entries, classes),
    )


def _shortened(entries: Sequence[str]) -> tuple[str, ...]:
    shown = tuple(entry[:_TEXT_MAX] for entry in entries[:_TEXTS_MAX])
    more = len(entries) - len(shown)
    return (*shown, f"and {more} more") if more else shown


def _throttled_until(entries: Sequence[str], classes: Sequence[ErrorClass]) -> int | None:
    for entry, meaning in zip(entries, classes, strict=True):
        if meaning is ErrorClass.THROTTLED:
            tail = entry.rpartition(":")[2].strip()
            if tail.isascii() and tail.isdigit() and len(tail) <= 10:
                return int(tail)
    return None
