"""The long form: ``python3 dev.py crash --rounds 1000 --seed 1 --engine both``.

--rounds N    how many rounds; the first visit every write point once, the others kill later, or twice
--seed S      the order, and all chance
--engine E    sqlite, postgresql or both
--only R      repeat one round, in the words of its failure: --only "sqlite adjust 12 0 3"
--source F    the program to run, where it is not that of src/
"""

import argparse
import asyncio
import contextlib
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.crash.rounds import ROOT, Failed, Ground, Round, rounds_of, worker
from tests.postgres.databases import Databases

ENGINES = {"sqlite": ("sqlite",), "postgresql": ("postgresql",), "both": ("sqlite", "postgresql")}


def main(words: list[str]) -> int:
    """Play the rounds, say what was found, and return 1 where anything was."""
    parser = argparse.ArgumentParser(prog="dev.py crash", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=ENGINES, default="both")
    parser.add_argument("--only")
    parser.add_argument("--source", type=Path, default=ROOT / "src")
    asked = parser.parse_args(words)
    databases = Databases()
    try:
        return asyncio.run(play(asked, databases))
    finally:
        databases.close()


async def play(asked: argparse.Namespace, databases: Databases) -> int:
    """Play every round on every engine, each engine beside the other."""
    began = asyncio.get_running_loop().time()
    only = [_round(asked.only)] if asked.only else None
    engines = (only[0].engine,) if only else ENGINES[asked.engine]
    with TemporaryDirectory() as folder:
        async with contextlib.AsyncExitStack() as stack:
            grounds = []
            for engine in engines:
                by = await stack.enter_async_context(worker(asked.source))
                grounds.append(await stack.enter_async_context(Ground(engine, Path(folder), databases, by)))
            every = only or await rounds_of(grounds, asked.rounds, asked.seed)
            parts = [(ground, [one for one in every if one.engine == ground.engine]) for ground in grounds]
            done = await asyncio.gather(*(_part(ground, some) for ground, some in parts))
    kills, found = sum((kills for kills, _ in done), Counter[str]()), [one for _, some in done for one in some]
    for name, times in sorted(kills.items()):
        sys.stdout.write(f"{times:6}  killed {name}\n")
    seconds = asyncio.get_running_loop().time() - began
    sys.stdout.write(f"{len(every)} rounds, seed {asked.seed}, {kills.total()} kills, {seconds:.0f} s\n")
    for one in found:
        sys.stdout.write(f"FOUND  {one}\n")
    return 1 if found else 0


async def _part(ground: Ground, rounds: list[Round]) -> tuple[Counter[str], list[str]]:
    kills: Counter[str] = Counter()
    found: list[str] = []
    for number, one in enumerate(rounds, 1):
        try:
            kills.update(await ground.play(one))
        except (Failed, AssertionError) as failure:
            found.append(str(failure))
            sys.stderr.write(f"FOUND  {failure}\n")
        if number % 100 == 0:
            sys.stderr.write(f"{ground.engine}: {number} of {len(rounds)}\n")
    return kills, found


def _round(words: str) -> Round:
    engine, job, *numbers = words.split()
    return Round(engine, job, *map(int, numbers))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
