"""``review``: people decide on the command line, over runs that see what a test says."""

import asyncio
import getpass
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.desk import desk_of
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import load
from gal_friday.domain.following import Run as Observation
from gal_friday.domain.following import carry_forward
from gal_friday.domain.policy import Policy
from gal_friday.domain.report import ReconciliationReport
from gal_friday.flows.review import follow_up
from tests.cli.conftest import Run
from tests.cli.samples import missed_fill, report

CONFIGURATION = """
[database]
url = "sqlite+aiosqlite:///review.db"

[accounts.main]
api_key = "env:KRAKEN_API_KEY"
api_secret = "env:KRAKEN_API_SECRET"
"""
ACCEPT = ("--reason", "known_difference", "--note", "an airdrop", "--until", "3d")


@pytest.fixture(autouse=True)
def _configured() -> None:
    Path("gal-friday.toml").write_text(CONFIGURATION)


def ran(made: ReconciliationReport, *, seconds: int = 0) -> None:
    """Record a run that saw this report so long from now, and carry the reviews on."""
    now = system_clock().now() + timedelta(seconds=seconds)

    async def recorded() -> None:
        async with ReconciliationService(load(None)) as service:
            store = service.opened.store
            known = await store.discrepancies(cleared=True)
            run = Observation(account="main", exchange="kraken", now=now)
            carried = carry_forward(known, made.findings, made.discrepancies, run=run, policy=Policy())
            name = f"rec_{now:%H%M%S%f}"
            await store.save_report(replace(made, reconciliation_id=name, timestamp=now), carried)
            await follow_up(desk_of(service.opened), "main")

    asyncio.run(recorded())


@pytest.fixture
def xrp(run: Run) -> str:
    """Return the id of a balance that differs, after a run that saw it."""
    ran(report(*missed_fill(), XRP="0.61"))
    found = run("discrepancies", "--json").json()["discrepancies"]
    (one,) = (one for one in found if one["latest"]["key"] == "balances:XRP:spot")
    return str(one["id"])


def refused(run: Run, *arguments: str) -> str:
    outcome = run("review", *arguments)
    assert (outcome.status, outcome.out) == (2, "")
    return outcome.err


def test_what_was_accepted_is_shown_with_who_and_until_when_and_waits_no_longer(run: Run, xrp: str) -> None:
    waiting = run("review", "queue", "--json").json()
    assert xrp in [each["discrepancy_id"] for each in waiting["queue"]]
    done = run("review", "accept", xrp[:12], *ACCEPT, "--as", "alice", "--json")
    assert done.status == 0
    (change,) = done.json()["changes"]
    assert (change["actor"], change["before"], change["after"]) == (
        {"name": "alice", "known_by": "self-declared"},
        "open",
        "accepted",
    )
    assert change["evidence"]["difference"] == "40"
    after = run("review", "queue", "--json").json()
    assert after["count"] == waiting["count"] - 1
    page = run("discrepancy", xrp).out
    assert "Review       accepted by alice until " in page
    assert ": known difference: an airdrop" in page
    assert "alice (self-declared)  accepted until " in page
    assert "State        suspected" in page
    listed = run("discrepancies").out
    assert "accepted" in listed


def test_a_decision_is_not_agreement_and_a_run_that_sees_another_difference_undoes_it(run: Run, xrp: str) -> None:  # I7
    run("review", "accept", xrp, *ACCEPT)
    ran(report(*missed_fill(), XRP="0.61"), seconds=100)
    seen = run("discrepancy", xrp, "--json").json()
    assert (seen["state"], seen["review"]["state"]) == ("confirmed", "accepted")
    internal, exchange = missed_fill()
    exchange["balances"][1]["total"] = "141"
    ran(report(internal, exchange, XRP="0.61"), seconds=200)
    seen = run("discrepancy", xrp, "--json").json()
    assert (seen["review"]["state"], seen["review_changes"][-1]["note"]) == (
        "open",
        "the difference is 41 now, and was 40",
    )
    exchange["balances"][1]["total"] = "100"
    ran(report(internal, exchange, XRP="0.61"), seconds=300)
    seen = run("discrepancy", xrp, "--json").json()
    assert (seen["state"], seen["review"]["state"]) == ("cleared", "closed")
    assert "it is closed; possible is " in refused(run, "accept", xrp, *ACCEPT)


