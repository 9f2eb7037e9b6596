"""Recording what two tables came to: what cannot be recorded stops nothing else, and nothing is carried on twice."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.store import MemoryReviews, MemoryStore
from gal_friday.bulk.judge import Judged, Terms, also_watched, judged
from gal_friday.bulk.rows import Row
from gal_friday.bulk.sieve import SIDES
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Kind
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.snapshot import Coverage
from gal_friday.flows.record_many import Shelf, known_in, record_many, watched_of
from gal_friday.flows.review import Desk
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.store import Store

NOW = datetime(2026, 3, 1, tzinfo=UTC)
POLICY = Policy()


class Refusing(MemoryStore):
    """A store that takes nothing of one account."""

    refused = "b"

    async def save_report(self, report: ReconciliationReport, *given: Any, **named: Any) -> None:
        if report.account == self.refused:
            raise StoreFailed("the disk is full; make room")
        await super().save_report(report, *given, **named)


def shelf(store: Store) -> Shelf:
    return Shelf(store=store, desk=Desk(store, MemoryReviews(), SteppedClock(NOW)), policy=POLICY, note="compared")


def rows(*accounts: str) -> list[Row]:
    """Return a row of both sides for each account, which differ."""
    return [
        Row(name, "BTC", "spot", side, text, None, "", True)
        for name in accounts
        for side, text in zip(SIDES, ("1", "2"), strict=True)
    ]


async def found(store: Store, some: Sequence[Row], day: int) -> tuple[Sequence[Judged], Any]:
    """Return what a comparison as of a day finds, with what is open before it."""
    known = await known_in(store, "kraken", (Kind.BALANCES,))
    terms = Terms(
        policy=POLICY, prices={}, exchange="kraken", account="main", as_of=NOW + timedelta(days=day),
        coverage=dict.fromkeys(SIDES, Coverage.TOTAL), watched=watched_of(known), with_sides=True,
    )  # fmt: skip
    return tuple(also_watched(judged(some, terms), (), terms)), known


async def test_an_account_that_cannot_be_recorded_is_told_and_recorded_the_next_time() -> None:
    store = Refusing()
    told = await record_many(*await found(store, rows("a", "b", "c"), 1), shelf(store))
    assert (told.accounts, told.opened) == (2, 2)
    assert [said.startswith("account b was not recorded: ") for said in told.failed] == [True]
    assert "the disk is full; make room" in told.failed[0]
    store.refused = ""
    told = await record_many(*await found(store, rows("a", "b", "c"), 1), shelf(store))
    assert (told.accounts, told.already, told.opened, told.failed) == (1, 2, 1, [])


async def test_of_two_comparisons_at_once_the_later_is_refused_what_the_other_has_carried_on() -> None:
    store = MemoryStore()
    await record_many(*await found(store, rows("a"), 1), shelf(store))
    one, other = await found(store, rows("a"), 2), await found(store, rows("a"), 3)
    await record_many(*one, shelf(store))
    told = await record_many(*other, shelf(store))
    assert (told.accounts, "another run has judged" in told.failed[0]) == (0, True)
    (followed,) = await store.discrepancies()
    assert followed.occurrences == 2


async def test_an_account_that_both_tables_have_and_that_holds_nothing_any_more_is_cleared() -> None:
    store = MemoryStore()
    await record_many(*await found(store, rows("a"), 1), shelf(store))
    told = await record_many(*await found(store, [], 2), shelf(store))
    assert (told.accounts, told.cleared) == (1, 1)
    assert [report.verdict for report in await store.reports()] == ["reconciled", "discrepancies"]
