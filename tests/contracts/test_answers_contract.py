"""What every keeper of answers promises, held against each: memory, SQLite and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from gal_friday.adapters.answers import MemoryAnswers, SqlAnswers
from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.ports.answers import Answers, Asked, Claimed, Free, Given, OtherCall, UnderWay
from tests.postgres.databases import POSTGRESQL, Databases

T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)
CALL = Asked(caller="token:a", key="k", what="POST /x 1", at=T0)
ANSWER = Given(200, b'{"done": "\xc3\xa4"}', "application/json")


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
async def answers(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases) -> AsyncIterator[Answers]:
    if request.param == "memory":
        yield MemoryAnswers()
        return
    async with AsyncExitStack() as stack:
        if request.param == "sqlite":
            engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'answers.db'}")
            await upgrade(engine)
        else:
            engine = open_engine(await stack.enter_async_context(databases.fresh(tables=True)))
        yield SqlAnswers(engine)
        await engine.dispose()


async def claim(answers: Answers, asked: Asked = CALL, *, seconds: int = 0) -> Claimed:
    at = T0 + timedelta(seconds=seconds)
    asked = replace(asked, at=at)
    stale, forgotten = at - timedelta(seconds=60), at - timedelta(seconds=600)
    return await answers.claim(asked, stale_before=stale, forgotten_before=forgotten)


async def test_the_first_takes_the_key_and_the_next_gets_its_answer(answers: Answers) -> None:
    assert await claim(answers) == Free()
    assert await claim(answers, seconds=1) == UnderWay()
    await answers.keep(CALL, ANSWER)
    assert await claim(answers, seconds=2) == ANSWER
    assert await claim(answers, replace(CALL, what="POST /x 2"), seconds=2) == OtherCall()
    assert await claim(answers, replace(CALL, caller="token:b"), seconds=2) == Free()


async def test_a_key_that_was_given_back_is_free(answers: Answers) -> None:
    await claim(answers)
    await answers.release(CALL)
    assert await claim(answers, replace(CALL, what="another")) == Free()


@pytest.mark.parametrize("seconds, found", [(60, UnderWay()), (61, Free())])
async def test_a_call_that_died_gives_its_key_back_after_a_while(
    answers: Answers, seconds: int, found: Claimed
) -> None:
    await claim(answers)
    assert await claim(answers, seconds=seconds) == found


@pytest.mark.parametrize("seconds, found", [(600, ANSWER), (601, Free())])
async def test_an_answer_is_given_for_its_time(answers: Answers, seconds: int, found: Claimed) -> None:
    await claim(answers)
    await answers.keep(CALL, ANSWER)
    assert await claim(answers, seconds=seconds) == found


async def test_of_many_at_once_one_takes_the_key(answers: Answers) -> None:
    found = await asyncio.gather(*(claim(answers) for _ in range(5)))
    assert sorted(type(one).__name__ for one in found) == ["Free", *["UnderWay"] * 4]


async def test_what_is_old_is_removed(answers: Answers) -> None:
    await claim(answers)
    await answers.keep(CALL, ANSWER)
    assert await answers.forget(T0) == 0
    assert await answers.forget(T0 + timedelta(seconds=1)) == 1
    assert await claim(answers) == Free()
