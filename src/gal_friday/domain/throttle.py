"""How often something may be tried: so many at once, and then one every so often.

One instant is all that is kept of each: when everything that was tried would have been allowed one by one. (The generic
cell rate algorithm: ITU-T I.371, ATM Forum traffic management.) Nothing here counts seconds in fractions.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

_SECOND = timedelta(seconds=1)


class Tried(StrEnum):
    """What is counted."""

    __hash__ = str.__hash__

    SIGN_IN_BY_ADDRESS = "sign-in from an address"
    SIGN_IN_BY_NAME = "sign-in for a name"
    SIGN_IN_BY_BOTH = "sign-in for a name from an address"
    CHALLENGE = "challenge for a passkey"
    TOKEN = "token that was refused"  # noqa: S105 - the words, not one
    TOLD = "refusal told to the journal"


class Limit(Struct, frozen=True):
    """So many at once, then one per *every*."""

    at_once: int
    every: timedelta


LIMITS: Final[Mapping[Tried, Limit]] = {
    # From one address: a family or an office behind one router mistypes less often than this.
    Tried.SIGN_IN_BY_ADDRESS: Limit(20, timedelta(seconds=10)),
    # One person: five mistakes, then one a minute. From everywhere together more, so that a stranger cannot easily
    # keep somebody out, and yet no more than some 1,500 guesses a day.
    Tried.SIGN_IN_BY_BOTH: Limit(5, timedelta(minutes=1)),
    Tried.SIGN_IN_BY_NAME: Limit(50, timedelta(minutes=1)),
    Tried.CHALLENGE: Limit(30, timedelta(seconds=2)),
    # A guess at 256 bits is hopeless; this tells whoever tries to stop, and a good token is let in all the same.
    Tried.TOKEN: Limit(60, timedelta(seconds=1)),
    Tried.TOLD: Limit(10, timedelta(minutes=1)),
}


class Charged(Struct, frozen=True):
    """What became of an attempt."""

    until: datetime
    """What is to be kept; as it was where the attempt is not allowed."""
    wait: int
    """Whole seconds until one is allowed again; zero where this one is."""


def charged(limit: Limit, until: datetime | None, now: datetime) -> Charged:
    """Return what becomes of an attempt *now*, where *until* is what was kept of those before it."""
    begins = now if until is None or until < now else until
    over = begins - now - limit.every * (limit.at_once - 1)
    if over > timedelta(0):
        return Charged(begins, -(-over // _SECOND))
    return Charged(begins + limit.every, 0)


def refunded(limit: Limit, until: datetime) -> datetime:
    """Return what is to be kept once an attempt turned out to be none."""
    return until - limit.every
