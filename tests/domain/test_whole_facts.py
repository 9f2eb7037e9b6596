"""What the journal keeps of each thing that happens, whole: nobody can change it later, and somebody will ask."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from gal_friday.domain import access_facts, alert_facts
from gal_friday.domain.access import Accounts, Grant, Permission, Role
from gal_friday.domain.alert import Alert, AlertKind, Notice, Phase, What
from gal_friday.domain.alerting import Event, Moved
from gal_friday.domain.assets import Asset
from gal_friday.domain.credentials import Passkey, Session, Token, User
from gal_friday.domain.facts import Actor, Fact, FactKind
from gal_friday.domain.finding import DiscrepancyType
from gal_friday.domain.handover import handover_of
from gal_friday.domain.materiality import Severity
from gal_friday.domain.muting import Matcher, Silence
from gal_friday.domain.policy import Policy
from gal_friday.domain.policy_facts import limits_of, policy_changed
from gal_friday.domain.review import Action, Reason, ReviewState
from gal_friday.domain.review_facts import fact_of
from gal_friday.domain.reviewed import Evidence, ReviewChange
from gal_friday.domain.run_facts import facts_of_run
from tests.domain.build import T0
from tests.domain.test_observed import made
from tests.domain.test_run_facts import agreeing, carried, differing

LATER = T0 + timedelta(hours=1)
ALICE = Actor("alice", "session")
PROGRAM = Actor("gal-friday", "system")
SOME = Grant(
    role=Role.APPROVER, accounts=Accounts(("two", "one")), scopes=frozenset({Permission.READ, Permission.METRICS})
)
TOKEN = Token(id="t1", name="bot", owner="bob", grant=SOME, digest="d", created=T0, created_by="alice", expires=LATER)
BOB = User(name="bob", role=Role.REVIEWER, accounts=Accounts(None), password="secret", created=T0)
CHIEF = replace(BOB, role=Role.ADMIN, accounts=Accounts(("main",)))
PASSKEY = Passkey(id="0123456789abcdefXYZ", user="bob", name="phone", public_key=b"k", sign_count=1, added=T0)
SESSION = Session(digest="0123456789abcdef0123", user="bob", began=T0, seen=T0, proven=T0)
OF_SOME = {"role": "approver", "accounts": ["two", "one"], "scopes": ["metrics", "read"]}
OF_BOB = {"role": "reviewer", "accounts": "all", "scopes": "all"}
OF_CHIEF = {"role": "admin", "accounts": ["main"], "scopes": "all"}


def fact(kind: str, at: datetime, subject: str, actor: Actor, body: dict[str, Any] | None = None) -> Fact:
    return Fact(kind=kind, at=at, account="", subject=subject, actor=actor, body=body or {})


def test_what_is_kept_of_who_may_do_what_says_who_may_what_and_no_secret() -> None:
    facts = access_facts
    of_token = {"name": "bot", "owner": "bob", **OF_SOME, "expires": LATER}
    how = {"how": "password", "address": "10.0.0.1"}
    assert facts.token_created(TOKEN, ALICE) == fact("token_created", T0, "t1", ALICE, of_token)
    assert facts.token_revoked("t1", LATER, ALICE) == fact("token_revoked", LATER, "t1", ALICE)
    assert facts.user_created(BOB, ALICE) == fact("user_created", T0, "bob", ALICE, OF_BOB)
    disabled = facts.user_changed(FactKind.USER_DISABLED, BOB, LATER, ALICE)
    assert disabled == fact("user_disabled", LATER, "bob", ALICE)
    raised = facts.role_changed(BOB, CHIEF, LATER, ALICE)
    assert raised == fact("role_changed", LATER, "bob", ALICE, {**OF_CHIEF, "before": OF_BOB})
    added = facts.passkey_changed(FactKind.PASSKEY_ADDED, PASSKEY, LATER, ALICE)
    assert added == fact("passkey_added", LATER, "bob", ALICE, {"name": "phone", "passkey": "0123456789abcdef"})
    by = Actor("bob", "session")
    signed_in = facts.session_fact(FactKind.SIGNED_IN, SESSION, LATER, **how)
    assert signed_in == fact("signed_in", LATER, SESSION.name, by, how)
    assert facts.session_fact(FactKind.SIGNED_OUT, SESSION, LATER) == fact("signed_out", LATER, SESSION.name, by)
    refused = facts.sign_in_refused("bob", LATER, **how, throttled=True)
    assert refused == fact("sign_in_refused", LATER, "bob", PROGRAM, {**how, "throttled": True})


ALERT = Alert(
    id="al1",
    kind=AlertKind.BREAKER_TRIPPED,
    account="main",
    exchange="kraken",
    phase=Phase.FIRING,
    episode=2,
    severity=Severity.HIGH,
    title="too many",
    lines=(),
    path="/x",
    since=T0,
    newest=None,
    magnitude=3,
    began=T0,
)
NOTICE = Notice(
    alert_id="al1",
    episode=2,
    number=1,
    what=What.FIRING,
    at=T0,
    kind=AlertKind.STALE,
    account="main",
    exchange="kraken",
    severity=Severity.HIGH,
    title="too many",
    lines=(),
    path="/x",
    since=T0,
    magnitude=3,
)
TOLD = {"alert": "breaker_tripped", "episode": 2, "severity": "high", "title": "too many", "magnitude": 3}


def of_alert(kind: str, subject: str, body: dict[str, Any], actor: Actor = PROGRAM) -> Fact:
    return Fact(kind=kind, at=LATER, account="main", subject=subject, actor=actor, body=body)


@pytest.mark.parametrize(
    "what, kind",
    [
        (What.FIRING, "alert_raised"),
        (What.GREW, "alert_changed"),
        (What.RENEWED, "alert_changed"),
        (What.REPEATED, "alert_changed"),
        (What.ESCALATED, "alert_escalated"),
        (What.ACKNOWLEDGED, "alert_acknowledged"),
        (What.RESOLVED, "alert_resolved"),
    ],
)
def test_what_is_kept_of_a_notice_says_who_was_to_be_told_and_who_took_it_on(what: What, kind: str) -> None:
    alert = replace(ALERT, acknowledged_by=ALICE)
    (kept,) = alert_facts.facts_of_move(Moved(alert, replace(NOTICE, what=what)), LATER, ["mail", "chat"])
    actor = ALICE if what is What.ACKNOWLEDGED else PROGRAM
    assert kept == of_alert(kind, "al1", {**TOLD, "what": what.value, "to": ["chat", "mail"]}, actor)


def test_what_nobody_was_told_of_is_kept_only_where_it_was_muted_or_had_fired() -> None:
    plain = replace(ALERT, kind=AlertKind.STALE)
    told = {**TOLD, "alert": "stale"}

    def kept(alert: Alert, *events: Event) -> list[Fact]:
        return list(alert_facts.facts_of_move(Moved(alert, None, events), LATER, []))

    muted = of_alert("alert_raised", "al1", {**told, "muted": "s1", "to": []})
    assert kept(replace(plain, muted="s1"), Event.WAITED) == [muted]
    assert kept(replace(plain, raised=True), Event.CLEARED) == [of_alert("alert_resolved", "al1", {**told, "to": []})]
    assert kept(plain, Event.WAITED) == kept(plain, Event.CLEARED) == kept(replace(plain, muted="s1")) == []
    assert kept(ALERT, Event.WAITED) == [of_alert("breaker_tripped", "main", {"why": "too many"})]
    assert kept(ALERT, Event.SEEN, Event.CLEARED) == [of_alert("breaker_reset", "main", {"why": "too many"})]


def test_what_is_kept_of_a_delivery_and_of_a_silence() -> None:
    body = {"channel": "mail", "key": NOTICE.key, "what": "firing", "attempts": 4}
    assert alert_facts.sent(NOTICE, "mail", LATER, 4) == of_alert("alert_sent", "al1", body)
    failed = alert_facts.given_up(NOTICE, "mail", LATER, 4, "refused")
    assert failed == of_alert("alert_undelivered", "al1", {**body, "reason": "refused"})
    matchers = (Matcher("kind", "stale"), Matcher("account", "main"))
    silence = Silence(id="s1", matchers=matchers, begins=T0, ends=LATER, by=ALICE, why="maintenance")
    begun = {"matchers": ["kind=stale", "account=main"], "until": LATER, "why": "maintenance"}
    assert alert_facts.silenced(silence) == fact("silence_begun", T0, "s1", ALICE, begun)
    assert alert_facts.unsilenced(silence, ALICE, LATER) == fact("silence_ended", LATER, "s1", ALICE)


SEEN = Evidence(
    type=DiscrepancyType.BALANCE_MISMATCH,
    severity=Severity.LOW,
    internal="1",
    exchange=None,
    difference=Decimal("0.5"),
    value=None,
    opened_at=T0,
    seen_at=LATER,
    cause="reward",
    digest="ab",
)
CHANGE = ReviewChange(
    discrepancy_id="dis_1",
    account="main",
    number=4,
    at=LATER,
    actor=ALICE,
    action=Action.ACCEPT,
    before=ReviewState.OPEN,
    after=ReviewState.ACCEPTED,
)


def test_what_is_kept_of_a_decision_holds_what_the_person_looked_at() -> None:
    bare = {"change": 4, "action": "accept", "from": "open", "to": "accepted", "note": ""}
    assert fact_of(CHANGE) == of_alert("review_accepted", "dis_1", bare, ALICE)
    more = replace(CHANGE, reason=Reason.TIMING, until=T0, assignee="bob", adjustment_id="adj_1", evidence=SEEN)
    looked_at = {
        "type": "balance_mismatch",
        "severity": "low",
        "internal": "1",
        "difference": Decimal("0.5"),
        "opened_at": T0,
        "seen_at": LATER,
        "cause": "reward",
        "digest": "ab",
    }
    told = {"reason": "timing", "until": T0, "assignee": "bob", "adjustment": "adj_1", "evidence": looked_at}
    assert fact_of(replace(more, note="why")).body == {**bare, "note": "why", **told}


@pytest.mark.parametrize(
    "kind, actions",
    [
        ("review_assigned", [Action.ASSIGN]),
        ("review_commented", [Action.COMMENT]),
        ("review_proposed", [Action.PROPOSE]),
        ("review_approved", [Action.APPROVE]),
        ("review_rejected", [Action.REJECT]),
        ("review_accepted", [Action.ACCEPT]),
        ("review_disputed", [Action.DISPUTE]),
        ("review_snoozed", [Action.SNOOZE]),
        ("review_reopened", [Action.REOPEN, Action.RETURNED, Action.LAPSED, Action.CHANGED]),
        ("review_undone", [Action.UNDO]),
        ("review_closed", [Action.AGREED]),
    ],
)
def test_every_step_of_a_review_has_its_word_in_the_journal(kind: str, actions: list[Action]) -> None:
    assert [fact_of(replace(CHANGE, action=one)).kind for one in actions] == [kind] * len(actions)


def test_what_is_kept_of_limits_are_all_of_them_as_a_configuration_says_them() -> None:
    policy = Policy(tolerance=Decimal("0.0001"), tolerances={Asset("ETH"): Decimal("0.5"), Asset("BTC"): Decimal(0)})
    limits = limits_of(policy)
    assert list(limits) == list(Policy.__struct_fields__)
    assert [limits[name] for name in ("tolerance", "tolerances", "four_eyes")] == [
        "0.0001",
        "BTC = 0, ETH = 0.5",
        "true",
    ]
    assert limits_of(Policy())["tolerances"] == "{}"
    changed = Fact(
        kind="policy_changed",
        at=LATER,
        account="",
        subject=policy.version,
        actor=PROGRAM,
        body={"before": "v1", "limits": limits},
    )
    assert policy_changed(policy, "v1", LATER) == changed


def test_what_is_kept_of_a_run_in_which_all_agrees() -> None:
    report = agreeing()
    begun, ours, theirs, ended = facts_of_run(report, carried(report), b"{}")
    whole: dict[str, Any] = {"account": report.account, "subject": report.reconciliation_id}
    at = min(report.cut.internal, report.cut.exchange)
    assert begun == Fact(kind="run_started", at=at, **whole, body={"exchange": report.exchange, "mode": "observe"})
    read = {"source": "book.json", "digest": "aa", "pages": 1, "rows": 0}
    body: dict[str, Any] = {"side": "internal", "version": "7", "evidence": [read]}
    assert ours == Fact(kind="snapshot_taken", at=report.cut.internal, **whole, body=body)
    read = {"source": "kraken/Balance", "digest": "bb", "pages": 2, "rows": 3}
    body = {"side": "exchange", "version": None, "evidence": [read]}
    assert theirs == Fact(kind="snapshot_taken", at=report.cut.exchange, **whole, body=body)
    told = {
        "status": "success",
        "verdict": "reconciled",
        "discrepancies": 0,
        "auto_corrections": 0,
        "not_checked": [],
        "errors": [],
        "report_sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        "positions_checked": 0,
        "balances_checked": 1,
        "orders_checked": 0,
        "fills_checked": 0,
        "movements_checked": 0,
    }
    assert ended == Fact(kind="run_finished", at=report.timestamp, **whole, body=told)


def test_what_is_kept_of_a_discrepancy_says_what_both_sides_held_and_why() -> None:
    report = differing()
    facts = [one for one in facts_of_run(report, carried(report), b"") if one.kind.startswith("discrepancy_")]
    run = report.reconciliation_id
    (one,) = [found for found in report.discrepancies if found.key.startswith("balances:")]
    opened, explained = [each for each in facts if each.subject == one.id]
    whole: dict[str, Any] = {"account": report.account, "subject": one.id, "actor": PROGRAM}
    body = {
        "run": run, "change": 1, "state": "suspected", "note": "book 1, exchange 1.5", "key": "balances:BTC:spot",
        "type": "balance_mismatch", "severity": "critical",
        "internal": Decimal(1), "exchange": Decimal("1.5"), "difference": Decimal("0.5"),
    }  # fmt: skip
    assert opened == Fact(kind="discrepancy_opened", at=T0, **whole, body=body)
    told = {
        "cause": "unbooked_deposit", "explanation": "deposit L1 of 0.5 BTC was not booked",
        "items": [{"cause": "unbooked_deposit", "effect": Decimal("0.5"), "records": ["L1"]}],
        "residual": Decimal(0), "proven": True, "run": run,
    }  # fmt: skip
    assert explained == Fact(kind="discrepancy_explained", at=T0, **whole, body=told)


def test_what_is_handed_over_to_a_book_is_the_whole_adjustment_under_its_names() -> None:
    adjustment = made()
    handed = handover_of(adjustment, token=7)
    told = msgspec.json.decode(handed.body)
    assert (handed.adjustment_id, handed.account, handed.content, handed.token) == (
        adjustment.adjustment_id, adjustment.account, adjustment.content, 7,
    )  # fmt: skip
    assert list(told) == [
        "format", "adjustment_id", "account", "exchange", "type", "cause", "reason", "content", "postings", "effects",
        "record_ids", "reverses", "expected_version", "computed_at", "token",
    ]  # fmt: skip
    assert {name: told[name] for name in ("format", "type", "expected_version", "token", "reverses")} == {
        "format": "gal-friday/handover/1",
        "type": adjustment.type.value,
        "expected_version": adjustment.book_version,
        "token": 7,
        "reverses": adjustment.reverses,
    }
