"""Discrepancies as a table for spreadsheets: plain digits, and no cell that a spreadsheet would take for a formula."""

import csv
import io
import re
from collections.abc import Iterable, Iterator

from gal_friday.domain import quantity, words
from gal_friday.domain.instants import exact_instant
from gal_friday.web.rows import Row

_HEAD = (
    "id",
    "account",
    "severity",
    "state",
    "type",
    "what",
    "where",
    "internal",
    "exchange",
    "difference",
    "value",
    "cause",
    "since",
    "last_seen",
    "occurrences",
    "review",
    "assignee",
)
# At the beginning of a cell; where spreadsheets part cells by semicolons, behind each of those too. Signs of full width
# are taken for the narrow ones.
_FORMULA = re.compile(r"(?:^|(?<=[;|]))(?=[\t\r]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])")


def table_of(some: Iterable[Row]) -> str:
    """Return the rows under their heads, as RFC 4180 has it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_HEAD)
    writer.writerows(list(_cells(one)) for one in some)
    return out.getvalue()


def _cells(row: Row) -> Iterator[str]:
    one, latest = row.followed, row.followed.latest
    yield from (one.id, _text(one.account), one.severity, one.state, one.type)
    yield from (words.what(latest), _text(words.where(latest)))
    for amount in (latest.internal, latest.exchange, latest.difference, latest.value):
        yield "" if amount is None else _text(amount) if isinstance(amount, str) else quantity.text(amount)
    yield from (_text(latest.cause or ""), exact_instant(one.since), exact_instant(one.last_seen), str(one.occurrences))
    yield from (row.review.state, _text(row.assignee))


def _text(words_of_others: str) -> str:
    """Return a text as it is read: behind an apostrophe where a spreadsheet would reckon with it."""
    return _FORMULA.sub("'", words_of_others)
