"""kill −9 at any write: nothing acknowledged is lost, nothing is done twice, nothing is half done (I9, I10, I16).

A share of what ``python3 dev.py crash`` does; and proof that it would find what it looks for.
"""

import random  # noqa: TID251 - only random.Random(seed)
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.crash.rounds import Failed, Ground, Round, Worker, rounds_of, worker
from tests.postgres.databases import POSTGRESQL, Databases

# One worker serves all of them: it takes its time to begin.
pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
SEED = 20260131
ROUNDS = 9


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_worker() -> AsyncIterator[Worker]:
    async with worker() as made:
        yield made


@pytest.fixture
def by(one_worker: Worker) -> Worker:
    one_worker.broken = None
    return one_worker


@pytest.mark.timeout(180)  # on a machine that is busy with other things
@pytest.mark.parametrize("engine", ["sqlite", POSTGRESQL])
async def test_no_kill_loses_repeats_or_halves_anything(
    engine: str, by: Worker, tmp_path: Path, databases: Databases
) -> None:
    async with Ground(engine, tmp_path, databases, by) as ground:
        for one in await rounds_of([ground], ROUNDS, SEED):
            try:
                await ground.play(one)
            except Failed as failure:
                pytest.fail(f'{failure}\nAgain: python3 dev.py crash --only "{one}" (seed {SEED})', pytrace=False)


async def test_what_has_to_be_told_is_never_lost_and_told_in_order_whatever_is_killed(
    by: Worker, tmp_path: Path, databases: Databases
) -> None:  # I14
    async with Ground("sqlite", tmp_path, databases, by) as ground:
        points = (await ground.undisturbed("tell")).points
        between = [at for at, name in enumerate(points, 1) if name.endswith("a message")]
        for at in (*between, *random.Random(SEED).sample(range(1, len(points) + 1), 4)):
            await ground.play(Round("sqlite", "tell", at, again=3 * (at % 2)))


@pytest.mark.parametrize(
    "broken, job, point, found",
    [
        ("journal_apart", "adjust", "after the commit", "changes without an entry"),
        ("applied_twice", "adjust", "after the commit", "is applied: refuse is not possible"),
        ("rows_one_by_one", "append", "after the commit", "at version 8 it holds"),
        ("left_untold", "repair", "before INSERT INTO review_changes", "in the end"),
        ("marked_before_it_was_sent", "tell", "before the commit", "lost or out of order"),
    ],
)
async def test_a_program_that_is_broken_is_found(
    broken: str, job: str, point: str, found: str, by: Worker, tmp_path: Path, databases: Databases
) -> None:
    async with Ground("sqlite", tmp_path, databases, by) as ground:
        expected = await ground.undisturbed(job)
        by.broken = broken
        at = [number for number, name in enumerate(expected.points, 1) if name == point]
        with pytest.raises(Failed, match=found):
            await _all(ground, [Round("sqlite", job, number) for number in at])


async def _all(ground: Ground, rounds: list[Round]) -> None:
    for one in rounds:
        await ground.play(one)


async def test_what_was_acknowledged_and_is_not_there_is_found(
    by: Worker, tmp_path: Path, databases: Databases
) -> None:
    by.broken = "acknowledged_early"
    async with Ground("sqlite", tmp_path, databases, by) as ground:
        with pytest.raises(Failed, match=r"lost: .*T1"):
            await ground.undisturbed("append")
