"""Keeping adjustments and deciding on them, on each kind of book: at most once, by two people, never guessed."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from gal_friday.adapters.book_sql import SqlAdjustments
from gal_friday.adapters.journal import SqlJournal
from gal_friday.adapters.sql.tables import ADJUSTMENTS, JOURNAL_ENTRIES, LEASES, POSITION_ADJUSTMENTS
from gal_friday.domain.adjusted import Applied, Outcome, Refused
from gal_friday.domain.adjustment import AdjustmentState, PostMovement
from gal_friday.domain.errors import IllegalStep, OtherContent, Overtaken, SamePerson
from gal_friday.domain.facts import Fact
from gal_friday.ports.errors import StoreFailed
from tests.contracts.adjusting import (
    ANN,
    BOB,
    CUT,
    FILL_EFFECTS,
    T0,
    WHOLE_FILL,
    Desk,
    adjustment,
    desk,
    movement,
    plug,
)
from tests.postgres.databases import POSTGRESQL, Databases

PROPOSED, APPROVED = AdjustmentState.PROPOSED, AdjustmentState.APPROVED
MADE = adjustment(*WHOLE_FILL, effects=FILL_EFFECTS, version="1")
XRP = "balances:XRP:spot"


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
async def book(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases) -> AsyncIterator[Desk]:
    async with desk(request.param, tmp_path, databases) as made:
        await made.append(movements=(movement("L0", "USD", "100", minute=-5),))
        yield made


@pytest.fixture(params=["sqlite", POSTGRESQL])
async def stored(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases) -> AsyncIterator[Desk]:
    async with desk(request.param, tmp_path, databases) as made:
        await made.append(movements=(movement("L0", "USD", "100", minute=-5),))
        yield made


async def test_what_was_kept_is_read_back_equal(book: Desk) -> None:
    exact = replace(MADE, value=Decimal("12345678901234567890.123456789012345678"))
    (kept,) = await book.adjustments.keep([exact], state=PROPOSED, by=ANN, four_eyes=True)
    assert await book.adjustments.adjustment(MADE.adjustment_id) == kept
    assert await book.adjustments.adjustment(MADE.adjustment_id[:8]) == kept
    assert (kept.adjustment, kept.proposed_by, kept.four_eyes) == (exact, "ann", True)
    assert await book.adjustments.adjustment("") is None
    assert await book.adjustments.adjustment("nobody") is None


async def test_keeping_it_again_changes_nothing(book: Desk) -> None:
    (kept,) = await book.adjustments.keep([MADE], state=PROPOSED, by=ANN)
    assert list(await book.adjustments.keep([MADE, MADE], state=PROPOSED, by=BOB)) == [kept, kept]
    assert len(await book.adjustments.adjustments()) == 1


async def test_an_abbreviation_that_fits_several_is_refused(book: Desk) -> None:
    await book.adjustments.keep([MADE, adjustment(plug("3"), effects={XRP: "3"})], state=PROPOSED, by=ANN)
    with pytest.raises(StoreFailed, match="several adjustments begin with adj_"):
        await book.adjustments.adjustment("adj_")
    assert await book.adjustments.adjustment("adj_", accounts=("another",)) is None
    assert await book.adjustments.adjustment(MADE.adjustment_id, accounts=("another",)) is None
    assert await book.adjustments.adjustment(MADE.adjustment_id, accounts=(MADE.account,)) is not None


async def test_they_are_listed_newest_first_and_by_what_is_asked_for(book: Desk) -> None:
    old = adjustment(plug("3"), effects={XRP: "3"}, at=T0)
    btc = adjustment(plug("1", "BTC"), effects={"balances:BTC:spot": "1"}, at=CUT + timedelta(hours=1))
    await book.adjustments.keep([old, btc], state=PROPOSED, by=ANN)
    await book.adjustments.keep([MADE], state=APPROVED, by=ANN)
    look = book.adjustments.adjustments
    assert [one.adjustment for one in await look()] == [btc, MADE, old]
    assert [one.adjustment for one in await look(states=[APPROVED])] == [MADE]
    assert [one.adjustment for one in await look(since=CUT)] == [btc, MADE]
    assert [one.adjustment for one in await look(trading_pair="XRP/USD")] == [MADE]
    assert [one.adjustment for one in await look(trading_pair="XRP", limit=1)] == [MADE]
    assert [one.adjustment for one in await look(limit=1)] == [btc]
    assert await look(account="other") == []


async def test_another_person_approves_what_they_looked_at(book: Desk) -> None:  # I11
    (kept,) = await book.adjustments.keep([MADE], state=PROPOSED, by=ANN, four_eyes=True)
    move = book.adjustments.move
    with pytest.raises(SamePerson):
        await move(kept.id, APPROVED, by=ANN, content=MADE.content)
    with pytest.raises(OtherContent):
        await move(kept.id, APPROVED, by=BOB, content="another")
    with pytest.raises(Overtaken, match="look at it again"):
        await move(kept.id, APPROVED, by=BOB, content=MADE.content, revision=kept.revision + 1)
    assert await book.adjustments.adjustment(kept.id) == kept
    done = await move(kept.id, APPROVED, by=BOB, content=MADE.content, revision=kept.revision)
    assert (done.state, done.decided_by, [one.actor for one in done.history]) == ("approved", "bob", ["ann", "bob"])
    with pytest.raises(IllegalStep):
        await move(kept.id, APPROVED, by=BOB, content=MADE.content)


async def test_two_who_decide_at_the_same_moment_do_not_both_decide(book: Desk) -> None:
    (kept,) = await book.adjustments.keep([MADE], state=PROPOSED, by=ANN)
    decisions = [
        book.adjustments.move(kept.id, APPROVED, by=BOB, content=MADE.content, revision=kept.revision),
        book.adjustments.move(kept.id, AdjustmentState.REJECTED, by=ANN, revision=kept.revision),
    ]
    done = await asyncio.gather(*decisions, return_exceptions=True)
    assert sorted(isinstance(one, Overtaken) for one in done) == [False, True]
    assert len(await book.adjustments.changes(kept.id)) == 2


@pytest.mark.parametrize("state", [PROPOSED, AdjustmentState.REJECTED])
async def test_only_what_was_approved_is_applied(book: Desk, state: AdjustmentState) -> None:
    (kept,) = await book.adjustments.keep([MADE], state=PROPOSED, by=ANN)
    if state is not PROPOSED:
        await book.adjustments.move(kept.id, state, by=BOB)
    with pytest.raises(IllegalStep, match="only an approved one is applied"):
        await book.adjustments.apply(kept.id, token=None)
    assert await book.totals() == {"USD": "100"}


async def test_many_who_apply_it_at_once_apply_it_once(book: Desk) -> None:  # I9
    await book.approved(MADE)
    done = await asyncio.gather(*(book.adjustments.apply(MADE.adjustment_id, token=None) for _ in range(5)))
    assert set(done) == {Applied(MADE.adjustment_id, 2)}
    assert await book.totals() == {"USD": "79", "XRP": "40"}


async def test_several_are_applied_in_order_and_each_by_itself(book: Desk) -> None:
    made = [
        MADE,
        adjustment(plug("3"), effects={XRP: "3"}, version="1"),
        adjustment(PostMovement(movement("L7")), effects={XRP: "3"}, version="1"),
        adjustment(PostMovement(movement("L7")), effects={XRP: "3"}, version="1", generation="again"),
    ]
    for one in made:
        await book.approved(one)
    ids = [one.adjustment_id for one in made]
    done = await book.adjustments.apply_all(ids, token=None)
    assert done == [
        Applied(ids[0], 2),
        Refused(ids[1], "the book moved on: it is at version 2, not 1"),
        Applied(ids[2], 3),
        Refused(ids[3], "already in the book: movement L7"),
    ]
    assert [await book.state(name) for name in ids] == ["applied", "refused", "applied", "refused"]
    assert await book.totals() == {"USD": "79", "XRP": "43"}
    assert await book.adjustments.apply_all(ids, token=None) == done


async def test_several_with_one_that_may_not_be_applied_are_not_begun(book: Desk) -> None:
    waiting = adjustment(plug("3"), effects={XRP: "3"}, version="1")
    await book.approved(MADE)
    await book.adjustments.keep([waiting], state=PROPOSED, by=ANN)
    with pytest.raises(IllegalStep, match="only an approved one is applied"):
        await book.adjustments.apply_all([MADE.adjustment_id, waiting.adjustment_id], token=None)
    assert await book.totals() == {"USD": "100"}


async def test_what_was_intended_and_never_written_is_approved_again(book: Desk) -> None:
    await book.approved(MADE)
    assert (await book.adjustments.intend(MADE.adjustment_id)).state == "intended"
    assert [one.id for one in await book.adjustments.unsettled("main")] == [MADE.adjustment_id]
    assert [one.state for one in await book.adjustments.settle("main")] == ["approved"]
    assert isinstance(await book.adjustments.apply(MADE.adjustment_id, token=None), Applied)
    assert await book.adjustments.unsettled("main") == []


async def test_an_unknown_outcome_is_looked_up(book: Desk) -> None:
    await book.approved(MADE)
    await book.adjustments.intend(MADE.adjustment_id)
    await book.adjustments.move(MADE.adjustment_id, AdjustmentState.OUTCOME_UNKNOWN, by=BOB)
    with pytest.raises(IllegalStep):
        await book.adjustments.apply(MADE.adjustment_id, token=None)
    assert [one.state for one in await book.adjustments.settle("main")] == ["approved"]


async def test_a_later_run_says_whether_it_helped(book: Desk) -> None:
    done = await book.applied(*WHOLE_FILL, effects=FILL_EFFECTS)
    for state in (AdjustmentState.UNVERIFIED, AdjustmentState.VERIFIED):
        assert (await book.adjustments.move(done.adjustment_id, state, by=BOB)).state is state


@pytest.mark.parametrize("settled", [True, False])
async def test_what_was_written_and_not_read_back_is_found_and_read_back(stored: Desk, settled: bool) -> None:  # I16
    await stored.approved(MADE)

    class Stopped(Exception):
        pass

    class Dies(SqlAdjustments):
        async def _confirmed(self, ids: Sequence[str]) -> list[Outcome]:
            raise Stopped(ids)

    assert stored.engine is not None
    with pytest.raises(Stopped):
        await Dies(stored.engine, clock=stored.clock).apply(MADE.adjustment_id, token=None)
    assert await stored.state(MADE.adjustment_id) == "intended"
    if settled:
        assert [one.state for one in await stored.adjustments.settle("main")] == ["applied"]
    assert await stored.adjustments.apply(MADE.adjustment_id, token=None) == Applied(MADE.adjustment_id, 2)
    assert await stored.totals() == {"USD": "79", "XRP": "40"}


async def test_who_lost_the_lease_writes_nothing(stored: Desk) -> None:  # I9
    await stored.approved(MADE)
    assert stored.engine is not None
    with pytest.raises(Overtaken, match="run by somebody else"):
        await stored.adjustments.apply(MADE.adjustment_id, token=7)
    async with stored.engine.begin() as connection:
        await connection.execute(insert(LEASES), {"account": "main", "token": 8, "owner": "b", "until": CUT})
    with pytest.raises(Overtaken):
        await stored.adjustments.apply(MADE.adjustment_id, token=7)
    assert (await stored.state(MADE.adjustment_id), await stored.totals()) == ("approved", {"USD": "100"})
    assert isinstance(await stored.adjustments.apply(MADE.adjustment_id, token=8), Applied)


async def test_each_changed_amount_is_a_row_for_whoever_asks_in_sql(stored: Desk) -> None:
    await stored.applied(plug("50"), effects={XRP: "50"})
    done = await stored.applied(*WHOLE_FILL, effects=FILL_EFFECTS)
    assert stored.engine is not None
    columns = POSITION_ADJUSTMENTS.c
    query = select(columns.trading_pair, columns.adjustment_type, columns.old_value, columns.new_value, columns.reason)
    async with stored.engine.connect() as connection:
        rows = (await connection.execute(query.where(columns.adjustment_id == done.adjustment_id))).all()
    said = "a fill never reached the book"
    assert sorted(map(tuple, rows)) == [
        ("USD", "book_fill", Decimal(0), Decimal(-21), said),
        ("XRP", "book_fill", Decimal(0), Decimal(0), said),  # the plug gave way by as much
    ]


async def test_the_database_refuses_an_approval_by_who_proposed(stored: Desk) -> None:  # I11
    await stored.adjustments.keep([MADE], state=PROPOSED, by=ANN, four_eyes=True)
    assert stored.engine is not None
    for who in ("ann", " ANN ", None):
        with pytest.raises(DBAPIError, match="four_eyes"):
            async with stored.engine.begin() as connection:
                await connection.execute(update(ADJUSTMENTS).values(state="approved", decided_by=who, revision=9))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE adjustments SET four_eyes = NOT four_eyes, revision = 9",
        "UPDATE adjustments SET proposed_by = 'bob', revision = 9",
        "UPDATE adjustments SET content = 'x', revision = 9",
        "UPDATE adjustments SET state = 'rejected'",
        "DELETE FROM adjustments",
        "DELETE FROM leases",
        "UPDATE leases SET token = token - 1",
    ],
)
async def test_the_database_refuses_to_loosen_what_was_asked_for(stored: Desk, statement: str) -> None:
    await stored.adjustments.keep([MADE], state=PROPOSED, by=ANN, four_eyes=True)
    assert stored.engine is not None
    async with stored.engine.begin() as connection:
        await connection.execute(insert(LEASES), {"account": "main", "token": 8, "owner": "b", "until": CUT})
    with pytest.raises(DBAPIError, match=r"stays|only grows|append-only"):
        async with stored.engine.begin() as connection:
            await connection.execute(text(statement))


class Told:
    """A journal that remembers, and may fail."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.fails = False

    async def append(self, connection: AsyncConnection, facts: Iterable[Fact]) -> object:
        assert connection.in_transaction()
        if self.fails:
            raise StoreFailed("no key")
        self.facts += facts
        return None


