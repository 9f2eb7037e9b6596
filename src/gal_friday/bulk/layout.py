"""Which column of a table is what."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import UNSET, Struct, UnsetType, ValidationError, convert
from msgspec.structs import asdict, replace

from gal_friday.bulk.errors import UnusableTable
from gal_friday.bulk.forms import FORMS, Name
from gal_friday.bulk.sieve import SIDES
from gal_friday.domain.snapshot import Side

_PARTS = ("account", "asset", "wallet")
_ACCOUNT = "account"
"""What the column of accounts is called where nobody says so."""


class Stated(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a user says of the columns of one side's table."""

    asset: str = "asset"
    account: str | UnsetType | None = UNSET
    """None where the whole table is of one account; not there where nobody said, and the table itself tells."""
    wallet: str | None = None
    """None where every row is of the spot wallet."""
    quantity: str = "quantity"
    price: str | None = None
    """What one unit is worth, if the table says so."""


class Layout(Stated, frozen=True, kw_only=True):
    """The columns of one side's table."""

    sole: str = ""
    """Whose all rows are, where no column says so: empty where nobody does."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read."""
        named = (self.whose, self.asset, self.wallet, self.quantity, self.price)
        return tuple(one for one in named if one is not None)

    @property
    def whose(self) -> str | None:
        """The column of accounts, of a table that was looked at; None where the whole table is of one."""
        assert self.account is not UNSET
        return self.account

    def of_table(self, columns: Iterable[str]) -> "Layout":
        """Return the layout of a table with these columns: one of accounts is never passed over unsaid."""
        if self.account is not UNSET:
            return self
        names = sorted((one for one in columns if one.casefold() == _ACCOUNT), reverse=True)
        return replace(self, account=names[0] if names else None)


class RecordLayout(Struct, frozen=True, kw_only=True):
    """The columns of one side's table of records."""

    account: str | UnsetType | None = None
    """None where the whole table is of one account; not there where its balances tell."""
    sole: str = ""
    """Whose all records are, where no column says so."""
    columns: Mapping[str, str] = {}
    """What columns are called, where not as in a snapshot file."""

    @property
    def whose(self) -> str | None:
        """The column of accounts, beside balances that were looked at; None where the whole table is of one."""
        assert self.account is not UNSET
        return self.account

    def beside(self, balances: Layout) -> "RecordLayout":
        """Return the layout of records that are beside a table of balances that was looked at."""
        return replace(self, account=balances.whose) if self.account is UNSET else self


class Layouts(Struct, frozen=True):
    """How all tables are laid out, side by side."""

    balances: Mapping[Side, Layout]
    stated: Mapping[Side, Mapping[Name, Mapping[str, str]]] = {}
    """Of records: what is stated about columns, by the kind of the records."""

    def of_records(self, side: Side, name: Name) -> RecordLayout:
        """Return how a side's table of records is laid out."""
        stated = dict(self.stated.get(side, {}).get(name, {}))
        balances = self.balances[side]
        account = stated.pop("account", balances.account)
        return RecordLayout(account=account, sole=balances.sole, columns=stated)


def layouts_in(path: Path, account: str | None) -> Layouts:
    """Return how both sides are laid out, as a file of TOML states it: for both, and under a side's name for it alone.

    A table without a column of accounts is of this *account*.

    Raises:
        UnusableTable: the file cannot be read, or names something else.
    """
    try:
        stated = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UnusableTable(f"{path} cannot be read: {error.strerror}; check path and rights") from error
    except ValueError as error:
        raise UnusableTable(f"{path} is no TOML: {error}") from error
    except RecursionError:
        raise UnusableTable(f"{path} is nested too deep; it takes names of columns, and tables of them") from None
    own = {side: stated.pop(side, {}) for side in SIDES}
    records = {name: stated.pop(name, {}) for name in FORMS}
    try:
        about: dict[Side, dict[Name, dict[str, str]]] = {
            side: {name: records[name] | own[side].pop(name, {}) for name in FORMS} for side in SIDES
        }
        _refuse_unknown(path, about)
        told = {side: convert(stated | own[side], Stated) for side in SIDES}
        return Layouts({side: Layout(**asdict(one), sole=account or "") for side, one in told.items()}, about)
    except (ValidationError, TypeError, AttributeError) as error:
        raise UnusableTable(
            f"{path}: {error}; it takes account, asset, wallet, quantity and price, and tables of {', '.join(FORMS)}"
        ) from None


def refuse_half(layouts: Mapping[Side, Layout], names: Mapping[Side, str]) -> None:
    """Raise where one table names accounts and the other names none: whose rows the other has, nobody said.

    Raises:
        UnusableTable: so it is; the message calls the tables by these *names*.
    """
    for side, other in (SIDES, SIDES[::-1]):
        named = layouts[other].whose
        if layouts[side].whose is None and named is not None:
            raise UnusableTable(
                f"{names[side]} has no column {_ACCOUNT}, and {names[other]} names accounts in its column {named}: "
                f"say under [{side}] in the file of --columns which column it is, or with --account whose all rows are"
            )


def _refuse_unknown(path: Path, about: Mapping[Side, Mapping[Name, Mapping[str, str]]]) -> None:
    for some in about.values():
        for name, columns in some.items():
            known = ("account", *FORMS[name].columns)
            if wrong := [one for one, column in columns.items() if one not in known or type(column) is not str]:
                raise UnusableTable(f"{path}: [{name}] takes {', '.join(known)}, each a column's name; not {wrong[0]}")


def layout_of(key: str, quantity: str, price: str | None, account: str | None) -> Layout:
    """Return the layout that ``--key account,asset --quantity qty --price px`` states.

    The parts of the key stand for account, asset and wallet: one is the asset, two are account and asset. A part whose
    column has another name is written ``asset=ccy``. A table without a column of accounts is of this *account*.

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
    return Layout(asset=found["asset"], **_others(found), quantity=quantity, price=price, sole=account or "")


def _others(found: dict[str, str]) -> dict[str, str | None]:
    return {name: found.get(name) for name in ("account", "wallet")}
