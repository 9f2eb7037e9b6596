"""A process that has imported everything and lives one life after the other, each in a child of its own.

    python -m tests.crash.worker

One line of JSON on standard input asks for a life: the database, the folder of the key, the job, the write point at
which the child kills itself. On standard output stand what was acknowledged, a line for each call once it has
returned, and at the end how the child ended. It ends with its input.
"""

import asyncio
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from gal_friday.adapters.sql import open_engine, steps  # noqa: F401 - Alembic too is there before the first fork
from tests.crash.breaks import BREAKS
from tests.crash.jobs import BEGINNINGS, JOBS, Life
from tests.crash.no_room import limit
from tests.crash.racing import RACES
from tests.crash.write_points import WritePoints


def main() -> None:
    """Serve until the input ends."""
    import asyncpg  # noqa: F401 - as above

    for line in sys.stdin:
        asked, child = json.loads(line), os.fork()
        if not child:
            if "broken" in asked:
                BREAKS[asked["broken"]]()
            os._exit(_lived(asked))
        _, status = os.waitpid(child, 0)
        say({"ended": os.waitstatus_to_exitcode(status)})


def say(what: dict[str, Any]) -> None:
    """Write a line at once and whole: what follows may be a kill."""
    os.write(1, json.dumps(what).encode() + b"\n")


def _lived(asked: dict[str, Any]) -> int:
    try:
        asyncio.run(_live(asked))
    except BaseException:  # noqa: BLE001 - the last line of defence: the driver is told of it
        say({"failed": traceback.format_exc()})
        return 1
    return 0


async def _live(asked: dict[str, Any]) -> None:
    points = WritePoints(asked.get("kill_at", 0), asked.get("late", 0))
    engine = open_engine(asked["address"])
    points.watch(engine)
    limit(engine, asked)
    life = Life(engine, Path(asked["folder"]), say)
    life.asked, life.reached = asked, points.reached
    if asked["job"] in RACES:
        await RACES[asked["job"]](life)
    elif asked["job"] in BEGINNINGS:
        await BEGINNINGS[asked["job"]](life)
    else:
        if asked.get("again"):
            await life.restart(asked["job"])
        await JOBS[asked["job"]](life)
        say({"points": points.names})
        await life.tell_the_end()
    await engine.dispose()


if __name__ == "__main__":
    main()
