"""``review`` of repairs on the command line, on a book in a database: approved by another, posted, taken back."""

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import load
from gal_friday.domain.adjusted import By
from gal_friday.domain.adjustment import AdjustmentState, Effect, PostMovement
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.following import carry_forward
from gal_friday.domain.policy import Policy
from gal_friday.domain.recall import run_of
from gal_friday.domain.records import Balance, Movement
from gal_friday.domain.repair import candidates_of
from gal_friday.domain.report import compare
from gal_friday.domain.snapshot import Coverage, Coverages, Scales, Side, Snapshot
from tests.cli.conftest import Run
from tests.cli.test_review import CONFIGURATION
from tests.contracts.adjusting import adjustment as made_of

WHOLE = Coverages(balances=Coverage.TOTAL, positions=Coverage.TOTAL)


def side(name: Side, total: str, at: datetime) -> Snapshot:
    xrp = Balance(Asset("XRP"), Wallet.SPOT, Decimal(total))
    return Snapshot(side=name, account="main", exchange="kraken", as_of=at, coverage=WHOLE, balances=(xrp,))


@pytest.fixture
def proposed() -> tuple[str, str]:
    """Return the ids of a discrepancy of 5 XRP and of its repair, which a run kept in the name of alice."""
    Path("gal-friday.toml").write_text(CONFIGURATION)
    now = system_clock().now()

    async def made() -> tuple[str, str]:
        async with ReconciliationService(load(None)) as service:
            opened = service.opened
            await opened.book.open_with(side("internal", "100", now - timedelta(minutes=1)))
            held = await opened.book.snapshot(account="main", since=now, scales=Scales())
            held = replace(held, coverage=WHOLE, fills=(), movements=(), orders=())
            real = side("exchange", "105", now)
            report = compare(held, real)
            run = run_of(report, since=now)
            carried = carry_forward([], report.findings, report.discrepancies, run=run, policy=Policy())
            await opened.store.save_report(report, carried)
            (candidate,) = candidates_of(report, held, real, {one.id: one for one in carried.open})
            assert candidate.adjustment is not None
            (kept,) = await opened.adjustments.keep(
                [candidate.adjustment], state=AdjustmentState.PROPOSED, by=By("alice"), four_eyes=True
            )
            return carried.opened[0].id, kept.id

    return asyncio.run(made())


def total(run: Run) -> str:
    (balance,) = run("book", "show", "--json").json()["balances"]
    return str(balance["total"])


def test_a_repair_is_approved_by_another_posted_and_taken_back(run: Run, proposed: tuple[str, str]) -> None:
    discrepancy, adjustment = proposed
    same = run("review", "approve", adjustment, "--as", "alice")
    assert (same.status, same.out, "somebody else has to" in same.err) == (2, "", True)
    done = run("review", "approve", discrepancy[:12], "--as", "bob", "--note", "seen", "--json")
    assert done.status == 0
    told = done.json()
    assert (told["adjustment_id"], told["state"], told["decided_by"]) == (adjustment, "applied", "bob")
    assert total(run) == "105"
    assert "bob (self-declared)  approved " in run("discrepancy", discrepancy).out
    again = run("review", "approve", adjustment, "--as", "bob")
    assert (again.status, "is in the book already" in again.err) == (2, True)
    back = run("review", "undo", adjustment, "--as", "bob", "--note", "no gift", "--json").json()
    assert (back["state"], back["reverses"]) == ("proposed", adjustment)
    assert run("review", "approve", back["adjustment_id"], "--as", "bob").status == 2
    undone = run("review", "approve", back["adjustment_id"], "--as", "alice")
    assert (undone.status, "gal-friday run main" in undone.out) == (0, True)
    assert total(run) == "100"
    assert run("journal", "verify").status == 0


