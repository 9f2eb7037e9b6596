"""What can be held and traded, and where: assets, instruments, wallets, accounts.

The canonical names here are Gal-Friday's own (BTC, XRP/USD). The exchange's spelling is another type,
``ExchangeAsset`` or ``ExchangePair``, and never leaves the adapter that speaks to that exchange.

A name that nobody can resolve survives as itself behind a question mark (I15): ``?XFOO`` is what the
exchange calls XFOO, whatever that may be. It equals no canonical name, so nothing is ever guessed.
"""

from collections.abc import Collection
from enum import StrEnum
from functools import lru_cache
from typing import NewType

Asset = NewType("Asset", str)
"""Canonical code of an asset: ``BTC``, ``USD``, ``AAPLx``. Case matters."""

Instrument = NewType("Instrument", str)
"""Canonical name of what is traded: ``BASE/QUOTE``, with ``:VENUE`` behind it where one pair trades twice."""

ExchangeAsset = NewType("ExchangeAsset", str)
"""An asset as the exchange spells it (``XXBT``). Stays inside its adapter."""

ExchangePair = NewType("ExchangePair", str)
"""A pair as the exchange spells it (``XXBTZUSD``). Stays inside its adapter."""

_UNRESOLVED = "?"


class Wallet(StrEnum):
    """The class of a balance: an asset can be owned in several wallets, and not all of them can be traded."""

    # Wallets are part of millions of keys: hash as the text that they are, not through enum's own method.
    __hash__ = str.__hash__

    SPOT = "spot"
    """Free to trade; what most people call the balance."""
    EARN = "earn"
    """Earning rewards, not available to orders."""
    BONDED = "bonded"
    """Staked or locked for a time."""
    HELD = "held"
    """On hold after a deposit."""
    FUTURES = "futures"
    """In the derivatives account of the same exchange."""
    IN_TRANSIT = "in_transit"
    """Left one wallet, not yet arrived in another."""


def unresolved_asset(raw: str) -> Asset:
    """Return the name under which an asset that nobody can resolve is carried."""
    return Asset(_UNRESOLVED + raw)


def unresolved_instrument(raw: str) -> Instrument:
    """Return the name under which a pair that nobody can resolve is carried."""
    return Instrument(_UNRESOLVED + raw)


def is_unresolved(name: str) -> bool:
    """Say whether this asset or instrument is a raw name that nobody could resolve."""
    return name.startswith(_UNRESOLVED)


def unresolved_among(names: Collection[Asset]) -> frozenset[Asset]:
    """Return those of these assets that nobody could resolve."""
    # Asked of thousands of names, and nearly always in vain: first one look at all of them together.
    return frozenset(filter(is_unresolved, names)) if _UNRESOLVED in "".join(names) else frozenset()


def instrument(base: Asset, quote: Asset, venue: str = "") -> Instrument:
    """Return the canonical name of a pair, with its venue where it needs one."""
    return Instrument(f"{base}/{quote}:{venue}" if venue else f"{base}/{quote}")


@lru_cache(maxsize=4096)  # asked of every fill; an exchange has hundreds of instruments
def base_and_quote(name: Instrument) -> tuple[Asset, Asset] | None:
    """Return the two assets of an instrument, or None where its name does not tell them."""
    pair, _, _ = name.partition(":")
    base, slash, quote = pair.partition("/")
    if is_unresolved(name) or not slash or not base or not quote:
        return None
    return Asset(base), Asset(quote)
