"""What answers look like, field by field. Documentation and tests are made from these; amounts are strings.

Where an answer holds what was stored to the byte, its shape is that of what was stored: nothing is decoded on the way.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from gal_friday.domain.adjusted import AdjustmentChange, Kept, Outcome, names_of
from gal_friday.domain.adjustment import AdjustmentState, AdjustmentType, Effect, Posting
from gal_friday.domain.discrepancy import BalanceDiscrepancy, PositionDiscrepancy, RecordDiscrepancy
from gal_friday.domain.followed import Change, Facts
from gal_friday.domain.journal import SignedHead, Written
from gal_friday.domain.policy import Policy
from gal_friday.domain.price import PriceSource
from gal_friday.domain.records import Balance, Order, Position
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.review import Action
from gal_friday.domain.reviewed import Review, ReviewChange
from gal_friday.domain.summary import LEFT_OUT
from gal_friday.flows.standing import Account
from gal_friday.ports.journal_reading import Checked

_OF_REPORT: list[Any] = [
    (one.name, one.type) if one.required else (one.name, one.type, one.default)
    for one in fields(ReconciliationReport)
    if one.name not in LEFT_OUT
]
ReportSummary = msgspec.defstruct(
    "ReportSummary", [*_OF_REPORT, ("keys_checked", int), ("assets_checked", tuple[str, ...])], kw_only=True
)
"""A report without the findings that agree."""

FollowedDiscrepancy = msgspec.defstruct(
    "FollowedDiscrepancy",
    [
        *((one.name, one.type) if one.required else (one.name, one.type, one.default) for one in fields(Facts)),
        ("latest", Any),
    ],
    kw_only=True,
)
"""A discrepancy over time; *latest* is what it was when last seen: one of ``SIGHTINGS``."""
SIGHTINGS = (BalanceDiscrepancy, PositionDiscrepancy, RecordDiscrepancy)
"""Told apart by the name of their subject, which no schema of one field can say."""


class Status(Struct, kw_only=True):
    """How reconciliation stands."""

    last_run: datetime | None
    next_run: datetime | None
    consecutive_failures: int
    last_report: ReportSummary | None  # type: ignore[valid-type]


class Summaries(Struct, kw_only=True):
    """A page of reports."""

    reports: tuple[ReportSummary, ...]  # type: ignore[valid-type]
    count: int
    next_cursor: str | None


class Ran(Struct, kw_only=True):
    """A run that was asked for: its status and its report."""

    status: str
    report: ReconciliationReport


class Approval(Struct, kw_only=True):
    """What was decided, and the state that the adjustment has now."""

    status: AdjustmentState
    adjustment_id: str
    approved: bool


class AdjustmentShown(Struct, kw_only=True):
    """An adjustment of a book, and what became of it."""

    adjustment_id: str
    account: str
    exchange: str
    state: AdjustmentState
    adjustment_type: AdjustmentType
    trading_pair: str
    """The instrument or asset; several with commas."""
    old_value: Decimal | None
    """Of the first amount that it changes; all of them are in *effects*."""
    new_value: Decimal | None
    effects: tuple[Effect, ...]
    value: Decimal | None
    cause: str
    reason: str
    discrepancies: tuple[str, ...]
    record_ids: tuple[str, ...]
    reconciliation_id: str
    content: str
    """The digest of what it posts: an approval is good for this and nothing else."""
    at: datetime
    adjusted_at: datetime | None
    """When it was written to the book."""
    proposed_by: str
    decided_by: str | None
    four_eyes: bool
    reverses: str | None
    outcome: Outcome | None


class Adjusted(Struct, kw_only=True):
    """A page of adjustments."""

    adjustments: tuple[AdjustmentShown, ...]
    count: int
    next_cursor: str | None


class WholeAdjustment(AdjustmentShown, kw_only=True):
    """An adjustment with what it posts and every step of its life."""

    postings: tuple[Posting, ...]
    history: tuple[AdjustmentChange, ...]


class Discrepancies(Struct, kw_only=True):
    """A page of discrepancies."""

    discrepancies: tuple[FollowedDiscrepancy, ...]  # type: ignore[valid-type]
    count: int
    next_cursor: str | None


class WholeDiscrepancy(Struct, kw_only=True):
    """A discrepancy, its life, its review, and what is proposed for it."""

    discrepancy: FollowedDiscrepancy  # type: ignore[valid-type]
    changes: tuple[Change, ...]
    review: Review
    review_changes: tuple[ReviewChange, ...]
    actions: tuple[Action, ...]
    """What can be done from here."""
    adjustments: tuple[AdjustmentShown, ...]
    """That repair it, whatever became of them."""


class Reviewed(Struct, kw_only=True):
    """What a step led to."""

    discrepancy_id: str
    review: Review
    changes: tuple[ReviewChange, ...]
    adjustment: AdjustmentShown | None


class Accounts(Struct, kw_only=True):
    """Every account that the caller may see."""

    accounts: tuple[Account, ...]
    count: int


class Entries(Struct, kw_only=True):
    """A page of the journal."""

    entries: tuple[Written, ...]
    count: int
    next_cursor: str | None


class JournalHead(Struct, kw_only=True):
    """The newest signed head; none where nothing was written yet."""

    head: SignedHead | None


class Heads(Struct, kw_only=True):
    """Signed heads, the newest first."""

    heads: tuple[SignedHead, ...]
    count: int
    next_cursor: str | None


class Inclusion(Struct, kw_only=True, rename={"form": "format"}):
    """What shows that an entry is under the newest head; hashes as hex."""

    form: str
    seq: int
    entry: str
    """The sealed bytes, as text."""
    leaf: str
    index: int
    size: int
    path: tuple[str, ...]
    signed: SignedHead
    public_key: str


class Verification(Struct, kw_only=True):
    """What looking at every byte of the journal came to, and when that was."""

    checked_at: datetime
    """When it began."""
    seconds: float
    """How long it took."""
    result: Checked


class VerificationProgress(Struct, kw_only=True):
    """How far the verification of the journal is, and what the last one came to."""

    under_way: bool
    began: datetime | None
    entries: int
    """Looked at so far."""
    of: int
    last: Verification | None


class PolicyShown(Struct, kw_only=True):
    """Every limit in effect."""

    version: str
    policy: Policy


class AccountPrices(Struct, kw_only=True):
    """What the last run of an account valued differences with."""

    account: str
    reconciliation_id: str
    at: datetime
    valued_in: str
    prices: dict[str, Decimal]
    price_sources: dict[str, PriceSource]


class PricesShown(Struct, kw_only=True):
    """The prices of every account's last run."""

    prices: tuple[AccountPrices, ...]
    count: int


