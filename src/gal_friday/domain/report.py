"""The record of one reconciliation of one account.

What was compared, what agrees, what differs, what was not seen.
A report is a value: it is built once, written as JSON and read back equal. Whatever was not checked is in
it by name, and outweighs everything else in the verdict (I6).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.adjustment import AdjustmentType
from gal_friday.domain.case import Case
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.cut import Cut, cut_of
from gal_friday.domain.decision import Decided
from gal_friday.domain.discrepancy import (
    BalanceDiscrepancy,
    Discrepancy,
    Grader,
    PositionDiscrepancy,
    RecordDiscrepancy,
    discrepancies_of,
)
from gal_friday.domain.explain import explain, explained_share
from gal_friday.domain.finding import Agrees, CannotTell, DiscrepancyType, Finding, Key
from gal_friday.domain.ids import run_id
from gal_friday.domain.materiality import Prices
from gal_friday.domain.plain import plain
from gal_friday.domain.policy import Mode, Policy
from gal_friday.domain.price import PriceSource
from gal_friday.domain.records import RECORD_KINDS, Kind
from gal_friday.domain.root import RootCause
from gal_friday.domain.snapshot import Coverage, Evidence, NotChecked, Snapshot
from gal_friday.domain.verdict import (
    ReconciliationStatus,
    Verdict,
    both_saw_all,
    gaps_in,
    out_of_scope,
    status_of,
    verdict_of,
)

_NO_POLICY = Policy()


class ReviewItem(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A discrepancy that a person has to decide about."""

    type: DiscrepancyType
    issue: str
    discrepancy_id: str
    pair: str | None = None
    currency: str | None = None
    order_id: str | None = None
    decision: str | None = None
    """What was decided about it: wait, propose or escalate; None where the run decided nothing."""
    because: str | None = None
    adjustment_id: str | None = None
    """The adjustment that waits for a person."""


