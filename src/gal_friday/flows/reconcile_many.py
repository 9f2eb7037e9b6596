"""Two tables of any number of rows: the engine sieves, the domain judges, and everything is counted."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from gal_friday.bulk.judge import Judged, Sieved, Terms, accounts, also_watched
from gal_friday.bulk.processes import Elsewhere, portions
from gal_friday.bulk.rows import Rejected, Row, Totals
from gal_friday.bulk.sieve import SIDES
from gal_friday.bulk.tally import Tally
from gal_friday.domain.records import Balance, Kind
from gal_friday.domain.snapshot import Coverage, Side, Since
from gal_friday.domain.verdict import Verdict
from gal_friday.ports.exchange import Progress

JUDGED = "accounts that may differ"


class Engine(Protocol):
    """What a columnar engine is asked; see ``bulk/duck``."""

    name: str
    moved: int | None
    """How many rows left their place; None where that is not how it is done."""

    def totals(self, side: Side, *, digests: bool = False) -> Totals:
        """Return how many rows a side has, and the exact sum of each asset, and with *digests* which rows they are."""
        ...

    def accounts(self) -> int:
        """Return how many accounts there are, on either side."""
        ...

    def present(self, accounts: Collection[str]) -> Collection[str]:
        """Return which of these accounts either side has a row of."""
        ...

    def held(self, keys: Collection[tuple[str, str, str]]) -> Iterator[Row]:
        """Yield the rows of these accounts, assets and wallets, in no particular order and without their prices."""
        ...

    def rejected(self, side: Side) -> Iterator[Rejected]:
        """Yield every row of a side that names no key."""
        ...

    def counted(self, side: Side) -> Mapping[Kind, int]:
        """Return how many records of each kind a side has."""
        ...

    def since(self, side: Side) -> Since:
        """Return of when the oldest record of a side is."""
        ...

    def sieved(self, terms: Terms) -> Sieved | Iterator[Judged]:
        """Return the rows of every account in which anything did not pass; or these accounts, judged by the engine."""
        ...


class Count(Struct):
    """Records of one kind."""

    rows: Mapping[Side, int]
    agreed: int = 0
    """Records that agree; the exchange's, and what only a book has."""
    discrepancies: int = 0


class Outcome(Struct, kw_only=True):
    """What two tables came to."""

    verdict: Verdict
    engine: str
    accounts: int
    rows: Mapping[Side, int]
    moved: int | None = None
    """How many of them left their place, where the sides are not in one."""
    keys: int = 0
    """Balances compared, on either side."""
    agreed: int = 0
    """Balances."""
    records: Mapping[Kind, Count] = {}
    """Of each kind that was compared besides."""
    untold: int = 0
    pending: int = 0
    """Keys that moved when the sides were read."""
    discrepancies: int = 0
    """Of balances and records."""
    by_type: Counter[str] = field(default_factory=Counter)
    by_severity: Counter[str] = field(default_factory=Counter)
    totals: Mapping[Side, Totals]
    rejected: int = 0
    near: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Names of assets that only one side has, and that nearly are one of the other's: how often."""
    not_checked: tuple[str, ...] = ()


def unseen(what: str, done: int, expected: int | None) -> None:
    """Be told of progress, and show nothing."""