class Delivered(Struct, kw_only=True):
    """What a push did; it is in the book and on the disk."""

    account: str
    version: int
    """Of the book, afterwards."""
    new: int
    already_known: int
    """Delivered before, to the letter, and left alone."""
    gave_way: tuple[str, ...]
    replaced: tuple[str, ...]


class BookShown(Struct, kw_only=True):
    """What an embedded book adds up to."""

    account: str
    version: str
    as_of: datetime
    balances: tuple[Balance, ...]
    positions: tuple[Position, ...]
    orders: tuple[Order, ...]
    """Those that are not over."""
    notes: tuple[str, ...]


class Health(Struct, kw_only=True):
    """The process answers."""

    status: str
    version: str


class Readiness(Struct, kw_only=True):
    """The database is reachable and current."""

    status: str
    revision: str
    accounts: int
    never_run: int
    oldest_run_seconds: int | None
    """Since the run of the account that was left alone the longest."""


def adjusted(kept: Kept) -> AdjustmentShown:
    """Return an adjustment as it is told."""
    return AdjustmentShown(**_told(kept))


def whole_adjustment(kept: Kept) -> WholeAdjustment:
    """Return an adjustment with everything."""
    return WholeAdjustment(**_told(kept), postings=kept.adjustment.postings, history=kept.history)


def _told(kept: Kept) -> dict[str, Any]:
    made, first = kept.adjustment, next(iter(kept.adjustment.effects), None)
    written = [one.at for one in kept.history if one.to_state is AdjustmentState.APPLIED]
    same = ("account", "exchange", "effects", "value", "cause", "reason", "discrepancies", "record_ids")
    return {name: getattr(made, name) for name in (*same, "reconciliation_id", "content", "at", "reverses")} | {
        "adjustment_id": kept.id,
        "state": kept.state,
        "adjustment_type": made.type,
        "trading_pair": ", ".join(sorted(names_of(made))),
        "old_value": None if first is None else first.before,
        "new_value": None if first is None else first.after,
        "adjusted_at": written[0] if written else None,
        "proposed_by": kept.proposed_by,
        "decided_by": kept.decided_by,
        "four_eyes": kept.four_eyes,
        "outcome": kept.outcome,
    }
