"""Steps 7 and 8 of the line: decide about every event, and post what needs no person.

Before anything is decided, what an earlier process left half done is looked up, and what was posted before is held
against what this run saw. The intention is kept before the book is touched; the book, the adjustment and the journal
are written in one transaction, at most once (I9). Nothing here holds a rule of its own.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.adjusted import (
    APPLIED_ONCE,
    POLICY,
    PROGRAM_ITSELF,
    Applied,
    By,
    Kept,
    Outcome,
    Refused,
    Unsettled,
)
from gal_friday.domain.adjustment import Adjustment, AdjustmentState
from gal_friday.domain.bar import unless_turned_down
from gal_friday.domain.candidate import Candidate
from gal_friday.domain.decided import with_decisions
from gal_friday.domain.decision import Choice, Decided, Used, breakers_of, decide
from gal_friday.domain.followed import Followed
from gal_friday.domain.following import Carried
from gal_friday.domain.observed import Moved, explained_by, needless, observed, sighting, unseen_behind
from gal_friday.domain.policy import Mode, Policy
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.repair import candidates_of
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.snapshot import Snapshot
from gal_friday.flows.review import Desk, excused
from gal_friday.flows.take_over import take_over
from gal_friday.ports.adjustments import Adjustments
from gal_friday.ports.clock import Clock
from gal_friday.ports.steps import Steps, unwatched

_BY_POLICY = By(POLICY, "policy")
_IN_THE_BOOK = (AdjustmentState.APPLIED, AdjustmentState.UNVERIFIED)
_TURNED_DOWN = (AdjustmentState.REVERSED, AdjustmentState.REJECTED)
_LOOKED_AT = 10_000
_POSTED_WITHIN = timedelta(minutes=2)
"""What a person approves is posted at once; what was not by then is asked for again."""


class Repairing(Struct, frozen=True, kw_only=True):
    """What a run needs to decide and to repair."""

    mode: Mode
    adjustments: Adjustments | None = None
    """None for a book that nothing can be handed over to: then everything is only proposed, in the report."""
    desk: Desk | None = None
    """Where people decide; what they have accepted or put aside is not asked about again."""
    token: int | None = None
    """Of the account's lease: whoever was paused for too long is refused."""
    steps: Steps = unwatched


async def repaired(
    repairing: Repairing,
    report: ReconciliationReport,
    sides: tuple[Snapshot, Snapshot],
    carried: Carried,
    *,
    policy: Policy,
    clock: Clock,
) -> ReconciliationReport:
    """Return the report with what was decided about every event, and what was posted.

    Raises:
        StoreFailed, BookFailed: what was posted until then is in the book, and the next run finds it there.
    """
    open_ones = {one.id: one for one in carried.open}
    excused_ones = await excused(repairing.desk, carried.open) if repairing.desk is not None else frozenset()
    found = candidates_of(report, *sides, open_ones, policy_version=policy.version)
    candidates = tuple(one for one in found if not set(one.discrepancies) <= set(excused_ones))
    posted = await _posted(repairing, report, found, open_ones, clock)
    breakers = breakers_of(
        discrepancies=report.total_discrepancies,
        degraded=report.unseen,
        flips=_flips(carried.open),
        unverified=posted.unverified,
        unsettled=posted.unsettled,
        policy=policy,
    )
    mode = repairing.mode if repairing.adjustments is not None or repairing.mode is Mode.OBSERVE else Mode.PROPOSE
    candidates = tuple(unless_turned_down(candidates, posted.against))
    with repairing.steps("decide", mode=mode.value, candidates=len(candidates)):
        decided = decide(candidates, mode=mode, policy=policy, used=posted.used, breakers=breakers)
    outcomes = await _acted(repairing, decided, posted.unsettled, policy)
    await _tidied(repairing, report, found, open_ones, policy, clock)
    return with_decisions(replace(report, mode=mode), decided, outcomes, excused=excused_ones)


def _flips(opened: Sequence[Followed]) -> int:
    return max((one.flips for one in opened), default=0)


