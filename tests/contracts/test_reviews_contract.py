"""What every keeper of reviews promises, held against each: memory, SQLite and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.adapters.store import MemoryReviews, SqlReviews, SqlStore
from gal_friday.domain.facts import Actor, Fact, KnownBy
from gal_friday.domain.following import Carried
from gal_friday.domain.review import Action, Reason, ReviewState
from gal_friday.domain.reviewed import Ask, Review, Stepped, after_run, step, unreviewed
from gal_friday.ports.errors import ReviewOvertaken, StoreFailed
from gal_friday.ports.reviews import Reviews
from tests.contracts.test_store_contract import T0, report, run
from tests.postgres.databases import POSTGRESQL, Databases

ALICE, BOB = (Actor(name, KnownBy.SELF_DECLARED) for name in ("alice", "bob"))
(MAIN,), (OTHER,) = run().opened, run(account="other").opened
LATER = T0 + timedelta(days=1)
ACCEPT = {"reason": Reason.KNOWN_DIFFERENCE, "note": "a gift ´☃", "until": LATER}


class Journalled:
    """Takes facts as a journal would, and refuses them once told to."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.full = False

    def __call__(self, facts: Iterable[Fact]) -> None:
        if self.full:
            raise StoreFailed("the journal is full")
        self.facts.extend(facts)

    async def append(self, connection: AsyncConnection, facts: Iterable[Fact]) -> None:
        self(facts)


class Kept:
    """One keeper under test, its journal, and the engine where there is one."""

    def __init__(self, reviews: Reviews, journal: Journalled, engine: AsyncEngine | None = None) -> None:
        self.reviews, self.journal, self.engine = reviews, journal, engine


async def on(engine: AsyncEngine) -> Kept:
    carried = Carried(at=T0, opened=(MAIN, OTHER))
    await SqlStore(engine).save_report(report(), carried)
    journal = Journalled()
    return Kept(SqlReviews(engine, journal), journal, engine)


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
async def kept(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases) -> AsyncIterator[Kept]:
    if request.param == "memory":
        journal = Journalled()
        yield Kept(MemoryReviews(journal), journal)
        return
    async with AsyncExitStack() as stack:
        if request.param == "sqlite":
            engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'reviews.db'}")
            await upgrade(engine)
        else:
            engine = open_engine(await stack.enter_async_context(databases.fresh(tables=True)))
        yield await on(engine)
        await engine.dispose()


def accepted(review: Review | None = None) -> Stepped:
    return step(review or unreviewed(MAIN), Ask(action=Action.ACCEPT, by=ALICE, at=T0, **ACCEPT), MAIN)  # type: ignore[arg-type]


def commented(review: Review, note: str = "looked", by: Actor = BOB) -> Stepped:
    return step(review, Ask(action=Action.COMMENT, by=by, at=T0, note=note), MAIN)


async def test_what_nobody_touched_is_not_there(kept: Kept) -> None:
    assert await kept.reviews.reviews([MAIN.id, "dis_gone"]) == {}
    assert await kept.reviews.not_closed("main") == ()
    assert await kept.reviews.changes(MAIN.id) == ()
    await kept.reviews.save([])
    assert kept.journal.facts == []


async def test_a_review_read_back_is_equal_to_the_one_written_and_so_is_its_history(kept: Kept) -> None:
    first = accepted()
    await kept.reviews.save([first])
    second = commented(first.review)
    await kept.reviews.save([second])
    assert await kept.reviews.reviews([MAIN.id, MAIN.id, "dis_gone"]) == {MAIN.id: second.review}
    assert await kept.reviews.changes(MAIN.id) == (first.change, second.change)
    assert await kept.reviews.not_closed("main") == (second.review,)
    assert await kept.reviews.not_closed("other") == ()


async def test_every_step_leaves_its_fact(kept: Kept) -> None:  # I10
    first = accepted()
    await kept.reviews.save([first, commented(unreviewed(OTHER), by=ALICE)])
    assert [(fact.kind, fact.subject, fact.actor) for fact in kept.journal.facts] == [
        ("review_accepted", MAIN.id, ALICE),
        ("review_commented", OTHER.id, ALICE),
    ]


