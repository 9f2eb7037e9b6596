"""Pages of a list that moves: every row once, and a word for every doubt."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gal_friday.adapters.kraken.paging import PAGE_SIZE, Collected, Page, collect
from gal_friday.ports.errors import ExchangeUnavailable


class Served:
    """A list of numbered rows, newest first, as an exchange serves it."""

    def __init__(self, rows: int, *, count: bool = True) -> None:
        self.rows = [f"R{number}" for number in range(rows, 0, -1)]
        self.count = count
        self.asked: list[int] = []
        self.before: dict[int, Callable[[], None]] = {}
        self.instead: dict[int, Callable[[int], Page[str]]] = {}

    async def page(self, offset: int) -> Page[str]:
        call = len(self.asked)
        self.asked.append(offset)
        self.before.get(call, lambda: None)()
        return self.instead.get(call, self.honest)(offset)

    def honest(self, offset: int) -> Page[str]:
        rows = self.rows[offset : offset + PAGE_SIZE]
        return Page({name: name for name in rows}, len(self.rows) if self.count else None)

    def arrive(self, rows: int) -> None:
        newest = len(self.rows)
        self.rows = [f"R{newest + number}" for number in range(rows, 0, -1)] + self.rows

    async def read(self, pages_max: int = 100) -> Collected[str]:
        return await collect(self.page, what="ledger", pages_max=pages_max)


@pytest.mark.parametrize("count", [True, False])
@pytest.mark.parametrize("rows", [0, 1, 2, 48, 49, 50, 51, 97, 98, 99, 100, 101, 148, 149, 1000])
async def test_every_row_is_read_once_in_order(rows: int, count: bool) -> None:
    served = Served(rows, count=count)
    collected = await served.read()
    assert list(collected.rows) == served.rows
    assert collected.reasons == ()
    assert collected.notes == ()


async def test_one_short_page_that_agrees_with_the_count_is_the_end() -> None:
    served = Served(30)
    await served.read()
    assert served.asked == [0]


async def test_without_a_count_a_short_page_is_looked_behind() -> None:
    served = Served(30, count=False)
    await served.read()
    assert served.asked == [0, 29]


async def test_pages_overlap_by_one_row() -> None:
    served = Served(120)
    await served.read()
    assert served.asked == [0, 49, 98]


@given(arrivals=st.dictionaries(st.integers(1, 8), st.integers(1, 120), max_size=4), rows=st.integers(0, 300))
async def test_rows_that_arrive_meanwhile_cost_no_row_unnoticed(arrivals: dict[int, int], rows: int) -> None:
    served = Served(rows)
    there = set(served.rows)
    for call, number in arrivals.items():
        served.before[call] = lambda number=number: served.arrive(number)  # type: ignore[misc]
    collected = await served.read()
    assert there <= set(collected.rows) or collected.reasons
    assert len(set(collected.rows)) == len(collected.rows)


@pytest.mark.parametrize("arrived", [1, 3, 48, 49, 50, 60])
async def test_a_burst_between_two_pages_costs_no_row(arrived: int) -> None:
    served = Served(300)
    served.before[2] = lambda: served.arrive(arrived)
    collected = await served.read()
    assert set(collected.rows) == set(served.rows)
    assert collected.reasons == ()


async def test_rows_that_came_twice_are_noted() -> None:
    served = Served(120)
    served.before[1] = lambda: served.arrive(3)
    collected = await served.read()
    assert set(served.rows) == set(collected.rows)
    assert collected.reasons == ()
    assert any("rows came twice" in note for note in collected.notes)


def nothing(offset: int) -> Page[str]:
    return Page({}, None)


async def test_a_page_that_comes_again_is_asked_for_again() -> None:
    served = Served(120)
    served.instead[1] = lambda offset: served.honest(0)
    collected = await served.read()
    assert list(collected.rows) == served.rows
    assert served.asked == [0, 49, 49, 98]
    assert collected.reasons == ()


async def test_a_first_page_that_is_an_old_one_is_noticed_by_the_count() -> None:
    served = Served(120)
    served.instead[0] = lambda offset: served.honest(98)
    collected = await served.read()
    assert set(collected.rows) == set(served.rows)
    assert collected.reasons == ()


async def test_a_page_that_was_skipped_is_asked_for_again() -> None:
    served = Served(200)
    served.instead[1] = lambda offset: served.honest(offset + 50)
    collected = await served.read()
    assert list(collected.rows) == served.rows
    assert collected.reasons == ()


async def test_an_empty_page_in_the_middle_is_asked_for_again() -> None:
    served = Served(120)
    served.instead[1] = nothing
    assert list((await served.read()).rows) == served.rows


async def test_a_short_page_in_the_middle_is_no_end() -> None:
    served = Served(200)
    served.instead[1] = lambda offset: Page(dict(list(served.honest(offset).rows.items())[:20]), 200)
    assert set((await served.read()).rows) == set(served.rows)


@pytest.mark.parametrize(
    "broken",
    [
        lambda served: lambda offset: served.honest(0),
        lambda served: lambda offset: served.honest(offset + 50),
        lambda served: lambda offset: nothing(offset) if offset else served.honest(0),
        lambda served: lambda offset: nothing(offset) if offset > 60 else served.honest(offset),
    ],
    ids=["always the first", "always the next", "nothing behind the first", "nothing behind the second"],
)
async def test_a_list_that_cannot_be_read_whole_says_so(
    broken: Callable[[Served], Callable[[int], Page[str]]],
) -> None:
    served = Served(300)
    served.instead = dict.fromkeys(range(100), broken(served))
    collected = await served.read()
    assert set(collected.rows) < set(served.rows)
    assert collected.reasons


async def test_one_id_with_two_contents_is_a_doubt() -> None:
    served = Served(120)
    served.instead[1] = lambda offset: Page({name: name + "!" for name in served.honest(offset).rows}, 120)
    collected = await served.read()
    assert any("came twice and differs" in reason for reason in collected.reasons)


async def test_fewer_rows_than_the_exchange_counts_is_a_doubt() -> None:
    served = Served(30)
    served.instead = dict.fromkeys(range(9), lambda offset: Page(served.honest(offset).rows, 31))
    assert any("counts 31 rows, 30 were found" in reason for reason in (await served.read()).reasons)


async def test_more_rows_than_the_exchange_counts_is_a_note() -> None:
    served = Served(60)
    served.instead = dict.fromkeys(range(9), lambda offset: Page(served.honest(offset).rows, 7))
    collected = await served.read()
    assert len(collected.rows) == 60
    assert collected.reasons == ()
    assert collected.notes


async def test_a_read_has_a_bound_and_says_that_it_was_reached() -> None:
    collected = await Served(1000).read(pages_max=5)
    assert len(collected.rows) < 1000
    assert any("export" in reason for reason in collected.reasons)


async def test_a_page_that_fails_fails_the_read() -> None:  # N1
    served = Served(200)

    def fail(offset: int) -> Page[str]:
        raise ExchangeUnavailable("no answer")

    served.instead[3] = fail
    with pytest.raises(ExchangeUnavailable):
        await served.read()


async def test_progress_is_told_page_by_page() -> None:
    served, told = Served(120), []
    await collect(served.page, what="ledger", progress=lambda what, rows, expected: told.append((rows, expected)))
    assert told == [(50, 120), (99, 120), (120, 120)]
