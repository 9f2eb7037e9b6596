"""What runs on the executors of Spark: it takes whole accounts, and gives back each as it was judged.

They have this program as whoever asks has it: what is sent there is judged by the same rules.
"""

import pickle
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from gal_friday.bulk.judge import Judged, Terms, judged
from gal_friday.bulk.record_judge import judged_whole
from gal_friday.bulk.rows import Handed, Row

if TYPE_CHECKING:
    import pyarrow

JUDGED = "account STRING, judged BINARY"
"""The columns of what comes back."""


class Survivors:
    """Judges balances alone: of each account all rows of the keys that did not pass, sorted."""

    def __init__(self, terms: Terms, files: Mapping[str, str]) -> None:
        """Take by what is judged. *files* are as the user calls them, by how Spark does."""
        self._terms, self._files = terms, files

    def __call__(self, batches: Iterator["pyarrow.RecordBatch"]) -> Iterator["pyarrow.RecordBatch"]:
        """Yield each account, and what was found in it."""
        import pyarrow

        for account, rows in groupby(self._rows(batches), key=lambda row: row[0]):
            for one in self._judged(rows):
                yield pyarrow.RecordBatch.from_pydict({"account": [account], "judged": [pickle.dumps(one)]})

    def _judged(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[Judged]:
        read = (Row(*row) for row in rows)
        return judged((row._replace(place=file_of(row.place, self._files)) for row in read), self._terms)

    def _rows(self, batches: Iterator["pyarrow.RecordBatch"]) -> Iterator[tuple[Any, ...]]:
        for batch in batches:
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


class Whole(Survivors):
    """Judges balances and records: of each account all that it holds, whichever way its rows come."""

    def _judged(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[Judged]:
        return judged_whole(map(self._handed, rows), self._terms)

    def _handed(self, row: tuple[Any, ...]) -> Handed:
        account, kind, side, place, fits, *cells = row
        return Handed(account, kind, side, file_of(place, self._files), bool(fits), tuple(cells))


def file_of(place: str, files: Mapping[str, str]) -> str:
    """Return how the user calls the file that Spark calls so."""
    return files.get(unquote(urlsplit(place).path), unquote(place))
