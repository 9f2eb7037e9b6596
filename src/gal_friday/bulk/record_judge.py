"""Accounts with all that they hold, balances and records, judged and explained as everything else is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from gal_friday.bulk.forms import FORMS, Form, Holds
from gal_friday.bulk.judge import Judged, Read, Terms, judged_account
from gal_friday.bulk.rows import Handed, Rejected, Row, said_by_record
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.exact_json import Unreadable
from gal_friday.domain.records import Kind, Record
from gal_friday.domain.snapshot import Coverage, NotChecked, Side
from gal_friday.domain.snapshot_json import record_reader

_FORMS: Mapping[str, Form] = {str(form.kind): form for form in FORMS.values()}


def judged_whole(rows: Iterable[Handed], terms: Terms) -> Iterator[Judged]:
    """Yield each account of these rows, which come by account."""
    for account, some in groupby(rows, key=lambda row: row.account):
        # In one order, whichever way the tables list them (I12).
        every = sorted(some, key=lambda row: (row.kind, row.side, [cell or "" for cell in row.cells]))
        balances = [_balance(row) for row in every if row.kind == Kind.BALANCES]
        yield judged_account(account or terms.account, balances, terms, _read(every, terms))


def _balance(row: Handed) -> Row:
    asset, wallet, text, price = row.cells[:4]
    return Row(row.account, asset or "", wallet or "", row.side, text, price, row.place, row.fits)


def _read(rows: Sequence[Handed], terms: Terms) -> Read:
    """Return the records of an account; where a row cannot be read, its side is not whole."""
    read = {side: {kind: list[Record]() for kind in kinds} for side, kinds in terms.records.items()}
    rejected = list[Rejected]()
    coverage = {side: dict(kinds) for side, kinds in terms.records.items()}
    gaps = dict[tuple[Side, Kind], NotChecked]()
    known = dict[tuple[str | None, ...], Record]()
    for row in rows:
        form = _FORMS.get(row.kind)
        if form is None:
            continue
        said = (row.kind, *row.cells)
        try:
            if said not in known:  # most rows are the same on both sides
                known[said] = _record(form, row.cells)
            read[row.side][form.kind].append(known[said])
        except (Unreadable, GalFridayError) as wrong:
            reason = f"{form.kind}: {_said(wrong)}"
            rejected.append(
                Rejected(row.side, row.place, None, reason, said_by_record(row.account, row.cells), form.kind)
            )
            coverage[row.side][form.kind] = Coverage.PARTIAL
            gap = f"a row of the {row.side} side cannot be read: {reason}"
            gaps.setdefault((row.side, form.kind), NotChecked(form.kind, gap, row.side))
    return Read(read, coverage, tuple(rejected), tuple(gaps.values()))


def _record(form: Form, cells: Sequence[str | None]) -> Record:
    said = {}
    for (name, holds), cell in zip(form.columns.items(), cells, strict=False):
        if cell is not None:
            said[name] = _cell(holds, cell)
    record: Record = record_reader(form.kind)(said)
    return record


def _cell(holds: Holds, cell: str) -> str | bool:
    match holds:
        case Holds.FLAG:
            return {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}.get(cell, cell)
        case Holds.AMOUNT if "." in cell and cell[-1] == "0":
            # A column of many places says so many of each: the same amount is told alike, however it is kept.
            return cell.rstrip("0").rstrip(".")
        case Holds.INSTANT:
            return cell if _has_zone(cell) or not cell[-1:].isdigit() else f"{cell}Z"
        case _:
            return cell


def _has_zone(text: str) -> bool:
    """Say whether an instant states its zone: an hour behind a sign, or a Z."""
    time = text[10:].upper()
    return time.endswith("Z") or "+" in time or "-" in time


def _said(wrong: Exception) -> str:
    if isinstance(wrong, Unreadable):
        return ": ".join(filter(None, (wrong.place.removeprefix("."), wrong.reason)))
    return str(wrong)
