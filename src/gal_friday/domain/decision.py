"""What is done about a candidate: wait, propose, correct, or hand it to a person.

Everything that is decided here can be decided again from what is recorded: the candidate's facts, the policy of that
version, and how much was corrected before. A rule that lacks what it needs (a price, a side) is never satisfied.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.adjustment import AdjustmentType
from gal_friday.domain.candidate import Candidate
from gal_friday.domain.policy import Mode, Policy
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Kind


class Used(Struct, frozen=True):
    """What was corrected without a person so far."""

    hour: int = 0
    hour_value: Decimal = ZERO
    day: int = 0
    day_value: Decimal = ZERO

    def with_one(self, value: Decimal) -> "Used":
        """Return it with one more correction of this value."""
        add = quantity.add
        return Used(self.hour + 1, add(self.hour_value, value), self.day + 1, add(self.day_value, value))


class Choice(StrEnum):
    """The four things that can be done."""

    WAIT = "wait"
    """A later run decides."""
    PROPOSE = "propose"
    """A person decides about an adjustment that is ready."""
    CORRECT = "correct"
    """The adjustment is applied without a person."""
    ESCALATE = "escalate"
    """A person has to find out; there is nothing to post."""


class Decision(Struct, frozen=True):
    """What is done about one candidate, and why."""

    choice: Choice
    reasons: tuple[str, ...]
    """In words; of a correction, what allows it."""
    policy_version: str


class Decided(Struct, frozen=True):
    """A candidate with what was decided about it."""

    candidate: Candidate
    decision: Decision


_ONLY_A_PERSON = (AdjustmentType.REVERSE_RECORD, AdjustmentType.ORDER_STATE)
_ONLY_A_PERSON_BECAUSE = {
    AdjustmentType.REVERSE_RECORD: "the book would lose a record that the exchange denies",
    AdjustmentType.ORDER_STATE: "the book would take in an order that may be somebody else's, or that still works",
}
_UNSEEN = "corrections stopped: not everything was seen"


def decide(
    candidates: Sequence[Candidate], *, mode: Mode, policy: Policy, used: Used, breakers: Sequence[str] = ()
) -> tuple[Decided, ...]:
    """Return what is done about each of them, in their order.

    *used* is what was corrected without a person before, *breakers* why nothing may be corrected now.
    """
    decided: list[Decided] = []
    for candidate in candidates:
        decision = _decision(candidate, mode, policy, used, breakers)
        if decision.choice is Choice.CORRECT:
            used = used.with_one(candidate.value or ZERO)
        decided.append(Decided(candidate, decision))
    return tuple(decided)


def _decision(candidate: Candidate, mode: Mode, policy: Policy, used: Used, breakers: Sequence[str]) -> Decision:
    def decided(choice: Choice, reasons: Iterable[str]) -> Decision:
        return Decision(choice, tuple(reasons), policy.version)

    if mode is Mode.OBSERVE:
        return decided(Choice.WAIT, ("this account is only observed",))
    if candidate.bars.lasting or candidate.adjustment is None:
        return decided(Choice.ESCALATE, candidate.bars.lasting or ("nothing could be posted for it",))
    # What stops corrections is said of what still waits too: else nobody hears of it before something is ready.
    if candidate.bars.passing:
        return decided(Choice.WAIT, (*candidate.bars.passing, *breakers))
    if not candidate.confirmed:
        return decided(Choice.WAIT, ("seen too seldom or too shortly to be certain", *breakers))
    against = [*_against(candidate, mode, policy), *_beyond(candidate, policy, used), *breakers]
    if against:
        # Nobody is asked yet about what only waits for a run that sees everything.
        early = 0 < candidate.runs < policy.pending_runs and all(one.startswith(_UNSEEN) for one in against)
        return decided(Choice.WAIT if early else Choice.PROPOSE, against)
    return decided(Choice.CORRECT, (_allowed_by(candidate, policy),))


def _against(candidate: Candidate, mode: Mode, policy: Policy) -> Iterator[str]:
    """Yield what of the policy keeps this from being posted without a person."""
    made = candidate.adjustment
    assert made is not None, "without an adjustment there is nothing to allow"
    if mode is not Mode.ENFORCE:
        yield "in this mode a person decides"
    if made.type in _ONLY_A_PERSON:
        yield _ONLY_A_PERSON_BECAUSE[made.type]
    if made.effects and candidate.value is None:
        yield "nobody knows what it is worth: there is no price"
    if candidate.turned_down:
        yield f"{candidate.turned_down} posted the same, and a person decided against it"
    if candidate.flips >= policy.breaker_flips:
        yield f"it came back {candidate.flips} times"
    yield from _against_plug(candidate, policy) if made.is_plug else _against_evidence(candidate, policy)


def _against_evidence(candidate: Candidate, policy: Policy) -> Iterator[str]:
    if not candidate.proven:
        yield "the records do not explain it to the last digit and beyond doubt"
    if candidate.value is not None and candidate.value > policy.proven_max_value:
        yield f"it is worth more than {quantity.short(policy.proven_max_value)} (proven_max_value)"


def _against_plug(candidate: Candidate, policy: Policy) -> Iterator[str]:
    if candidate.value is not None and candidate.value > policy.auto_correct_max_value:
        yield f"no record explains it, and it is worth more than {quantity.short(policy.auto_correct_max_value)}"
    # Where one side lacks the key altogether there is nothing to take a share of: its value alone decides.
    share = _share(candidate, policy)
    if candidate.whole is not None and not _within(candidate.difference, share, candidate.whole):
        yield f"no record explains it, and it is more than {quantity.short(share)} of the amount"


def _share(candidate: Candidate, policy: Policy) -> Decimal:
    of_balance = any(key.startswith(f"{Kind.BALANCES}:") for key in candidate.keys)
    tenth = quantity.multiply(policy.auto_correct_threshold, Decimal("0.1"))
    return tenth if of_balance else policy.auto_correct_threshold


def _within(part: Decimal, share: Decimal, whole: Decimal) -> bool:
    return quantity.absolute(part) <= quantity.multiply(share, whole)


def _beyond(candidate: Candidate, policy: Policy, used: Used) -> Iterator[str]:
    """Yield which budgets one more correction would exceed."""
    value = candidate.value or ZERO
    if used.hour + 1 > policy.corrections_per_hour:
        yield f"{used.hour} corrections in this hour already (corrections_per_hour)"
    if used.day + 1 > policy.corrections_per_day:
        yield f"{used.day} corrections in this day already (corrections_per_day)"
    if quantity.add(used.hour_value, value) > policy.corrected_value_per_hour:
        yield f"{quantity.short(used.hour_value)} corrected in this hour already (corrected_value_per_hour)"
    if quantity.add(used.day_value, value) > policy.corrected_value_per_day:
        yield f"{quantity.short(used.day_value)} corrected in this day already (corrected_value_per_day)"


def _allowed_by(candidate: Candidate, policy: Policy) -> str:
    if candidate.adjustment is not None and candidate.adjustment.is_plug:
        return "no record explains it; it is confirmed, and small enough to be forced"
    return "the exchange's records prove it, without residual and without another explanation"


def breakers_of(
    *,
    discrepancies: int,
    degraded: Sequence[str],
    flips: int,
    unverified: Sequence[str],
    policy: Policy,
    unsettled: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return why nothing of this account may be corrected without a person now.

    *degraded* tells what of the sources was not seen, *flips* the most often that one open discrepancy came back,
    *unverified* the adjustments after which a difference was still seen, *unsettled* those of which nobody knows
    whether a book that is kept elsewhere took them.
    """
    return (*_tripped(discrepancies, degraded, flips, unverified, policy), *_untold(unsettled))


def _untold(unsettled: Sequence[str]) -> Iterator[str]:
    for name in unsettled[:1]:
        yield f"corrections stopped: nobody knows whether {name} was posted (gal-friday adjustments {name})"


def _tripped(
    discrepancies: int, degraded: Sequence[str], flips: int, unverified: Sequence[str], policy: Policy
) -> Iterator[str]:
    if discrepancies > policy.breaker_discrepancies:
        yield f"corrections stopped: {discrepancies} discrepancies at once (breaker_discrepancies)"
    if degraded:
        yield f"{_UNSEEN} ({degraded[0]})"
    if flips >= policy.breaker_flips:
        yield f"corrections stopped: a discrepancy came back {flips} times (breaker_flips)"
    if unverified:
        yield f"corrections stopped: after {unverified[0]} a difference was still seen"
