"""What two tables came to, account by account, in the store of the service: carried forward as everything else is.

An account has a report where something differs, could not be judged, or was open and is seen to agree; what agrees and
was not open is not kept. The instant of all of them is that of the tables: comparing the same tables again finds what
is recorded already, and changes nothing. No lease is taken, for nothing is repaired: of two runs that carry one
discrepancy on at once the store refuses the later.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from gal_friday.bulk.judge import Judged
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.finding import Agrees, Finding, Key
from gal_friday.domain.followed import Followed
from gal_friday.domain.following import Carried
from gal_friday.domain.ids import run_id
from gal_friday.domain.policy import Policy
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.recall import run_of
from gal_friday.domain.records import Balance, Kind
from gal_friday.domain.report import ReconciliationReport, report_of
from gal_friday.domain.snapshot import Snapshot
from gal_friday.domain.verdict import ReconciliationStatus
from gal_friday.flows.reconcile_many import unseen
from gal_friday.flows.record import Known, record
from gal_friday.flows.review import Desk, follow_up
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.exchange import Progress
from gal_friday.ports.store import Store

RECORDED = "accounts looked at to be recorded"


class Shelf(Struct, frozen=True, kw_only=True):
    """Where runs are recorded, and what is said of these."""

    store: Store
    desk: Desk
    policy: Policy
    note: str


class Recorded(Struct, kw_only=True):
    """What became of the accounts and their discrepancies."""

    accounts: int = 0
    already: int = 0
    """Accounts whose report was there: these tables were recorded before."""
    opened: int = 0
    still_open: int = 0
    confirmed: int = 0
    cleared: int = 0
    reopened: int = 0
    failed: list[str] = field(default_factory=list)
    """Why an account was not recorded; comparing again records it."""

    def add(self, carried: Carried) -> None:
        """Count what became of the discrepancies of one more account."""
        self.accounts += 1
        for group in ("opened", "still_open", "confirmed", "cleared", "reopened"):
            setattr(self, group, getattr(self, group) + len(getattr(carried, group)))


async def known_in(store: Store, exchange: str, kinds: Collection[Kind]) -> Mapping[str, Sequence[Followed]]:
    """Return what is open of these kinds at this exchange, by account.

    Raises:
        StoreFailed: they cannot be read.
    """
    known: dict[str, list[Followed]] = {}
    for one in await store.discrepancies():
        if one.exchange == exchange and one.key.kind in kinds:
            known.setdefault(one.account, []).append(one)
    return known


def watched_of(known: Mapping[str, Iterable[Followed]]) -> Mapping[str, frozenset[Key]]:
    """Return the keys of what is open, by account."""
    return {account: frozenset(one.key for one in some) for account, some in known.items()}


async def record_many(
    found: Sequence[Judged], known: Mapping[str, Sequence[Followed]], shelf: Shelf, progress: Progress = unseen
) -> Recorded:
    """Record every account of which there is something to say, each in a transaction of its own.

    What cannot be recorded is told and stops nothing else. *known* is what was open before the tables were read.
    """
    whole = Recorded()
    for number, one in enumerate(found, start=1):
        progress(RECORDED, number, len(found))
        if one.findings or any(isinstance(finding, Agrees) for finding in one.watched):
            try:
                await _record(one, known.get(one.account, ()), shelf, whole)
            except StoreFailed as failure:
                whole.failed.append(f"account {one.account} was not recorded: {failure}")
    return whole


async def _record(one: Judged, known: Sequence[Followed], shelf: Shelf, whole: Recorded) -> None:
    report = _report(one, shelf)
    if await shelf.store.report(report.reconciliation_id) is not None:
        whole.already += 1
        return

    became = Carried()

    async def decided(seen: ReconciliationReport, carried: Carried) -> ReconciliationReport:
        nonlocal became
        became = carried
        return seen

    run = run_of(report, since=report.timestamp)
    recorded = await record(shelf.store, report, Known(tuple(known)), None, run, shelf.policy, decided)
    if recorded.status is ReconciliationStatus.FAILED:
        raise StoreFailed(recorded.error_messages[-1])
    whole.add(became)
    if known or became.reopened:
        await follow_up(shelf.desk, one.account)


def _report(one: Judged, shelf: Shelf) -> ReconciliationReport:
    assert one.sides is not None, "tables are recorded with their sides"
    findings = {finding.key: finding for finding in (*one.watched, *one.findings)}
    ours, theirs = _with_absence(one.sides, one.watched)
    told = tuple(findings[key] for key in sorted(findings))
    report = report_of(ours, theirs, told, policy=shelf.policy, prices=one.prices, only=one.kinds)
    name = _id(report, one.findings)
    # Both tables were read, whatever of this account can be told.
    status = ReconciliationStatus.PARTIAL if report.status is ReconciliationStatus.FAILED else report.status
    return replace(report, reconciliation_id=name, status=status, notes=(*report.notes, shelf.note))


def _with_absence(sides: tuple[Snapshot, Snapshot], watched: Iterable[Finding]) -> tuple[Snapshot, Snapshot]:
    """Return the sides; of an account that both list otherwise, but nothing of what is watched, with zeros for that.

    Two readings of nothing agree with anybody. These are of more, of which nothing is kept.
    """
    ours, theirs = sides
    if ours.balances or theirs.balances:
        return sides
    agreed = [one.key for one in watched if isinstance(one, Agrees)]
    zeros = tuple(Balance(Asset(key.name), Wallet(key.part), ZERO) for key in agreed)
    return replace(ours, balances=zeros), replace(theirs, balances=zeros)


def _id(report: ReconciliationReport, unlike: Collection[Finding]) -> str:
    """Return the id of the run: what is open besides, and is seen to agree, is no part of what was compared."""
    return run_id(
        report.account,
        report.exchange,
        report.timestamp.isoformat(),
        *(f"{one.key}={type(one).__name__}" for one in unlike),
        *(f"{one.id}={one.internal}/{one.exchange}" for one in report.discrepancies),
    )
