"""The picture of an explanation: it says the very amounts, and every bar begins where the one before ended."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as some

from gal_friday.domain import quantity
from gal_friday.domain.cause import Cause
from gal_friday.domain.explanation import Explanation, Item
from gal_friday.web.bridge import LEFT, SPAN, bridge_of

AMOUNTS = some.decimals("-1e12", "1e12", places=8, allow_nan=False)


@given(AMOUNTS, some.lists(AMOUNTS, max_size=6), AMOUNTS)
def test_the_steps_lead_from_side_to_side(internal: Decimal, effects: list[Decimal], residual: Decimal) -> None:
    bridge = bridge_of(explained(internal, effects, residual))
    steps = [bar.step for bar in bridge.bars]
    assert steps[0].amount == internal
    assert quantity.total(step.amount for step in steps[:-1]) == steps[-1].amount
    assert (steps[-2].part == "residual") == (residual != 0)
    for bar in bridge.bars:
        assert float(bar.x) >= LEFT - 0.1
        assert float(bar.x) + float(bar.width) <= LEFT + SPAN + 2.1


def test_a_small_step_between_large_totals_is_drawn_large_and_the_picture_says_so() -> None:
    bridge = bridge_of(explained(Decimal(1_000_000), [Decimal(3)], Decimal(-1)))
    assert bridge.zero_x is None
    assert float(bridge.bars[1].width) > SPAN / 2
    assert [bar.step.part for bar in bridge.bars] == ["total", "up", "residual", "total"]


def test_totals_begin_at_zero_where_that_leaves_the_steps_visible() -> None:
    bridge = bridge_of(explained(Decimal(10), [Decimal(-4)], Decimal(0)))
    assert bridge.zero_x is None or float(bridge.zero_x) == LEFT
    crossing = bridge_of(explained(Decimal(-5), [Decimal(10)], Decimal(0)))
    assert crossing.zero_x is not None
    assert LEFT < float(crossing.zero_x) < LEFT + SPAN


def explained(internal: Decimal, effects: list[Decimal], residual: Decimal) -> Explanation:
    """Return an explanation by these effects."""
    items = tuple(Item(Cause.MISSED_FILL, effect) for effect in effects)
    exchange = quantity.total([internal, *effects, residual])
    return Explanation(
        internal=internal,
        exchange=exchange,
        items=items,
        residual=residual,
        residual_cause=Cause.UNEXPLAINED,
        proven=residual == 0,
    )
