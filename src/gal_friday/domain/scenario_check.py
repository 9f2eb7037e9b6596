"""Does what a scenario expects hold? Each expectation is answered with what was found instead.

A balance or position that differs and that nobody expected to differ is an answer of its own: a scenario says
everything that goes wrong in its story, or it does not hold.
"""

from collections.abc import Iterator, Sequence
from typing import assert_never

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.case import Case
from gal_friday.domain.cause import Cause
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.explain import Explained, explain
from gal_friday.domain.explanation import Explanation, Item
from gal_friday.domain.finding import (
    Agrees,
    CannotTell,
    Differs,
    DiscrepancyType,
    ExchangeOnly,
    Finding,
    InternalOnly,
    Key,
    Pending,
)
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import RECORD_KINDS, Kind
from gal_friday.domain.scenario import Scenario
from gal_friday.domain.scenario_expect import (
    AmountKey,
    ExpectedAmount,
    ExpectedRecord,
    ExpectedState,
    ExpectedTie,
    ExpectedVerdict,
)
from gal_friday.domain.verdict import Verdict, gaps_in, verdict_of

_AMOUNTS = (Kind.BALANCES, Kind.POSITIONS)


class Answer(Struct, frozen=True):
    """Whether one expectation holds."""

    line: int
    """Its number in the file; 0 for what was found and not expected."""
    expected: str
    held: bool
    found: str
    """What was found, in the words of a scenario."""


class _Found(Struct, frozen=True):
    """Everything that comparing and explaining came to."""

    findings: dict[Key, Finding]
    explained: Explained
    verdict: Verdict


def check(scenario: Scenario) -> tuple[Answer, ...]:
    """Return one answer for each expectation in the order of the file, then one for each surprise."""
    found = _found(scenario)
    answers = [_answered(found, expectation) for expectation in scenario.expectations]
    return (*answers, *_surprises(scenario, found))


def _found(scenario: Scenario) -> _Found:
    policy, sides = Policy(), (scenario.internal, scenario.exchange)
    findings = compare_snapshots(*sides, policy=policy)
    unlike = [finding for finding in findings if not isinstance(finding, Agrees)]
    explained = explain(Case(*sides, findings), policy=policy, prices=scenario.prices)
    verdict = verdict_of(unlike, gaps_in(*sides, RECORD_KINDS, unlike))
    return _Found({finding.key: finding for finding in findings}, explained, verdict)


def _answered(found: _Found, expectation: object) -> Answer:
    match expectation:
        case ExpectedAmount(line=line):
            held, said = _amount(found, expectation)
        case ExpectedState(line=line):
            held, said = _state(found, expectation)
        case ExpectedRecord(line=line):
            held, said = _record(found, expectation)
        case ExpectedVerdict(line=line, verdict=verdict):
            held, said = found.verdict is verdict, f"verdict {found.verdict}"
        case ExpectedTie(line=line):
            ties = sorted(_ties(found.explained))
            held, said = bool(ties), f"tie at {', '.join(ties)}" if ties else "no tie"
        case _:
            raise AssertionError(f"no expectation: {expectation!r}")
    return Answer(line.number, line.text, held, said)


def _keys(found: _Found, key: AmountKey) -> list[Key]:
    return [
        other
        for other in found.findings
        if (other.kind, other.name) == (key.kind, key.name) and key.part in ("", other.part)
    ]


def _amount(found: _Found, expected: ExpectedAmount) -> tuple[bool, str]:
    told = [(key, found.explained.explanations.get(key)) for key in _keys(found, expected.key)]
    for key, explanation in told:
        if explanation is not None:
            return _bridged(explanation, expected), bridge(key, explanation)
    return False, _states(found, expected.key)


def _bridged(explanation: Explanation, expected: ExpectedAmount) -> bool:
    difference = quantity.subtract(explanation.exchange, explanation.internal)
    return (
        difference == expected.difference
        and explanation.residual == expected.residual
        and _same_records(explanation.items, expected.ids)
        and (not expected.causes or set(expected.causes) == causes_of(explanation))
    )


def _same_records(items: Sequence[Item], ids: Sequence[str]) -> bool:
    """Say whether every item rests on a record or event that was named, and every name is used."""
    names = [{*item.record_ids, *((item.event,) if item.event else ())} for item in items]
    named = [each for each in names if each]
    return all(each & set(ids) for each in named) and all(any(name in each for each in named) for name in ids)


