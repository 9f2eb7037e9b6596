"""``gal-friday worker``: one worker of a fleet, which carries out the runs that the service puts into the queue."""

import asyncio
import sys
from collections.abc import Callable

from gal_friday.bootstrap import worker as bootstrap
from gal_friday.bootstrap.logs import logging_to
from gal_friday.bootstrap.settings import Settings, load
from gal_friday.cli.exit_status import RECONCILED
from gal_friday.cli.options import ConfigFile
from gal_friday.cli.serve import until_told


def worker(*, config: ConfigFile = None) -> int:
    """Carry out runs from the queue in PostgreSQL until Ctrl-C or SIGTERM; those under way may end."""
    settings = load(config)
    with logging_to(sys.stderr) as tell:
        asyncio.run(_until_stopped(settings, tell))
        tell("Stopped.")
    return RECONCILED


async def _until_stopped(settings: Settings, tell: Callable[[str], None]) -> None:
    async def ready(address: str) -> None:
        where = f" Its metrics are at {address}/metrics." if address else ""
        tell(f"Waiting for runs.{where} Ctrl-C or SIGTERM stops it; runs under way may end.")

    await bootstrap.work(settings, until_told(), ready=ready)