class _Posted(Struct, frozen=True):
    """What was posted before this run."""

    used: Used = Used()
    unverified: tuple[str, ...] = ()
    unsettled: tuple[str, ...] = ()
    """Of unknown outcome, in a book that is kept elsewhere."""
    against: tuple[Kept, ...] = ()
    """What people turned down or took back."""


async def _posted(
    repairing: Repairing,
    report: ReconciliationReport,
    computed: Iterable[Candidate],
    opened: Collection[str],
    clock: Clock,
) -> _Posted:
    """Settle what was left half done, hold what was posted against this run, and return what that means for it."""
    adjustments, account = repairing.adjustments, report.account
    if adjustments is None:
        return _Posted()
    unsettled = await _settled(adjustments, report, repairing.token)
    again = {one.adjustment.adjustment_id for one in computed if one.adjustment is not None}
    for left in unsettled:
        late = clock.now() - left.history[-1].at > _POSTED_WITHIN
        if left.state is AdjustmentState.APPROVED and late and not (_stays(left) and left.id in again):
            await _move(adjustments, Moved(left, AdjustmentState.EXPIRED, "it was approved, and never posted"))
    kept = await adjustments.adjustments(account=account, states=_IN_THE_BOOK, limit=_LOOKED_AT)
    findings = {str(finding.key): finding for finding in report.findings}
    explained, blind = explained_by(report), unseen_behind(report)
    moves = observed(kept, findings, explained, opened, read_at=report.cut.internal, blind=blind)
    for moved in moves:
        await _move(adjustments, moved)
    now = {moved.kept.id: moved.to_state for moved in moves}
    unverified = [one.id for one in kept if now.get(one.id, one.state) is AdjustmentState.UNVERIFIED]
    today = await adjustments.adjustments(
        account=account, states=APPLIED_ONCE, since=clock.now() - timedelta(days=1), limit=_LOOKED_AT
    )
    against = await adjustments.adjustments(account=account, states=_TURNED_DOWN, limit=_LOOKED_AT)
    return _Posted(
        used=_used(today, clock.now()),
        unverified=tuple(unverified),
        unsettled=tuple(one.id for one in unsettled if one.state is not AdjustmentState.APPROVED),
        against=tuple(against),
    )


async def _settled(adjustments: Adjustments, report: ReconciliationReport, token: int | None) -> Sequence[Kept]:
    """Settle what was left half done by what the book says and this run saw; return what is unsettled after that."""
    findings = {str(finding.key): finding for finding in report.findings}
    open_ones = {one.id for one in report.discrepancies}
    left = await adjustments.unsettled(report.account)
    seen = {one.id: sighting(one, findings, open_ones, read_at=report.cut.internal) for one in left}
    await adjustments.settle(report.account, token=token, seen=seen)
    return await adjustments.unsettled(report.account)


def _stays(one: Kept) -> bool:
    """Say whether a person approved it, and it was on its way and did not reach its book: no need to ask them again."""
    on_its_way = one.history[-1].from_state in (AdjustmentState.INTENDED, AdjustmentState.OUTCOME_UNKNOWN)
    return one.state is AdjustmentState.APPROVED and one.decided_by != POLICY and on_its_way


async def _move(adjustments: Adjustments, moved: Moved) -> None:
    by = replace(PROGRAM_ITSELF, note=moved.note)
    await adjustments.move(moved.kept.id, moved.to_state, by=by, revision=moved.kept.revision)


def _used(kept: Sequence[Kept], now: datetime) -> Used:
    """Return how much was corrected without a person in the last hour and the last day."""
    alone = [one for one in kept if one.decided_by == POLICY]
    hour = [one for one in alone if one.adjustment.at > now - timedelta(hours=1)]
    return Used(len(hour), _worth(hour), len(alone), _worth(alone))


def _worth(kept: Sequence[Kept]) -> Decimal:
    return quantity.total(one.adjustment.value or ZERO for one in kept)


