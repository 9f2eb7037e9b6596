"""``run``, ``reports``, ``report`` and ``preflight`` against a simulated exchange on loopback."""

import asyncio
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gal_friday.bootstrap.demo import running_demo
from tests.cli.conftest import Run


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    """Return the configuration of a demo that every test of this file looks at."""
    yield from served()


@pytest.fixture
def fresh() -> Iterator[str]:
    """Return the configuration of a demo that nobody has repaired yet."""
    yield from served()


def served() -> Iterator[str]:
    """Run the demo's exchange in a thread of its own and yield the path of its configuration."""
    started, stop = threading.Event(), asyncio.Event()
    place: list[str] = []
    loop = asyncio.new_event_loop()

    async def serving() -> None:
        async with running_demo() as running:
            place.append(str(running.configuration))
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serving(),))
    thread.start()
    assert started.wait(30)
    yield place[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(30)
    loop.close()


def test_a_run_finds_what_went_wrong_and_records_it(run: Run, demo: str) -> None:
    outcome = run("run", "--config", demo, "--json")
    assert (outcome.status, outcome.err) == (1, "")
    assert outcome.json()["verdict"] == "discrepancies"
    shown = run("report", "--config", demo, "--json")
    assert (shown.status, shown.out) == (0, outcome.out)


def test_a_report_is_found_by_the_beginning_of_its_id(run: Run, demo: str) -> None:
    run_id = run("run", "--config", demo, "--json").json()["reconciliation_id"]
    assert run("report", run_id[:12], "--config", demo, "--json").json()["reconciliation_id"] == run_id
    assert run("report", "rec_gone", "--config", demo).status == 2


def test_reports_are_listed_with_their_count(run: Run, demo: str) -> None:
    run("run", "main", "--config", demo, "--exit-zero")
    listed = run("reports", "--config", demo, "--account", "main", "--json").json()
    assert listed["count"] == len(listed["reports"]) >= 1
    text = run("reports", "--config", demo).out
    assert text.splitlines()[0].split() == ["report", "of", "account", "verdict", "differ"]
    assert run("reports", "--config", demo, "--account", "other", "--json").json() == {"reports": [], "count": 0}


def test_a_list_that_was_cut_says_so(run: Run, demo: str) -> None:
    run("run", "--config", demo)
    assert "--limit shows more" in run("reports", "--config", demo, "--limit", "1").err


def test_only_what_was_asked_for_is_compared(run: Run, demo: str) -> None:
    outcome = run("run", "--config", demo, "--only", "positions", "--json")
    assert outcome.json()["positions_checked"] == 1
    assert outcome.json()["fills_checked"] == 0


def test_every_account_gives_a_list(run: Run, demo: str) -> None:
    outcome = run("run", "--all", "--config", demo, "--json")
    assert (outcome.status, outcome.json()["count"]) == (1, 1)


@pytest.mark.parametrize(
    "arguments,reason",
    [
        (["other"], "no account 'other'"),
        (["--mode", "hope"], "--mode"),
        (["--only", "coins"], "is no kind of record"),
        (["main", "--all"], "--all means every account"),
    ],
)
def test_a_run_that_makes_no_sense_is_refused(run: Run, demo: str, arguments: list[str], reason: str) -> None:
    outcome = run("run", "--config", demo, *arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert reason in outcome.err


def test_a_key_that_the_exchange_refuses_is_a_failure_and_still_a_report(run: Run, demo: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("no key of that exchange")
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(re.sub('api_key = ".*"', f'api_key = "file:{tmp_path / "key"}"', Path(demo).read_text()))
    outcome = run("run", "--config", str(wrong), "--json")
    assert outcome.status == 4
    assert outcome.json()["status"] == "failed"
    checks = run("preflight", "--config", str(wrong), "--json")
    assert (checks.status, checks.json()["ok"]) == (4, False)


def test_one_account_without_its_key_stops_none_of_the_others(run: Run, demo: str, tmp_path: Path) -> None:
    both = tmp_path / "both.toml"
    other = '\n[accounts.other]\napi_key = "env:NO_SUCH_KEY"\napi_secret = "env:NO_SUCH_SECRET"\n'
    both.write_text(Path(demo).read_text() + other)
    outcome = run("run", "--all", "--config", str(both), "--json")
    assert (outcome.status, outcome.json()["count"]) == (2, 1)
    assert "accounts.other.api_key" in outcome.err


def test_several_accounts_need_a_name(run: Run, demo: str, tmp_path: Path) -> None:
    both = tmp_path / "both.toml"
    both.write_text(Path(demo).read_text() + '\n[accounts.other]\napi_key = "env:A"\napi_secret = "env:B"\n')
    outcome = run("run", "--config", str(both))
    assert (outcome.status, outcome.out) == (2, "")
    assert "name one: main, other" in outcome.err


def test_preflight_looks_at_everything_that_a_run_needs(run: Run, demo: str) -> None:
    outcome = run("preflight", "--config", demo, "--json")
    assert (outcome.status, outcome.json()["ok"]) == (0, True)
    checks = {check["name"]: check["outcome"] for check in outcome.json()["accounts"]["main"]}
    assert {"state folder", "database", "book"} <= checks.keys()
    assert len(checks) > 5


def test_preflight_looks_at_the_stream_where_it_is_listened_to(run: Run, demo: str, tmp_path: Path) -> None:
    streaming = tmp_path / "streaming.toml"
    streaming.write_text(Path(demo).read_text().replace("[accounts.main]\n", "[accounts.main]\nstream = true\n"))
    outcome = run("preflight", "--config", str(streaming), "--json")
    checks = {check["name"]: check["outcome"] for check in outcome.json()["accounts"]["main"]}
    assert (outcome.status, checks["stream"]) == (0, "ok")
    streaming.write_text(
        streaming.read_text().replace("stream = true", 'stream = true\nstream_url = "ws://elsewhere/v2"')
    )
    outcome = run("preflight", "--config", str(streaming))
    assert outcome.status == 2
    assert "only wss, or ws on this machine" in outcome.err


def test_preflight_reads_well(run: Run, demo: str) -> None:
    lines = run("preflight", "main", "--config", demo).out.splitlines()
    assert lines[0] == "main"
    assert all(line.startswith(("  ok ", "  warning ")) for line in lines[1:])


@pytest.mark.parametrize("arguments", [["--days", "0"], ["--limit", "0"], ["--days", "many"]])
def test_a_list_of_nothing_cannot_be_asked_for(run: Run, demo: str, arguments: list[str]) -> None:
    assert run("reports", "--config", demo, *arguments).status == 2


def test_no_account_is_told_with_the_way_out(run: Run) -> None:
    for command in ("run", "preflight", "book show"):
        outcome = run(*command.split())
        assert (outcome.status, outcome.out) == (2, "")
        assert "`gal-friday init` writes a configuration" in outcome.err


def repairs_of(run: Run, config: str, mode: str) -> tuple[int, int, int, int]:
    """Run in this mode; return how much differed, was posted, is proposed, and how many adjustments are kept."""
    told = run("run", "--config", config, "--mode", mode, "--json").json()
    kept = run("adjustments", "--config", config, "--json").json()["count"]
    return told["total_discrepancies"], len(told["auto_corrections"]), len(told["proposals"]), kept


def test_observing_decides_nothing_and_posts_nothing(run: Run, fresh: str) -> None:
    assert repairs_of(run, fresh, "observe") == (26, 0, 0, 0)
    decisions = run("report", "--config", fresh, "--json").json()["decisions"]
    assert {each["decision"]["choice"] for each in decisions} == {"wait"}


def test_proposing_keeps_what_a_person_may_approve_and_enforcing_posts_once(run: Run, fresh: str) -> None:
    assert repairs_of(run, fresh, "propose")[:2] == (26, 0)
    proposed = run("adjustments", "--config", fresh, "--state", "proposed", "--json").json()
    assert proposed["count"] == 9
    assert {each["proposed_by"] for each in proposed["adjustments"]} == {"policy"}
    looked_at = next(each for each in proposed["adjustments"] if each["cause"] == "missed_fill")
    assert run("review", "comment", looked_at["discrepancies"][0], "--note", "mine", "--config", fresh).status == 0
    assert run("run", "--config", fresh, "--mode", "enforce").status == 1
    # What a person has looked at stays with that person; so does what policy may never post.
    left = run("adjustments", "--config", fresh, "--state", "proposed", "--json").json()["adjustments"]
    assert {each["cause"] for each in left} == {"missed_fill", "foreign_order"}
    posted = run("adjustments", "--config", fresh, "--state", "applied", "--json").json()
    assert posted["count"] == 7


def test_enforcing_posts_what_the_policy_allows_and_the_second_run_agrees(run: Run, fresh: str) -> None:
    differed, posted, proposed, kept = repairs_of(run, fresh, "enforce")
    assert (differed, posted > 0, proposed, kept) == (26, True, 1, 9)
    assert repairs_of(run, fresh, "enforce")[:3] == (2, 0, 1)
    states = [each["state"] for each in run("adjustments", "--config", fresh, "--json").json()["adjustments"]]
    assert sorted(states) == ["proposed", *["verified"] * 8]
