"""Accounts judged in several processes: each gets rows of whole accounts, and hands back what they come to.

To hand back each account as it was judged would take as long as to judge it. So what is asked of many accounts is
counted and written as text where they are judged; who has to hear of each of them, judges in one process.
"""

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import chain, groupby, islice
from typing import TypeVar

from msgspec import Struct, field

from gal_friday.bulk.errors import EngineFailed
from gal_friday.bulk.judge import Judged, Sieved, Terms
from gal_friday.bulk.lines import COLUMNS, lines_of, written
from gal_friday.bulk.rows import Handed, Rejected, Row
from gal_friday.bulk.tally import Tally
from gal_friday.bulk.weighed import Weighed
from gal_friday.domain.records import Balance
from gal_friday.domain.snapshot import Side

FEW = 20_000
"""So many rows are judged in the time that it takes to start a process."""
_AT_ONCE = 2_000
"""Rows of a portion, and those of its last account."""
_AHEAD = 3
"""Portions for each process that are handed out before the first is back."""
_R = TypeVar("_R", Row, Handed)


class Elsewhere(Struct, frozen=True):
    """How accounts are judged in other processes."""

    processes: int
    form: str | None
    """The format that what differs is written in; None where it is not."""
    take: Callable[["Portion"], None]
    """Is given what they come to, in the order of the accounts."""


class Portion(Struct):
    """What some accounts come to."""

    tally: Tally = field(default_factory=Tally)
    weighed: Weighed = field(default_factory=Weighed)
    rejected: list[Rejected] = field(default_factory=list)
    wide: list[tuple[Side, Balance, int]] = field(default_factory=list)
    text: str = ""
    """The lines of what differs, where these are written."""


def portions(sieved: Sieved, terms: Terms, elsewhere: Elsewhere) -> Iterator[Portion] | Sieved:
    """Return what the accounts of these rows come to, portion by portion; where the rows are few, the rows again."""
    rows = iter(sieved.rows)
    first = list(islice(rows, FEW)) if elsewhere.processes > 1 else []
    every = chain(first, rows)
    if len(first) < FEW:
        return Sieved(every, sieved.judge)
    return _portions(whole_accounts(every, _AT_ONCE), partial(_portion, sieved.judge, terms, elsewhere.form), elsewhere)


def whole_accounts(rows: Iterable[_R], least: int) -> Iterator[list[_R]]:
    """Yield these rows, which come by account, in portions of whole accounts: at *least* so many but in the last."""
    portion = list[_R]()
    for _, some in groupby(rows, key=lambda row: row.account):
        portion += some
        if len(portion) >= least:
            yield portion
            portion = []
    if portion:
        yield portion


def _portions(
    rows: Iterator[list[Row]] | Iterator[list[Handed]],
    judge: Callable[[Sequence[Row] | Sequence[Handed]], Portion],
    elsewhere: Elsewhere,
) -> Iterator[Portion]:
    ahead = deque[Future[Portion]]()
    context = multiprocessing.get_context("spawn")  # an engine has threads, which a fork would lose
    try:
        with ProcessPoolExecutor(elsewhere.processes, mp_context=context, initializer=_begin) as pool:
            try:
                for some in rows:
                    ahead.append(pool.submit(judge, some))
                    if len(ahead) >= _AHEAD * elsewhere.processes:
                        yield ahead.popleft().result()
                while ahead:
                    yield ahead.popleft().result()
            finally:
                for one in ahead:  # of something that goes wrong nobody waits for the rest
                    one.cancel()
    except BrokenProcessPool as error:
        raise EngineFailed(
            "a process that judged accounts was ended, maybe for lack of memory: give --jobs 1, or more memory"
        ) from error


def _begin() -> None:
    """Leave it to the process that asks to hear that somebody wants an end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _portion(
    judge: Callable[..., Iterator[Judged]], terms: Terms, form: str | None, rows: Sequence[Row] | Sequence[Handed]
) -> Portion:
    portion, unlike = Portion(), list[Judged]()
    for one in judge(rows, terms):
        portion.tally.hear(one)
        portion.rejected += one.rejected
        portion.wide += one.wide
        if one.findings:
            portion.weighed.hear(one)
            unlike.append(one)
    if form is not None:
        portion.text = written(chain.from_iterable(map(lines_of, unlike)), COLUMNS, form)
    return portion