async def test_every_change_of_state_is_told_to_the_journal_in_the_same_transaction(stored: Desk) -> None:  # I10
    assert stored.engine is not None
    told = Told()
    adjustments = SqlAdjustments(stored.engine, clock=stored.clock, journal=told)
    await adjustments.keep([MADE], state=PROPOSED, by=ANN)
    await adjustments.move(MADE.adjustment_id, APPROVED, by=BOB, content=MADE.content)
    await adjustments.apply(MADE.adjustment_id, token=None)
    kinds = [fact.kind for fact in told.facts]
    assert kinds == ["adjustment_proposed", "review_approved", "adjustment_intended", "adjustment_applied"]
    assert [fact.actor.name for fact in told.facts] == ["ann", "bob", "gal-friday", "gal-friday"]


async def test_the_journal_of_the_database_takes_the_facts(stored: Desk, tmp_path: Path) -> None:  # I10
    assert stored.engine is not None
    journal = SqlJournal(tmp_path / "keys", stored.clock)
    adjustments = SqlAdjustments(stored.engine, clock=stored.clock, journal=journal)
    await adjustments.keep([MADE], state=APPROVED, by=BOB)
    await adjustments.apply(MADE.adjustment_id, token=None)
    query = select(JOURNAL_ENTRIES.c.kind).where(JOURNAL_ENTRIES.c.subject == MADE.adjustment_id)
    async with stored.engine.connect() as connection:
        kinds = (await connection.execute(query.order_by(JOURNAL_ENTRIES.c.seq))).scalars().all()
    assert kinds == ["adjustment_proposed", "adjustment_intended", "adjustment_applied"]


async def test_without_its_journal_nothing_is_written(stored: Desk) -> None:  # I10
    assert stored.engine is not None
    told = Told()
    adjustments = SqlAdjustments(stored.engine, clock=stored.clock, journal=told)
    await stored.approved(MADE)
    told.fails = True
    with pytest.raises(StoreFailed, match="no key"):
        await adjustments.apply(MADE.adjustment_id, token=None)
    assert (await stored.state(MADE.adjustment_id), await stored.totals()) == ("approved", {"USD": "100"})


async def test_a_delivery_and_an_adjustment_at_the_same_moment_count_once(book: Desk) -> None:
    made = [
        adjustment(PostMovement(movement(f"L{at}")), effects={XRP: "3"}, version="1", generation=str(at))
        for at in range(1, 6)
    ]
    for one in made:
        await book.approved(one)
    await asyncio.gather(
        *(book.adjustments.apply(one.adjustment_id, token=None) for one in made),
        *(book.append(movements=(movement(f"L{at}"),)) for at in range(1, 6)),
    )
    assert await book.totals() == {"USD": "100", "XRP": "15"}
