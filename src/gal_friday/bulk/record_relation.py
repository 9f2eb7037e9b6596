"""A table of records as an engine reads it: one row for each of its rows, under the names of its form.

account, place           whose it is; NULL where it says nothing, and the file that it is from
a column of its form     canonical text, or an exact amount; NULL where it is none, or does not fit
that column, _instant    of instants: what the engine can compare; NULL where it is none
that column, _text       of amounts and instants: as the table says them
sound                    1 where nothing about the row is a riddle, and it is none of the future
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from gal_friday.bulk.errors import UnusableTable
from gal_friday.bulk.forms import UNSAID, Form, Holds, Name
from gal_friday.bulk.layout import RecordLayout
from gal_friday.bulk.relation import Words, renamed
from gal_friday.domain.assets import Asset
from gal_friday.domain.snapshot import Side

Place = TypeVar("Place")
"""Where an engine finds a table: files, or a name in a database."""


class RecordWords(Words, Protocol):
    """How an engine says what not all of them say alike, of instants too."""

    @property
    def exact(self) -> str:
        """The type of exact amounts."""
        ...

    @property
    def moment(self) -> str:
        """The type of instants, which are those of UTC."""
        ...

    def instant(self, column: str, kind: str) -> str:
        """Return the column as an instant, NULL where it is none; without a zone it is one of UTC."""
        ...

    def instant_text(self, column: str, kind: str) -> str:
        """Return the column as text with its zone, where it has one."""
        ...

    def mark(self, expressions: Sequence[str]) -> str:
        """Return what is the same of two rows where these are."""
        ...


class Asked(Struct, Generic[Place], frozen=True):
    """Tables of records that are compared besides."""

    as_of: datetime
    """What is younger is not in the balances."""
    tables: Mapping[Name, Mapping[Side, tuple[Place, RecordLayout]]]


class RecordRelation(Struct, frozen=True):
    """A side's table of one kind of record."""

    form: Form
    statement: str
    has: frozenset[str]
    """The columns that the table has."""


def record_relation(
    name: str, table: str, form: Form, layout: RecordLayout, kinds: Mapping[str, str], names: Mapping[str, Asset],
    words: RecordWords, as_of: datetime,
) -> RecordRelation:  # fmt: skip
    """Return how *table* is read, whose columns are of these *kinds*.

    Raises:
        UnusableTable: a column is not there, or holds amounts that are not exact, or several values in one row; the
            message calls the table *name*.
    """
    columns = {one: layout.columns.get(one, one) for one in form.columns}
    has = frozenset(one for one, column in columns.items() if column in kinds)
    _refuse_missing(name, form, layout, columns, kinds, has)
    cells: list[str] = []
    account = words.literal(layout.sole)
    try:
        for one, holds in form.columns.items():
            if one in has:
                cells += _cells(one, holds, columns[one], kinds[columns[one]], names, words)
            else:
                cells += _empty(one, holds, words)
        if layout.whose:
            account = f"nullif({words.text(layout.whose, kinds[layout.whose])}, '')"
    except UnusableTable as wrong:
        raise UnusableTable(f"{name}: {wrong}") from None
    read = f"SELECT {account} AS account, {', '.join(cells)}, {words.places} AS place FROM {table}"
    known = " AND ".join(_sound(form, words, as_of))
    statement = f"SELECT *, CASE WHEN {known} THEN 1 ELSE 0 END AS sound FROM ({read}) AS read"
    return RecordRelation(form=form, statement=statement, has=has)


def nameless(form: Form) -> str:
    """Return the condition under which a row names no record."""
    needed = [one for one in form.id if one in form.needed]
    return " OR ".join(f"{one} IS NULL" for one in ("account", *needed))


def texts(form: Form) -> Iterator[str]:
    """Yield the expressions of what the cells of a row say, in the order of its columns."""
    for one, holds in form.columns.items():
        yield f"{one}_text" if holds in (Holds.AMOUNT, Holds.INSTANT) else one


def within(instant: str, words: RecordWords, last: str = "9999-12-31") -> str:
    """Return the condition under which an instant is none after this, and none that only an engine knows: one BC."""
    first, last = (words.literal(one) for one in ("0001-01-01", last))
    return f"{instant} BETWEEN CAST({first} AS {words.moment}) AND CAST({last} AS {words.moment})"


def _refuse_missing(
    name: str, form: Form, layout: RecordLayout, columns: Mapping[str, str], kinds: Mapping[str, str],
    has: Collection[str],
) -> None:  # fmt: skip
    missing = [columns[one] for one in form.needed if one not in has]
    if layout.whose and layout.whose not in kinds:
        missing.insert(0, layout.whose)
    if missing:
        raise UnusableTable(
            f"{name} has no column {', '.join(missing)}; it has {', '.join(kinds)}: "
            f"say which is which with --columns, under [{form.kind}]"
        )


def _cells(
    one: str, holds: Holds, column: str, kind: str, names: Mapping[str, Asset], words: RecordWords
) -> Iterator[str]:
    match holds:
        case Holds.AMOUNT:
            yield f"{words.amount(column, kind)} AS {one}"
            yield f"nullif({words.text(column, kind)}, '') AS {one}_text"
        case Holds.INSTANT:
            yield f"{words.instant(column, kind)} AS {one}_instant"
            yield f"nullif({words.instant_text(column, kind)}, '') AS {one}_text"
        case _:
            text = words.text(column, kind)
            text = renamed(text, names, words) if holds is Holds.ASSET else text
            text = f"lower({text})" if holds is Holds.FLAG else text
            text = f"nullif({text}, '')"
            yield f"{f'coalesce({text}, {words.literal(UNSAID[one])})' if one in UNSAID else text} AS {one}"


def _empty(one: str, holds: Holds, words: RecordWords) -> Iterator[str]:
    nothing = f"CAST(NULL AS {words.characters})"
    match holds:
        case Holds.AMOUNT:
            yield f"CAST(NULL AS {words.exact}) AS {one}"
            yield f"{nothing} AS {one}_text"
        case Holds.INSTANT:
            yield f"CAST(NULL AS {words.moment}) AS {one}_instant"
            yield f"{nothing} AS {one}_text"
        case _:
            yield f"{words.literal(UNSAID[one]) if one in UNSAID else nothing} AS {one}"


def _sound(form: Form, words: RecordWords, as_of: datetime) -> Iterator[str]:
    yield form.known
    for one, holds in form.columns.items():
        match holds:
            case Holds.AMOUNT:
                yield f"({one} IS NOT NULL OR {one}_text IS NULL)"
            case Holds.INSTANT:
                last = as_of.strftime("%Y-%m-%d %H:%M:%S.%f")
                yield within(f"{one}_instant", words, last)
                continue
            case _:
                pass
        if one in form.needed:
            yield f"{one} IS NOT NULL"