def reconcile_many(
    engine: Engine,
    terms: Terms,
    each: Callable[[Judged], None],
    refused: Callable[[Rejected], None],
    progress: Progress = unseen,
    *,
    digests: bool = False,
    elsewhere: Elsewhere | None = None,
) -> Outcome:
    """Compare what the engine has opened, and return the whole.

    Every account that does not agree or is watched is handed to *each*, every row that cannot be read to *refused*.
    With *digests* the totals tell which rows they are of. *Elsewhere* accounts are judged in several processes, where
    that is much, nothing is watched and the engine does not judge: then portions are handed over, and nothing to
    *each*.

    Raises:
        UnusableTable: a table cannot be read to its end.
    """
    totals = {side: _counted(engine, side, progress, digests=digests) for side in SIDES}
    outcome = Outcome(
        verdict=Verdict.RECONCILED,
        engine=engine.name,
        accounts=engine.accounts(),
        rows={side: sum(one.rows for one in totals[side].values()) for side in SIDES},
        totals=totals,
        records=_records(engine),
    )
    named, coverage = sum(outcome.rows.values()), dict(terms.coverage)
    records = {side: dict(terms.records.get(side, {})) for side in SIDES}
    for one in (one for side in SIDES for one in engine.rejected(side)):
        refused(one)
        outcome.rejected += 1
        if one.kind is Kind.BALANCES:
            named -= one.line is None  # a torn line is no row
            coverage[one.side] = Coverage.PARTIAL  # whatever it was about
        else:
            records[one.side][one.kind] = Coverage.PARTIAL
            outcome.records[one.kind].agreed -= one.side == "exchange" and one.line is None
    since = {side: engine.since(side) for side in SIDES}
    terms = replace(terms, coverage=coverage, records=records, since=since, absent=_absent(engine, terms))
    tally = _judged(engine, terms, each, refused, outcome, progress, elsewhere)
    outcome.moved = engine.moved
    _count(outcome, tally, passed=(named - tally.rows) // 2)
    outcome.not_checked = tuple(_gaps(terms, outcome))
    outcome.verdict = _verdict(outcome)
    return outcome


def _records(engine: Engine) -> Mapping[Kind, Count]:
    """Return how many records there are; those of the exchange agree until they are looked at."""
    ours, theirs = (engine.counted(side) for side in SIDES)
    return {kind: Count({"internal": ours[kind], "exchange": theirs[kind]}, theirs[kind]) for kind in ours}


def _counted(engine: Engine, side: Side, progress: Progress, *, digests: bool) -> Totals:
    what = f"rows of the {side} side"
    progress(what, 0, None)
    totals = engine.totals(side, digests=digests)
    rows = sum(one.rows for one in totals.values())
    progress(what, rows, rows)
    return totals


def _absent(engine: Engine, terms: Terms) -> Collection[str]:
    """Return the accounts that are watched and that neither table has: nothing is known of them."""
    if not terms.watched:
        return ()
    present = engine.present({*terms.watched, ""})
    return terms.watched.keys() - {one or terms.account for one in present}


def _watched(terms: Terms) -> set[tuple[str, str, str]]:
    """Return the keys that are watched as a table has them: one of a single account does not name it."""
    names = {account: (account, "") if account == terms.account else (account,) for account in terms.watched}
    return {
        (name, key.name, key.part)
        for account, keys in terms.watched.items()
        if account not in terms.absent
        for key in keys
        if key.kind is Kind.BALANCES
        for name in names[account]
    }


def _judged(
    engine: Engine,
    terms: Terms,
    each: Callable[[Judged], None],
    refused: Callable[[Rejected], None],
    outcome: Outcome,
    progress: Progress,
    elsewhere: Elsewhere | None,
) -> Tally:
    """Judge what survives, here or elsewhere."""
    tally, sieved = Tally(), engine.sieved(terms)
    progress(JUDGED, 0, None)

    def handed_on(rejected: Sequence[Rejected], wide: Iterable[tuple[Side, Balance, int]]) -> None:
        progress(JUDGED, tally.accounts, None)
        outcome.rejected += len(rejected)
        for row in rejected:
            refused(row)
        for side, balance, number in wide:
            outcome.totals[side][balance.asset].add(balance.total, number)

    if elsewhere is not None and isinstance(sieved, Sieved) and not terms.watched:
        told = portions(sieved, terms, elsewhere)
        if not isinstance(told, Sieved):
            for portion in told:
                tally.join(portion.tally)
                handed_on(portion.rejected, portion.wide)
                elsewhere.take(portion)
            return tally
        sieved = told
    for one in also_watched(accounts(sieved, terms), engine.held(_watched(terms)), terms):
        tally.hear(one)
        handed_on(one.rejected, one.wide)
        if one.findings or one.watched:
            each(one)
    return tally


def _count(outcome: Outcome, tally: Tally, *, passed: int) -> None:
    """Count what was judged, and the balances that *passed* the sieve."""
    outcome.agreed = tally.agreed + passed
    outcome.keys = tally.agreed + tally.differing + passed
    outcome.untold, outcome.pending, outcome.discrepancies = tally.untold, tally.pending, tally.discrepancies
    outcome.by_type, outcome.by_severity, outcome.near = tally.by_type, tally.by_severity, tally.near
    for kind, count in outcome.records.items():
        count.agreed += tally.agreed_records[kind] - tally.looked_at[kind]
        count.discrepancies = tally.differing_records[kind]


def _gaps(terms: Terms, outcome: Outcome) -> Iterator[str]:
    for side in SIDES:
        if terms.coverage[side] is Coverage.PARTIAL:
            yield f"the {side} side is not whole: what is absent there is unknown"
        for kind, covered in terms.records[side].items():
            if covered is Coverage.PARTIAL:
                yield f"the {kind} of the {side} side are not whole: what is absent there is unknown"
    if outcome.untold:
        yield f"{outcome.untold} keys could not be judged"
    if not any(outcome.rows.values()):
        yield "neither side lists anything: nothing was compared"
    for kind, count in outcome.records.items():
        if not any(count.rows.values()):
            yield f"neither side lists {kind}: none were compared"


def _verdict(outcome: Outcome) -> Verdict:
    if outcome.not_checked or outcome.rejected:
        return Verdict.INCOMPLETE
    if outcome.discrepancies:
        return Verdict.DISCREPANCIES
    return Verdict.PENDING if outcome.pending else Verdict.RECONCILED
