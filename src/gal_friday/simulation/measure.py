"""From what was counted in many worlds to the numbers that are published.

Every world comes down to a plain record, so that worlds of several runs, processes and days can be added up later.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from statistics import quantiles

from msgspec import Struct, field

from gal_friday.simulation.baselines.beside import Score
from gal_friday.simulation.baselines.table import Compared, compared
from gal_friday.simulation.tally import Case
from gal_friday.simulation.world import Outcome, Settings

_SHOWN = 100
"""So many failures are told with their words; all of them are counted."""


class Error(Struct, frozen=True, kw_only=True):
    """What became of one error that was planted."""

    lie: str
    causes: str
    proven: bool
    """Whether the exchange has records that tell what is right."""
    small: bool
    """Whether it is one that may be corrected without a person: proven, no stranger's, and not gone with a backup."""
    limited: bool = False
    """Whether a limit of the policy keeps it for a person all the same: it is dear, or was seen amid a mass, or after
    as many corrections as are allowed."""
    due: int
    missed: int
    named: bool
    by: str
    suspected: float | None
    """Seconds after it was planted; so are the others."""
    confirmed: float | None
    explained: float | None
    corrected: float | None
    """By the policy or a person; None where the bot did it itself, or nobody."""


class Counted(Struct, frozen=True, kw_only=True):
    """What was counted in the world of one seed."""

    seed: int
    lies: tuple[str, ...]
    events: int
    runs: int
    calls: int
    verdicts: dict[str, int]
    discrepancies: int
    amounts: int
    to_zero: int
    corrected: int
    notices: int
    errors: list[Error]
    false: list[str]
    missed: list[str]
    wrong: list[str]
    told_twice: list[str]
    never_told: list[str]
    beside: list[Score] = []
    """What came of the product's books and of the baselines, where there were some."""


class Times(Struct, frozen=True):
    """How long it took, in seconds: half of them at most so long, and so on."""

    median: float
    p95: float
    p99: float
    percentiles: list[float] = []
    """All of them, from the 1st to the 99th."""


class Kind(Struct, frozen=True, kw_only=True):
    """One kind of error of the book."""

    lie: str
    causes: str
    planted: int
    found: int
    """Of those that were there for long enough to be seen."""
    due: int
    """How often one of its findings had to be in a report."""
    missed: int
    named: int
    """Of those found, those whose cause was named rightly in the end."""
    by: dict[str, int]
    """Who put it right: the bot itself, the policy, a person; nobody, where it was not before the end."""
    seconds_to_correct: Times | None = None


class Lie(Struct, frozen=True, kw_only=True):
    """Something that went wrong beside the book, and what came of the worlds that had it."""

    name: str
    worlds: int
    due: int
    failures: int


class Measures(Struct, frozen=True, kw_only=True):
    """What all worlds together came to."""

    settings: Settings
    seeds: list[int]
    events: int
    runs: int
    calls: int
    verdicts: dict[str, int]
    kinds: list[Kind]
    lies: list[Lie]
    discrepancies: int
    """In all reports together."""
    false: int
    due: int
    missed: int
    amounts: int
    """Balances and positions that differed, confirmed, in all reports together."""
    to_zero: int
    """Of them, those that were explained to the last digit."""
    proven: int
    """Errors that were found, and of which the exchange has records."""
    proven_named: int
    """Of them, those whose cause was named rightly."""
    small: int
    """Errors that were small, and put right by the policy, by a person or by nobody."""
    small_alone: int
    """Of them, those that the policy put right without a person."""
    limited: int = 0
    """Of the small ones, those that were worth more than the policy corrects by itself, or were seen amid so much else
    that was truly wrong that it corrects nothing, or after as many corrections of an hour or a day as it allows."""
    limited_alone: int = 0
    """Of these, those that the policy put right without a person, before or after."""
    corrected: int
    wrong: int
    notices: int
    told_twice: int
    never_told: int
    seconds_to_suspect: Times | None
    seconds_to_confirm: Times | None
    seconds_to_explain: Times | None
    seconds_to_correct: Times | None
    failures: list[str] = field(default_factory=list)
    """The first of them, each with its seed."""
    beside: list[Compared] = []
    """The product and the baselines in the same worlds, where there were baselines."""

    @property
    def holds(self) -> bool:
        """Whether nothing was missed, false, corrected wrongly, told twice or never."""
        return not (self.false or self.missed or self.wrong or self.told_twice or self.never_told)


def counted(one: Outcome) -> Counted:
    """Return what was counted in one world, as a plain record."""
    tally = one.tally
    return Counted(
        seed=one.seed,
        lies=one.lies,
        events=one.events,
        runs=tally.runs,
        calls=tally.calls,
        verdicts=dict(sorted(tally.verdicts.items())),
        discrepancies=tally.shown,
        amounts=tally.amounts,
        to_zero=tally.to_zero,
        corrected=tally.corrected,
        notices=tally.notices,
        errors=[_error(case) for case in tally.cases],
        false=tally.false,
        missed=tally.missed,
        wrong=tally.wrong,
        told_twice=tally.told_twice,
        never_told=tally.never_told,
        beside=[*one.beside],
    )


