"""The discrepancies of a report as lines of text: one line each where they fit, else two for each event.

Nothing is ever cut: ids and amounts are whole at every width, because people copy them.
"""

import textwrap
from collections.abc import Iterator, Sequence

from msgspec import Struct

from gal_friday.cli.columns import aligned, amount, padded, signed, table, worth
from gal_friday.cli.events import Event
from gal_friday.cli.output import printable
from gal_friday.domain import quantity, words
from gal_friday.domain.discrepancy import BalanceDiscrepancy, Discrepancy, RecordDiscrepancy
from gal_friday.domain.materiality import Severity
from gal_friday.domain.report import ReconciliationReport

_FOLLOWS = "└ "
_INDENT = " " * 12
_NOTHING = amount(None, exact=True)


class Row(Struct, frozen=True, kw_only=True):
    """One discrepancy as text."""

    severity: Severity
    what: str
    where: str
    book: str
    exchange: str
    difference: str
    worth: str
    since: str
    state: str
    follows: bool
    """It follows from the row above that does not."""
    notes: tuple[str, ...]


class Line(Struct, frozen=True):
    """A line of text; *severity* is the word that it begins with, and None where it begins with none."""

    text: str
    severity: Severity | None = None


def rows_of(events: Sequence[Event], report: ReconciliationReport) -> list[Row]:
    """Return one row for every discrepancy of these events, in their order."""
    return [_row(one, report, event) for event in events for one in event.members]


def _row(one: Discrepancy, report: ReconciliationReport, event: Event) -> Row:
    follows = one is not event.head
    book, exchange = _sides(one)
    age = one.age_seconds
    return Row(
        severity=one.severity,
        what=(_FOLLOWS if follows else "") + words.what(one),
        where=printable(words.where_within(one) if follows else words.where(one)),
        book=printable(book),
        exchange=printable(exchange),
        difference=signed(one.difference),
        worth=worth(one.value, report.valued_in),
        since="" if age is None else words.since(report.timestamp, age),
        state=one.state,
        follows=follows,
        notes=tuple(printable(text) for text in _notes(one, event)),
    )


def _sides(one: Discrepancy) -> tuple[str, str]:
    match one:
        case RecordDiscrepancy(side=None):
            exact = one.difference is not None
            return amount(one.internal, exact=exact), amount(one.exchange, exact=exact)
        case RecordDiscrepancy():
            return "", ""
        case BalanceDiscrepancy(missing_on=side):
            book = _NOTHING if side == "internal" else quantity.short(one.internal)
            return book, _NOTHING if side == "exchange" else quantity.short(one.exchange)
        case _:
            return quantity.short(one.internal), quantity.short(one.exchange)


def _notes(one: Discrepancy, event: Event) -> Iterator[str]:
    if isinstance(one, RecordDiscrepancy) and one.side:
        # The field may name the record again, which the row has done.
        yield f"{one.field.partition(',')[0]}: {one.internal or one.exchange}"
    if one is event.head and event.note:
        yield event.note
    if one is event.head:
        # What follows from it parts at the record that the head names; `discrepancy` tells it whole.
        yield from _since_when(one)


def _since_when(one: Discrepancy) -> Iterator[str]:
    """Yield up to where the running balances agree. Why they do not stands above, with the causes."""
    divergence = None if isinstance(one, RecordDiscrepancy) or one.bridge is None else one.bridge.divergence
    if divergence is None:
        return
    if divergence.first_bad is None:
        yield "differs since before what was read"
    else:
        yield f"agrees until {divergence.last_good}; first unmatched: {divergence.first_bad}"


def lines_of(rows: Sequence[Row], width: int, *, followed: bool = True) -> list[Line]:
    """Return the rows as lines: with a heading and one line each if *width* allows, else two for each event.

    Where they are not *followed* from run to run their states say nothing, and are not shown.
    """
    mixed = followed and len({row.state for row in rows}) > 1
    wide = _in_one_line(rows, width, with_state=mixed)
    if all(len(line.text) <= width for line in wide):
        return wide
    return _in_two_lines(rows, width, with_state=mixed)


def _in_one_line(rows: Sequence[Row], width: int, *, with_state: bool) -> list[Line]:
    columns = [
        padded(["severity", *(row.severity for row in rows)]),
        padded(["what", *(row.what for row in rows)]),
        padded(["of", *(row.where for row in rows)]),
        aligned(["book", *(row.book for row in rows)]),
        aligned(["exchange", *(row.exchange for row in rows)]),
        aligned(["difference", *(row.difference for row in rows)]),
        *([_right(["worth", *(row.worth for row in rows)])] if any(row.worth for row in rows) else []),
        *([padded(["since", *(row.since for row in rows)])] if any(row.since for row in rows) else []),
        *([padded(["state", *(row.state for row in rows)])] if with_state else []),
    ]
    heading, *texts = table(columns)
    return [Line(heading), *_with_notes(rows, [[text] for text in texts], width)]


def _in_two_lines(rows: Sequence[Row], width: int, *, with_state: bool) -> list[Line]:
    heads = [row for row in rows if not row.follows]
    amounts = table(
        (
            [f"{'':10}book {cell}" for cell in aligned([row.book for row in heads])],
            [f"exchange {cell}" for cell in aligned([row.exchange for row in heads])],
            aligned([row.difference for row in heads]),
            _right([row.worth for row in heads]),
        )
    )
    below = dict(zip(map(id, heads), amounts, strict=True))
    blocks = [
        [_title(row, with_state=with_state), *([below[id(row)]] if row.book and not row.follows else [])]
        for row in rows
    ]
    return _with_notes(rows, blocks, width)


def _title(row: Row, *, with_state: bool) -> str:
    if row.follows:
        return f"{row.severity:<10}{row.what}: {row.where}{_briefly(row)}"
    extras = [f"since {row.since}" if row.since else "", row.state if with_state else ""]
    return f"{row.severity:<10}{', '.join(filter(None, (f'{row.what}: {row.where}', *extras)))}"


def _briefly(row: Row) -> str:
    """Return what a row that follows from another has to say, on its own line."""
    if not row.book:
        return ""
    if _NOTHING in (row.book, row.exchange) and row.difference:
        return f" {row.difference}"
    return f" {row.book} → {row.exchange}" + (f" ({row.difference})" if row.difference else "")


def _with_notes(rows: Sequence[Row], blocks: Sequence[Sequence[str]], width: int) -> list[Line]:
    return [
        line
        for row, block in zip(rows, blocks, strict=True)
        for line in (
            *_titled(row, block[0], width),
            *(Line(text) for text in block[1:]),
            *(Line(text) for note in row.notes for text in _wrapped(_INDENT + note, width, _INDENT)),
        )
    ]


def _titled(row: Row, title: str, width: int) -> list[Line]:
    first, *rest = _wrapped(title, width, " " * 10)
    return [Line(first, row.severity), *(Line(text) for text in rest)]


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _right(cells: Sequence[str]) -> list[str]:
    width = max(map(len, cells), default=0)
    return [cell.rjust(width) for cell in cells]
