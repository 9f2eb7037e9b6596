"""The picture of two running balances: steps that go where the rows say, and words that can be read."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gal_friday.domain import quantity
from gal_friday.domain.explanation import Divergence, Waypoint
from gal_friday.domain.instants import exact_instant
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.snapshot import Side
from gal_friday.web.course import APART, GAP_TALL, GAP_TOP, LEFT, SPAN, TALL, TOP, Course, course_of
from tests.api.world import World
from tests.web.conftest import SignIn

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STEPS = some.tuples(some.integers(0, 10**6), some.sampled_from([None, "internal", "exchange"]))
AMOUNTS = some.decimals("-1e12", "1e12", places=8, allow_nan=False)


def course(*steps: tuple[int, Side | None, Decimal], bad: int = -1, opening: Decimal = ZERO) -> Course:
    """Return the picture of these rows: seconds after noon, whose, and by how much."""
    points, internal, exchange = [], opening, opening
    for number, (second, side, amount) in enumerate(sorted(steps, key=lambda step: step[0])):
        internal = internal if side == "exchange" else quantity.add(internal, amount)
        exchange = exchange if side == "internal" else quantity.add(exchange, amount)
        points.append(
            Waypoint(
                at=NOON + timedelta(seconds=second),
                record_id=f"L{number}",
                kind="trade",
                side=side,
                amount=amount,
                internal=internal,
                exchange=exchange,
                diverges=number == bad,
            )
        )
    made = course_of(Divergence(None, None, ZERO, None, tuple(points)))
    assert made is not None
    return made


def heights(path: str) -> list[float]:
    return [float(one) for one in re.findall(r"(?:M\d+ |V)([\d.]+)", path)]


@given(some.lists(some.tuples(STEPS, AMOUNTS), min_size=1, max_size=16), some.data())
def test_every_line_stays_in_its_lane_and_every_row_has_its_place(
    steps: list[tuple[tuple[int, Side | None], Decimal]], data: some.DataObject
) -> None:
    drawn = course(*((second, side, amount) for (second, side), amount in steps), bad=0, opening=data.draw(AMOUNTS))
    for path in (drawn.book, drawn.exchange):
        assert all(TOP <= y <= TOP + TALL for y in heights(path))
        assert len(heights(path)) == len(steps) + 1
    assert all(GAP_TOP <= y <= GAP_TOP + GAP_TALL for y in heights(drawn.gap))
    places = [float(spot.x) for spot in drawn.spots]
    assert places == sorted(places)
    assert all(LEFT < place < LEFT + SPAN for place in places)
    assert sum(len(spot.rows) for spot in drawn.spots) == len(steps)
    assert sum(float(spot.room) for spot in drawn.spots) == pytest.approx(SPAN, abs=1)
    ends = float(drawn.book_word.y), float(drawn.exchange_word.y)
    assert abs(ends[0] - ends[1]) >= APART - 0.2
    assert all(TOP - 0.1 <= y <= TOP + TALL + 0.1 for y in ends)


def test_sides_that_agree_lie_on_each_other_until_the_point_of_divergence() -> None:
    drawn = course((0, None, Decimal(3)), (60, None, Decimal(-1)), (120, "exchange", Decimal("0.5")), bad=2)
    book, exchange = heights(drawn.book), heights(drawn.exchange)
    assert book[:3] == exchange[:3]
    assert exchange[3] < book[3] == book[2]
    assert drawn.turn is not None
    assert (drawn.turn.x, drawn.turn.rows[0].record_id) == (drawn.spots[2].x, "L2")
    assert (drawn.book_word.amount, drawn.exchange_word.amount, drawn.gap_word.amount) == (
        Decimal(2),
        Decimal("2.5"),
        Decimal("0.5"),
    )


def test_a_difference_that_is_small_beside_what_moved_is_drawn_large_in_its_own_lane() -> None:
    drawn = course((0, None, Decimal(10**6)), (60, "internal", Decimal("0.0001")), (120, None, Decimal(-(10**6))))
    gap = heights(drawn.gap)
    assert gap[:2] == [float(drawn.zero_y)] * 2
    assert abs(gap[2] - gap[0]) == GAP_TALL


def test_times_are_to_scale_where_the_rows_stay_apart_and_at_equal_distances_elsewhere() -> None:
    scaled = course((0, None, Decimal(1)), (100, None, Decimal(1)), (300, None, Decimal(1)))
    first, second, third = (float(spot.x) for spot in scaled.spots)
    assert scaled.to_scale
    assert third - second == pytest.approx(2 * (second - first), abs=0.2)
    crowded = course((0, None, Decimal(1)), (1, None, Decimal(1)), (90_000, None, Decimal(1)))
    first, second, third = (float(spot.x) for spot in crowded.spots)
    assert not crowded.to_scale
    assert third - second == pytest.approx(second - first, abs=0.2)


def test_rows_of_one_instant_share_their_place() -> None:
    drawn = course((5, "internal", Decimal(1)), (5, "exchange", Decimal(2)), (9, None, Decimal(1)))
    assert [len(spot.rows) for spot in drawn.spots] == [2, 1]


def test_nothing_is_drawn_where_no_running_balance_is_known() -> None:
    assert course_of(Divergence("the beginning", "a trade", Decimal(1), NOON)) is None


async def test_a_balance_is_shown_since_when_it_differs_with_every_row_of_the_picture(
    browsers: SignIn, here: World
) -> None:
    browser = await browsers()
    found = await here.service.opened.store.open_discrepancies("main")
    parted = [one for one in found if (bridge := getattr(one.latest, "bridge", None)) and bridge.divergence]
    assert parted
    for one in parted:
        page = (await browser.get(f"/discrepancies/{one.id}")).text
        rows = one.latest.bridge.divergence.course  # type: ignore[union-attr]
        table = page[page.index("Both running balances, row by row</caption>") :]
        assert 'class="course"' in page
        assert rows
        assert all(row.record_id in table and f'value="{quantity.text(row.exchange)}"' in table for row in rows)
        assert f'<tr class="turn"><td><time datetime="{exact_instant(rows[-1].at)}"' in table
    records = [one for one in found if not hasattr(one.latest, "bridge")]
    assert "svg" not in (await browser.get(f"/discrepancies/{records[0].id}")).text.split("<main")[1]
