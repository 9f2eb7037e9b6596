"""Which column of a table is what."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, ValidationError, convert

from gal_friday.bulk.errors import UnusableTable
from gal_friday.bulk.forms import FORMS, Name
from gal_friday.bulk.sieve import SIDES
from gal_friday.domain.snapshot import Side

_PARTS = ("account", "asset", "wallet")


class Layout(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The columns of one side's table."""

    asset: str = "asset"
    account: str | None = None
    """None where the whole table is of one account."""
    wallet: str | None = None
    """None where every row is of the spot wallet."""
    quantity: str = "quantity"
    price: str | None = None
    """What one unit is worth, if the table says so."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read."""
        named = (self.account, self.asset, self.wallet, self.quantity, self.price)
        return tuple(one for one in named if one is not None)


class RecordLayout(Struct, frozen=True, kw_only=True):
    """The columns of one side's table of records."""

    account: str | None = None
    """None where the whole table is of one account."""
    columns: Mapping[str, str] = {}
    """What columns are called, where not as in a snapshot file."""


class Layouts(Struct, frozen=True):
    """How all tables are laid out, side by side."""

    balances: Mapping[Side, Layout]
    stated: Mapping[Side, Mapping[Name, Mapping[str, str]]] = {}
    """Of records: what is stated about columns, by the kind of the records."""

    def of_records(self, side: Side, name: Name) -> RecordLayout:
        """Return how a side's table of records is laid out."""
        stated = dict(self.stated.get(side, {}).get(name, {}))
        account = stated.pop("account", self.balances[side].account)
        return RecordLayout(account=account, columns=stated)


def layouts_in(path: Path) -> Layouts:
    """Return how both sides are laid out, as a file of TOML states it: for both, and under a side's name for it alone.

    Raises:
        UnusableTable: the file cannot be read, or names something else.
    """
    try:
        stated = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UnusableTable(f"{path} cannot be read: {error.strerror}; check path and rights") from error
    except ValueError as error:
        raise UnusableTable(f"{path} is no TOML: {error}") from error
    own = {side: stated.pop(side, {}) for side in SIDES}
    records = {name: stated.pop(name, {}) for name in FORMS}
    try:
        about: dict[Side, dict[Name, dict[str, str]]] = {
            side: {name: records[name] | own[side].pop(name, {}) for name in FORMS} for side in SIDES
        }
        _refuse_unknown(path, about)
        return Layouts({side: convert(stated | own[side], Layout) for side in SIDES}, about)
    except (ValidationError, TypeError, AttributeError) as error:
        raise UnusableTable(
            f"{path}: {error}; it takes account, asset, wallet, quantity and price, and tables of {', '.join(FORMS)}"
        ) from None


def _refuse_unknown(path: Path, about: Mapping[Side, Mapping[Name, Mapping[str, str]]]) -> None:
    for some in about.values():
        for name, columns in some.items():
            known = ("account", *FORMS[name].columns)
            if wrong := [one for one, column in columns.items() if one not in known or type(column) is not str]:
                raise UnusableTable(f"{path}: [{name}] takes {', '.join(known)}, each a column's name; not {wrong[0]}")


def layout_of(key: str, quantity: str, price: str | None) -> Layout:
    """Return the layout that ``--key account,asset --quantity qty --price px`` states.

    The parts of the key stand for account, asset and wallet: one is the asset, two are account and asset. A part whose
    column has another name is written ``asset=ccy``.

    Raises:
        UnusableTable: no such key.
    """
    words = [word.strip() for word in key.split(",")]
    if not all(words) or len(words) > len(_PARTS):
        raise UnusableTable(f"{key!r} is no key; write account,asset or account=acct,asset=ccy,wallet=wallet")
    places = _PARTS[1:2] if len(words) == 1 else _PARTS[: len(words)]
    found: dict[str, str] = {}
    for place, word in zip(places, words, strict=True):
        part, equals, column = word.partition("=")
        name = part.strip() if equals else place
        if name not in _PARTS or name in found or not (column.strip() if equals else part):
            raise UnusableTable(f"{word!r} is no part of a key; the parts are account, asset and wallet, each once")
        found[name] = column.strip() if equals else part
    if "asset" not in found:
        raise UnusableTable(f"the key {key!r} names no asset; write account,asset")
    return Layout(asset=found["asset"], **_others(found), quantity=quantity, price=price)


def _others(found: dict[str, str]) -> dict[str, str | None]:
    return {name: found.get(name) for name in ("account", "wallet")}
