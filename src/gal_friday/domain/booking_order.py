"""The order in which rows of one running balance were booked, where the source lists them in another.

Legs of one event are booked within a moment, with times that differ a little, and a source may list them in any
order. What each row states, the balance before it and the balance after it, makes it a step from one balance to
another: the order looked for is a trail through all of them. Rows change places only where that leaves fewer
gaps. Nothing here judges what a gap means, and no row is added or left out.

The work is bounded: however the rows lie, it grows no faster than their number.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby, islice
from operator import attrgetter

from gal_friday.domain import quantity
from gal_friday.domain.records import Movement

# Kraken stamps the legs of one event fractions of a second apart; seconds leave room for an event that its
# machines book late. Rows that are further apart never change places.
MOMENT = timedelta(seconds=5)

# Legs of one event in one asset are few. The bound is what keeps the work proportional to the number of rows
# where an account books without a pause; rows of exactly one instant need none, because they are ordered at once.
LOOK_AHEAD = 24

# A list with more gaps than this lacks rows, and no other order of the others would make it whole.
GAPS_LOOKED_INTO = 200

_at = attrgetter("at")


def stops_at(rows: Sequence[Movement], first: int = 1, last: int | None = None) -> int:
    """Return the place of the first row, from *first* up to before *last*, that does not follow from the row before it.

    *last*, or the number of rows, if all do. A row follows where either of the two has no running balance.
    """
    end = len(rows) if last is None else last
    if first >= end:
        return end
    add, subtract = quantity.EXACT.add, quantity.EXACT.subtract
    balance = rows[first - 1].balance_after
    for place, row in enumerate(islice(rows, first, end), first):
        after = row.balance_after
        if balance is not None and after is not None:
            expected = add(balance, row.amount)
            if (subtract(expected, row.fee) if row.fee else expected) != after:
                return place
        balance = after
    return end


def put_in_order(rows: list[Movement]) -> bool:
    """Put the rows of one running balance, given oldest first, into booking order; say whether any had to be looked at.

    Rows of one instant may come in any order, rows of one moment in any near to that of their times.
    """
    place = stops_at(rows)
    if place == len(rows):
        return False
    _order_instants(rows)
    place, gaps_left = stops_at(rows), GAPS_LOOKED_INTO
    while place < len(rows) and gaps_left:
        mended_to, gap = _mend(rows, place)
        place, gaps_left = stops_at(rows, mended_to), gaps_left - gap
    return True


def _order_instants(rows: list[Movement]) -> None:
    """Put rows of exactly one instant, however many, in order where one without a gap exists, or with one."""
    first = 0
    for _, group in groupby(rows[:], key=_at):
        last = first + len(list(group))
        # From the row before them: whether they follow from it is a part of their order.
        if last - first > 1 and stops_at(rows, first or 1, last) < last and all(map(_known, rows[first:last])):
            rows[first:last] = _at_once(rows, first, last) or rows[first:last]
        first = last


def _at_once(rows: Sequence[Movement], first: int, last: int) -> list[Movement]:
    group, start = rows[first:last], _start(rows, first)
    # A gap among few rows is looked into below, together with what lies around them.
    return _trail(group, start, None, gaps=0) or (
        _with_a_gap(rows, first, last, next_is_right=True) if len(group) > LOOK_AHEAD else []
    )


def _mend(rows: list[Movement], place: int) -> tuple[int, bool]:
    """Put rows around *place* in order; return the place from which to look on, and whether a gap is left."""
    with_one_gap: dict[int, int] = {}
    back, ahead = _back(rows, place, rows[place].at), _ahead(rows, place)
    for first in sorted({place, back}, reverse=True):
        for last, end, gaps in _gaps_needed(rows, first, ahead):
            if last <= place or gaps > 1:
                continue
            if gaps == 0 and (order := _trail(rows[first:last], _start(rows, first), end, gaps=0)):
                rows[first:last] = order
                return last, False
            with_one_gap[first] = last
    if back == place and _turned(rows, place):
        return place, False
    return _with_one_gap(rows, place, with_one_gap), True


def _turned(rows: list[Movement], place: int) -> bool:
    """Let the first rows of all, where they lead back to where they began, begin where the row at *place* goes on."""
    back = _back(rows, place, rows[place - 1].at)
    order = _trail(rows[back:place], None, _end(rows, place), gaps=0) if _start(rows, back) is None else []
    rows[back:place] = order or rows[back:place]
    return bool(order)


def _with_one_gap(rows: list[Movement], place: int, candidates: Mapping[int, int]) -> int:
    """Leave one gap among these rows, where any order of them does; return the place from which to look on."""
    # What comes next may be out of order itself, and then says nothing.
    for next_is_right in (True, False):
        for first, last in candidates.items():
            beyond = min(last + next_is_right, len(rows))
            if stops_at(rows, place + 1, beyond) == beyond:
                # They follow as they are, but for this one place.
                return last
            if order := _with_a_gap(rows, first, last, next_is_right=next_is_right):
                rows[first:last] = order
                return last
    return place + 1


def _with_a_gap(rows: Sequence[Movement], first: int, last: int, *, next_is_right: bool) -> list[Movement]:
    part, start = rows[first:last], _start(rows, first)
    reached = (balance for balance, count in _more_out(part).items() if count < 0)
    ends = [_end(rows, last)] if next_is_right else reached
    return next((order for end in ends if (order := _trail(part, start, end, gaps=1))), [])


def _ahead(rows: Sequence[Movement], place: int) -> int:
    at, ahead = rows[place].at, place + 1
    while ahead < min(len(rows), place + LOOK_AHEAD) and rows[ahead].at - at <= MOMENT and _known(rows[ahead]):
        ahead += 1
    return ahead


def _back(rows: Sequence[Movement], place: int, at: datetime) -> int:
    back = place
    while back > max(0, place - LOOK_AHEAD) and at - rows[back - 1].at <= MOMENT and _known(rows[back - 1]):
        back -= 1
    return back


def _gaps_needed(rows: Sequence[Movement], first: int, ahead: int) -> Iterator[tuple[int, Decimal | None, int]]:
    """Return what the best order of the rows from *first* up to each place would have: its end, and how many gaps."""
    start = _start(rows, first)
    more_out: defaultdict[Decimal, int] = defaultdict(int)
    # How many trails have to begin: by so much, in sum, balances are left more often than they are reached.
    trails = 0
    following = _step(rows[first])
    for last in range(first + 1, ahead + 1):
        before, after = following
        trails += more_out[before] >= 0
        more_out[before] += 1
        trails -= more_out[after] > 0
        more_out[after] -= 1
        # Behind a pause the next row may be out of order itself: then the rows end where they end.
        end = _end(rows, last) if last < ahead or _same_moment(rows, last) else None
        following = _step(rows[last]) if last < ahead else following
        if start is not None and start == end:
            yield last, end, trails
        else:
            begun = start is None or more_out[start] > 0
            yield last, end, max(0, trails - begun + (end is not None and more_out[end] >= 0))


def _same_moment(rows: Sequence[Movement], last: int) -> bool:
    return last < len(rows) and rows[last].at - rows[last - 1].at <= MOMENT


def _trail(rows: Sequence[Movement], start: Decimal | None, end: Decimal | None, *, gaps: int) -> list[Movement]:
    """Return the rows in an order in which each follows from the one before; empty if there is none.

    From the balance *start* to the balance *end*, where they are known; *gaps* is the number of gaps that it may
    have, none or one. The algorithm is that of Hierholzer (1873), and rows keep their order where it leaves a choice.
    """
    more_out = _more_out(rows)
    begin = _begin(rows, more_out, end) if start is None else start
    finish = _finish(rows, more_out, begin) if end is None else end
    if begin != finish:
        more_out[begin] -= 1
        more_out[finish] += 1
    missing = [(balance, count) for balance, count in more_out.items() if count]
    if len(missing) > 2 * gaps or any(abs(count) > 1 for _, count in missing):
        return []
    leaving: defaultdict[Decimal, list[tuple[Decimal, Movement | None]]] = defaultdict(list)
    if missing:
        # The step that is missing leads from where a trail ends too early to where another begins.
        (left, _), (reached, _) = sorted(missing, key=lambda each: each[1])
        leaving[left].append((reached, None))
    for row in reversed(rows):
        before, after = _step(row)
        leaving[before].append((after, row))
    return _walked(leaving, begin, len(rows))


def _walked(
    leaving: dict[Decimal, list[tuple[Decimal, Movement | None]]], begin: Decimal, wanted: int
) -> list[Movement]:
    stack: list[tuple[Decimal, Movement | None]] = [(begin, None)]
    trail: list[Movement] = []
    while stack:
        balance, reached_by = stack[-1]
        if leaving.get(balance):
            stack.append(leaving[balance].pop())
        else:
            stack.pop()
            if reached_by is not None:
                trail.append(reached_by)
    trail.reverse()
    # Rows that no step leads to stay behind.
    return trail if len(trail) == wanted else []


def _more_out(rows: Sequence[Movement]) -> defaultdict[Decimal, int]:
    """Return how many more rows leave each balance than reach it."""
    more_out: defaultdict[Decimal, int] = defaultdict(int)
    for row in rows:
        before, after = _step(row)
        more_out[before] += 1
        more_out[after] -= 1
    return more_out


def _begin(rows: Sequence[Movement], more_out: dict[Decimal, int], end: Decimal | None) -> Decimal:
    """Return the balance that is left more often than it is reached; where there is none, rows end where they begin."""
    circle = _step(rows[0])[0] if end is None else end
    return next((balance for balance, count in more_out.items() if count > 0), circle)


def _finish(rows: Sequence[Movement], more_out: dict[Decimal, int], begin: Decimal) -> Decimal:
    last = _step(rows[-1])[1]
    if more_out[last] < 0:
        return last
    return next((balance for balance, count in more_out.items() if count < 0), begin)


def _start(rows: Sequence[Movement], first: int) -> Decimal | None:
    """Return the balance from which the row at *first* has to go on; None where nobody knows."""
    return rows[first - 1].balance_after if first else None


def _end(rows: Sequence[Movement], last: int) -> Decimal | None:
    """Return the balance to which the rows before *last* have to lead; None where nobody knows."""
    return _step(rows[last])[0] if last < len(rows) and _known(rows[last]) else None


def _step(row: Movement) -> tuple[Decimal, Decimal]:
    """Return the balance before and the balance after a row that states one."""
    after = row.balance_after
    assert after is not None, "only rows with a running balance are put in order"
    before = quantity.subtract(after, row.amount)
    return (quantity.add(before, row.fee) if row.fee else before), after


def _known(row: Movement) -> bool:
    return row.balance_after is not None