def test_assigning_commenting_snoozing_disputing_and_reopening(run: Run, xrp: str) -> None:
    me = getpass.getuser()
    for arguments, told in (
        (("assign", xrp), f"{xrp}: assigned to {me}\n"),
        (("assign", xrp, "bob"), f"{xrp}: assigned to bob\n"),
        (("assign", xrp, "--nobody"), f"{xrp}: assigned to nobody\n"),
        (("comment", xrp, "--note", "asked them"), f"{xrp}: commented: asked them\n"),
        (("dispute", xrp, "--reason", "exchange-wrong"), f"{xrp}: disputed (open → disputed), exchange wrong\n"),
        (("reopen", xrp, "--note", "they did it"), f"{xrp}: reopened (disputed → open): they did it\n"),
    ):
        outcome = run("review", *arguments)
        assert (outcome.status, outcome.out) == (0, told)
    outcome = run("review", "snooze", xrp, "--until", "2h")
    assert (outcome.status, "snoozed until " in outcome.out) == (0, True)
    changes = run("discrepancy", xrp, "--json").json()["review_changes"]
    assert [change["number"] for change in changes] == list(range(1, 8))


@pytest.mark.parametrize(
    "said, why",
    [
        (("accept", "ID", "--note", "n", "--until", "3d"), "give a `reason`, one of known_difference"),
        (("accept", "ID", "--reason", "timing", "--until", "3d"), "write a `note` that is not empty"),
        (("accept", "ID", "--reason", "timing", "--note", " ", "--until", "3d"), "write a `note` that is not empty"),
        (("accept", "ID", "--reason", "timing", "--note", "n"), "name an end, `until`, such as 2026-12-01T00:00Z"),
        (("accept", "ID", "--reason", "because", "--note", "n", "--until", "3d"), "'because' is none; known are"),
        (("dispute", "ID", "--reason", "other"), "write a `note` that is not empty"),
        (("snooze", "ID", "--until", "2020-01-01T00:00Z"), "is past; it is "),
        (("snooze", "ID", "--until", "0d"), "is past; it is "),
        (("snooze", "ID", "--until", "9999w"), "more than 366 days away"),
        (("snooze", "ID", "--until", "2027-01-01T00:00"), "has no zone; write an instant with its zone"),
        (("snooze", "ID", "--until", "soon"), "'soon' is no instant; write an instant"),
        (("comment", "ID", "--note", "red\x1b[31m"), "a character that cannot be seen (\\x1b, the 4. one)"),
        (("comment", "ID", "--note", "x" * 2001), "has 2001 characters and may have 2000"),
        (("comment", "ID", "--note", "n", "--as", ""), "the name is empty; say who"),
        (("comment", "ID", "--note", "n", "--as", "x" * 81), "one line of at most 80 characters"),
        (("assign", "ID", "bob", "--nobody"), "--nobody and 'bob' at once"),
        (("reopen", "ID"), "cannot reopen ID: it is open; possible is accept, approve, assign"),
        (
            ("comment", "dis_gone", "--note", "n"),
            "no discrepancy 'dis_gone'; `gal-friday discrepancies --all` lists them",
        ),
        (("comment", "dis_", "--note", "n"), "several discrepancies begin with dis_"),
        (("comment", "", "--note", "n"), "no discrepancy ''"),
        (("queue", "--limit", "0"), "--limit goes from 1"),
    ],
)
def test_what_cannot_be_is_wrong_usage_and_says_what_would_do(
    run: Run, xrp: str, said: tuple[str, ...], why: str
) -> None:
    error = refused(run, *(xrp if word == "ID" else word for word in said))
    assert why.replace("ID", xrp) in error
    assert run("discrepancy", xrp, "--json").json()["review_changes"] == []


def test_an_empty_queue_says_so(run: Run) -> None:
    outcome = run("review", "queue")
    assert (outcome.status, outcome.out) == (0, "")
    assert "nothing waits for a person" in outcome.err
    assert run("review", "queue", "--json").json() == {"queue": [], "count": 0, "proposals": []}


def test_the_queue_is_whole_at_every_width_and_says_when_it_was_cut(
    run: Run, xrp: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("review", "assign", xrp, "bob")
    for width in ("60", "300"):
        monkeypatch.setenv("COLUMNS", width)
        told = run("review", "queue").out
        assert all(word in told for word in (xrp, "bob", "XRP spot", "in 59 min"))
    outcome = run("review", "queue", "--limit", "1", "--json")
    assert (outcome.json()["count"], "--limit shows more" in outcome.err) == (1, True)
    assert run("review", "queue", "--account", "other", "--json").json()["count"] == 0


def test_every_decision_is_in_the_journal_and_the_journal_still_verifies(run: Run, xrp: str) -> None:  # I10
    run("review", "accept", xrp, *ACCEPT, "--as", "alice")
    run("review", "reopen", xrp, "--as", "bob")
    shown = run("journal", "show", "--subject", xrp, "--json").json()["entries"]
    told = [(entry["kind"], entry["actor"]["name"]) for entry in shown if entry["kind"].startswith("review_")]
    assert told == [("review_reopened", "bob"), ("review_accepted", "alice")]
    assert run("journal", "verify").status == 0
