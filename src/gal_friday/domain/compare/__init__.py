"""Comparison: two snapshots in, one finding per key out (I4).

Every key of either side and every watched key gets exactly one finding, sorted by key, so that the same
input gives the same output. Nothing here knows how bad a difference is or what to do about it.
"""

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter

from gal_friday.domain.audit import as_proven, audit_of
from gal_friday.domain.compare.balances import compare_balances
from gal_friday.domain.compare.fills import compare_fills
from gal_friday.domain.compare.holds import compare_holds
from gal_friday.domain.compare.movements import compare_movements, ledger_gaps
from gal_friday.domain.compare.orders import compare_orders, order_contradictions
from gal_friday.domain.compare.positions import compare_positions
from gal_friday.domain.compare.view import View, why_not_covered
from gal_friday.domain.compare.watched import of_watched
from gal_friday.domain.cut import Motion, in_motion
from gal_friday.domain.errors import MixedAccounts, MixedSides
from gal_friday.domain.finding import CannotTell, Finding, Key
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import RECORD_KINDS, Kind
from gal_friday.domain.snapshot import Coverage, Snapshot

_NO_POLICY = Policy()
_by_key = attrgetter("key")


def compare_snapshots(
    internal: Snapshot,
    exchange: Snapshot,
    *,
    policy: Policy = _NO_POLICY,
    watched: Iterable[Key] = (),
    only: Sequence[Kind] = RECORD_KINDS,
    motion: Motion | None = None,
) -> tuple[Finding, ...]:
    """Return one finding for every key of the kinds in *only*, sorted by key.

    *watched* are the keys of open discrepancies: they are judged even when both sides have lost them.
    *motion* is what moves between the two sides, where whoever read them knows more than the snapshots tell.

    Raises:
        MixedSides: not one internal and one exchange snapshot, in this order.
        MixedAccounts: the snapshots are of different accounts or exchanges.
    """
    _refuse_mixed(internal, exchange)
    audit = audit_of(exchange, tolerance=policy.tolerance)
    exchange = as_proven(exchange, audit)
    open_ones = watched if isinstance(watched, Mapping) else dict.fromkeys(watched)
    view = View(internal, exchange, policy, motion or in_motion(internal, exchange), audit.unproven, open_ones.keys())
    findings = ledger_gaps(audit) if Kind.MOVEMENTS in only else []
    for kind in RECORD_KINDS:
        if kind in only and (internal.rows(kind) or exchange.rows(kind)):
            findings += _as_covered(view, kind, _of_kind(view, kind))
    findings += of_watched(view, findings, open_ones, only)
    findings.sort(key=_by_key)
    return tuple(findings)


def _refuse_mixed(internal: Snapshot, exchange: Snapshot) -> None:
    if (internal.side, exchange.side) != ("internal", "exchange"):
        raise MixedSides(
            f"one internal and one exchange snapshot are needed, in this order; "
            f"got {internal.side} and {exchange.side}: check which file is which"
        )
    ours, theirs = (internal.account, internal.exchange), (exchange.account, exchange.exchange)
    if ours != theirs:
        raise MixedAccounts(
            f"the internal snapshot is of account {ours[0]!r} at {ours[1]!r}, "
            f"the other of {theirs[0]!r} at {theirs[1]!r}: compare two of the same"
        )


def _as_covered(view: View, kind: Kind, findings: Sequence[Finding]) -> Iterable[Finding]:
    """Return the findings, or that none of them can be told, where a side covers nothing of the kind (I6)."""
    blind = [each for each in (view.internal, view.exchange) if each.coverage.of(kind) == Coverage.NONE]
    if not blind:
        return findings
    reason, side = why_not_covered(blind[0], kind), blind[0].side
    sides = {each.side for each in blind}
    return [
        finding if finding.key.kind == Kind.SOURCES else CannotTell(finding.key, reason, side)
        for finding in findings
        if finding.key.kind != Kind.SOURCES or finding.key.part not in sides
    ]


def _of_kind(view: View, kind: Kind) -> Sequence[Finding]:
    match kind:
        case Kind.BALANCES:
            return [*compare_balances(view), *compare_holds(view)]
        case Kind.POSITIONS:
            return compare_positions(view)
        case Kind.ORDERS:
            return [*compare_orders(view), *order_contradictions(view)]
        case Kind.FILLS:
            return compare_fills(view)
        case Kind.MOVEMENTS:
            return compare_movements(view)
        case Kind.HOLDS | Kind.SOURCES:
            return []
