"""Run the benchmarks: all of them, or those named.

    python3 dev.py bench
    python3 dev.py bench compare read

Each line says what was measured, what it took, and the bar that it is held against. A benchmark never fails:
it is read by people.
"""

import sys
from collections.abc import Callable, Iterator

from benchmarks import (
    adjust,
    api,
    compare,
    day,
    detect,
    explain,
    fleet,
    idle,
    journal,
    live,
    pages,
    read,
    start,
    store,
    stream,
)
from benchmarks.bulk import tables

SUITES: dict[str, Callable[[], Iterator[object]]] = {
    "compare": compare.run,
    "journal": journal.run,
    "live": live.run,
    "explain": explain.run,
    "read": read.run,
    "start": start.run,
    "adjust": adjust.run,
    "api": api.run,
    "store": store.run,
    "fleet": fleet.run,
    "stream": stream.run,
    "detect": detect.run,
    "idle": idle.run,
    "day": day.run,
    "pages": pages.run,
    "tables": tables.run,
}


def main(names: list[str]) -> int:
    """Run the suites of these names, or all."""
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(SUITES)}", file=sys.stderr)
        return 2
    for name in names or SUITES:
        print(f"\n{name}")
        for measured in SUITES[name]():
            print(f"  {measured}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