def measured(outcomes: Iterable[Outcome]) -> Measures:
    """Return the numbers of these worlds, which must be of one size."""
    some = list(outcomes)
    return summed([counted(one) for one in some], some[0].settings)


def summed(worlds: Sequence[Counted], settings: Settings) -> Measures:
    """Return the numbers of worlds of this size that were counted."""
    errors = [error for one in worlds for error in one.errors]
    verdicts: Counter[str] = Counter()
    for one in worlds:
        verdicts += Counter(one.verdicts)
    proven = [one for one in errors if one.proven and one.suspected is not None]
    small = [one for one in errors if one.small and one.suspected is not None and one.by in _REPAIRED]
    return Measures(
        settings=settings,
        seeds=[one.seed for one in worlds],
        events=sum(one.events for one in worlds),
        runs=sum(one.runs for one in worlds),
        calls=sum(one.calls for one in worlds),
        verdicts=dict(sorted(verdicts.items())),
        kinds=list(_kinds(errors)),
        lies=list(_lies(worlds)),
        discrepancies=sum(one.discrepancies for one in worlds),
        false=sum(len(one.false) for one in worlds),
        due=sum(one.due for one in errors),
        missed=sum(len(one.missed) for one in worlds),
        amounts=sum(one.amounts for one in worlds),
        to_zero=sum(one.to_zero for one in worlds),
        proven=len(proven),
        proven_named=sum(one.named for one in proven),
        small=len(small),
        small_alone=sum(one.by == "policy" for one in small),
        limited=sum(one.limited for one in small),
        limited_alone=sum(one.limited and one.by == "policy" for one in small),
        corrected=sum(one.corrected for one in worlds),
        wrong=sum(len(one.wrong) for one in worlds),
        notices=sum(one.notices for one in worlds),
        told_twice=sum(len(one.told_twice) for one in worlds),
        never_told=sum(len(one.never_told) for one in worlds),
        seconds_to_suspect=times(errors, lambda error: error.suspected),
        seconds_to_confirm=times(errors, lambda error: error.confirmed),
        seconds_to_explain=times(errors, lambda error: error.explained),
        seconds_to_correct=times(errors, lambda error: error.corrected),
        failures=[line for one in worlds for line in _failures(one)][:_SHOWN],
        beside=compared(one.beside for one in worlds),
    )


def share(part: int, whole: int) -> str:
    """Return a share in percent, cut and never rounded up: less than all is never shown as 100 %."""
    if not whole:
        return "–"
    hundredths = Fraction(part, whole) * 10_000
    return f"{int(hundredths) // 100}.{int(hundredths) % 100:02d} %"


def times(errors: Iterable[Error], of: Callable[[Error], float | None]) -> Times | None:
    """Return how long something took; None where it happened to fewer than two of them."""
    after = [seconds for error in errors if (seconds := of(error)) is not None]
    if len(after) < 2:
        return None
    cuts = [round(cut, 1) for cut in quantiles(sorted(after), n=100, method="inclusive")]
    return Times(cuts[49], cuts[94], cuts[98], cuts)


_REPAIRED = ("policy", "person", "")


def _error(case: Case) -> Error:
    planted = case.planted

    def after(at: datetime | None) -> float | None:
        return None if at is None else round((at - planted.at) / timedelta(seconds=1), 1)

    return Error(
        lie=planted.lie,
        causes=" or ".join(sorted(planted.causes)),
        proven=bool(planted.truth),
        small=planted.small,
        limited=case.amid or case.dear,
        due=case.due,
        missed=case.missed,
        named=case.cause in planted.causes,
        by=planted.by,
        suspected=after(case.suspected),
        confirmed=after(case.confirmed),
        explained=after(case.explained),
        corrected=after(planted.over) if planted.by in ("policy", "person") else None,
    )


def _kinds(errors: Iterable[Error]) -> Iterable[Kind]:
    groups: defaultdict[tuple[str, str], list[Error]] = defaultdict(list)
    for error in errors:
        groups[error.lie, error.causes].append(error)
    for (lie, causes), some in sorted(groups.items()):
        found = [error for error in some if error.suspected is not None]
        yield Kind(
            lie=lie,
            causes=causes,
            planted=len(some),
            found=len(found),
            due=sum(error.due for error in some),
            missed=sum(error.missed for error in some),
            named=sum(error.named for error in found),
            by=dict(sorted(Counter(error.by or "nobody" for error in some).items())),
            seconds_to_correct=times(some, lambda error: error.corrected),
        )


def _lies(worlds: Sequence[Counted]) -> Iterable[Lie]:
    for name in sorted({name for one in worlds for name in one.lies}):
        having = [one for one in worlds if name in one.lies]
        yield Lie(
            name=name,
            worlds=len(having),
            due=sum(error.due for one in having for error in one.errors),
            failures=sum(len(list(_failures(one))) for one in having),
        )


def _failures(one: Counted) -> Iterable[str]:
    for what, lines in (
        ("false", one.false), ("missed", one.missed), ("wrong", one.wrong),
        ("told twice", one.told_twice), ("never told", one.never_told),
    ):  # fmt: skip
        yield from (f"seed {one.seed}: {what}: {line}" for line in lines)
