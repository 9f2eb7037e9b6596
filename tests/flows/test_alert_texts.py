"""From how the world stands to the text that people read: one test for each thing that is told."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from gal_friday.adapters.alerts.words import text
from gal_friday.domain.adjustment import AdjustmentState, PostMovement
from gal_friday.domain.conditions import JournalSeen, Limits
from gal_friday.domain.decision import Used, breakers_of, decide
from gal_friday.domain.materiality import Severity
from gal_friday.domain.policy import Mode, Policy
from gal_friday.domain.schedule import Held, Obstacle
from tests.contracts.adjusting import POLICY, adjustment, movement
from tests.contracts.test_store_contract import T0, report, run
from tests.domain.test_decision import proven
from tests.flows.alert_worlds import World


async def read(world: World) -> list[str]:
    """Return every text that is sent now, line by line without the link and the name of the alert."""
    await world.told()
    notices = [one.notice for one in await world.alerts.outbox()]
    return [line.strip() for one in notices for line in text(one, "").split("\n") if "· " not in line]


async def test_a_mass_event_is_one_message_that_counts_and_names_five() -> None:
    world = World()
    carried = run()
    (one,) = carried.opened
    many = tuple(replace(one, id=f"dis_{number:04}") for number in range(3_000))
    await world.store.save_report(report(), replace(carried, opened=many))
    title, *lines = await read(world)
    assert title == "[critical] main: 3000 discrepancies are open"
    assert (len(lines), lines[0].startswith("BTC in spot: book 1.5, exchange "), lines[5]) == (6, True, "and 2995 more")


@pytest.mark.parametrize("waits", [False, True])
async def test_corrections_that_stopped_say_why_also_while_all_still_waits(waits: bool) -> None:
    world = World(limits=Limits(severity=Severity.CRITICAL))
    why = breakers_of(discrepancies=101, degraded=(), flips=0, unverified=(), policy=Policy())
    stopped = decide([proven(confirmed=not waits)], mode=Mode.ENFORCE, policy=Policy(), used=Used(), breakers=why)
    await world.store.save_report(replace(report(differs=False), decisions=stopped))
    assert await read(world) == [
        "[high] main: corrections stopped: 101 discrepancies at once (breaker_discrepancies)",
        "nothing is posted without a person until this is over",
    ]


async def test_an_adjustment_of_which_nobody_knows_says_which() -> None:
    world = World()
    made = adjustment(PostMovement(movement("L9")), effects={"balances:XRP:spot": "1"}, version="1")
    await world.watch.adjustments.keep([made], state=AdjustmentState.APPROVED, by=POLICY)
    await world.watch.adjustments.intend(made.adjustment_id)
    await world.watch.adjustments.move(made.adjustment_id, AdjustmentState.OUTCOME_UNKNOWN, by=POLICY)
    title, *_ = await read(world)
    assert title == f"[critical] main: nobody knows whether the book holds {made.adjustment_id}"


async def test_a_run_that_did_not_happen_says_when_it_was_due_and_what_is_in_its_way() -> None:
    world = World()
    await world.plan(due=T0, held=Held(Obstacle.LOCKOUT, T0 + timedelta(minutes=15)))
    world.after(minutes=6)
    title, due, why = await read(world)
    assert title == "[high] main: a run was due and did not happen"
    assert due.startswith("due at 20")
    assert why.startswith("lockout: nothing is tried before 20")


async def test_an_overdue_review_says_of_what_and_by_how_much() -> None:
    world = World()
    await world.differs()
    world.after(days=3)
    lines = await read(world)
    assert "[high] main: nobody has looked at BTC in spot in time" in lines
    assert any(line.startswith("critical, overdue by 2 days") for line in lines), lines


async def test_a_key_that_ends_says_when_and_what_to_do() -> None:
    world = World()
    await world.watched.key_seen("main", T0 + timedelta(days=2), T0)
    title, until, then = await read(world)
    assert title.startswith("[high] main: the key ends in ")
    assert until.startswith("valid until 20")
    assert then == "make a new one with query rights only, and put it in its place"


async def test_a_journal_that_is_not_what_was_written_says_where() -> None:
    world = World()
    await world.watched.journal_seen(JournalSeen(at=T0, broken="entry 7: the entry is another"))
    assert await read(world) == [
        "[critical] gal-friday: the journal is not what was written: entry 7: the entry is another",
        "run: gal-friday journal verify",
    ]
