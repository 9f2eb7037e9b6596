"""An alert that fires, grows and is over, told through the outbox to a receiver that keeps what it gets in a file.

A process can be killed at every write, and before and after each message. Whoever reads the file must find every
message, in order; twice only what a kill came between sending and noting it, and then under the same key.
"""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.alerts import SqlAlerts, SqlWatched
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.schedule import MemorySchedules
from gal_friday.domain.alert import AlertKind, Condition, Notice
from gal_friday.domain.materiality import Severity
from gal_friday.domain.routing import Route
from gal_friday.flows.alert import Watch, carry
from gal_friday.flows.review import Desk
from gal_friday.ports.alerts import DeliveryState
from gal_friday.service.tell import Teller
from tests.contracts.adjusting import T0

STEPS = (("firing", 1), ("grew", 4), ("resolved", 0))
"""What is told in each step, and of how many discrepancies."""
KILLS_MAX = 2
_TRIES = 5


class Living(Protocol):
    """As much as this job needs of the life that it is done in."""

    engine: AsyncEngine
    folder: Path
    clock: SteppedClock
    journal: Any
    adjustments: Any
    desk: Desk
    reached: Callable[[str], None]

    def step(self, number: int) -> None: ...


class Paper:
    """A channel whose receiver writes the key of every message below the one before."""

    name = "paper"

    def __init__(self, life: Living) -> None:
        self._life, self.file = life, life.folder / "received"

    async def send(self, notice: Notice) -> None:
        self._life.reached("before a message")
        with self.file.open("a") as file:
            file.write(f"{notice.key} {notice.what.value}\n")
            file.flush()
            os.fsync(file.fileno())
        self._life.reached("after a message")

    async def close(self) -> None:
        """Nothing is open."""

    def read(self) -> list[str]:
        return self.file.read_text().splitlines() if self.file.exists() else []


async def tell(life: Living) -> None:
    """Look and deliver in each step, until nothing waits; what was told by a life before is not looked at again."""
    alerts, paper = SqlAlerts(life.engine, life.journal), Paper(life)
    for number, (what, count) in enumerate(STEPS, 1):
        life.step(number)
        watch = _watch(life, alerts)
        for _ in range(_TRIES):
            written = {one.notice.what.value for one in await alerts.outbox()}
            if what in written:
                break
            await carry(watch, [_condition(one, life.clock.now()) for one in range(count)])
            life.clock.advance(61)  # longer than anything waits to be told, or to be over
        for _ in range(_TRIES):
            await Teller(watch, [paper]).deliver(paper)
            if not await alerts.outbox(states=[DeliveryState.WAITING]):
                break
            life.clock.advance(61)  # a killed process may have claimed it: a claim ends by itself
    received = paper.read()
    told = [f"{one.notice.key} {one.notice.what.value}" for one in reversed(await alerts.outbox())]
    assert [one.split()[1] for one in told] == [what for what, _ in STEPS], f"told: {told}"
    assert list(dict.fromkeys(received)) == told, f"lost or out of order: {received}"
    assert received == sorted(received), f"told again after something newer: {received}"
    assert len(received) - len(told) <= KILLS_MAX, f"told again without a reason: {received}"
    assert await alerts.alerts() == (), "left open"


def _watch(life: Living, alerts: SqlAlerts) -> Watch:
    return Watch(
        desk=life.desk,
        adjustments=life.adjustments,
        schedules=MemorySchedules(),
        alerts=alerts,
        watched=SqlWatched(life.engine),
        accounts={"main": "kraken"},
        routes=(Route(channel="paper"),),
        begun=T0,
    )


def _condition(number: int, at: datetime) -> Condition:
    return Condition(
        kind=AlertKind.DISCREPANCIES,
        account="main",
        exchange="kraken",
        subject=f"dis_{number}",
        severity=Severity.CRITICAL,
        title=f"dis_{number} is off",
        since=at - timedelta(minutes=1),
    )