async def test_without_its_fact_a_step_is_not_written(kept: Kept) -> None:  # I10
    kept.journal.full = True
    with pytest.raises(StoreFailed, match="the journal is full"):
        await kept.reviews.save([accepted()])
    assert await kept.reviews.reviews([MAIN.id]) == {}
    assert await kept.reviews.changes(MAIN.id) == ()


async def test_of_two_people_who_decide_at_once_the_second_writes_nothing(kept: Kept) -> None:
    await kept.reviews.save([accepted()])
    with pytest.raises(ReviewOvertaken, match=f"then decide: gal-friday discrepancy {MAIN.id}"):
        await kept.reviews.save([commented(unreviewed(OTHER)), commented(unreviewed(MAIN))])
    assert set(await kept.reviews.reviews([MAIN.id, OTHER.id])) == {MAIN.id}
    assert len(await kept.reviews.changes(MAIN.id)) == 1
    assert len(kept.journal.facts) == 1


async def test_of_many_at_the_same_moment_one_comes_first_and_no_step_is_lost(kept: Kept) -> None:
    async def comment(number: int) -> bool:
        try:
            await kept.reviews.save([commented(unreviewed(MAIN), f"number {number}")])
        except ReviewOvertaken:
            return False
        return True

    written = await asyncio.gather(*(comment(number) for number in range(5)))
    assert sum(written) == 1
    (change,) = await kept.reviews.changes(MAIN.id)
    assert change.note == f"number {written.index(True)}"


async def test_a_review_that_a_run_closed_is_kept_and_no_longer_listed(kept: Kept) -> None:
    first = accepted()
    gone = run(MAIN, at=60, finding="agrees").cleared[0]
    closed = after_run(first.review, gone, T0 + timedelta(hours=1))
    assert closed is not None
    await kept.reviews.save([first])
    await kept.reviews.save([closed])
    assert await kept.reviews.not_closed("main") == ()
    assert (await kept.reviews.reviews([MAIN.id]))[MAIN.id].state is ReviewState.CLOSED


async def test_no_program_changes_or_removes_what_was_decided(kept: Kept) -> None:  # I10
    if kept.engine is None:
        return
    await kept.reviews.save([accepted()])
    for statement in (
        "UPDATE review_changes SET note = 'never said'",
        "DELETE FROM review_changes",
        "DELETE FROM reviews",
        "UPDATE reviews SET state = 'open'",
        "UPDATE reviews SET revision = revision + 2",
        "UPDATE reviews SET revision = revision + 1, account = 'other'",
    ):
        with pytest.raises(DBAPIError, match=r"append-only|a review"):
            async with kept.engine.begin() as connection:
                await connection.execute(text(statement))
    assert await kept.reviews.reviews([MAIN.id]) == {MAIN.id: accepted().review}


async def test_the_columns_say_what_the_review_says(kept: Kept) -> None:
    if kept.engine is None:
        return
    await kept.reviews.save([accepted()])
    async with kept.engine.connect() as connection:
        review = (await connection.execute(text("SELECT * FROM reviews"))).mappings().one()
        change = (await connection.execute(text("SELECT * FROM review_changes"))).mappings().one()
    said = {name: review[name] for name in ("discrepancy_id", "account", "state", "assignee", "reason", "revision")}
    assert said == {
        "discrepancy_id": MAIN.id,
        "account": "main",
        "state": "accepted",
        "assignee": "",
        "reason": "known_difference",
        "revision": 1,
    }
    assert (change["actor"], change["known_by"], change["action"]) == ("alice", "self-declared", "accept")
    assert (change["from_state"], change["to_state"], change["number"]) == ("open", "accepted", 1)


async def test_a_review_of_what_was_never_seen_is_refused(kept: Kept) -> None:
    if kept.engine is None:
        return
    never = replace(MAIN, id="dis_never")
    with pytest.raises(StoreFailed):
        await kept.reviews.save([commented(unreviewed(never))])
