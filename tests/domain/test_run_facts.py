"""What a run leaves in the journal: every change of state, and everything that was not checked."""

from gal_friday.domain.followed import Followed
from gal_friday.domain.following import Carried, carry_forward
from gal_friday.domain.journal import entry_of
from gal_friday.domain.policy import Policy
from gal_friday.domain.recall import run_of
from gal_friday.domain.report import ReconciliationReport, compare
from gal_friday.domain.run_facts import facts_of_run, report_digest
from gal_friday.domain.snapshot import Evidence
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
