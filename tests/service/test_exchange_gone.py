"""The network between the service and an exchange fails: nothing untrue is said, and all recovers by itself."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random  # noqa: TID251 - only random.Random(seed)

import pytest

from gal_friday.bootstrap.serve import Serving
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.domain.schedule import Obstacle, Planned, Why
from gal_friday.domain.verdict import ReconciliationStatus, Verdict
from tests.service.wire import Wire
from tests.service.wired import CLOCK, hasty, served, truth, until, wired

Fault = Callable[[Wire, Random], None]
HARMLESS: dict[str, Fault] = {
    "slow": lambda wire, _: wire.slow(0.01),
    "reset": lambda wire, _: wire.reset(),
    "lingering": lambda wire, _: wire.linger(),
}
HARMFUL: dict[str, Fault] = {
    "black hole": lambda wire, _: wire.swallow(),
    "cut": lambda wire, chance: wire.cut(chance.randrange(2_000)),
    "half closed": lambda wire, chance: wire.cut(chance.randrange(2_000), half=True),
}
AT_ONCE = "[reconciliation]\ngrace_seconds = 1\n"
SHARE = 2
"""So many places of a run at which each fault is tried."""


async def test_whatever_the_network_does_no_run_says_what_is_not_true(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty(monkeypatch)
    chance = Random(11)
    async with wired(tmp_path) as world, ReconciliationService(world.settings) as service:
        true = truth((await world.run(service, then=lambda: None)).report)
        calls = len(world.kraken.calls)
        assert {row[1] for row in true} >= {"fill_missing_internal", "balance_mismatch"}
        for name, fault in (HARMLESS | HARMFUL).items():
            for asked in sorted(chance.sample(range(1, calls), SHARE)):
                ran = await world.run(service, asked=asked, then=partial(fault, world.wire, chance))
                report, where = ran.report, (name, asked, ran.report.error_messages, ran.report.not_checked)
                assert truth(report) <= true, where
                if name in HARMLESS:
                    assert truth(report) == true, where
                if report.verdict is not Verdict.INCOMPLETE:
                    assert truth(report) == true, where
                else:
                    assert ran.obstacle is Obstacle.OUTAGE, where
                    assert all(gap.reason for gap in report.not_checked), where
                if report.status is ReconciliationStatus.FAILED:
                    assert report.error_messages, where
                world.wire.mend()
        assert truth((await world.run(service, then=lambda: None)).report) == true


async def test_what_happens_while_the_network_fails_is_found_as_soon_as_it_works_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty(monkeypatch)
    chance = Random(12)
    async with wired(tmp_path, listened=True, more=AT_ONCE) as world, served(world.settings) as serving:
        for fault in HARMLESS.values():
            await until(partial(calm, serving))
            fault(world.wire, chance)
            fill = world.trade()
            await until(partial(told, serving, fill))
            world.wire.mend()
        for fault in HARMFUL.values():
            await until(partial(calm, serving))
            fault(world.wire, chance)
            fill = world.trade()
            await until(partial(silent, serving))
            await serving.mark("main", Why.REQUESTED)
            await until(partial(held_up, serving))
            assert not await told(serving, fill)
            world.wire.mend()
            await until(partial(told, serving, fill))
        await until(partial(calm, serving))


async def planned(serving: Serving) -> Planned:
    return await serving.service.opened.schedules.one("main") or Planned(
        account="main", due=CLOCK.now(), begun=CLOCK.now()
    )


async def silent(serving: Serving) -> bool:
    return not serving.connected()["main"]


async def calm(serving: Serving) -> bool:
    """Say whether the stream tells, the last run saw everything, and none is under way or due."""
    one = await planned(serving)
    return serving.connected()["main"] and one.begun is None and one.verdict == "discrepancies" and one.held is None


async def held_up(serving: Serving) -> bool:
    """Say whether a run failed for the network and is tried again soon."""
    one = await planned(serving)
    if not one.failures or one.held is None:
        return False
    assert (one.held.obstacle, one.because, one.due) == (Obstacle.OUTAGE, Why.RETRY, one.held.until)
    return True


async def told(serving: Serving, fill: str) -> bool:
    """Say whether the last report tells of this fill."""
    (report,) = await serving.service.opened.store.reports(limit=1)
    return any(one.key == f"fills:{fill}" for one in report.discrepancies)
