"""What two processes do to one account at once; each tells what it was answered."""

import os
import signal
from collections.abc import Awaitable, Callable

import msgspec

from gal_friday.domain.adjusted import Applied
from gal_friday.domain.adjustment import Adjustment, AdjustmentState, PostMovement
from gal_friday.domain.errors import Overtaken
from gal_friday.domain.records import Movement
from tests.contracts.adjusting import POLICY, adjustment, movement
from tests.crash.jobs import Life

ROWS = [f"L{number}" for number in range(40, 52)]


def row(name: str) -> Movement:
    """Return one of the records that both processes are about."""
    return movement(name, "XRP", "1")


def made(name: str) -> Adjustment:
    """Return the adjustment that books this record."""
    return adjustment(PostMovement(row(name)), effects={"balances:XRP:spot": "1"}, version="1")


async def approve(life: Life) -> None:
    """Keep an approved adjustment for every record."""
    await life.adjustments.keep([made(name) for name in ROWS], state=AdjustmentState.APPROVED, by=POLICY)


async def post(life: Life) -> None:
    """Apply them one by one, with the token that was given; stopped before the first where that is asked for."""
    if life.asked.get("pause"):
        life.say({"paused": os.getpid()})
        os.kill(os.getpid(), signal.SIGSTOP)
    for name in ROWS:
        try:
            outcome = await life.adjustments.apply(made(name).adjustment_id, token=life.asked.get("token"))
        except Overtaken as overtaken:
            life.say({"overtaken": str(overtaken)})
            return
        life.say({"adjustment": outcome.adjustment_id, "outcome": msgspec.to_builtins(outcome)})
        assert isinstance(outcome, Applied) or "already in the book" in outcome.reason, outcome


async def deliver(life: Life) -> None:
    """Deliver the same records, as a trading system does that has woken up; the last ones first."""
    for name in reversed(ROWS):
        await life.append(row(name))


RACES: dict[str, Callable[[Life], Awaitable[None]]] = {"approve": approve, "post": post, "deliver": deliver}
