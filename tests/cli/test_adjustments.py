"""``adjustments``: listed, filtered, and one with its whole life, on the demo's repaired book."""

from collections.abc import Iterator
from typing import Any

import pytest

from gal_friday.domain import words
from gal_friday.domain.adjustment import Plug, Posting, TakeBack, TakeBackAdjustment
from gal_friday.domain.quantity import parse
from gal_friday.domain.records import Kind
from tests.cli.conftest import Run
from tests.cli.test_run import served


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    """Return the configuration of a demo account."""
    yield from served()


@pytest.fixture
def kept(run: Run, demo: str) -> list[dict[str, Any]]:
    """Repair the demo's book, look once more, and return every adjustment."""
    for _ in range(2):
        run("run", "--config", demo, "--mode", "enforce", "--json")
    listed: list[dict[str, Any]] = run("adjustments", "--config", demo, "--json").json()["adjustments"]
    return listed


def test_the_list_has_what_was_posted_and_what_waits(run: Run, demo: str, kept: list[dict[str, Any]]) -> None:
    told = run("adjustments", "--config", demo, "--json").json()
    assert told["count"] == len(told["adjustments"]) == 9
    assert {one["state"] for one in kept} == {"verified", "proposed"}
    text = run("adjustments", "--config", demo).out
    assert text.splitlines()[0].split() == ["adjustment", "at", "state", "by", "type"]
    assert all(one["adjustment_id"] in text for one in kept)
    assert "ETH +1.25, USD -3738.2559, missed fill, ≈ 3,738.26 USD" in text


@pytest.mark.parametrize(
    "arguments,count",
    [
        (["--state", "proposed"], 1),
        (["--state", "verified,proposed"], 9),
        (["--state", "rejected"], 0),
        (["--pair", "DOT"], 1),
        (["--pair", "XRP/USD"], 2),
        (["--account", "other"], 0),
        (["--account", "main", "--limit", "2"], 2),
    ],
)
def test_the_list_can_be_narrowed(
    run: Run, demo: str, kept: list[dict[str, Any]], arguments: list[str], count: int
) -> None:
    assert run("adjustments", "--config", demo, "--json", *arguments).json()["count"] == count


def test_one_tells_its_whole_life_and_the_way_back(run: Run, demo: str, kept: list[dict[str, Any]]) -> None:
    (one,) = (one for one in kept if one["cause"] == "missed_fill")
    outcome = run("adjustments", one["adjustment_id"][:16], "--config", demo)
    assert outcome.status == 0
    lines = [" ".join(line.split()) for line in outcome.out.splitlines()]
    assert lines[0] == f"{one['adjustment_id']}: verified, book fill in main at kraken"
    assert any(line.startswith("Posts books the fill T") for line in lines)
    assert "Moves balances:ETH:spot 38 → 39.25 +1.25" in lines
    assert "balances:USD:spot 141042.6005 → 137304.3446 -3738.2559" in lines
    assert [word for word in ("approved", "intended", "applied", "verified") if f" {word} by " in outcome.out]
    assert f"gal-friday review undo {one['adjustment_id']} --config {demo}" in lines
    told = run("adjustments", one["adjustment_id"], "--config", demo, "--json").json()
    assert [change["to_state"] for change in told["history"]] == ["approved", "intended", "applied", "verified"]


def test_one_that_waits_leads_to_its_approval(run: Run, demo: str, kept: list[dict[str, Any]]) -> None:
    (one,) = (one for one in kept if one["state"] == "proposed")
    text = run("adjustments", one["adjustment_id"], "--config", demo).out
    assert f"gal-friday review approve {one['adjustment_id']}" in text
    assert "a person decides" in text


@pytest.mark.parametrize(
    "arguments,said",
    [
        (["adj_gone"], "no adjustment 'adj_gone'"),
        ([""], "no adjustment ''"),
        (["--state", "posted"], "is no state; known are proposed"),
        (["--days", "0"], "--days goes from 1"),
        (["--limit", "0"], "--limit from 1"),
    ],
)
def test_what_cannot_be_shown_is_wrong_usage(run: Run, demo: str, arguments: list[str], said: str) -> None:
    outcome = run("adjustments", "--config", demo, *arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert said in outcome.err


def test_nothing_kept_is_told_and_no_failure(run: Run) -> None:
    outcome = run("adjustments")
    assert (outcome.status, outcome.out) == (0, "")
    assert "no such adjustment in the last 30 days" in outcome.err


@pytest.mark.parametrize(
    "posting,said",
    [
        (TakeBack(Kind.FILLS, "T1", 1, 2), "takes 1 of 2 entries back: fill T1"),
        (
            Plug(Kind.BALANCES, "DOGE", "spot", parse("-417.31")),
            "forces -417.31 DOGE into balances (spot), against suspense",
        ),
        (TakeBackAdjustment("adj_1"), "takes back whatever of adj_1 still stands"),
    ],
)
def test_every_posting_has_its_words(posting: Posting, said: str) -> None:
    assert words.posted(posting) == said