async def _acted(
    repairing: Repairing, decided: Sequence[Decided], unsettled: Sequence[str], policy: Policy
) -> Mapping[str, Outcome]:
    """Keep what is proposed, and post what is decided; return what came of each that was posted."""
    adjustments, outcomes = repairing.adjustments, dict[str, Outcome]()
    if adjustments is None:
        return outcomes
    stands = _Stands()
    for one in decided:
        made = one.candidate.adjustment
        if made is None or one.decision.choice not in (Choice.PROPOSE, Choice.CORRECT):
            continue
        if one.decision.choice is Choice.PROPOSE:
            by = replace(_BY_POLICY, note="; ".join(one.decision.reasons))
            four_eyes = policy.four_eyes and (made.value is None or made.value >= policy.four_eyes_value)
            (kept,) = await adjustments.keep([made], state=AdjustmentState.PROPOSED, by=by, four_eyes=four_eyes)
            if _stays(kept) and stands.unsettled is None and not unsettled:
                outcomes[kept.id] = stands.after(made, await _posting(repairing, adjustments, kept))
            elif kept.state is not AdjustmentState.PROPOSED:
                outcomes[kept.id] = Refused(kept.id, f"it is {kept.state} already")
        elif stands.unsettled is not None:
            outcomes[made.adjustment_id] = Refused(made.adjustment_id, f"{stands.unsettled} has to be settled first")
        else:
            await take_over(adjustments, repairing.desk, made.adjustment_id)
            outcome = await _applied(repairing, adjustments, stands.seen_by(made), one)
            outcomes[made.adjustment_id] = stands.after(made, outcome)
    return outcomes


class _Stands:
    """At which version the book stands as far as this run knows: its own postings are no reason to compute anew."""

    def __init__(self) -> None:
        self._version: str | None = None
        self._alone = True
        self.unsettled: str | None = None
        """Of unknown outcome since this run: nothing more is posted."""

    def seen_by(self, made: Adjustment) -> Adjustment:
        """Return the adjustment as computed from the book with our own postings in it, if nobody else wrote to it."""
        return replace(made, book_version=self._version) if self._version is not None and self._alone else made

    def after(self, made: Adjustment, outcome: Outcome) -> Outcome:
        """Take in what came of a posting, and return it."""
        match outcome:
            case Applied(version=int() as version):
                before = self._version or made.book_version
                self._alone = self._alone and before is not None and str(version - 1) == before
                self._version = str(version)
            case Applied():
                self._alone = False  # Nobody here can tell who else wrote to a book that is kept elsewhere.
            case Unsettled(adjustment_id):
                self.unsettled = adjustment_id
            case Refused():
                pass
        return outcome


async def _applied(repairing: Repairing, adjustments: Adjustments, made: Adjustment, decided: Decided) -> Outcome:
    by = replace(_BY_POLICY, note="; ".join(decided.decision.reasons))
    (kept,) = await adjustments.keep([made], state=AdjustmentState.APPROVED, by=by)
    if kept.state in (AdjustmentState.APPROVED, AdjustmentState.INTENDED):
        return await _posting(repairing, adjustments, kept)
    if kept.state is AdjustmentState.PROPOSED:
        return Refused(kept.id, "it was proposed, and a person has asked for it or looked at it")
    # Whatever came of it, nothing was posted now.
    return Refused(kept.id, f"it is {kept.state} already")


async def _posting(repairing: Repairing, adjustments: Adjustments, kept: Kept) -> Outcome:
    with repairing.steps("apply", adjustment=kept.id) as step:
        outcome = await adjustments.apply(kept.id, token=repairing.token)
        step.note(outcome=type(outcome).__name__)
    return outcome


async def _tidied(
    repairing: Repairing,
    report: ReconciliationReport,
    candidates: Sequence[Candidate],
    opened: Mapping[str, Followed],
    policy: Policy,
    clock: Clock,
) -> None:
    """Let proposals expire that nobody has to decide about any more."""
    if repairing.adjustments is None:
        return
    made = [one.adjustment for one in candidates if one.adjustment is not None]
    computed = {one.adjustment_id: one.discrepancies for one in made}
    proposed = await repairing.adjustments.adjustments(
        account=report.account, states=(AdjustmentState.PROPOSED,), limit=_LOOKED_AT
    )
    for moved in needless(proposed, opened, computed, policy=policy, now=clock.now()):
        await _move(repairing.adjustments, moved)