def test_the_queue_and_the_page_show_what_is_proposed_and_how_to_approve_it(
    run: Run, proposed: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    discrepancy, adjustment = proposed
    monkeypatch.setenv("COLUMNS", "80")
    config = ("--config", "gal-friday.toml")
    shown = [
        "Proposed: 1",
        f"  {adjustment}  balance: 5 XRP spot: no record explains it",
        "      balances:XRP:spot  100  →  105  +5",
        "      no record stands behind it: it forces the amount, against suspense",
        "      proposed by alice; somebody else than alice has to approve it (four eyes)",
        f"      gal-friday review approve {adjustment} --config gal-friday.toml",
    ]
    assert run("review", "queue", *config).out.splitlines()[-6:] == shown
    page = run("discrepancy", discrepancy, *config).out.splitlines()
    place = page.index("Proposed: 1")
    assert page[place : place + 6] == shown
    after = page[page.index("What next") + 1 :]
    assert [line.partition("  (")[0] for line in after] == [
        "  gal-friday report --account main --config gal-friday.toml",
        "  gal-friday run main --config gal-friday.toml",
        f"  gal-friday review assign {discrepancy} --config gal-friday.toml",
    ]
    told = run("review", "queue", "--json").json()
    assert [one["proposed"] for one in told["queue"]] == [[adjustment]]
    assert [one["adjustment_id"] for one in told["proposals"]] == [adjustment]
    assert run("discrepancy", discrepancy, "--json").json()["adjustments"][0]["state"] == "proposed"


def test_what_comes_next_goes_by_the_configuration_that_was_named(run: Run, proposed: tuple[str, str]) -> None:
    _, adjustment = proposed
    config = ("--config", "gal-friday.toml")
    done = run("review", "approve", adjustment, "--as", "bob", *config)
    assert done.out.splitlines()[-1] == "  gal-friday run main --config gal-friday.toml"
    back = run("review", "undo", adjustment, "--as", "bob", *config)
    assert back.out.rstrip().endswith("--config gal-friday.toml")
    waits = run("review", "queue", *config).out
    assert "reversal" in waits
    assert "proposed by bob; somebody else than bob has to approve it" in waits
    gone = run("review", "approve", "adj_gone", *config)
    assert "gal-friday review queue --config gal-friday.toml lists what waits" in gone.err
    assert run("discrepancies", *config).status == 0


def test_approving_shows_what_a_plug_gives_way(run: Run, proposed: tuple[str, str]) -> None:
    _, adjustment = proposed
    run("review", "approve", adjustment, "--as", "bob")
    late = asyncio.run(evidence())
    done = run("review", "approve", late, "--as", "bob")
    assert done.out.splitlines()[1:3] == [
        "  balances:XRP:spot  105 → 107 (+2)",
        "  balances:XRP:spot  a plug stood for it and gave way: suspense 5 → 3 (-2)",
    ]
    assert total(run) == "105"


async def evidence() -> str:
    """Return the id of a proposal to book a deposit of 2 XRP of long ago, which the plug stood for."""
    async with ReconciliationService(load(None)) as service:
        at = system_clock().now()
        long_ago = at - timedelta(days=30)
        booked = PostMovement(Movement("LLATE", "deposit", Asset("XRP"), Wallet.SPOT, Decimal(2), long_ago))
        made = made_of(booked, effects={"balances:XRP:spot": "2"}, version="2", at=at)
        effects = (Effect("balances:XRP:spot", Decimal(105), Decimal(107)),)
        made = replace(made, effects=effects, discrepancies=())
        (kept,) = await service.opened.adjustments.keep([made], state=AdjustmentState.PROPOSED, by=By("alice"))
        return kept.id


def test_a_rejected_repair_is_not_posted(run: Run, proposed: tuple[str, str]) -> None:
    discrepancy, adjustment = proposed
    unsaid = run("review", "reject", adjustment, "--as", "bob")
    assert (unsaid.status, "give a `reason`, one of" in unsaid.err) == (2, True)
    done = run("review", "reject", adjustment, "--reason", "wrong_repair", "--as", "bob")
    assert (done.status, done.out.startswith(f"{adjustment}: rejected, balance")) == (0, True)
    assert total(run) == "100"
    assert "no adjustment of" in run("review", "approve", discrepancy, "--as", "bob").err


@pytest.mark.parametrize("command", ["approve", "reject", "undo"])
@pytest.mark.parametrize("named", ["adj_gone", "dis_gone", ""])
def test_what_nobody_knows_is_wrong_usage(run: Run, proposed: tuple[str, str], command: str, named: str) -> None:
    reason = ("--reason", "timing") if command == "reject" else ()
    outcome = run("review", command, named, *reason)
    assert (outcome.status, outcome.out) == (2, "")
    assert "gal-friday" in outcome.err


def test_what_is_proposed_already_leads_to_its_approval(run: Run, proposed: tuple[str, str]) -> None:
    outcome = run("review", "propose", proposed[0], "--as", "bob")
    assert (outcome.status, f"gal-friday review approve {proposed[1]}" in outcome.err) == (2, True)
