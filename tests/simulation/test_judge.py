"""What the judge of a world holds against the product, and what nobody could have known or done yet."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random  # noqa: TID251 - seeded

import httpx2
import pytest
from msgspec.structs import replace

from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.simulated import Exchange
from gal_friday.adapters.simulated.service import Service as Answers
from gal_friday.domain.cause import Cause
from gal_friday.domain.policy import Policy
from gal_friday.domain.report import ReconciliationReport, compare
from gal_friday.domain.schedule import Timing
from gal_friday.simulation.alerts import KeptAlerts, Listening
from gal_friday.simulation.planted import Planted
from gal_friday.simulation.service import Service
from gal_friday.simulation.tally import Judge, Tally, is_behind
from gal_friday.simulation.wire import Wire
from gal_friday.simulation.world import START
from tests.domain.build import balance, exchange, fill, internal, order


class World:
    """A world in which time stands still until it is moved."""

    def __init__(self) -> None:
        self.clock = SteppedClock(START)
        self.kraken = Exchange(self.clock.now, seed=1)
        self.kraken.open_account("a0")
        self.answers, self.heard = Answers(self.kraken), 0
        self.wire = Wire(self.answers, Random(1), self.clock, answered=self._hear)
        self.service = Service(
            self.kraken, ["a0"], self.wire, self.clock,
            policy=Policy(), timing=Timing(), seen=self._seen, alerts=KeptAlerts(), channels=[],
        )  # fmt: skip
        self.listening = Listening(self.service.watch(), [])

    async def _seen(self, *run: object) -> None:
        raise AssertionError("nothing runs here")

    def _hear(self) -> None:
        self.heard += 1

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


async def test_whatever_happens_while_an_answer_is_made_can_be_heard_at_once() -> None:
    world = World()
    await world.ask("Time")
    await world.ask("Assets")
    assert world.heard == 2


@pytest.mark.parametrize("ended, false", [(None, 0), (1, 0), (-1, 1)])
def test_what_was_on_its_way_out_while_a_run_looked_is_no_false_discrepancy(ended: int | None, false: int) -> None:
    tally = Tally()
    judge = Judge([], tally, Policy())
    judge.on_the_way({"XRP"}, START - timedelta(minutes=5))
    if ended is not None:
        judge.on_the_way((), START + timedelta(seconds=ended))
    judge.saw(compare(internal(balance("XRP", "10")), exchange(balance("XRP", "9"))), START, START, 1)
    assert len(tally.false) == false


@pytest.mark.parametrize(
    "cleared, stale, false", [(False, [True], 0), (True, [True], 1), (False, [False], 1), (False, [True, True], 1)]
)
def test_what_is_open_rightly_is_confirmed_by_one_untrue_answer_and_no_mistake(
    cleared: bool, stale: Sequence[bool], false: int
) -> None:
    tally, report = Tally(), confirmed()
    judge = Judge([], tally, Policy())
    judge.on_the_way({"XRP"}, START)
    judge.saw(report, START, START, 1)
    judge.remembers(report, () if cleared else {"balances:XRP:spot"})
    judge.on_the_way((), START)
    later = START + timedelta(minutes=20)
    for untrue in stale:
        judge.saw(report, later, later, 1, stale=untrue)
    assert len(tally.false) == false


def confirmed() -> ReconciliationReport:
    """Return the report of a balance that was seen to differ before."""
    report = compare(internal(balance("XRP", "10")), exchange(balance("XRP", "9")))
    return replace(
        report, balance_discrepancies=tuple(replace(one, state="confirmed") for one in report.balance_discrepancies)
    )


@pytest.mark.parametrize("filled, behind", [("0", True), ("39", True), ("40", False)])
def test_an_error_shows_itself_as_long_as_the_order_does_not_know_the_fill_that_was_booked(
    filled: str, behind: bool
) -> None:
    missed = fill("TX", "40")
    planted = Planted(
        account="a0",
        lie="restored",
        at=START,
        keys=("fills:TX",),
        causes=frozenset({Cause.MISSED_FILL}),
        records=frozenset({"TX", "OX"}),
        effects={},
        truth=(missed,),
        over=START + timedelta(minutes=45),
    )
    held = internal(order("OX", "open", "100", filled), missed)
    planted.order_is_behind = is_behind(planted, held)
    report = compare(held, exchange(order("OX", "open", "100", "40"), missed))
    assert planted.order_is_behind is behind is bool(report.discrepancies)
    tally = Tally()
    at = START + timedelta(hours=1)
    Judge([planted], tally, Policy()).saw(report, at, at, 1)
    assert tally.false == []


@pytest.mark.parametrize("minutes, due", [(58, 0), (57, 1)])
def test_a_part_of_an_error_that_is_wrong_anew_has_to_be_seen_from_then_on(minutes: int, due: int) -> None:
    planted = Planted(
        account="a0",
        lie="taken_back",
        at=START,
        keys=("fills:T1", "fills:T2"),
        causes=frozenset({Cause.MISSED_FILL}),
        records=frozenset({"T1", "T2", "OX"}),
        effects={},
        right=frozenset({"fills:T1"}),
        wrong_again={"fills:T2": START + timedelta(minutes=minutes)},
    )
    report = compare(internal(balance("USD", "1")), exchange(balance("USD", "1")))
    tally, at = Tally(), START + timedelta(hours=1)
    Judge([planted], tally, Policy()).saw(report, at, at, 1)
    assert (sum(case.due for case in tally.cases), len(tally.missed)) == (due, due)