def causes_of(explanation: Explanation) -> set[Cause]:
    """Return the causes of the items, and of the residual where there is one."""
    return {item.cause for item in explanation.items} | (
        {explanation.residual_cause} if explanation.residual else set()
    )


def bridge(key: Key, explanation: Explanation) -> str:
    """Return the way from the book's amount to the exchange's, as a scenario writes it."""
    difference = quantity.subtract(explanation.exchange, explanation.internal)
    names = [item.event or ", ".join(item.record_ids) for item in explanation.items]
    ids = " ".join(dict.fromkeys(name for name in names if name)) or "nothing"
    word = "excess" if difference > 0 else "shortfall"
    causes = ", ".join(sorted(causes_of(explanation)))
    size, left = quantity.short(quantity.absolute(difference)), quantity.short(explanation.residual)
    return f"{name_of(key)} {word} {size} = {ids} residual {left} because {causes}"


def name_of(key: Key | AmountKey) -> str:
    """Return the key as a scenario writes it."""
    return f"{key.name}.{key.part}" if key.kind is Kind.BALANCES and key.part != "spot" else key.name


def _state(found: _Found, expected: ExpectedState) -> tuple[bool, str]:
    findings = [found.findings[key] for key in _keys(found, expected.key)]
    states = {_word(finding) for finding in findings} or {"agrees"}
    return states == {expected.state}, _states(found, expected.key)


def _states(found: _Found, key: AmountKey) -> str:
    words = [f"{name_of(each)} {_word(found.findings[each])}" for each in _keys(found, key)]
    return "; ".join(words) or f"{name_of(key)} is on neither side"


def _word(finding: Finding) -> str:
    match finding:
        case Agrees():
            return "agrees"
        case Pending():
            return "pending"
        case CannotTell():
            return "cannot tell"
        case Differs() | InternalOnly() | ExchangeOnly():
            return "differs"
        case _:
            assert_never(finding)


def _record(found: _Found, expected: ExpectedRecord) -> tuple[bool, str]:
    keys = [key for key in found.findings if (key.kind, key.name) == (expected.kind, expected.name)]
    said = []
    for key in keys:
        types, cause = _types(found.findings[key]), _cause(found.explained, key)
        if expected.type in types and expected.cause in (None, cause):
            return True, _said(expected, types, cause)
        said.append(_said(expected, types, cause) if types else f"{expected.name} {_word(found.findings[key])}")
    return False, "; ".join(said) or f"{expected.name} is no {expected.kind.removesuffix('s')} of either side"


def _said(expected: ExpectedRecord, types: Sequence[DiscrepancyType], cause: Cause | None) -> str:
    return f"{expected.name} {', '.join(types)} because {cause or 'nothing that is known'}"


def _types(finding: Finding) -> list[DiscrepancyType]:
    match finding:
        case Differs(mismatches=mismatches):
            return [mismatch.type for mismatch in mismatches]
        case InternalOnly(type=type_, repeats=repeats) | ExchangeOnly(type=type_, repeats=repeats):
            return [type_, *(repeat.type for repeat in repeats)]
        case _:
            return []


def _cause(explained: Explained, key: Key) -> Cause | None:
    explanation = explained.explanations.get(key)
    if explanation is not None:
        return explanation.cause
    recognised = explained.causes.get(key)
    return recognised.cause if recognised is not None else None


def _ties(explained: Explained) -> Iterator[str]:
    """Yield what has several explanations: an amount with alternatives, a record between causes."""
    for key, explanation in explained.explanations.items():
        if len(explanation.alternatives) > 1 or any(_undecided(item.note) for item in explanation.items):
            yield name_of(key)
    for key, recognised in explained.causes.items():
        if _undecided(recognised.note):
            yield key.name


def _undecided(note: str) -> bool:
    return note.startswith("undecided between ")


def _surprises(scenario: Scenario, found: _Found) -> Iterator[Answer]:
    expected = [each.key for each in scenario.expectations if isinstance(each, ExpectedAmount | ExpectedState)]
    records = {(each.kind, each.name) for each in scenario.expectations if isinstance(each, ExpectedRecord)}
    spoken = {key for each in expected for key in _keys(found, each)}
    for key, finding in found.findings.items():
        silent = key.kind in _AMOUNTS and key not in spoken and (key.kind, key.name) not in records
        if silent and _word(finding) == "differs":
            explanation = found.explained.explanations.get(key)
            said = bridge(key, explanation) if explanation else f"{name_of(key)} differs"
            yield Answer(0, f"{name_of(key)} was not expected to differ", held=False, found=said)
