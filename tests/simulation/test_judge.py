"""What the judge of a world holds against the product, and what nobody could have known or done yet."""

from random import Random  # noqa: TID251 - seeded

import httpx2
import pytest

from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.simulated import Exchange
from gal_friday.adapters.simulated.service import Service as Answers
from gal_friday.domain.policy import Policy
from gal_friday.domain.schedule import Timing
from gal_friday.simulation.alerts import KeptAlerts, Listening
from gal_friday.simulation.service import Service
from gal_friday.simulation.wire import Wire
from gal_friday.simulation.world import START


class World:
    """A world in which time stands still until it is moved."""

    def __init__(self) -> None:
        self.clock = SteppedClock(START)
        exchange = Exchange(self.clock.now, seed=1)
        exchange.open_account("a0")
        self.answers = Answers(exchange)
        self.wire = Wire(self.answers, Random(1), self.clock)
        service = Service(
            exchange, ["a0"], self.wire, self.clock,
            policy=Policy(), timing=Timing(), seen=self._seen, alerts=KeptAlerts(), channels=[],
        )  # fmt: skip
        self.listening = Listening(service.watch(), [])

    async def _seen(self, *run: object) -> None:
        raise AssertionError("nothing runs here")

    async def ask(self, endpoint: str) -> None:
        async with httpx2.AsyncClient(transport=self.wire, base_url="https://api.kraken.com") as client:
            await client.get(f"/0/public/{endpoint}")


@pytest.mark.parametrize("endpoint, untrue", [("Time", True), ("Assets", False)])
async def test_a_wrong_time_is_an_untrue_answer_and_other_answers_under_it_are_not(endpoint: str, untrue: bool) -> None:
    world = World()
    world.answers.faults.switch_on("clock_offset", times=None)
    await world.ask(endpoint)
    assert (world.wire.stale_at > START) is untrue


async def test_a_time_that_is_right_is_no_untrue_answer() -> None:
    world = World()
    await world.ask("Time")
    assert world.wire.stale_at == START


@pytest.mark.parametrize("put_back", [False, True])
async def test_what_holds_counts_as_told_to_nobody_but_not_at_once_after_a_backup(put_back: bool) -> None:
    world = World()
    world.clock.advance(400 * 86_400)  # nobody has verified the journal for more than a year
    await world.listening.look()
    world.clock.advance(1_800)
    if put_back:
        world.listening.put_back()
    await world.listening.look()
    assert bool(world.listening.untold) is not put_back
    world.clock.advance(1_800)
    await world.listening.look()
    assert world.listening.untold
