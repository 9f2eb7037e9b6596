"""Many workers, some killed and some paused in the middle of a run: no account is forgotten, none run twice at once.

A short form of ``benchmarks/fleet.py``, with fewer accounts.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from gal_friday.adapters.journal.verify import verify
from tests.fleet.rig import Fleet, configured, fleet
from tests.postgres.databases import Databases

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(420)]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGSTOP")
async def test_accounts_are_run_on_time_though_workers_are_killed_and_paused(
    databases: Databases, tmp_path: Path
) -> None:
    async with databases.fresh() as address:
        settings = configured(tmp_path, address, accounts=24, at_once=4, lease_seconds=5)
        async with fleet(settings, tmp_path, workers=3, seconds=0.3) as rig:
            await _until(lambda: len(rig.runs()) >= 8)
            killed, paused = rig.workers[0], rig.workers[1]
            killed.send_signal(signal.SIGKILL)
            paused.send_signal(signal.SIGSTOP)
            await rig.start_worker()
            # Whose worker is gone is found when its lease has ended; one that stands still in the middle of a statement
            # keeps its locks until the server ends its transaction. Then everybody has had a whole turn.
            await _until(lambda: len(_whole(rig)) == 24, seconds=330)
            paused.send_signal(signal.SIGCONT)
            await asyncio.sleep(3)
            assert rig.overlapping(without=frozenset({killed.pid, paused.pid})) == []  # I13
            async with rig.opened._engine.connect() as connection:
                twice = "SELECT reconciliation_id FROM reconciliation_events GROUP BY 1 HAVING count(*) > 1"
                assert (await connection.execute(text(twice))).all() == []
            assert (await verify(rig.opened._engine)).broken is None


def _whole(rig: Fleet) -> set[str]:
    return {run.account for run in rig.runs() if run.ended is not None and not run.failed}


async def _until(holds: Callable[[], bool], *, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - other processes write there
            await asyncio.sleep(0.1)
