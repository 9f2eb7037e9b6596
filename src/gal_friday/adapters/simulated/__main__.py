"""The simulated Kraken as a process of its own, so that its processor time is not its client's.

    python -m gal_friday.adapters.simulated --port 0 --scenario busy --seed 1 --no-limits --control

The first line on stdout is the URL; the second one JSON object with the key and the secret of the account
``main``. It listens on 127.0.0.1 only and runs until it is told to stop.
"""

import argparse
import asyncio
import importlib
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from gal_friday.adapters.simulated.clock import RunningClock
from gal_friday.adapters.simulated.scenarios import SCENARIOS, Scenario
from gal_friday.adapters.simulated.server import SimulatedKraken
from gal_friday.adapters.simulated.wire import encode


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m gal_friday.adapters.simulated", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--scenario", default="quiet", help=f"{', '.join(SCENARIOS)}, or module:function taking a seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", help="ISO instant at which a running clock starts; without it time stands still")
    parser.add_argument("--no-limits", action="store_true", help="no call counter, no throttle")
    parser.add_argument("--control", action="store_true", help="offer the control interface under /control/")
    return parser.parse_args()


def _built(name: str, seed: int) -> Scenario:
    if name in SCENARIOS:
        return SCENARIOS[name](seed)
    module, _, function = name.partition(":")
    build: Callable[[int], Scenario] = getattr(importlib.import_module(module), function)
    return build(seed)


async def _serve(arguments: argparse.Namespace) -> None:
    scenario = _built(arguments.scenario, arguments.seed)
    advance = scenario.clock.advance
    if arguments.start:
        start = datetime.fromisoformat(arguments.start)
        running = RunningClock(start if start.tzinfo else start.replace(tzinfo=UTC), asyncio.get_running_loop().time)
        scenario.exchange.now, advance = running.now, running.advance
    async with SimulatedKraken(
        scenario.exchange,
        port=arguments.port,
        enforce_limits=not arguments.no_limits,
        control=arguments.control,
        advance=advance,
    ) as server:
        credentials = encode({"key": scenario.key.key, "secret": scenario.key.secret}).decode()
        sys.stdout.write(f"{server.url}\n{credentials}\n")
        sys.stdout.flush()
        await server.serve_forever()


def main() -> None:
    """Serve until interrupted."""
    try:
        asyncio.run(_serve(_arguments()))
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")


if __name__ == "__main__":
    main()
