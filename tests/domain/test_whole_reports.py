"""A report whole: what is carried over, counted, listed, graded and asked of a person; and its summary."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.assets import Asset
from gal_friday.domain.cause import Cause
from gal_friday.domain.cut import Cut
from gal_friday.domain.discrepancy import BalanceDiscrepancy, PositionDiscrepancy, RecordDiscrepancy
from gal_friday.domain.explanation import Divergence, Explanation, Item
from gal_friday.domain.finding import DiscrepancyType
from gal_friday.domain.ids import discrepancy_id, run_id
from gal_friday.domain.materiality import Severity
from gal_friday.domain.policy import Mode, Policy
from gal_friday.domain.records import RECORD_KINDS, Kind
from gal_friday.domain.report import ReconciliationReport, ReviewItem, compare
from gal_friday.domain.root import RootCause
from gal_friday.domain.snapshot import Coverage, Evidence, NotChecked
from gal_friday.domain.summary import assets_in, summary_of
from gal_friday.domain.verdict import ReconciliationStatus, Verdict
from tests.domain.build import D, at, balance, covering, exchange, fill, internal, movement, order, position

Type = DiscrepancyType

OURS = internal(
    balance("BTC", "1"),
    balance("ETH", "2"),
    position("100"),
    order("O1"),
    as_of=at(1),
    version="7",
    notes=("a",),
    evidence=(Evidence("book", "aa"),),
)
THEIRS = exchange(
    balance("BTC", "1.50"),
    balance("ETH", "2"),
    movement("L1", "0.50", "BTC", kind="deposit"),
    position("90"),
    order("O1", "canceled"),
    order("O2", instrument="?X"),
    fill("T1", order_id="O3"),
    version="L9",
    notes=("b",),
    evidence=(Evidence("kraken", "bb"),),
)
PRICES = {Asset("XRP"): D("0.5"), Asset("BTC"): D("60000")}
ONLY = [kind for kind in RECORD_KINDS if kind != "fills"]
REPORT = compare(OURS, THEIRS, prices=PRICES, only=ONLY)

NOT_BOOKED = "deposit L1 of 0.5 BTC was not booked"
CANCELED = "the order is canceled at the exchange, and the book still has it open"
STRANGE = "order O2 (buy 100 ?X, open) was not placed by this system"


def named(*place: str) -> str:
    return discrepancy_id("main", "kraken", *place)


POSITION = PositionDiscrepancy(
    id=named("positions", "XRP/USD", "net", "quantity_mismatch", "quantity", ""),
    key="positions:XRP/USD:net",
    trading_pair="XRP/USD",
    mode="net",
    type=Type.QUANTITY_MISMATCH,
    internal=D("100"),
    exchange=D("90"),
    difference=D("-10"),
    severity=Severity.CRITICAL,  # a tenth of it
    value=D("5"),
    cause="unexplained",
    explanation="-10 XRP/USD unexplained",
    bridge=Explanation(D("100"), D("90"), (), D("-10"), Cause.UNEXPLAINED, proven=False),
)
BALANCE = BalanceDiscrepancy(
    id=named("balances", "BTC", "spot", "balance_mismatch", "total", ""),
    key="balances:BTC:spot",
    currency="BTC",
    wallet="spot",
    type=Type.BALANCE_MISMATCH,
    internal=D("1"),
    exchange=D("1.50"),
    difference=D("0.50"),
    severity=Severity.CRITICAL,
    value=D("30000"),
    cause="unbooked_deposit",
    explanation=NOT_BOOKED,
    bridge=Explanation(
        D("1"),
        D("1.50"),
        (Item(Cause.UNBOOKED_DEPOSIT, D("0.50"), ("L1",), "L1", "records", NOT_BOOKED),),
        D("0"),
        Cause.UNEXPLAINED,
        proven=True,
        divergence=Divergence("the beginning", "2026-01-31T11:30:00.000Z deposit L1", D("0.50"), at(-30)),
    ),
)
STATUS = RecordDiscrepancy(
    id=named("orders", "O1", "", "order_state_mismatch", "status", ""),
    key="orders:O1",
    record_id="O1",
    about="XRP/USD",
    type=Type.ORDER_STATE_MISMATCH,
    field="status",
    internal="open",
    exchange="canceled",
    severity=Severity.LOW,
    value=D("0"),
    cause="missed_cancel",
    explanation=CANCELED,
    age_seconds=1860,  # of half an hour before noon, told at a minute past it
)
STRANGER = RecordDiscrepancy(
    id=named("orders", "O2", "", "unresolved_name", "quantity", ""),
    key="orders:O2",
    record_id="O2",
    about="?X",
    type=Type.UNRESOLVED_NAME,
    field="quantity",
    exchange="100",
    difference=D("100"),
    severity=Severity.MEDIUM,
    cause="foreign_order",
    explanation=STRANGE,
    age_seconds=3660,
)
MOVED = RecordDiscrepancy(
    id=named("movements", "L1", "", "movement_missing_internal", "quantity", ""),
    key="movements:L1",
    record_id="L1",
    about="BTC",
    type=Type.MOVEMENT_MISSING_INTERNAL,
    field="quantity",
    exchange="0.50",
    difference=D("0.50"),
    severity=Severity.CRITICAL,
    value=D("30000"),
    cause="unbooked_deposit",
    explanation=NOT_BOOKED,
    age_seconds=1860,
)


def test_a_report_says_everything_that_was_found_and_nothing_else() -> None:
    assert ReconciliationReport(
        reconciliation_id=REPORT.reconciliation_id,
        timestamp=at(1),
        status=ReconciliationStatus.PARTIAL,
        verdict=Verdict.DISCREPANCIES,
        account="main",
        exchange="kraken",
        mode=Mode.OBSERVE,
        cut=Cut(at(1), at(0)),
        positions_checked=1,
        position_discrepancies=(POSITION,),
        balances_checked=2,
        balance_discrepancies=(BALANCE,),
        orders_checked=2,
        order_discrepancies=(STATUS, STRANGER),
        untracked_orders=("O2",),
        fills_checked=0,
        movements_checked=1,
        movement_discrepancies=(MOVED,),
        manual_review_required=REPORT.manual_review_required,
        total_discrepancies=5,
        root_causes=(
            RootCause(Cause.UNBOOKED_DEPOSIT, "L1", NOT_BOOKED, ("L1",), ("balances:BTC:spot", "movements:L1"),
                      D("30000")),
            RootCause(Cause.UNEXPLAINED, "positions:XRP/USD:net", "-10 XRP/USD net: no record explains it", (),
                      ("positions:XRP/USD:net",), D("5")),
            RootCause(Cause.MISSED_CANCEL, "O1", CANCELED, (), ("orders:O1",), D("0")),
            RootCause(Cause.FOREIGN_ORDER, "O2", STRANGE, (), ("orders:O2",), None),
        ),
        explained_share=D("0.9998"),  # 30,000 of 30,005
        not_checked=(NotChecked(Kind.FILLS, "left out of this run on request"),),
        valued_in="USD",
        prices={"BTC": D("60000"), "XRP": D("0.5")},
        notes=("a", "b"),
        internal_version="7",
        exchange_version="L9",
        evidence=(Evidence("book", "aa", side="internal"), Evidence("kraken", "bb", side="exchange")),
        findings=REPORT.findings,
    ) == REPORT  # fmt: skip
    assert list(REPORT.prices) == ["BTC", "XRP"]
    assert [str(finding.key) for finding in REPORT.findings] == [
        *("balances:BTC:spot", "balances:ETH:spot", "movements:L1"),
        *("orders:O1", "orders:O2", "positions:XRP/USD:net"),
    ]
    assert REPORT.discrepancies == (POSITION, BALANCE, STATUS, STRANGER, MOVED)


def test_what_a_person_has_to_decide_is_one_line_each() -> None:
    assert REPORT.manual_review_required == (
        ReviewItem(
            type=Type.BALANCE_MISMATCH, issue="BTC: book 1, exchange 1.5", discrepancy_id=BALANCE.id, currency="BTC"
        ),
        ReviewItem(
            type=Type.MOVEMENT_MISSING_INTERNAL,
            issue="L1 quantity: book nothing, exchange 0.50",
            discrepancy_id=MOVED.id,
            currency="BTC",
        ),
        ReviewItem(
            type=Type.ORDER_STATE_MISMATCH,
            issue="O1 status: book open, exchange canceled",
            discrepancy_id=STATUS.id,
            pair="XRP/USD",
            order_id="O1",
        ),
        ReviewItem(  # nobody knows what it trades, and that is no currency
            type=Type.UNRESOLVED_NAME,
            issue="O2 quantity: book nothing, exchange 100",
            discrepancy_id=STRANGER.id,
            pair="?X",
            order_id="O2",
        ),
        ReviewItem(
            type=Type.QUANTITY_MISMATCH,
            issue="XRP/USD: book 100, exchange 90",
            discrepancy_id=POSITION.id,
            pair="XRP/USD",
        ),
    )


def issues(ours: object, theirs: object) -> list[tuple[str | None, ...]]:
    report = compare(internal(*as_rows(ours)), exchange(*as_rows(theirs)))
    return [(one.issue, one.pair, one.currency, one.order_id) for one in report.manual_review_required]


def as_rows(given: object) -> list[object]:
    return given if isinstance(given, list) else [given]


def test_a_line_about_one_side_alone_says_which() -> None:
    twice = [fill("T1", order_id=None), fill("T1", order_id=None)]
    assert issues(twice, twice[0]) == [("T1 times listed: book 2 against 1", "XRP/USD", None, None)]
    above = balance("BTC", "1", "1.5")
    assert issues(above, above) == [
        ("holds:BTC held above total: exchange 1.5 against 1", None, "BTC", None),
        ("holds:BTC held above total: book 1.5 against 1", None, "BTC", None),
    ]
    assert issues(fill("T1", order_id=None, instrument="?X"), []) == [
        ("T1 quantity: book 40, exchange nothing", "?X", None, None)
    ]


def test_only_an_order_that_the_book_does_not_know_is_untracked() -> None:
    ours = internal(order("O1"), order("O2"), order("O5", instrument="?Y"))
    theirs = exchange(order("O2", "canceled"), order("O3"), order("O4", instrument="?X"), order("O5", instrument="?Y"))
    report = compare(ours, theirs)
    assert report.untracked_orders == ("O3", "O4")
    assert [(one.record_id, one.type) for one in report.order_discrepancies] == [
        ("O1", "order_missing_exchange"),
        ("O2", "order_state_mismatch"),
        ("O3", "order_not_tracked"),
        ("O4", "unresolved_name"),
        ("O5", "unresolved_name"),
    ]


def test_the_id_of_a_run_is_taken_over_what_it_read_and_found() -> None:
    theirs = exchange(balance("BTC", "2"), evidence=(Evidence("kraken", "bb"),))
    ours = internal(balance("BTC", "1"), balance("ETH", "1"), as_of=at(1), version="7", evidence=(Evidence("a", "aa"),))
    report = compare(ours, theirs, prices={Asset("BTC"): D("10")})
    btc = named("balances", "BTC", "spot", "balance_mismatch", "total", "")
    eth = named("balances", "ETH", "spot", "balance_mismatch", "total", "")
    assert report.reconciliation_id == run_id(
        *("main", "kraken", "2026-01-31T12:01:00+00:00", "2026-01-31T12:00:00+00:00", "7", "", "2"),
        *("balances:BTC:spot=Differs", "balances:ETH:spot=InternalOnly", "aa", "bb"),
        *(f"{btc}=1/2=critical/10", f"{eth}=1/0=critical/None"),
    )


@pytest.mark.parametrize(
    "sides, said",
    [
        ((internal(), exchange()), ("neither side lists anything: nothing was compared",)),
        (
            (internal(balance("BTC", "1"), coverage=covering("fills", Coverage.NONE)), exchange(balance("BTC", "1"))),
            ("the internal snapshot covers fills not at all",),
        ),
        ((internal(balance("BTC", "1")), exchange(balance("?X", "1"))), ("a key could not be judged",)),
        ((internal(balance("BTC", "1")), exchange(balance("BTC", "1"))), ()),
    ],
)
def test_what_was_not_seen_is_said_in_words(sides: Any, said: tuple[str, ...]) -> None:
    assert compare(*sides).unseen == said
    # Of what nobody asked for nothing is missing.
    assert compare(*sides, only=[kind for kind in RECORD_KINDS if kind != "orders"]).unseen == said


def test_a_comparison_about_some_kinds_is_explained_by_no_others() -> None:
    ours, theirs = internal(balance("XRP", "0")), exchange(balance("XRP", "40"), fill("T1"), movement("L1", "40"))
    (alone,) = compare(ours, theirs, only=[Kind.BALANCES]).balance_discrepancies
    assert (alone.cause, alone.explanation) == ("unexplained", "40 XRP unexplained")
    (both,) = compare(ours, theirs, only=[Kind.BALANCES, Kind.MOVEMENTS]).balance_discrepancies
    assert both.bridge is not None
    assert [item.record_ids for item in both.bridge.items] == [("L1",)]


def test_values_are_told_in_what_the_policy_reports_in() -> None:
    policy = Policy(reporting_currency=Asset("EUR"))
    assert compare(internal(), exchange(), policy=policy).valued_in == "EUR"


def test_a_summary_is_the_report_without_what_grows() -> None:
    told, whole = json.loads(summary_of(REPORT)), json.loads(REPORT.to_json())
    for name in ("findings", "evidence", "decisions"):
        del whole[name]
    assert told == whole | {"keys_checked": 6, "assets_checked": ["BTC", "ETH", "USD", "XRP"]}
    assert assets_in(summary_of(REPORT)) == {"BTC", "ETH", "USD", "XRP"}
    assert assets_in(b"{}") == frozenset()
    held = compare(internal(balance("A", "1", "1")), exchange(balance("A", "1", "1"), position("1", instrument="?X")))
    assert assets_in(summary_of(replace(held))) == {"A"}
