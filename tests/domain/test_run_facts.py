"""What a run leaves in the journal: every change of state, and everything that was not checked."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.explanation import Explanation
from gal_friday.domain.facts import Fact
from gal_friday.domain.followed import Followed
from gal_friday.domain.following import Carried, carry_forward
from gal_friday.domain.journal import entry_of
from gal_friday.domain.policy import Policy
from gal_friday.domain.recall import run_of
from gal_friday.domain.records import Kind
from gal_friday.domain.report import ReconciliationReport, compare
from gal_friday.domain.run_facts import change_kind, facts_of_run, report_digest
from gal_friday.domain.snapshot import Evidence, NotChecked
from tests.domain.build import at, balance, exchange, internal, movement

POLICY = Policy()


def agreeing() -> ReconciliationReport:
    ours = internal(balance("BTC", "1"), evidence=(Evidence("book.json", "aa"),), version="7")
    theirs = exchange(balance("BTC", "1"), evidence=(Evidence("kraken/Balance", "bb", 2, 3),))
    return compare(ours, theirs)


def differing(minutes: int = 0) -> ReconciliationReport:
    ours = internal(balance("BTC", "1"), as_of=at(minutes))
    row = movement("L1", "0.5", "BTC", kind="deposit", minute=-600)
    return compare(ours, exchange(balance("BTC", "1.5"), row, as_of=at(minutes)))


def carried(report: ReconciliationReport, known: tuple[Followed, ...] = ()) -> Carried:
    return carry_forward(
        known, report.findings, report.discrepancies, run=run_of(report, since=at(-1440)), policy=POLICY
    )


def test_a_run_in_which_everything_agrees_leaves_its_facts_too() -> None:
    report = agreeing()
    facts = facts_of_run(report, carried(report), b"{}")
    assert [fact.kind for fact in facts] == ["run_started", "snapshot_taken", "snapshot_taken", "run_finished"]
    assert {fact.subject for fact in facts} == {report.reconciliation_id}
    assert [(fact.body["side"], fact.body["version"]) for fact in facts[1:3]] == [("internal", "7"), ("exchange", None)]
    assert facts[2].body["evidence"] == [{"source": "kraken/Balance", "digest": "bb", "pages": 2, "rows": 3}]


def test_the_last_fact_ties_the_report_to_the_journal_and_says_what_was_not_checked() -> None:
    report = compare(internal(), exchange())
    body = facts_of_run(report, Carried(), report.to_json())[-1].body
    assert body["report_sha256"] == report_digest(report.to_json())
    assert (body["verdict"], body["balances_checked"]) == (report.verdict, report.balances_checked)
    assert [gap["reason"] for gap in body["not_checked"]] == [gap.reason for gap in report.not_checked]


def test_every_change_of_a_discrepancy_has_its_fact() -> None:  # I10
    first = differing()
    opened = carried(first)
    kinds = [fact.kind for fact in facts_of_run(first, opened, b"")]
    assert kinds.count("discrepancy_opened") == len(opened.opened) == len(first.discrepancies) > 0
    later = differing(minutes=10)
    again = carried(later, opened.open)
    assert again.confirmed
    kinds = [fact.kind for fact in facts_of_run(later, again, b"")]
    assert kinds.count("discrepancy_confirmed") == len(again.confirmed)
    changes = sum(len(again.changes_of(one)) for one in again.written)
    assert changes == sum(kind.startswith("discrepancy_") for kind in kinds) - kinds.count("discrepancy_explained")


def test_a_cause_that_was_found_is_a_fact_with_its_items() -> None:
    report = differing()
    facts = facts_of_run(report, carried(report), b"")
    (explained,) = [fact for fact in facts if fact.kind == "discrepancy_explained" and "items" in fact.body]
    assert explained.body["cause"] == "unbooked_deposit"
    assert [item["records"] for item in explained.body["items"]] == [["L1"]]


def test_every_fact_of_a_run_can_be_written() -> None:
    report = differing()
    for number, fact in enumerate(facts_of_run(report, carried(report), report.to_json()), 1):
        assert entry_of(number, fact).text


def test_a_run_is_told_with_its_gaps_and_from_when_it_began() -> None:
    gaps = (NotChecked(Kind.FILLS, "not read", "exchange"), NotChecked(Kind.SOURCES, "nothing there"))
    report = replace(agreeing(), not_checked=gaps, error_messages=("a", "b"), timestamp=at(-9))
    begun, ours, theirs, ended = facts_of_run(report, Carried(), b"")
    assert (begun.at, ours.at, theirs.at, ended.at) == (at(-9), report.cut.internal, report.cut.exchange, at(-9))
    assert ended.body["errors"] == ["a", "b"]
    assert ended.body["not_checked"] == [
        {"kind": "fills", "side": "exchange", "reason": "not read"},
        {"kind": "sources", "side": "", "reason": "nothing there"},
    ]
    early = replace(report, timestamp=at(9), cut=replace(report.cut, internal=at(-3), exchange=at(-2)))
    assert [one.at for one in facts_of_run(early, Carried(), b"")] == [at(-3), at(-3), at(-2), at(9)]
    early = replace(early, cut=replace(report.cut, internal=at(-3), exchange=at(-4)))
    assert facts_of_run(early, Carried(), b"")[0].at == at(-4)


def of_one(change: Any = None, **latest: Any) -> list[Fact]:
    """Return what is kept of the balance that was opened by a run, seen so by it."""
    report = differing()
    found = carried(report)
    (one,) = [each for each in found.opened if str(each.key) == "balances:BTC:spot"]
    one = replace(one, latest=replace(one.latest, **latest))
    facts = facts_of_run(report, replace(found, opened=(change(one) if change else one,)), b"")
    return [fact for fact in facts if fact.subject == one.id]


@pytest.mark.parametrize("cause", [None, "unexplained", "incomplete_source"])
def test_what_has_no_cause_is_opened_and_not_explained(cause: str | None) -> None:
    assert [fact.kind for fact in of_one(cause=cause)] == ["discrepancy_opened"]
    assert [fact.kind for fact in of_one()] == ["discrepancy_opened", "discrepancy_explained"]


def test_what_cleared_or_did_not_change_is_not_explained() -> None:
    gone = of_one(lambda one: replace(one, state="cleared"))
    assert [fact.kind for fact in gone] == ["discrepancy_opened"]
    same = of_one(lambda one: replace(one, history=tuple(replace(each, at=at(-5)) for each in one.history)))
    assert same == []


def test_an_explanation_names_twenty_records_of_each_item() -> None:
    names = tuple(f"L{number}" for number in range(21))
    bridge = of_one_bridge()
    (item,) = bridge.items
    told = of_one(bridge=replace(bridge, items=(replace(item, record_ids=names),)), explanation=None)[-1]
    assert told.body["items"] == [
        {"cause": "unbooked_deposit", "effect": Decimal("0.5"), "records": [f"L{number}" for number in range(20)]}
    ]
    assert "explanation" not in told.body
    bare = of_one(bridge=None)[-1]
    run = differing().reconciliation_id
    assert bare.body == {
        "cause": "unbooked_deposit",
        "explanation": "deposit L1 of 0.5 BTC was not booked",
        "run": run,
    }


def of_one_bridge() -> Explanation:
    (balance,) = differing().balance_discrepancies
    assert balance.bridge is not None
    return balance.bridge


def test_a_record_is_explained_by_its_cause_alone() -> None:
    report = differing()
    (one,) = [each for each in report.discrepancies if each.key.startswith("movements:")]
    facts = [fact for fact in facts_of_run(report, carried(report), b"") if fact.subject == one.id]
    assert [fact.kind for fact in facts] == ["discrepancy_opened", "discrepancy_explained"]
    assert facts[1].body == {
        "cause": one.cause,
        "explanation": one.explanation,
        "run": report.reconciliation_id,
    }


@pytest.mark.parametrize("what", ["opened", "confirmed", "changed", "cleared", "reopened"])
def test_every_change_of_a_discrepancy_has_its_kind(what: str) -> None:
    assert change_kind(what) == f"discrepancy_{what}"
