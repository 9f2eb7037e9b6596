"""Kraken's own export files, ledgers.csv and trades.csv, alone or in the ZIP in which they come.

Columns are found by their header, never by their place, and read by the same parsers as the answers of
the API. No network and no key are needed. What cannot be read is refused with file, line and column;
rows that Kraken has not booked yet (without an id) are counted and left out.

Source: Kraken support, "How to export your account history".
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.adapters.kraken import wire
from gal_friday.adapters.kraken.names import Names
from gal_friday.adapters.kraken.parse_fills import Quotes, fill, with_ledger_fees
from gal_friday.adapters.kraken.parse_movements import MovementReader
from gal_friday.adapters.kraken.wire import Row
from gal_friday.domain.assets import Wallet
from gal_friday.domain.records import Fill, Movement
from gal_friday.ports.errors import ExchangeMalformed

Record = TypeVar("Record", Fill, Movement)
Read = Callable[[Row, str, str], Record]

_LEDGER_COLUMNS = frozenset({"txid", "refid", "time", "type", "asset", "amount", "fee", "balance"})
_TRADE_COLUMNS = frozenset({"txid", "ordertxid", "pair", "time", "type", "price", "cost", "fee", "vol"})

# Columns that files of different years spell differently.
_SPELLINGS = {"posttxid": "postxid"}

_UNPACKED_MAX = 4 * 1024**3
# Exports shrink to a tenth. What shrinks to a hundredth of itself was made to fill a disk or an afternoon.
_SMALL = 64 * 1024**2
_RATIO_MAX = 100
_FIELD_MAX = 1 << 16
_ID_MAX = 128
# Whatever the archive holds instead of what it promises: damaged data, an unknown method, a password.
_BAD_ARCHIVE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_WALLETS = {
    "spot / main": Wallet.SPOT,
    "spot / flex": Wallet.SPOT,
    "spot / hold": Wallet.HELD,
    "earn / flexible": Wallet.EARN,
    "earn / flex": Wallet.EARN,
    "earn / liquid": Wallet.EARN,
    "earn / bonded": Wallet.BONDED,
    "earn / locked": Wallet.BONDED,
}


class Exports(Struct, frozen=True):
    """What the files hold, oldest first, each record once."""

    fills: tuple[Fill, ...] = ()
    movements: tuple[Movement, ...] = ()
    notes: tuple[str, ...] = ()
    """Rows that were left out or listed twice, names and wallets that nobody knows."""


class MalformedExport(ExchangeMalformed):
    """A file is no export of Kraken, or a line of it cannot be read; nothing of it was used."""


def read_exports(*paths: Path, names: Names | None = None) -> Exports:
    """Return fills and movements of these files together; fills carry the fees of the ledger rows given.

    *names* resolve spellings; without them only the hand-written table of old names is used.

    Raises:
        MalformedExport: names the file, and the line and column where one is at fault.
    """
    reader = _Reader(names or Names.without_network())
    for path in paths:
        reader.read_file(path)
    return reader.exports()


class _Reader:
    def __init__(self, names: Names) -> None:
        self._names = names
        self._quotes = Quotes(names)
        self._movements_of = MovementReader(names, "ledgers.csv")
        self._fills: dict[str, Fill] = {}
        self._movements: dict[str, Movement] = {}
        self._notes: dict[str, int] = {}

    def read_file(self, path: Path) -> None:
        """Read one CSV file, or every CSV file in one ZIP."""
        try:
            with path.open("rb") as file:
                if file.read(4) == b"PK\x03\x04":
                    self._read_zip(path)
                    return
                file.seek(0)
                self._read_table(file, path.name)
        except OSError as error:
            raise MalformedExport(f"{path.name}: {error.strerror or error}; check path and rights") from error

    def exports(self) -> Exports:
        """Return everything that was read, oldest first."""
        movements = tuple(sorted(self._movements.values(), key=_at))
        fills = with_ledger_fees(sorted(self._fills.values(), key=_at), movements)
        notes = tuple(f"{note} ({times} rows)" for note, times in self._notes.items())
        return Exports(fills, movements, notes)

    def _read_zip(self, path: Path) -> None:
        try:
            with zipfile.ZipFile(path) as archive:
                for member in _tables(archive, path.name):
                    with archive.open(member) as file:
                        self._read_table(file, f"{path.name}/{member.filename}")
        except MalformedExport:
            raise
        except _BAD_ARCHIVE as error:
            raise MalformedExport(f"{path.name}: this ZIP cannot be read ({error}); {_AGAIN}") from error

    def _read_table(self, file: IO[bytes], name: str) -> None:
        csv.field_size_limit(_FIELD_MAX)
        # Exports opened and saved by a spreadsheet begin with a byte order mark.
        with io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
            lines = csv.reader(text, strict=True)
            try:
                header = [_SPELLINGS.get(column.strip(), column.strip()) for column in next(lines, [])]
                self._read_rows(lines, header, name)
            except UnicodeDecodeError as error:
                after = f"{name}, after line {lines.line_num}"
                raise MalformedExport(f"{after}: not UTF-8, so no CSV file of Kraken; {_AGAIN}") from error
            except csv.Error as error:
                raise MalformedExport(f"{name}, line {lines.line_num}: {error}; {_AGAIN}") from error

    def _read_rows(self, lines: Iterator[list[str]], header: list[str], name: str) -> None:
        _refuse_unprintable(header, header, f"{name}, line 1")
        if len(set(header)) != len(header):
            raise MalformedExport(f"{name}, line 1: a column stands twice")
        if set(header) >= _LEDGER_COLUMNS:
            self._collect(lines, header, name, self._movement, self._movements)
        elif set(header) >= _TRADE_COLUMNS:
            self._collect(lines, header, name, self._fill, self._fills)
        else:
            raise MalformedExport(
                f"{name}, line 1: this is neither Kraken's ledgers.csv nor its trades.csv; "
                f"columns found: {', '.join(header)[:200] or 'none'}; {_AGAIN}"
            )

    def _collect(
        self,
        lines: Iterator[list[str]],
        header: list[str],
        name: str,
        read: Read[Record],
        found: dict[str, Record],
    ) -> None:
        for number, values in enumerate(lines, start=2):
            if not values:
                continue
            place = f"{name}, line {number}"
            row = _row(header, values, place)
            txid = row.get("txid")
            if txid is None:
                self._note(f"{name}: left out, because Kraken has not given them an id yet")
                continue
            if len(txid) > _ID_MAX:
                raise MalformedExport(f"{place}, column txid: this is no id; {_AGAIN}")
            record = _read(read, row, txid, place)
            if found.setdefault(txid, record) is not record:
                if found[txid] != record:
                    raise MalformedExport(f"{place}: {txid} stands twice with different content")
                self._note(f"{name}: listed twice, counted once")

    def _movement(self, row: Row, txid: str, place: str) -> Movement:
        movement = self._movements_of.read(_timed(row, place, txid), txid, place)
        label = row.get("wallet")
        if label is None or "." in movement.raw[0]:
            # A suffix says more than the label: XBT.F stands under "earn" and can be spent all the same.
            return movement
        wallet = _WALLETS.get(label)
        if wallet is None:
            self._note(f"wallet {label!r} is unknown and was taken as spot")
        if wallet is None or wallet is Wallet.SPOT:
            return movement
        # The running balance counts per asset and wallet here: the raw name has to tell them apart.
        return replace(movement, wallet=wallet, raw=(f"{movement.raw[0]} ({label})", movement.raw[1]))

    def _fill(self, row: Row, txid: str, place: str) -> Fill:
        return fill(_timed(row, place, txid), txid, self._quotes, place)

    def _note(self, text: str) -> None:
        self._notes[text] = self._notes.get(text, 0) + 1


_AGAIN = "export it from Kraken again, and import the file as it comes"


def _tables(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """Return the CSV files of an archive; what a Mac adds beside them is none."""
    tables = [
        member
        for member in archive.infolist()
        if member.filename.lower().endswith(".csv") and not member.filename.startswith("__MACOSX/")
    ]
    if not tables:
        raise MalformedExport(f"{name}: this archive holds no CSV file; {_AGAIN}")
    if not {member.compress_type for member in tables} <= {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise MalformedExport(f"{name}: this ZIP is packed in a way that no export of Kraken is; {_AGAIN}")
    unpacked, packed = (sum(getattr(one, size) for one in tables) for size in ("file_size", "compress_size"))
    if unpacked > _UNPACKED_MAX or (unpacked > _SMALL and unpacked > packed * _RATIO_MAX):
        raise MalformedExport(f"{name}: unpacked this has {unpacked} bytes, more than any export; {_AGAIN}")
    return tables


def _row(header: list[str], values: list[str], place: str) -> Row:
    if len(values) != len(header):
        raise MalformedExport(f"{place}: {len(values)} values under {len(header)} columns; {_AGAIN}")
    _refuse_unprintable(header, values, place)
    # An empty cell says nothing, not zero.
    return {column: value if value != "" else None for column, value in zip(header, values, strict=True)}


def _refuse_unprintable(header: list[str], values: list[str], place: str) -> None:
    # A book never forgets: a name that moves the cursor or breaks a line would be in it for good.
    if not "".join(values).isprintable():
        column, value = next(pair for pair in zip(header, values, strict=True) if not pair[1].isprintable())
        raise MalformedExport(f"{place}, column {column[:40]!a}: {value[:40]!a} cannot be printed; {_AGAIN}")


def _read(read: Read[Record], row: Row, txid: str, place: str) -> Record:
    # The id is the key of the record, as in the answers of the API.
    del row["txid"]
    try:
        return read(row, txid, place)
    except MalformedExport:
        raise
    except ExchangeMalformed as error:
        raise MalformedExport(str(error).removeprefix("Kraken ")) from error


def _timed(row: Row, place: str, txid: str) -> Row:
    """Return the row with its time, UTC without a zone, as the unix seconds that the parsers read."""
    text = wire.word(row, "time", (place, txid))
    whole, _, fraction = text.partition(".")
    try:
        at = datetime.strptime(whole, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError as error:
        wire.refuse((place, txid), "time", f"{text[:40]!r} is no time such as 2026-03-01 12:00:00.1234", error)
    seconds = str((at - _EPOCH) // timedelta(seconds=1))
    return {**row, "time": f"{seconds}.{fraction}" if fraction else seconds}


def _at(record: Fill | Movement) -> datetime:
    return record.at
