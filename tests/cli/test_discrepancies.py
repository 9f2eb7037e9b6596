"""``discrepancies`` and ``discrepancy``: what is open, and the life of one, over runs against a simulated exchange."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.bootstrap.demo import running_demo
from gal_friday.cli.following import bridge_lines, list_lines, page_lines
from gal_friday.domain.cause import Cause
from gal_friday.domain.explanation import Alternative, Explanation, Item
from gal_friday.domain.finding import Agrees
from gal_friday.domain.followed import Followed
from gal_friday.domain.following import Run as Observation
from gal_friday.domain.following import carry_forward
from gal_friday.domain.policy import Policy
from gal_friday.domain.report import ReconciliationReport
from tests.cli.conftest import Run
from tests.cli.samples import FILL, NOON, missed_fill, report


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    """Run the demo's exchange in a thread of its own and return the path of its configuration."""
    started, stop = threading.Event(), asyncio.Event()
    place: list[str] = []
    loop = asyncio.new_event_loop()

    async def serving() -> None:
        async with running_demo() as running:
            place.append(str(running.configuration))
            await running.service.run_reconciliation()
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serving(),))
    thread.start()
    assert started.wait(50)
    yield place[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(30)
    loop.close()


def listed(run: Run, demo: str, *options: str) -> list[dict[str, Any]]:
    outcome = run("discrepancies", "--config", demo, "--json", *options)
    assert (outcome.status, outcome.err) == (0, "")
    found = outcome.json()
    assert found["count"] == len(found["discrepancies"])
    return list(found["discrepancies"])


def test_what_a_run_found_is_open_the_most_severe_first(run: Run, demo: str) -> None:
    reported = run("report", "--config", demo, "--json").json()
    found = listed(run, demo)
    assert len(found) == reported["total_discrepancies"]
    order = ("critical", "high", "medium", "low")
    grades = [order.index(one["latest"]["severity"]) for one in found]
    assert grades == sorted(grades)
    assert {one["occurrences"] for one in found} == {1}


def test_the_list_reads_well_and_looking_judges_nothing(run: Run, demo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "220")
    outcome = run("discrepancies", "--config", demo)
    heading, *lines = outcome.out.splitlines()
    columns = ["severity", "what", "of", "difference", "worth", "state", "age", "seen", "id"]
    assert (outcome.status, heading.split()) == (0, columns)
    assert len(lines) == len(listed(run, demo))
    assert all("dis_" in line and "1 time" in line for line in lines)


def test_one_is_found_by_the_beginning_of_its_id_and_shown_whole(run: Run, demo: str) -> None:
    missed = [one for one in listed(run, demo) if one["type"] == "fill_missing_internal"]
    (fill,) = (one for one in missed if one["latest"]["about"] == "ETH/USD")
    outcome = run("discrepancy", fill["id"][:12], "--config", demo)
    assert outcome.status == 0
    said = outcome.out
    for part in (fill["id"], "Book         nothing", "Exchange     1.25", "missed fill", "opened", "book import FILE"):
        assert part in said
    shown = run("discrepancy", fill["id"], "--config", demo, "--json").json()
    assert [made["state"] for made in shown.pop("adjustments")] == ["applied"]
    assert shown == fill | {"review_changes": []}
    assert (shown["review"]["state"], shown["review"]["revision"]) == ("open", 0)


def test_an_account_that_has_none_shows_none(run: Run, demo: str) -> None:
    assert listed(run, demo, "--account", "other") == []
    outcome = run("discrepancies", "--config", demo, "--account", "other")
    assert (outcome.status, outcome.out) == (0, "")
    assert "no discrepancy is open" in outcome.err


def test_a_list_that_was_cut_says_so(run: Run, demo: str) -> None:
    outcome = run("discrepancies", "--config", demo, "--limit", "1", "--json")
    assert outcome.json()["count"] == 1
    assert "--limit shows more" in outcome.err


def test_an_id_that_nobody_knows_is_wrong_usage(run: Run, demo: str) -> None:
    outcome = run("discrepancy", "dis_gone", "--config", demo)
    assert (outcome.status, outcome.out) == (2, "")
    assert f"`gal-friday discrepancies --config {demo} --all` lists them" in outcome.err
    assert run("discrepancy", "--config", demo).status == 2
    assert run("discrepancies", "--config", demo, "--limit", "0").status == 2


def test_an_id_that_could_be_several_asks_for_more_of_it(run: Run, demo: str) -> None:
    outcome = run("discrepancy", "dis_", "--config", demo)
    assert outcome.status == 2
    assert "several discrepancies begin with dis_" in outcome.err


def followed(made: ReconciliationReport, known: tuple[Followed, ...] = (), *, hours: int = 0) -> tuple[Followed, ...]:
    """Return what is known after a run so many hours after noon that saw this report again."""
    run = Observation(account="main", exchange="kraken", now=NOON + timedelta(hours=hours))
    return carry_forward(known, made.findings, made.discrepancies, run=run, policy=Policy()).open


def of(known: tuple[Followed, ...], name: str) -> Followed:
    (one,) = (each for each in known if str(each.key) == name)
    return one


def page(one: Followed, *, hours: int = 0) -> list[str]:
    return page_lines(one, now=NOON + timedelta(hours=hours), currency="USD")


def test_a_page_tells_both_sides_since_when_and_how_often() -> None:
    made = report(*missed_fill(), XRP="0.61")
    one = of(followed(made, followed(made), hours=3), "balances:XRP:spot")
    lines = page(one, hours=30)
    assert lines[:7] == [
        "CRITICAL: balance differs: XRP spot · main at kraken",
        "Book         100",
        "Exchange     140",
        "Difference   +40  ≈ 24.40 USD",
        "Since        2026-01-31 11:58:00 UTC (1 day)",
        "State        confirmed, 2026-01-31 15:00:00 UTC",
        "Seen         2 times: first 2026-01-31 12:00:00 UTC, last 2026-01-31 15:00:00 UTC",
    ]
    life = lines.index("History")
    assert lines[life + 1 : life + 3] == [
        "  2026-01-31 12:00:00 UTC  opened     book 100, exchange 140",
        "  2026-01-31 15:00:00 UTC  confirmed  seen 2 times",
    ]


def test_a_page_of_what_is_settled_asks_for_nothing_more() -> None:
    made = report(*missed_fill())
    one = of(followed(made), f"fills:{FILL}")
    run = Observation(account="main", exchange="kraken", now=NOON + timedelta(hours=1))
    (gone,) = carry_forward((one,), [Agrees(one.key)], [], run=run, policy=Policy()).cleared
    lines = page(gone, hours=90)
    assert "What next" not in lines
    assert "State        cleared, 2026-01-31 13:00:00 UTC" in lines
    assert "Since        2026-01-31 11:58:00 UTC (1 h)" in lines
    back = of(followed(made, (gone,), hours=2), f"fills:{FILL}")
    assert "State        suspected; came back 1 time after it had agreed" in page(back)


def test_a_cause_and_the_bridge_are_on_the_page() -> None:
    item = Item(Cause.MISSED_FILL, Decimal("39.99"), ("L1",), FILL, "records", "never reached the book")
    rest, other = Decimal("0.01"), Alternative((replace(item, effect=Decimal(40)),), Decimal(0))
    bridge = Explanation(
        Decimal(100), Decimal(140), (item,), rest, Cause.DUST, proven=False, alternatives=(other,), at_fault="internal"
    )
    assert bridge_lines(bridge) == [
        "From the book to the exchange",
        "  100     book",
        "  +39.99  missed fill (L1): never reached the book",
        "   +0.01  residual: dust",
        "  140     exchange",
        "  or: +40 missed fill (L1): never reached the book; residual 0",
    ]
    one = of(followed(report(*missed_fill())), "balances:XRP:spot")
    told = replace(one, latest=replace(one.latest, cause="missed_fill", explanation="one fill", bridge=bridge))
    lines = page(told)
    assert "Because      missed fill: one fill" in lines
    assert "Sure         not proven; the records of the book are wrong" in lines
    assert lines[lines.index(bridge_lines(bridge)[0]) :][:6] == bridge_lines(bridge)
    assert Followed.from_json(told.to_json()) == told


def test_a_narrow_list_takes_two_lines_and_cuts_nothing() -> None:
    known = followed(report(*missed_fill(), XRP="0.61"))
    lines = list_lines(known, now=NOON, currency="USD", width=60)
    assert len(lines) == 2 * len(known)
    assert all(one.id in "\n".join(lines) for one in known)


def test_several_accounts_are_told_apart() -> None:
    (one, *_) = followed(report(*missed_fill()))
    both = [one, replace(one, account="other")]
    assert "account" in list_lines(both, now=NOON, currency="USD", width=300)[0].split()
    assert "(other)" in "\n".join(list_lines(both, now=NOON, currency="USD", width=20))


def test_no_record_can_hide_a_line_of_the_page() -> None:
    one = of(followed(report(*missed_fill())), f"fills:{FILL}")
    hostile = replace(one, latest=replace(one.latest, explanation="fine\x1b[2K"))
    assert all("\x1b" not in line for line in page(hostile))
