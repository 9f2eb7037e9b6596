"""How a run went, and what it found. What was not checked outweighs everything (I6).

Scope is what at least one side covers: a kind that neither snapshot speaks of is no part of the comparison
and is listed as such; a kind that one side covers and the other does not leaves the verdict incomplete.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from gal_friday.domain.audit import unseen_rows
from gal_friday.domain.compare.holds import speaks_of_holds
from gal_friday.domain.compare.view import why_not_covered
from gal_friday.domain.finding import CannotTell, Differs, DiscrepancyType, Finding, Inconsistent, Pending
from gal_friday.domain.records import RECORD_KINDS, Kind
from gal_friday.domain.snapshot import Coverage, NotChecked, Snapshot


class ReconciliationStatus(StrEnum):
    """How a run went."""

    IN_PROGRESS = "in_progress"
    """Begun, not finished."""
    SUCCESS = "success"
    """Everything was compared and agrees."""
    PARTIAL = "partial"
    """Compared, and something differs, is pending, or could not be checked."""
    FAILED = "failed"
    """No usable comparison."""


class Verdict(StrEnum):
    """What a run found; of several that hold, the first."""

    INCOMPLETE = "incomplete"
    """Something could not be checked. Not green, whatever else agrees."""
    DISCREPANCIES = "discrepancies"
    """Everything was checked, and something differs."""
    PENDING = "pending"
    """Nothing differs, but something is in motion and cannot be judged yet."""
    RECONCILED = "reconciled"
    """Everything was checked and agrees."""


def verdict_of(unlike: Sequence[Finding], gaps: Sequence[NotChecked]) -> Verdict:
    """Return the verdict on the findings that do not agree, and on the gaps in what was seen."""
    if gaps or any(isinstance(finding, CannotTell) for finding in unlike):
        return Verdict.INCOMPLETE
    if any(not isinstance(finding, Pending) for finding in unlike):
        return Verdict.DISCREPANCIES
    return Verdict.PENDING if unlike else Verdict.RECONCILED


def status_of(verdict: Verdict, usable: bool) -> ReconciliationStatus:
    """Return how the run went: failed only where nothing that was read could be used."""
    if verdict is Verdict.RECONCILED:
        return ReconciliationStatus.SUCCESS
    return ReconciliationStatus.PARTIAL if usable else ReconciliationStatus.FAILED


def both_saw_all(internal: Snapshot, exchange: Snapshot, only: Sequence[Kind]) -> bool:
    """Say whether both sides were read in full for any kind: then even an empty list says something."""
    return any(internal.coverage.of(kind) == exchange.coverage.of(kind) == Coverage.TOTAL for kind in only)


def gaps_in(
    internal: Snapshot, exchange: Snapshot, only: Sequence[Kind], unlike: Iterable[Finding]
) -> tuple[NotChecked, ...]:
    """Return what of the scope was not seen in full, and by whom.

    A scope without anything in it is itself a gap, and so is one in which not a single record was read: two
    empty readings agree with anybody (N14). Rows that are missing from a ledger are told by the findings.
    """
    scope = [kind for kind in RECORD_KINDS if kind in only and _in_scope(kind, internal, exchange)]
    if not scope:
        return (NotChecked(Kind.SOURCES, "neither side covers anything: there was nothing to compare"),)
    gaps = [gap for kind in scope for gap in _gaps_of(kind, internal, exchange)]
    gaps += [gap for snapshot in (internal, exchange) for gap in _named(snapshot, Kind.SOURCES)]
    gaps += _missing_rows(unlike)
    if not gaps and not any(side.rows(kind) for side in (internal, exchange) for kind in scope):
        return (NotChecked(Kind.SOURCES, "neither side lists anything: nothing was compared"),)
    return tuple(gaps)


def _gaps_of(kind: Kind, internal: Snapshot, exchange: Snapshot) -> Iterable[NotChecked]:
    for snapshot in (internal, exchange):
        # Named gaps count whatever the coverage says: a reader that saw one was not seeing everything.
        named = [*_named(snapshot, kind), *(_named(snapshot, Kind.HOLDS) if kind == Kind.BALANCES else ())]
        yield from named
        if not named and snapshot.coverage.of(kind) != Coverage.TOTAL:
            yield NotChecked(kind, why_not_covered(snapshot, kind), snapshot.side)


def _named(snapshot: Snapshot, kind: Kind) -> list[NotChecked]:
    return [NotChecked(kind, gap.reason, snapshot.side) for gap in snapshot.not_checked if gap.kind == kind]


def _missing_rows(unlike: Iterable[Finding]) -> Iterable[NotChecked]:
    """Yield that the exchange's ledger was not seen in full, where a finding shows it."""
    differ = (finding for finding in unlike if isinstance(finding, Differs))
    found = (each for finding in differ for each in finding.mismatches if isinstance(each, Inconsistent))
    moves = [each.stated for each in found if each.type is DiscrepancyType.LEDGER_GAP]
    if moves:
        yield NotChecked(Kind.MOVEMENTS, unseen_rows(moves), "exchange")


def _in_scope(kind: Kind, internal: Snapshot, exchange: Snapshot) -> bool:
    return _speaks_of(internal, kind) or _speaks_of(exchange, kind)


def _speaks_of(snapshot: Snapshot, kind: Kind) -> bool:
    if snapshot.coverage.of(kind) != Coverage.NONE or snapshot.rows(kind):
        return True
    return kind in [gap.kind for gap in snapshot.not_checked]


def out_of_scope(internal: Snapshot, exchange: Snapshot, only: Sequence[Kind]) -> tuple[NotChecked, ...]:
    """Return what this comparison was not about: said in the report, without weight in the verdict."""
    left_out = [NotChecked(kind, "left out of this run on request") for kind in RECORD_KINDS if kind not in only]
    unspoken = [
        NotChecked(kind, "covered by neither side: no part of this comparison")
        for kind in RECORD_KINDS
        if kind in only and not _in_scope(kind, internal, exchange)
    ]
    return (*left_out, *unspoken, *_holds_unsaid(internal, exchange, only))


def _holds_unsaid(internal: Snapshot, exchange: Snapshot, only: Sequence[Kind]) -> Iterable[NotChecked]:
    """Yield that holds were not compared, where one side speaks of them and the other does not."""
    if Kind.BALANCES not in only:
        return
    speaks = {side.side: speaks_of_holds(side) for side in (internal, exchange)}
    for side in (internal, exchange):
        if not speaks[side.side] and any(speaks.values()):
            yield NotChecked(Kind.HOLDS, "this side does not say what open orders reserve", side.side)
