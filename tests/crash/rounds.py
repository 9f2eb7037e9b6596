"""Rounds of crashing: a life that is killed at one write point, perhaps its successor too, and one that ends.

After each of them an independent reader looks at the database. What it must find in the end was found out by a life
that nobody disturbed.
"""

import asyncio
import json
import random  # noqa: TID251 - only random.Random(seed)
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Self

from msgspec import Struct, field

from tests.crash import reader
from tests.postgres.databases import Databases

ROOT = Path(__file__).parents[2]
KILLED = -9
JOBS = ("migrate", "append", "adjust", "review", "repair", "serve", "tell")
_BEGINNINGS = {"migrate": "", "serve": "begin_served"}
"""Of jobs that do not begin on the usual book; migrate begins on nothing."""
_REPLAYS = ("equal", "not kept")
_LATEST = 3_000
"""Microseconds after a write point: a commit takes less."""


class Round(Struct, frozen=True):
    """What happens to one database; written as ``sqlite adjust 12 0 3``."""

    engine: str
    job: str
    kill_at: int
    late: int = 0
    again: int = 0
    """The write point at which the life after it is killed; 0 for none."""

    def __str__(self) -> str:
        """Return the words from which ``--only`` repeats it."""
        return f"{self.engine} {self.job} {self.kill_at} {self.late} {self.again}"


class Undisturbed(Struct, frozen=True):
    """What a job comes to when nobody disturbs it."""

    points: tuple[str, ...]
    outcome: dict[str, Any]
    balances: dict[int, dict[str, str]] = field(default_factory=dict)
    """By version of the book."""


class Failed(Exception):
    """A round found something; the message says what, and how to repeat it."""


class Worker:
    """A process of ``worker.py``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Talk to this process."""
        self._process = process
        self.broken: str | None = None
        """One of ``breaks.py``, for every life from now on."""

    async def live(self, **asked: Any) -> tuple[int, list[dict[str, Any]]]:
        """Return how a life ended, and what it said before."""
        await self.begin(**asked)
        said = await self.until("ended")
        return said.pop()["ended"], said

    async def begin(self, **asked: Any) -> None:
        """Begin a life and wait for nothing."""
        assert self._process.stdin is not None
        asked |= {"broken": self.broken} if self.broken else {}
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        await self._process.stdin.drain()

    async def until(self, what: str) -> list[dict[str, Any]]:
        """Return everything that is said until this is, itself included."""
        assert self._process.stdout is not None
        said: list[dict[str, Any]] = []
        while line := await self._process.stdout.readline():
            said.append(json.loads(line))
            if what in said[-1]:
                return said
        raise Failed(f"the worker is gone; it said {said[-1:]}")


