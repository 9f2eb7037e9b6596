"""From what was counted in many worlds to the numbers that are published."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from statistics import quantiles

from msgspec import Struct, field

from gal_friday.simulation.tally import Case
from gal_friday.simulation.world import Outcome, Settings

_SHOWN = 100
"""So many failures are told with their words; all of them are counted."""


class Times(Struct, frozen=True):
    """How long it took, in seconds: half of them at most so long, and so on."""

    median: float
    p95: float
    p99: float


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


class Measures(Struct, frozen=True, kw_only=True):
    """What all worlds together came to."""

    settings: Settings
    seeds: list[int]
    events: int
    runs: int
    calls: int
    verdicts: dict[str, int]
    kinds: list[Kind]
    discrepancies: int
    """In all reports together."""
    false: int
    due: int
    missed: int
    corrected: int
    wrong: int
    seconds_to_suspect: Times | None
    seconds_to_confirm: Times | None
    seconds_to_explain: Times | None
    seconds_to_correct: Times | None
    failures: list[str] = field(default_factory=list)
    """The first of them, each with its seed."""

    @property
    def holds(self) -> bool:
        """Whether nothing was missed, false or corrected wrongly."""
        return not (self.false or self.missed or self.wrong)


def measured(outcomes: Sequence[Outcome]) -> Measures:
    """Return the numbers of these worlds, which must be of one size."""
    cases = [case for one in outcomes for case in one.tally.cases]
    verdicts: Counter[str] = Counter()
    for one in outcomes:
        verdicts += one.tally.verdicts
    return Measures(
        settings=outcomes[0].settings,
        seeds=[one.seed for one in outcomes],
        events=sum(one.events for one in outcomes),
        runs=sum(one.tally.runs for one in outcomes),
        calls=sum(one.tally.calls for one in outcomes),
        verdicts=dict(sorted(verdicts.items())),
        kinds=list(_kinds(cases)),
        discrepancies=sum(one.tally.shown for one in outcomes),
        false=sum(len(one.tally.false) for one in outcomes),
        due=sum(case.due for case in cases),
        missed=sum(len(one.tally.missed) for one in outcomes),
        corrected=sum(one.tally.corrected for one in outcomes),
        wrong=sum(len(one.tally.wrong) for one in outcomes),
        seconds_to_suspect=_times(cases, lambda case: case.suspected),
        seconds_to_confirm=_times(cases, lambda case: case.confirmed),
        seconds_to_explain=_times(cases, lambda case: case.explained),
        seconds_to_correct=_times(cases, _corrected),
        failures=[line for one in outcomes for line in _failures(one)][:_SHOWN],
    )


def share(part: int, whole: int) -> str:
    """Return a share in percent, cut and never rounded up: less than all is never shown as 100 %."""
    if not whole:
        return "–"
    hundredths = Fraction(part, whole) * 10_000
    return f"{int(hundredths) // 100}.{int(hundredths) % 100:02d} %"


def _kinds(cases: Iterable[Case]) -> Iterable[Kind]:
    groups: defaultdict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in cases:
        causes = " or ".join(sorted(case.planted.causes))
        groups[case.planted.lie, causes].append(case)
    for (lie, causes), some in sorted(groups.items()):
        found = [case for case in some if case.suspected is not None]
        yield Kind(
            lie=lie,
            causes=causes,
            planted=len(some),
            found=len(found),
            due=sum(case.due for case in some),
            missed=sum(case.missed for case in some),
            named=sum(case.cause in case.planted.causes for case in found),
            by=dict(sorted(Counter(case.planted.by or "nobody" for case in some).items())),
        )


def _corrected(case: Case) -> datetime | None:
    return case.planted.over if case.planted.by in ("policy", "person") else None


def _times(cases: Iterable[Case], at: Callable[[Case], datetime | None]) -> Times | None:
    after = [(then - case.planted.at) / timedelta(seconds=1) for case in cases if (then := at(case)) is not None]
    if len(after) < 2:
        return None
    cuts = quantiles(sorted(after), n=100, method="inclusive")
    return Times(round(cuts[49], 1), round(cuts[94], 1), round(cuts[98], 1))


def _failures(one: Outcome) -> Iterable[str]:
    for what, lines in (("false", one.tally.false), ("missed", one.tally.missed), ("wrong", one.tally.wrong)):
        yield from (f"seed {one.seed}: {what}: {line}" for line in lines)
