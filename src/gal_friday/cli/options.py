"""What several commands take: their common options, and how the words in them are read."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gal_friday.bootstrap.settings import EmbeddedBook, Settings
from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.records import RECORD_KINDS, Kind

ConfigFile = Annotated[
    Path | None,
    Parameter(
        name="--config",
        help="Configuration file. Without it: $GAL_FRIDAY_CONFIG, ./gal-friday.toml, the user's folder.",
    ),
]
AsJson = Annotated[bool, Parameter(name="--json", help="One compact JSON document on stdout.")]
Only = Annotated[
    str | None,
    Parameter(name="--only", help=f"Kinds to compare, with commas between them: {','.join(RECORD_KINDS)}."),
]
ExitZero = Annotated[bool, Parameter(name="--exit-zero", help="Exit 0 where discrepancies were found.")]


class BadUsage(GalFridayError, ValueError):
    """An argument that parses and makes no sense; the message names it and the way out."""


def can_be_repaired(settings: Settings, account: str) -> bool:
    """Say whether repairs of this account's book can be approved here; one that is not configured any more can not."""
    configured = settings.accounts.get(account)
    return configured is not None and (isinstance(configured.book, EmbeddedBook) or configured.book.writer is not None)


def kinds_in(only: str | None) -> tuple[Kind, ...]:
    """Return the kinds that ``--only`` names, in the order in which they are compared; all of them for None.

    Raises:
        BadUsage: a word that is no kind of record, or no word at all.
    """
    if only is None:
        return RECORD_KINDS
    words = {word.strip() for word in only.split(",")}
    known = {kind.value for kind in RECORD_KINDS}
    if unknown := sorted(words - known):
        raise BadUsage(f"--only: {_quoted(unknown)} is no kind of record; known are {', '.join(RECORD_KINDS)}")
    return tuple(kind for kind in RECORD_KINDS if kind.value in words)


def prices_in(text: str | None) -> Mapping[Asset, Decimal]:
    """Return the prices that ``BTC=60000,XRP=0.61`` states, digit for digit; none for None.

    Raises:
        BadUsage: a part that is no ASSET=PRICE, a price that is no amount above zero, an asset named twice.
    """
    prices: dict[Asset, Decimal] = {}
    for part in (text or "").split(",") if text is not None else ():
        asset, equals, price = (piece.strip() for piece in part.partition("="))
        if not asset or not equals:
            raise BadUsage(f"--prices: {part.strip()!r} is not ASSET=PRICE; write BTC=60000,XRP=0.61")
        if asset in prices:
            raise BadUsage(f"--prices: {asset} has two prices; state one")
        amount = _price(asset, price)
        if amount <= 0:
            raise BadUsage(f"--prices: a price is above zero, and {asset}={price} is not")
        prices[Asset(asset)] = amount
    return prices


def _price(asset: str, text: str) -> Decimal:
    try:
        return quantity.parse(text)
    except GalFridayError as wrong:
        raise BadUsage(f"--prices: {asset}: {wrong}") from wrong


def _quoted(words: list[str]) -> str:
    return ", ".join(repr(word) for word in words)