@asynccontextmanager
async def worker(source: Path = ROOT / "src") -> AsyncIterator[Worker]:
    """Give a worker that runs the program of this folder."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.crash.worker"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={"PYTHONPATH": f"{source}:{ROOT}", "PATH": "/usr/bin:/bin"},
        limit=2**22,
    )
    try:
        yield Worker(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


class Ground:
    """Databases of one engine: an empty one and one with a book, and as many copies as there are rounds."""

    def __init__(self, engine: str, folder: Path, databases: Databases, by: Worker) -> None:
        """Begin without any."""
        self.engine, self._folder, self._databases, self._worker = engine, folder, databases, by
        self._begun: dict[str, tuple[str, Path]] = {}
        self._known: dict[str, Undisturbed] = {}
        self._copies = 0
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Give itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Remove the databases that were kept."""
        await self._stack.aclose()

    async def undisturbed(self, job: str) -> Undisturbed:
        """Return what a job comes to, found out once."""
        if job not in self._known:
            async with self.copy(job) as (address, folder):
                ended, said = await self._worker.live(address=address, folder=str(folder), job=job)
                rows = await reader.read(address)
                if ended or rows is None:
                    raise Failed(f"{self.engine} {job}, undisturbed: {said[-1:]}")
                _check(f"{self.engine} {job}, undisturbed", rows, said)
                points = next(one["points"] for one in said if "points" in one)
                versions = range(1, rows["books"][0]["version"] + 1)
                amounts = {version: reader.balances(rows, version=version) for version in versions}
                self._known[job] = Undisturbed(tuple(points), outcome_of(job, rows), amounts)
        return self._known[job]

    async def play(self, round_: Round) -> list[str]:
        """Play one round, and return the names of the points at which a life was killed.

        Raises:
            Failed: something was lost, done twice, or half done.
        """
        expected = await self.undisturbed(round_.job)
        async with self.copy(round_.job) as (address, folder):
            asked = {"address": address, "folder": str(folder), "job": round_.job}
            acknowledged: list[dict[str, Any]] = []
            killed: list[str] = []
            lives: list[dict[str, Any]] = [
                {"kill_at": round_.kill_at, "late": round_.late},
                {"kill_at": round_.again, "again": True},
            ]
            for life in (*lives, {"again": True}):
                ended, said = await self._worker.live(**asked, **life)
                acknowledged += said
                if ended == KILLED and life.get("kill_at"):
                    point = expected.points[min(round_.kill_at, len(expected.points)) - 1]
                    killed.append("once more, after the restart" if killed else point)
                elif ended:
                    raise Failed(f"{round_}: {said[-1].get('failed', said[-1:])}")
                rows = await reader.read(address)
                _check(str(round_), rows, acknowledged, expected)
            rows = await reader.read(address)
            if rows is None or outcome_of(round_.job, rows) != expected.outcome:
                raise Failed(f"{round_}: in the end {rows and outcome_of(round_.job, rows)}, not {expected.outcome}")
            return killed

    @asynccontextmanager
    async def copy(self, job: str) -> AsyncIterator[tuple[str, Path]]:
        """Give a database to begin the job on, and a folder for its key."""
        self._copies += 1
        folder = self._folder / f"{self.engine}-{self._copies}"
        beginning = _BEGINNINGS.get(job, "begin")
        if beginning:
            shutil.copytree(await self._with_a_book(beginning), folder)
        else:
            folder.mkdir()
        try:
            if self.engine == "sqlite":
                yield f"sqlite+aiosqlite:///{folder / 'book.db'}", folder
            else:
                async with self._database(beginning) as address:
                    yield address, folder
        finally:
            shutil.rmtree(folder)

    @asynccontextmanager
    async def _database(self, beginning: str) -> AsyncIterator[str]:
        if not beginning:
            async with self._databases.fresh() as address:
                yield address
            return
        source = self._begun[beginning][0].rpartition("/")
        name = f"{source[2]}_{self._copies}"
        await self._databases.command(f"CREATE DATABASE {name} TEMPLATE {source[2]}")
        try:
            yield f"{source[0]}/{name}"
        finally:
            await self._databases.command(f"DROP DATABASE {name} WITH (FORCE)")

    async def _with_a_book(self, beginning: str) -> Path:
        if beginning not in self._begun:
            folder = self._folder / f"{self.engine}-{beginning}"
            folder.mkdir()
            address = f"sqlite+aiosqlite:///{folder / 'book.db'}"
            if self.engine == "postgresql":
                address = await self._stack.enter_async_context(self._databases.fresh())
            ended, said = await self._worker.live(address=address, folder=str(folder), job=beginning)
            if ended:
                raise Failed(f"{self.engine}: {said[-1:]}")
            self._begun[beginning] = (address, folder)
        return self._begun[beginning][1]


async def rounds_of(grounds: Sequence[Ground], count: int, seed: int) -> list[Round]:
    """Return so many rounds over these engines, in an order of the seed's.

    First one for each name of a write point, then one for each of the others, then later kills and second ones.
    """
    chance = random.Random(seed)
    named = [
        (Round(ground.engine, job, point), name)
        for ground in grounds
        for job in JOBS
        for point, name in enumerate((await ground.undisturbed(job)).points, 1)
    ]
    chance.shuffle(named)
    first = {(one.engine, one.job, name): one for one, name in reversed(named)}.values()
    every = [*first, *(one for one, _ in named if one not in set(first))]
    while len(every) < count:
        some = chance.choice(every)
        again = chance.choice((0, chance.randint(1, 60)))
        every.append(Round(some.engine, some.job, some.kill_at, chance.choice((0, chance.randint(1, _LATEST))), again))
    return every[:count]


def outcome_of(job: str, rows: reader.Rows) -> dict[str, Any]:
    """Return what a job promises to come to, however often it was interrupted."""
    outcome = reader.outcome_of(rows)
    if job != "serve":
        return outcome
    # A run that was killed before its report has posted what the next one sees to agree; and what was approved and
    # not posted expires, and is asked for again.
    promised = {name: outcome[name] for name in outcome if name not in ("reports", "discrepancies")}
    wanted = [one for one in outcome["adjustments"] if "expired" not in one]
    return promised | {"adjustments": wanted, "reviews": sorted(set(outcome["reviews"]))}


def _check(
    what: str, rows: reader.Rows | None, said: Sequence[dict[str, Any]], expected: Undisturbed | None = None
) -> None:
    if rows is None:
        if said:
            raise Failed(f"{what}: nothing is there, and this was acknowledged: {said[-1]}")
        return
    found = reader.wrong(rows, said)
    found += [f"the journal: {one['journal']}" for one in said if one.get("journal")]
    found += [f"a replay is {one}" for each in said for one in each.get("replays", ()) if one not in _REPLAYS]
    ends = [one["end"] for one in said if "end" in one]
    if ends and ends[-1] != reader.balances(rows):
        found.append(f"the program says {ends[-1]}, the rows add up to {reader.balances(rows)}")
    for book in rows["books"] if expected else ():
        should = (expected.balances if expected else {}).get(book["version"])
        if book["version"] and reader.balances(rows) != should:
            found.append(f"at version {book['version']} it holds {reader.balances(rows)}, not {should}")
    if found:
        raise Failed(f"{what}: " + "; ".join(found))
