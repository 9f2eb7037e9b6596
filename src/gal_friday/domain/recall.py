"""What a run takes from what is known, and what it gives back to its report.

Before the comparison: which keys must be judged although no record stands under them any more, and how far back
records must be read to judge them. After it: the state, age and count of every discrepancy in the report, a word
about those that it settled or could not judge, and how long keys have been pending. Nothing here decides what
becomes of a discrepancy.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain.discrepancy import RecordDiscrepancy
from gal_friday.domain.finding import (
    CannotTell,
    Differs,
    DiscrepancyType,
    ExchangeOnly,
    Finding,
    InternalOnly,
    Key,
    Pending,
)
from gal_friday.domain.followed import Followed
from gal_friday.domain.following import Carried, Run
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Kind
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.snapshot import Coverage, Snapshot
from gal_friday.domain.verdict import ReconciliationStatus

NAMED_MAX = 6
"""How many discrepancies a note names; the rest is counted."""

_MOVED_BY = {Kind.BALANCES: Kind.MOVEMENTS, Kind.POSITIONS: Kind.FILLS}
_UNSEEN = "{} differs, and may have moved a moment ago: the exchange's {} could not be read; the next run will tell"
_AMOUNTS = {
    DiscrepancyType.BALANCE_MISMATCH,
    DiscrepancyType.QUANTITY_MISMATCH,
    DiscrepancyType.SIDE_MISMATCH,
    DiscrepancyType.COST_BASIS_MISMATCH,
    DiscrepancyType.POSITION_MISSING_INTERNAL,
    DiscrepancyType.POSITION_MISSING_EXCHANGE,
}

_LISTS = (
    "position_discrepancies",
    "balance_discrepancies",
    "order_discrepancies",
    "fill_discrepancies",
    "movement_discrepancies",
    "source_discrepancies",
)


class Reach(Struct, frozen=True):
    """From when on to read, and what is older than that."""

    since: datetime
    notes: tuple[str, ...] = ()


def reach_back(known: Iterable[Followed], *, since: datetime, now: datetime, policy: Policy) -> Reach:
    """Return *since*, or earlier where an open discrepancy needs it, at most as far back as the policy allows."""
    wanted = [one.read_from for one in known if one.read_from is not None]
    limit = min(since, now - timedelta(days=policy.reach_back_days))
    beyond = sum(at < limit for at in wanted)
    note = (
        f"{_counted(beyond)} older than the {policy.reach_back_days} days that are read back, and can only be "
        f"judged where their records still show; reconciliation.reach_back_days reaches further"
    )
    return Reach(max(limit, min([since, *wanted])), (note,) if beyond else ())


def _counted(count: int) -> str:
    return f"{count} open discrepanc{'y is' if count == 1 else 'ies are'}"


def watched_keys(known: Iterable[Followed]) -> dict[Key, datetime | None]:
    """Return the keys that must be judged, each with the instant from which on its records must be read."""
    keys: dict[Key, datetime | None] = {}
    for one in known:
        earlier = [at for at in (keys.get(one.key), one.read_from) if at is not None]
        keys[one.key] = min(earlier, default=None)
    return keys


def held_back(findings: Iterable[Finding], exchange: Snapshot, known: Collection[Key]) -> tuple[Finding, ...]:
    """Return these findings: an amount that is off for the first time is pending where nobody could see it move.

    Records tell that an amount moved while the two sides were read. Where the exchange's could not be read, the next
    run tells: an amount that is *known* to differ, or to have been pending, is judged as it stands.
    """
    unread = {kind for kind, records in _MOVED_BY.items() for gap in exchange.not_checked if gap.kind is records}
    return tuple(
        Pending(finding.key, _UNSEEN.format(finding.key.name, _MOVED_BY[finding.key.kind]))
        if finding.key.kind in unread and finding.key not in known and _is_amount(finding)
        else finding
        for finding in findings
    )


def _is_amount(finding: Finding) -> bool:
    """Say whether this is about how much there is alone, and about nothing that a side says twice or under no name."""
    match finding:
        case Differs():
            return {one.type for one in finding.mismatches} <= _AMOUNTS
        case InternalOnly() | ExchangeOnly():
            return finding.type in _AMOUNTS and not finding.repeats
        case _:
            return False


def run_of(report: ReconciliationReport, *, since: datetime) -> Run:
    """Return the run that made this report, as those who follow discrepancies see it."""
    saw_nothing = any(gap.kind is Kind.SOURCES for gap in report.not_checked)
    return Run(
        account=report.account,
        exchange=report.exchange,
        # Our own clock, when the exchange was read; a book may date itself as it likes.
        now=report.cut.exchange,
        since=since,
        proven=frozenset(_proven(report)),
        blind=saw_nothing or report.status is ReconciliationStatus.FAILED,
    )


def _proven(report: ReconciliationReport) -> Iterable[str]:
    """Yield what one look is enough for: nothing moved while it was read, and its explanation leaves no doubt."""
    for one in report.discrepancies:
        if report.cut.clean and not isinstance(one, RecordDiscrepancy) and one.bridge and one.bridge.proven:
            yield one.id


def pending_after(
    before: Mapping[Key, int], findings: Iterable[Finding], internal: Snapshot, exchange: Snapshot
) -> dict[Key, int]:
    """Return in how many runs without a break each key has been pending after a run that saw these two sides.

    A run that could not look at a key neither counts for it nor resets it. One that judged it, or that saw
    everything and did not meet it any more, does.
    """
    found = {finding.key: finding for finding in findings if finding.key in before or isinstance(finding, Pending)}
    after = {
        key: runs for key, runs in before.items() if key not in found and not _seen_in_full(key, internal, exchange)
    }
    for key, finding in found.items():
        if isinstance(finding, Pending) and _looked_at(key, internal, exchange):
            after[key] = before.get(key, 0) + 1
        elif isinstance(finding, Pending | CannotTell) and key in before:
            after[key] = before[key]
    return after


def _seen_in_full(key: Key, *sides: Snapshot) -> bool:
    return all(side.coverage.of(key.kind) == Coverage.TOTAL for side in sides)


def _looked_at(key: Key, *sides: Snapshot) -> bool:
    return all(side.coverage.of(key.kind) != Coverage.NONE for side in sides)


def told(report: ReconciliationReport, carried: Carried) -> ReconciliationReport:
    """Return the report with state, age and count of every discrepancy, and what became of those it does not list."""
    known = {one.id: one.latest for one in carried.open}
    lists = {name: tuple(known.get(one.id, one) for one in getattr(report, name)) for name in _LISTS}
    listed = {one.id for one in report.discrepancies}
    unjudged = [one for one in carried.kept if one.id not in listed]
    notes = (
        *_named("seen to agree, and cleared", carried.cleared),
        *_named("still open, and not judged by this run", unjudged),
    )
    return replace(report, **lists, notes=(*report.notes, *notes))


def _named(what: str, found: Sequence[Followed]) -> Iterable[str]:
    if found:
        more = f" and {len(found) - NAMED_MAX} more" if len(found) > NAMED_MAX else ""
        yield f"{what}: {', '.join(f'{one.key} ({one.id})' for one in found[:NAMED_MAX])}{more}"
