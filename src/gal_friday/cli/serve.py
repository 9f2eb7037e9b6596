"""``gal-friday serve``: every account of the configuration, reconciled again and again until it is stopped."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable

from gal_friday.bootstrap import serve as bootstrap
from gal_friday.bootstrap.logs import logging_to
from gal_friday.bootstrap.settings import Settings, load
from gal_friday.cli.exit_status import RECONCILED
from gal_friday.cli.options import ConfigFile
from gal_friday.cli.output import printable


def serve(*, config: ConfigFile = None) -> int:
    """Reconcile every account at once, and then again and again, until Ctrl-C or SIGTERM; runs under way may end."""
    settings = load(config)
    with logging_to(sys.stderr) as tell:
        asyncio.run(_until_stopped(settings, tell))
        tell("Stopped.")
    return RECONCILED


async def _until_stopped(settings: Settings, tell: Callable[[str], None]) -> None:
    async def ready(serving: bootstrap.Serving) -> None:
        names = ", ".join(one.name for one in serving.accounts)
        where = f" The API answers at {serving.address}." if serving.address else ""
        tell(printable(f"Looking after {names}.{where} Ctrl-C or SIGTERM stops it; runs under way may end."))

    await bootstrap.serve(settings, until_told(), ready=ready)


def until_told() -> asyncio.Event:
    """Return what is set by Ctrl-C and by the signal of ``kill``."""
    stop = asyncio.Event()
    for name in ("SIGTERM", "SIGINT"):
        with contextlib.suppress(NotImplementedError):  # Windows has no such handlers
            asyncio.get_running_loop().add_signal_handler(getattr(signal, name), stop.set)
    return stop