class Repaired(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One amount or record of the book that was corrected, or that somebody is asked to let be corrected."""

    type: AdjustmentType
    adjustment_id: str
    reason: str
    pair: str | None = None
    currency: str | None = None
    order_id: str | None = None
    old_quantity: Decimal | None = None
    new_quantity: Decimal | None = None
    old_balance: Decimal | None = None
    new_balance: Decimal | None = None
    difference: Decimal | None = None


class ReconciliationReport(Struct, frozen=True, kw_only=True):
    """One reconciliation of one account. Amounts are exact; values are in *valued_in*."""

    reconciliation_id: str
    timestamp: datetime
    """When the later of the two readings began."""
    status: ReconciliationStatus
    verdict: Verdict
    account: str
    exchange: str
    mode: Mode = Mode.OBSERVE
    cut: Cut
    positions_checked: int = 0
    position_discrepancies: tuple[PositionDiscrepancy, ...] = ()
    balances_checked: int = 0
    balance_discrepancies: tuple[BalanceDiscrepancy, ...] = ()
    orders_checked: int = 0
    order_discrepancies: tuple[RecordDiscrepancy, ...] = ()
    untracked_orders: tuple[str, ...] = ()
    fills_checked: int = 0
    fill_discrepancies: tuple[RecordDiscrepancy, ...] = ()
    movements_checked: int = 0
    movement_discrepancies: tuple[RecordDiscrepancy, ...] = ()
    source_discrepancies: tuple[RecordDiscrepancy, ...] = ()
    """Where the records of one side do not follow from each other."""
    auto_corrections: tuple[Repaired, ...] = ()
    """What was posted to the book without a person, amount by amount, and is in it."""
    proposals: tuple[Repaired, ...] = ()
    """What a person is asked to let be posted."""
    decisions: tuple[Decided, ...] = ()
    """What was decided about every event, with all that it was decided by."""
    manual_review_required: tuple[ReviewItem, ...] = ()
    total_discrepancies: int = 0
    root_causes: tuple[RootCause, ...] = ()
    """One per event that went wrong, with its symptoms; the most valuable first."""
    explained_share: Decimal | None = None
    """Of the value of all balances and positions that differ, the share explained without residual."""
    not_checked: tuple[NotChecked, ...] = ()
    valued_in: str = "USD"
    prices: dict[str, Decimal] = {}
    price_sources: dict[str, PriceSource] = {}
    """Who says so, and when it was so; nothing where the caller stated the prices."""
    duration_seconds: float = 0.0
    step_seconds: dict[str, float] = {}
    """How long each step took, in their order, up to the recording of this report."""
    error_messages: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    internal_version: str | None = None
    exchange_version: str | None = None
    evidence: tuple[Evidence, ...] = ()
    findings: tuple[Finding, ...] = ()
    """Every key with its one finding, sorted by key."""

    @property
    def discrepancies(self) -> tuple[Discrepancy, ...]:
        """Every discrepancy of the run: positions, balances, orders, fills, movements, sources."""
        return (
            *self.position_discrepancies,
            *self.balance_discrepancies,
            *self.order_discrepancies,
            *self.fill_discrepancies,
            *self.movement_discrepancies,
            *self.source_discrepancies,
        )

    @property
    def unseen(self) -> tuple[str, ...]:
        """What was not seen of what the run was about, in words; nothing where everything was."""
        if self.verdict is not Verdict.INCOMPLETE:
            return ()
        # What is of no side is no part of the run, unless it is that there was nothing at all.
        gaps = tuple(gap.reason for gap in self.not_checked if gap.side is not None or gap.kind is Kind.SOURCES)
        return gaps or ("a key could not be judged",)

    def to_json(self) -> bytes:
        """Return the report as compact JSON; amounts are strings of plain digits."""
        return msgspec.json.encode(plain(self))

    @staticmethod
    def from_json(data: bytes) -> "ReconciliationReport":
        """Return the report that was written as this JSON; equal to the one that wrote it."""
        return msgspec.json.decode(data, type=ReconciliationReport)


def compare(
    internal: Snapshot,
    exchange: Snapshot,
    *,
    policy: Policy = _NO_POLICY,
    prices: Prices | None = None,
    watched: Iterable[Key] = (),
    only: Sequence[Kind] = RECORD_KINDS,
) -> ReconciliationReport:
    """Return the report of comparing these two snapshots. Pure: nothing is read, written or asked.

    *prices* are worth of one whole unit in the policy's reporting currency. *only* limits the comparison to
    some kinds; the others are listed as not checked.

    Raises:
        MixedSides: not one internal and one exchange snapshot, in this order.
        MixedAccounts: the snapshots are of different accounts or exchanges.
        MalformedAmount: a price is a float, or otherwise not exact.
    """
    findings = compare_snapshots(internal, exchange, policy=policy, watched=watched, only=only)
    exact = {asset: quantity.exact(price) for asset, price in (prices or {}).items()}
    return report_of(internal, exchange, findings, policy=policy, prices=exact, only=only)


def report_of(
    internal: Snapshot,
    exchange: Snapshot,
    findings: tuple[Finding, ...],
    *,
    policy: Policy,
    prices: Prices,
    only: Sequence[Kind] = RECORD_KINDS,
) -> ReconciliationReport:
    """Return the report on these findings: discrepancies named, valued and graded, and the verdict."""
    timestamp = max(internal.as_of, exchange.as_of)
    grader = Grader(internal.account, internal.exchange, policy, prices, timestamp)
    unlike = [finding for finding in findings if type(finding) is not Agrees]
    explained = explain(Case(_within(internal, only), _within(exchange, only), unlike), policy=policy, prices=prices)
    found = [one for finding in unlike for one in discrepancies_of(finding, grader, explained.why(finding.key))]
    gaps = gaps_in(internal, exchange, only, unlike)
    verdict = verdict_of(unlike, gaps)
    checked = _checked(findings, unlike)
    usable = any(checked.values()) or (not findings and both_saw_all(internal, exchange, only))
    return ReconciliationReport(
        reconciliation_id=_run_id(internal, exchange, unlike, found, len(findings)),
        timestamp=timestamp,
        status=status_of(verdict, usable),
        verdict=verdict,
        account=internal.account,
        exchange=internal.exchange,
        cut=cut_of(internal, exchange),
        positions_checked=checked[Kind.POSITIONS],
        balances_checked=checked[Kind.BALANCES],
        orders_checked=checked[Kind.ORDERS],
        fills_checked=checked[Kind.FILLS],
        movements_checked=checked[Kind.MOVEMENTS],
        **_by_list(found),
        total_discrepancies=len(found),
        root_causes=explained.roots,
        explained_share=explained_share(found),
        not_checked=(*gaps, *out_of_scope(internal, exchange, only)),
        valued_in=policy.reporting_currency,
        prices={str(asset): prices[asset] for asset in sorted(prices)},
        notes=(*internal.notes, *exchange.notes),
        internal_version=internal.version,
        exchange_version=exchange.version,
        evidence=tuple(replace(one, side=side.side) for side in (internal, exchange) for one in side.evidence),
        findings=findings,
    )


def _within(snapshot: Snapshot, only: Sequence[Kind]) -> Snapshot:
    """Return the snapshot as far as the comparison is about it: what was left out explains nothing.

    Orders stay: they explain no amount, and tell whose a fill is.
    """
    left_out = [kind for kind in RECORD_KINDS if kind not in only and kind is not Kind.ORDERS]
    if not left_out:
        return snapshot
    coverage = replace(snapshot.coverage, **dict.fromkeys(left_out, Coverage.NONE))
    rows: dict[str, Any] = dict.fromkeys(left_out, ())
    return replace(snapshot, coverage=coverage, **rows)


def _checked(findings: Sequence[Finding], unlike: Iterable[Finding]) -> Mapping[Kind, int]:
    """Count the keys of each kind that could be judged. The findings are sorted by key, and so by kind."""
    untold = [finding.key.kind for finding in unlike if type(finding) is CannotTell]
    return {kind: _count(findings, kind) - untold.count(kind) for kind in RECORD_KINDS}


def _count(findings: Sequence[Finding], kind: Kind) -> int:
    return bisect_right(findings, kind, key=_kind) - bisect_left(findings, kind, key=_kind)


def _kind(finding: Finding) -> Kind:
    return finding.key.kind


def _by_list(found: list[Discrepancy]) -> dict[str, Any]:
    """Return the discrepancies under the names of the report's lists."""
    if not found:
        return {}
    records = [one for one in found if isinstance(one, RecordDiscrepancy)]
    by_kind: dict[str, list[RecordDiscrepancy]] = {}
    for one in records:
        by_kind.setdefault(one.key.partition(":")[0], []).append(one)
    ours = ("orders", "fills", "movements")
    lists = {f"{kind[:-1]}_discrepancies": tuple(by_kind.get(kind, ())) for kind in ours}
    untracked = [one for one in by_kind.get("orders", ()) if _untracked(one)]
    return {
        **lists,
        "position_discrepancies": tuple(one for one in found if isinstance(one, PositionDiscrepancy)),
        "balance_discrepancies": tuple(one for one in found if isinstance(one, BalanceDiscrepancy)),
        "source_discrepancies": tuple(one for kind, group in by_kind.items() if kind not in ours for one in group),
        "untracked_orders": tuple(one.record_id for one in untracked),
        "manual_review_required": tuple(map(_review_item, found)),
    }


def _untracked(one: RecordDiscrepancy) -> bool:
    """Say whether the book does not know this order, even if nobody knows what it trades (I15)."""
    lacking = one.internal is None and one.side is None
    return lacking and one.type in (DiscrepancyType.ORDER_NOT_TRACKED, DiscrepancyType.UNRESOLVED_NAME)


def _review_item(one: Discrepancy) -> ReviewItem:
    match one:
        case BalanceDiscrepancy():
            issue = f"{one.currency}: book {_short(one.internal)}, exchange {_short(one.exchange)}"
            return ReviewItem(type=one.type, issue=issue, discrepancy_id=one.id, currency=one.currency)
        case PositionDiscrepancy():
            issue = f"{one.trading_pair}: book {_short(one.internal)}, exchange {_short(one.exchange)}"
            return ReviewItem(type=one.type, issue=issue, discrepancy_id=one.id, pair=one.trading_pair)
        case RecordDiscrepancy():
            issue = f"{one.record_id} {one.field}: {_said(one)}"
            traded = "/" in one.about or one.key.startswith(("orders:", "fills:"))
            return ReviewItem(
                type=one.type,
                issue=issue,
                discrepancy_id=one.id,
                pair=one.about if traded else None,
                currency=None if traded else one.about or None,
                order_id=one.record_id if one.key.startswith("orders:") else None,
            )


def _said(one: RecordDiscrepancy) -> str:
    if one.side is not None:
        return f"{'book' if one.side == 'internal' else 'exchange'} {one.internal or one.exchange}"
    return f"book {one.internal or 'nothing'}, exchange {one.exchange or 'nothing'}"


def _short(amount: Decimal) -> str:
    return quantity.short(amount)


def _run_id(
    internal: Snapshot,
    exchange: Snapshot,
    unlike: Sequence[Finding],
    found: Sequence[Discrepancy],
    keys: int,
) -> str:
    """Return the id of this run: another one as soon as anything was found that is not agreement."""
    return run_id(
        internal.account,
        internal.exchange,
        internal.as_of.isoformat(),
        exchange.as_of.isoformat(),
        internal.version or "",
        exchange.version or "",
        str(keys),
        *(f"{finding.key}={type(finding).__name__}" for finding in unlike),
        *(evidence.digest for evidence in (*internal.evidence, *exchange.evidence)),
        *(f"{one.id}={one.internal}/{one.exchange}={one.severity}/{one.value}" for one in found),
    )
