"""Adjustments and reviews, held against their facts: nobody approves, rejects or accepts by editing a row."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.book_sql import SqlAdjustments, SqlBook
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.journal import SqlJournal, verify
from gal_friday.adapters.journal.verify import Broken
from gal_friday.adapters.store import SqlReviews, SqlStore
from gal_friday.domain.adjustment import Adjustment, AdjustmentState
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.review import Action, Reason
from gal_friday.flows.review import Desk, act
from gal_friday.ports.errors import StoreFailed
from tests.adapters.journal.test_ties import run_twice
from tests.contracts.adjusting import ANN, BOB, FILL_EFFECTS, POLICY, T0, WHOLE_FILL, adjustment, movement, plug

PROPOSED, APPROVED = AdjustmentState.PROPOSED, AdjustmentState.APPROVED
MADE = adjustment(*WHOLE_FILL, effects=FILL_EFFECTS, version="1")
OTHER = adjustment(plug("3"), effects={"balances:XRP:spot": "3"}, version="1")
CAROL = Actor("carol", KnownBy.SELF_DECLARED)
GUARDED = ("adjustments", "adjustment_changes", "reviews", "review_changes", "discrepancies", "reconciliation_events")


@pytest.fixture
async def kept(engine: AsyncEngine, journal: SqlJournal) -> SqlAdjustments:
    """Give a book with adjustments in every state that an edited row could pretend."""
    clock = SteppedClock(T0 + timedelta(hours=1))
    await SqlBook(engine, clock=clock).append(account="main", exchange="kraken", movements=(movement("L0", "USD"),))
    adjustments = SqlAdjustments(engine, clock=clock, journal=journal)
    await adjustments.keep([MADE, OTHER], state=PROPOSED, by=ANN, four_eyes=True)
    return adjustments


async def approve(kept: SqlAdjustments, made: Adjustment) -> None:
    await kept.move(made.adjustment_id, APPROVED, by=BOB, content=made.content)
    await kept.apply(made.adjustment_id, token=None)


@pytest.fixture
async def reviewed(engine: AsyncEngine, journal: SqlJournal) -> str:
    """Give a discrepancy that was assigned, accepted, reopened and accepted once more."""
    store = SqlStore(engine, journal)
    (one,) = (await run_twice(store))[0][1].opened
    desk = Desk(store, SqlReviews(engine, journal), SteppedClock(T0 + timedelta(hours=1)))
    said = {"reason": Reason.TIMING, "note": "it settles", "until": T0 + timedelta(days=2)}
    await act(desk, one.id, Action.ASSIGN, CAROL, assignee="bob")
    await act(desk, one.id, Action.ACCEPT, CAROL, **said)  # type: ignore[arg-type]
    await act(desk, one.id, Action.REOPEN, CAROL)
    await act(desk, one.id, Action.ACCEPT, CAROL, **said)  # type: ignore[arg-type]
    return one.id


async def test_every_step_of_a_life_has_its_fact(engine: AsyncEngine, kept: SqlAdjustments, reviewed: str) -> None:
    await approve(kept, MADE)
    await kept.move(MADE.adjustment_id, AdjustmentState.UNVERIFIED, by=POLICY)
    first = await kept.reversal(MADE.adjustment_id, reason="it was wrong")
    await kept.keep([first], state=APPROVED, by=BOB)
    await kept.apply(first.adjustment_id, token=None)
    second = await kept.reversal(first.adjustment_id, reason="it was right")
    await kept.keep([second], state=PROPOSED, by=ANN)
    await approve(kept, second)
    await kept.move(OTHER.adjustment_id, AdjustmentState.EXPIRED, by=POLICY)
    await kept.keep([replace(OTHER, at=OTHER.at + timedelta(hours=9))], state=PROPOSED, by=BOB)
    await kept.move(OTHER.adjustment_id, APPROVED, by=ANN, content=OTHER.content)
    await kept.apply(OTHER.adjustment_id, token=None)  # refused: the book moved on
    found = await verify(engine)
    assert found.broken is None, found.broken
    assert found.decisions == 4 + sum(
        [len(await kept.changes(one.adjustment_id)) for one in (MADE, OTHER, first, second)]
    )


async def tampered(engine: AsyncEngine, *statements: str) -> Broken:
    async with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            for table in GUARDED:
                await connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        else:
            for name in (await connection.execute(text("SELECT name FROM sqlite_schema WHERE type = 'trigger'"))).all():
                await connection.execute(text(f"DROP TRIGGER {name[0]}"))
        for statement in statements:
            await connection.execute(text(statement))
    found = (await verify(engine)).broken
    assert found is not None, "the change was not found"
    return found


@pytest.mark.parametrize(
    "change",
    [
        "state = 'approved', decided_by = 'bob'",
        "state = 'rejected'",
        "proposed_by = 'bob'",
        "account = 'other'",
        "content = 'another'",
        "body = replace(body, '40', '41')",
        "body = replace(body, 'main', 'other')",
        "body = '{}'",
        "body = 'no JSON'",
    ],
)
async def test_an_adjustment_that_was_changed_is_found(engine: AsyncEngine, kept: SqlAdjustments, change: str) -> None:
    name = MADE.adjustment_id
    found = await tampered(engine, f"UPDATE adjustments SET {change} WHERE adjustment_id = '{name}'")
    assert found.place == name
    assert "the adjustment" in found.what


@pytest.mark.parametrize(
    "change", ["actor = 'ann'", "how = 'token'", "to_state = 'rejected'", "note = 'fine'", "account = 'other'"]
)
async def test_a_step_that_was_changed_is_found(engine: AsyncEngine, kept: SqlAdjustments, change: str) -> None:
    await approve(kept, MADE)
    name = MADE.adjustment_id
    found = await tampered(
        engine, f"UPDATE adjustment_changes SET {change} WHERE adjustment_id = '{name}' AND number = 2"
    )
    assert found.place == f"{name}/2"
    assert found.what.startswith("the change is not what entry")


async def test_a_step_that_is_gone_or_was_added_is_found(engine: AsyncEngine, kept: SqlAdjustments) -> None:
    name = MADE.adjustment_id
    await approve(kept, MADE)
    found = await tampered(
        engine,
        "INSERT INTO adjustment_changes SELECT adjustment_id, 9, account, at, from_state, to_state, actor, how, note "
        f"FROM adjustment_changes WHERE adjustment_id = '{name}' AND number = 1",
    )
    assert (found.place, found.what) == (f"{name}/9", "no entry of the journal is about the change")
    found = await tampered(
        engine, f"DELETE FROM adjustment_changes WHERE adjustment_id = '{name}' AND number IN (2, 9)"
    )
    assert (found.expected, found.what) == (f"{name}/2", "the change that it is about is gone")


@pytest.mark.parametrize(
    "table, change",
    [
        ("reviews", "state = 'open'"),
        ("reviews", "assignee = 'ann'"),
        ("reviews", "body = replace(body, '2026-02-02', '2036-02-02')"),
        ("reviews", "body = replace(body, '\"0.5\"', '\"9.5\"')"),
        ("reviews", "body = replace(body, 'carol', 'mallory')"),
        ("reviews", "body = '[]'"),
        ("review_changes", "actor = 'bob'"),
        ("review_changes", "to_state = 'open'"),
        ("review_changes", "body = replace(body, 'carol', 'mallory')"),
        ("review_changes", "body = replace(body, 'it settles', 'it differs')"),
        ("review_changes", "body = '[]'"),
        ("discrepancies", "state = 'cleared'"),
        ("discrepancies", "account = 'other'"),
        ("discrepancies", 'body = replace(body, \'"state":"confirmed"\', \'"state":"cleared"\')'),
    ],
)
async def test_a_review_that_was_changed_is_found(
    engine: AsyncEngine, kept: SqlAdjustments, reviewed: str, table: str, change: str
) -> None:
    also = " AND number = 4" if table == "review_changes" else ""
    found = await tampered(engine, f"UPDATE {table} SET {change} WHERE discrepancy_id = '{reviewed}'{also}")
    assert found.place == (f"{reviewed}/4" if also else reviewed), found


@pytest.mark.parametrize("body", ["", "{", "{}", "[]", "null", '{"state":"bogus"}'])
async def test_a_row_that_this_program_did_not_write_is_refused_where_it_is_read(
    engine: AsyncEngine, kept: SqlAdjustments, reviewed: str, body: str
) -> None:
    tables = {"adjustments": "body", "reviews": "body", "review_changes": "body", "discrepancies": "body"}
    written = [f"UPDATE {table} SET {column} = '{body}'" for table, column in tables.items()]
    await tampered(engine, *written, f"UPDATE reconciliation_events SET report = '{body}'")
    store, reviews = SqlStore(engine), SqlReviews(engine)
    for read, what in (
        (kept.adjustments(), "an adjustment"),
        (kept.adjustment(MADE.adjustment_id), "an adjustment"),
        (store.open_discrepancies("main"), "a discrepancy"),
        (store.reports(account="main"), "a report"),
        (reviews.not_closed("main"), "a review"),
        (reviews.changes(reviewed), "a step of a review"),
    ):
        with pytest.raises(StoreFailed, match=f"holds {what} that this program did not write .*journal verify"):
            await read
