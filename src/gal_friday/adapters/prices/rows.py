"""The rows of a price file, CSV or JSON, each checked. What cannot be read is named by its row; nothing is skipped."""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset
from gal_friday.domain.errors import MalformedAmount
from gal_friday.domain.plain import NOT_READ
from gal_friday.ports.errors import PricesFailed

COLUMNS = ("asset", "price", "currency", "at")
_LISTED = ", ".join(COLUMNS)


class Row(NamedTuple):
    """One price of a file."""

    asset: Asset
    amount: Decimal
    currency: Asset
    at: datetime
    where: str


def rows_of(data: bytes, name: str, aliases: Mapping[str, Asset]) -> tuple[Row, ...]:
    """Return every row of a file of this name; one whose name ends in ``.json`` is JSON, any other CSV.

    Raises:
        PricesFailed: something in it is no price, or two rows are of one asset in one currency.
    """
    raw = _from_json(data, name) if name.lower().endswith(".json") else _from_csv(data, name)
    found: dict[tuple[Asset, Asset], Row] = {}
    for where, fields in raw:
        row = _row(f"{name} {where}", fields, aliases)
        twin = found.setdefault((row.asset, row.currency), row)
        if twin is not row:
            raise PricesFailed(f"{row.where}: {row.asset} in {row.currency} has a price already; leave one of the two")
    return tuple(row for row in found.values() if row.asset != row.currency)


def _from_csv(data: bytes, name: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise PricesFailed(f"{name} has no column {', '.join(missing)}; its first line must name {_LISTED}")
        return [(f"line {reader.line_num}", fields) for fields in reader]
    except UnicodeDecodeError as error:
        raise PricesFailed(f"{name} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except csv.Error as error:
        raise PricesFailed(f"{name} is not valid CSV: {error}; write it anew") from error


def _from_json(data: bytes, name: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    try:
        found = msgspec.json.decode(data, type=list[_Entry])
    except NOT_READ as error:
        raise PricesFailed(
            f"{name} is no JSON list of prices: {error}; each entry is an object with {_LISTED}"
        ) from error
    return [(f"entry {number}", asdict(entry)) for number, entry in enumerate(found, 1)]


class _Entry(Struct, frozen=True):
    """A price in JSON, as text or as a bare number: both keep their digits."""

    asset: str
    price: Decimal
    currency: str
    at: str


def _row(where: str, fields: Mapping[str, Any], aliases: Mapping[str, Asset]) -> Row:
    asset, currency = (_name(where, fields.get(column), column, aliases) for column in ("asset", "currency"))
    stated: Any = fields.get("price")
    try:
        amount = quantity.parse(stated.strip()) if isinstance(stated, str) else quantity.exact(stated)
    except MalformedAmount as wrong:
        raise PricesFailed(f"{where}: the price of {asset}: {wrong}") from wrong
    if amount <= 0 or (asset == currency and amount != 1):
        reason = "a price is above zero" if amount <= 0 else "one unit of a currency is worth one of itself"
        raise PricesFailed(f"{where}: the price of {asset} is {quantity.text(amount)}; {reason}")
    return Row(asset, amount, currency, _instant(where, fields.get("at")), where)


def _name(where: str, stated: Any, column: str, aliases: Mapping[str, Asset]) -> Asset:
    name = stated.strip() if isinstance(stated, str) else ""
    if not name or not name.isprintable():
        raise PricesFailed(f"{where}: {column} is {stated!a}, which is no name; write one such as BTC")
    return aliases.get(name, Asset(name))


def _instant(where: str, stated: Any) -> datetime:
    try:
        at = datetime.fromisoformat(stated.strip())
    except (ValueError, AttributeError):
        at = None
    if at is None or at.tzinfo is None:
        raise PricesFailed(
            f"{where}: at is {stated!a}; write an instant with its zone, such as 2026-01-31T12:00:00Z"
        ) from None
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise PricesFailed(f"{where}: at is {stated!a}, which is outside of the calendar") from None
