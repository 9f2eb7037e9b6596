"""The life of a discrepancy from run to run: opened, confirmed, carried, cleared, reopened.

One look says little, several in a row are a fact: a discrepancy is suspected at first sight, confirmed when it
was seen often and long enough, and carried from run to run until its key is *seen* to agree.

Silence never clears anything (I7): a key that is pending, that nobody could look at, or that no finding speaks
of keeps its discrepancies as they are. Nothing here decides what differs, or what is done about it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.discrepancy import Discrepancy, RecordDiscrepancy, State
from gal_friday.domain.finding import Agrees, Differs, DiscrepancyType, ExchangeOnly, Finding, InternalOnly, Key
from gal_friday.domain.followed import Change, Event, Followed
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Kind

HISTORY_MAX = 32
"""Changes that a discrepancy carries with it, the newest; the store keeps every one."""
MARGIN = timedelta(minutes=1)
"""The two sides date one event a little apart, and the rows of one event are not of one instant."""

_DATED = (Kind.FILLS, Kind.MOVEMENTS)
_WITHOUT_A_WINDOW = (Kind.BALANCES, Kind.HOLDS, Kind.POSITIONS)
# A cost is compared only where the sizes agree: another difference beside it says nothing about it.
_JUDGED_ALONE = (DiscrepancyType.COST_BASIS_MISMATCH,)

Unlike = Differs | InternalOnly | ExchangeOnly


class Run(Struct, frozen=True, kw_only=True):
    """The run that observed."""

    account: str
    exchange: str
    now: datetime
    """When it looked: an observation that is not later than the last one changes nothing."""
    since: datetime | None = None
    """From when on it read records."""
    proven: frozenset[str] = frozenset()
    """Discrepancies that a clean cut and an explanation prove: confirmed at once."""
    blind: bool = False
    """It saw so little that agreement proves nothing: two empty readings agree with anybody."""


class Carried(Struct, frozen=True, kw_only=True):
    """Every discrepancy that was known or seen, in exactly one group, by id."""

    at: datetime | None = None
    opened: tuple[Followed, ...] = ()
    """Never seen before; already confirmed where proven."""
    still_open: tuple[Followed, ...] = ()
    """Seen again, in the same state."""
    confirmed: tuple[Followed, ...] = ()
    """Seen again, and certain now."""
    cleared: tuple[Followed, ...] = ()
    """Seen to agree."""
    reopened: tuple[Followed, ...] = ()
    """Back after it had agreed: the same one, and one flip more."""
    kept: tuple[Followed, ...] = ()
    """Open and not judged by this run: as it was."""

    @property
    def written(self) -> tuple[Followed, ...]:
        """Those that this run changed."""
        return (*self.opened, *self.still_open, *self.confirmed, *self.cleared, *self.reopened)

    @property
    def open(self) -> tuple[Followed, ...]:
        """Those that are open after this run."""
        return (*self.opened, *self.still_open, *self.confirmed, *self.reopened, *self.kept)

    def changes_of(self, one: Followed) -> tuple[Change, ...]:
        """Return what this run changed about it; its observations are of different instants."""
        return tuple(change for change in one.history if change.at == self.at)


def carry_forward(
    known: Iterable[Followed],
    findings: Iterable[Finding],
    discrepancies: Iterable[Discrepancy],
    *,
    run: Run,
    policy: Policy,
) -> Carried:
    """Return what becomes of every known discrepancy, and of every one seen now. The order of nothing matters.

    *known* are the open ones of this account and exchange, and of the cleared ones those that are seen now.
    *discrepancies* are those of *findings*.
    """
    before = {one.id: one for one in known}
    sight = _Sight(before, findings, {one.id: one for one in discrepancies}, run, policy)
    groups: dict[str, list[Followed]] = {}
    for name in sorted(before.keys() | sight.seen.keys()):
        group, after = sight.carried(name)
        if after is not None:
            groups.setdefault(group, []).append(after)
    return Carried(at=run.now, **{group: tuple(members) for group, members in groups.items()})


def gone(finding: Finding | None, kind: DiscrepancyType | None) -> str:
    """Return how a discrepancy of this type that is not seen any more was seen to be gone, or nothing (I7).

    *finding* is that of its key; a type that nobody knows is none of those that are judged alone.
    """
    match finding:
        case Agrees():
            return "both sides agree"
        case Differs() | InternalOnly() | ExchangeOnly() if kind not in _JUDGED_ALONE:
            return "it differs in another way now"
        case _:
            return ""


class _Sight:
    """What one run saw, laid beside what was known."""

    def __init__(
        self,
        before: Mapping[str, Followed],
        findings: Iterable[Finding],
        seen: Mapping[str, Discrepancy],
        run: Run,
        policy: Policy,
    ) -> None:
        self.before, self.seen, self.run, self.policy = before, seen, run, policy
        keys = {one.key for one in before.values()}
        self.of_known: dict[Key, Finding] = {}
        self.of_seen: dict[str, Unlike] = {}
        self.dates: dict[str, datetime] = {}
        for finding in findings:
            if keys and finding.key in keys:
                self.of_known[finding.key] = finding
            if isinstance(finding, Unlike):
                self.of_seen[str(finding.key)] = finding
                if finding.at is not None and finding.key.kind in _DATED:
                    self.dates[finding.key.name] = finding.at
        self.inherited = self._inherited()

    def _inherited(self) -> dict[Key, datetime]:
        """Return since when keys have been wrong that are wrong in another way now."""
        began: dict[Key, datetime] = {}
        for one in self.before.values():
            if one.is_open and one.id not in self.seen and isinstance(self.of_known.get(one.key), Unlike):
                began[one.key] = min(one.since, began.get(one.key, one.since))
        return began

    def carried(self, name: str) -> tuple[str, Followed | None]:
        """Return the group and what is to be known from now on; None where it is no open one, nor becomes one."""
        one, seen = self.before.get(name), self.seen.get(name)
        if one is None:
            assert seen is not None
            return "opened", self._opened(seen)
        if one.judged_at >= self.run.now:
            return "kept", one if one.is_open else None
        if seen is not None:
            return self._again(one, seen)
        reason = self._no_longer(one)
        if not one.is_open or not reason:
            return "kept", one if one.is_open else None
        cleared = replace(one, cleared_at=self.run.now, clean_observations=0, revision=one.revision + 1)
        return "cleared", self._stated(_changed(cleared, self.run.now, "cleared", "cleared", reason))

    def _no_longer(self, one: Followed) -> str:
        """Return how it was seen to be gone, or nothing where it was not (I7)."""
        return "" if self.run.blind else gone(self.of_known.get(one.key), one.type)

    def _opened(self, seen: Discrepancy) -> Followed:
        run, finding = self.run, self.of_seen[seen.key]
        since = self._began(seen, finding)
        one = Followed(
            id=seen.id,
            account=run.account,
            exchange=run.exchange,
            key=finding.key,
            type=seen.type,
            state="suspected",
            first_seen=run.now,
            last_seen=run.now,
            opened_at=run.now,
            since=since,
            read_from=_read_from(finding, run),
            largest_value=seen.value,
            revision=1,
            latest=seen,
        )
        return self._stated(self._ripened(_changed(one, run.now, "opened", "suspected", _said(seen))))

    def _began(self, seen: Discrepancy, finding: Unlike) -> datetime:
        """Return since when this is wrong, as far as anything tells."""
        inherited = self.inherited.get(finding.key)
        earlier = self._proven(seen, finding) if inherited is None else [inherited, *self._proven(seen, finding)]
        return min([self.run.now, *earlier])

    def _proven(self, seen: Discrepancy, finding: Unlike) -> list[datetime]:
        """Return every instant at which a record says that it began."""
        at = finding.at
        if at is None and seen.age_seconds is not None:
            at = self.run.now - timedelta(seconds=seen.age_seconds)
        return [each for each in (at, _diverged(seen) or self._first_behind(seen)) if each is not None]

    def _first_behind(self, seen: Discrepancy) -> datetime | None:
        """Return when the first record behind an amount happened, where records explain the whole and all are dated."""
        bridge = None if isinstance(seen, RecordDiscrepancy) else seen.bridge
        if bridge is None or bridge.residual:
            return None
        names = [(item.event, *item.record_ids) for item in bridge.items]
        dates = [[self.dates[name] for name in each if name in self.dates] for each in names]
        return min(map(min, dates)) if dates and all(dates) else None

    def _flips(self, one: Followed, seen: Discrepancy, finding: Unlike) -> int:
        """Return how often it came back; what began with an event since it agreed is another error at the same place.

        What nothing dates when it is back counts until a later run tells that it was another one.
        """
        told = min(self._proven(seen, finding), default=None)
        if one.cleared_at is not None:
            return one.flips + (told is None or told <= one.cleared_at)
        agreed = next((each.at for each in reversed(one.history) if each.what == "cleared"), None)
        if told is None or agreed is None or one.since < one.opened_at:
            return one.flips
        return one.flips - (agreed < told < one.opened_at)

    def _again(self, one: Followed, seen: Discrepancy) -> tuple[str, Followed]:
        run, finding = self.run, self.of_seen[seen.key]
        since = self._began(seen, finding)
        met = replace(
            one,
            last_seen=run.now,
            since=min(one.since, since) if one.is_open else since,
            occurrences=one.occurrences + 1,
            clean_observations=one.clean_observations + 1,
            flips=self._flips(one, seen, finding),
            largest_value=max((v for v in (one.largest_value, seen.value) if v is not None), default=None),
            revision=one.revision + 1,
            latest=seen,
        )
        if not one.is_open:
            met = replace(
                met, opened_at=run.now, confirmed_at=None, cleared_at=None, read_from=_read_from(finding, run)
            )
            back = _changed(met, run.now, "reopened", "suspected", _said(seen))
            return "reopened", self._stated(self._ripened(back))
        if _said(one.latest) != _said(seen):
            met = _changed(met, run.now, "changed", one.state, _said(seen))
        ripe = self._ripened(met)
        return "still_open" if ripe.state == one.state else "confirmed", self._stated(ripe)

    def _ripened(self, one: Followed) -> Followed:
        """Return it confirmed, where it was seen often and long enough or is proven."""
        often = one.clean_observations >= self.policy.confirmations
        long = self.run.now - one.opened_at >= self.policy.grace_of(self.run.exchange)
        proven = one.id in self.run.proven
        if one.state != "suspected" or not (proven or (often and long)):
            return one
        note = "proven" if proven else f"seen {one.clean_observations} times"
        return _changed(replace(one, confirmed_at=self.run.now), self.run.now, "confirmed", "confirmed", note)

    def _stated(self, one: Followed) -> Followed:
        """Return it with its latest sighting saying what is known about it."""
        age = int((self.run.now - one.since).total_seconds())
        # Seen for the first time, and nothing tells when it began: its age is not known.
        known = age or one.latest.age_seconds is not None
        latest = replace(one.latest, state=one.state, age_seconds=age if known else None, occurrences=one.occurrences)
        return replace(one, latest=latest)


def _changed(one: Followed, at: datetime, what: Event, state: State, note: str) -> Followed:
    change = Change(one.changes + 1, at, what, state, note)
    return replace(one, state=state, changes=change.number, history=(*one.history, change)[-HISTORY_MAX:])


def _read_from(finding: Unlike, run: Run) -> datetime | None:
    """Return from when on records must be read so that absence on both sides proves that it is gone."""
    at = None if isinstance(finding, Differs) else finding.at
    if finding.key.kind in _WITHOUT_A_WINDOW or run.since is None:
        return None
    # An order can be older than the window in which it was seen; that window was enough to see it.
    return run.since if at is None else max(run.since, at - MARGIN)


def _diverged(seen: Discrepancy) -> datetime | None:
    """Return when the running balances of the two sides parted, where their rows tell."""
    bridge = None if isinstance(seen, RecordDiscrepancy) else seen.bridge
    return bridge.divergence.since if bridge is not None and bridge.divergence is not None else None


def _said(one: Discrepancy) -> str:
    """Return what the two sides say, in one line."""
    match one:
        case RecordDiscrepancy(side=None):
            exact = one.difference is not None
            return f"{one.field}: book {_text(one.internal, exact)}, exchange {_text(one.exchange, exact)}"
        case RecordDiscrepancy():
            return f"{one.field}: {one.internal or one.exchange}"
        case _:
            return f"book {quantity.short(one.internal)}, exchange {quantity.short(one.exchange)}"


def _text(said: str | None, exact: bool) -> str:
    """Return what a side of a record says; *exact* where it is an amount, which the same digits may write longer."""
    if said is None:
        return "nothing"
    return quantity.short(quantity.reread(said)) if exact else said
