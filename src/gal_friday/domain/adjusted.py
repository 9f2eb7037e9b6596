"""The life of an adjustment, as one table.

Everything that can move an adjustment from one state to another is in STEPS, and who may take a step is in MAY. Two
rules that no table can hold stand below it: who proposed may not approve where four eyes are asked for (I11), and an
approval is good for the content that was looked at and for nothing else. Nothing here writes.
"""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain.adjustment import (
    Adjustment,
    AdjustmentState,
    Plug,
    PostFill,
    PostMovement,
    PostOrder,
)
from gal_friday.domain.errors import IllegalStep, OtherContent, SamePerson
from gal_friday.domain.person import same_person

POLICY = "policy"
"""The name under which policy proposes and approves."""
PROGRAM = "gal-friday"
"""The name under which this program acts where nobody decides."""

_S = AdjustmentState


class Step(StrEnum):
    """What can be done with an adjustment."""

    __hash__ = str.__hash__

    PROPOSE = "propose"
    """Again, after it expired or was refused."""
    APPROVE = "approve"
    REJECT = "reject"
    EXPIRE = "expire"
    INTEND = "intend"
    """It is about to be written."""
    WITHDRAW = "withdraw"
    """It was looked up and is not in the book: approved again."""
    APPLY = "apply"
    """It was read back, and is in the book."""
    REFUSE = "refuse"
    LOSE_SIGHT = "lose_sight"
    """Nobody knows whether it was written."""
    VERIFY = "verify"
    DOUBT = "doubt"
    """A later run still saw a difference."""
    REVERSE = "reverse"
    """Another adjustment took it back."""
    REINSTATE = "reinstate"
    """What took it back was taken back itself."""


STEPS: dict[tuple[AdjustmentState, Step], AdjustmentState] = {
    (_S.PROPOSED, Step.APPROVE): _S.APPROVED,
    (_S.PROPOSED, Step.REJECT): _S.REJECTED,
    (_S.PROPOSED, Step.EXPIRE): _S.EXPIRED,
    (_S.EXPIRED, Step.PROPOSE): _S.PROPOSED,
    (_S.REFUSED, Step.PROPOSE): _S.PROPOSED,
    (_S.APPROVED, Step.REJECT): _S.REJECTED,
    (_S.APPROVED, Step.EXPIRE): _S.EXPIRED,
    (_S.APPROVED, Step.INTEND): _S.INTENDED,
    (_S.APPROVED, Step.REFUSE): _S.REFUSED,
    (_S.INTENDED, Step.APPLY): _S.APPLIED,
    (_S.INTENDED, Step.REFUSE): _S.REFUSED,
    (_S.INTENDED, Step.WITHDRAW): _S.APPROVED,
    (_S.INTENDED, Step.LOSE_SIGHT): _S.OUTCOME_UNKNOWN,
    (_S.OUTCOME_UNKNOWN, Step.APPLY): _S.APPLIED,
    (_S.OUTCOME_UNKNOWN, Step.REFUSE): _S.REFUSED,
    (_S.OUTCOME_UNKNOWN, Step.WITHDRAW): _S.APPROVED,
    (_S.APPLIED, Step.VERIFY): _S.VERIFIED,
    (_S.APPLIED, Step.DOUBT): _S.UNVERIFIED,
    (_S.UNVERIFIED, Step.VERIFY): _S.VERIFIED,
    (_S.APPLIED, Step.REVERSE): _S.REVERSED,
    (_S.VERIFIED, Step.REVERSE): _S.REVERSED,
    (_S.UNVERIFIED, Step.REVERSE): _S.REVERSED,
    (_S.REVERSED, Step.REINSTATE): _S.APPLIED,
}

_ANYBODY = frozenset({"person", POLICY, PROGRAM})
_DECIDERS = frozenset({"person", POLICY})

MAY: dict[Step, frozenset[str]] = {
    Step.PROPOSE: _DECIDERS,
    Step.APPROVE: _DECIDERS,
    Step.REJECT: _DECIDERS,
    Step.EXPIRE: _ANYBODY,
} | dict.fromkeys((step for step in Step if step not in ("propose", "approve", "reject", "expire")), _ANYBODY)

MOVES: dict[AdjustmentState, Step] = {
    _S.APPROVED: Step.APPROVE,
    _S.REJECTED: Step.REJECT,
    _S.EXPIRED: Step.EXPIRE,
    _S.OUTCOME_UNKNOWN: Step.LOSE_SIGHT,
    _S.VERIFIED: Step.VERIFY,
    _S.UNVERIFIED: Step.DOUBT,
    _S.REVERSED: Step.REVERSE,
}
"""The states that somebody can ask for; the others follow from what is kept, written and read back."""

IN_THE_BOOK = frozenset({_S.APPLIED, _S.VERIFIED, _S.UNVERIFIED})
"""It is posted and stands, so that it can be taken back."""
APPLIED_ONCE = IN_THE_BOOK | {_S.REVERSED}
"""It was posted: doing so again writes nothing."""
RENEWABLE = frozenset({_S.EXPIRED, _S.REFUSED})
"""The same repair may be proposed anew."""


class Applied(Struct, frozen=True, tag="applied", tag_field="outcome"):
    """It is in the book."""

    adjustment_id: str
    version: int | str | None
    """The book's version afterwards: counted by the embedded one, a name of its own elsewhere; None untold."""
    gave_way: tuple[str, ...] = ()
    """The plugs that were released, in part or whole."""


class Refused(Struct, frozen=True, tag="refused", tag_field="outcome"):
    """Nothing was written."""

    adjustment_id: str
    reason: str
    """What stood against it."""


class Unsettled(Struct, frozen=True, tag="unsettled", tag_field="outcome"):
    """Nobody knows whether a book that is kept elsewhere took it: its account stops until that is settled."""

    adjustment_id: str
    reason: str


Outcome = Applied | Refused | Unsettled


class AdjustmentChange(Struct, frozen=True):
    """One step in the life of an adjustment."""

    number: int
    """Counted from 1."""
    at: datetime
    from_state: AdjustmentState | None
    """None for the first."""
    to_state: AdjustmentState
    actor: str
    how: str = ""
    """How we know who it was: as in ``facts.KnownBy``."""
    note: str = ""


class Kept(Struct, frozen=True, kw_only=True):
    """An adjustment, with all that became of it."""

    adjustment: Adjustment
    state: AdjustmentState
    proposed_by: str
    four_eyes: bool = False
    decided_by: str | None = None
    """Who approved or rejected it last."""
    outcome: Outcome | None = None
    """What its application came to, where there was one."""
    history: tuple[AdjustmentChange, ...] = ()
    """Every change, the oldest first."""
    revision: int = 1
    """Counts what was written here, so that two writers cannot both carry on from one state."""

    @property
    def id(self) -> str:
        """The adjustment's id."""
        return self.adjustment.adjustment_id

    def is_barred(self, name: str) -> bool:
        """Whether four eyes keep this person from approving it."""
        return self.four_eyes and same_person(name, self.proposed_by)


class By(Struct, frozen=True):
    """Who takes a step, how we know, and what they have to say."""

    actor: str
    how: str = "self-declared"
    note: str = ""


PROGRAM_ITSELF = By(PROGRAM, "system")


def first(adjustment: Adjustment, state: AdjustmentState, by: By, at: datetime, *, four_eyes: bool = False) -> Kept:
    """Return an adjustment that is kept from now on, proposed or approved at once.

    Raises:
        IllegalStep: another state, or nobody is named.
        SamePerson: four eyes are asked for, and who proposes would approve.
    """
    if state not in (_S.PROPOSED, _S.APPROVED):
        raise IllegalStep(f"an adjustment begins as proposed or approved, not as {state}")
    _check_named(by)
    _check_who(adjustment.adjustment_id, Step.PROPOSE, by.actor)
    if state is _S.APPROVED and four_eyes:
        raise _same_person(adjustment.adjustment_id, by.actor)
    opened = AdjustmentChange(1, at, None, state, by.actor.strip(), by.how, by.note or adjustment.reason)
    decided = by.actor.strip() if state is _S.APPROVED else None
    return Kept(
        adjustment=adjustment,
        state=state,
        proposed_by=by.actor.strip(),
        four_eyes=four_eyes,
        decided_by=decided,
        history=(opened,),
    )


def renewed(kept: Kept, anew: Kept, at: datetime) -> Kept:
    """Return what becomes of an adjustment that is kept once more, with the same postings.

    While nobody wrote it, it rests on the newer reading; expired or refused, it is proposed again; otherwise it
    stays as it is.
    """
    if anew.adjustment.at <= kept.adjustment.at or anew.adjustment.content != kept.adjustment.content:
        return kept
    if kept.state in (_S.PROPOSED, _S.APPROVED):
        return replace(kept, adjustment=anew.adjustment, revision=kept.revision + 1)
    if kept.state not in RENEWABLE:
        return kept
    said = anew.history[0]
    change = replace(said, number=len(kept.history) + 1, at=at, from_state=kept.state)
    return replace(anew, history=(*kept.history, change), outcome=None, revision=kept.revision + 1)


def after(kept: Kept, step: Step, by: By, at: datetime, *, content: str | None = None) -> Kept:
    """Return the adjustment after this step.

    *content* names what an approval is for: the digest that the approver looked at.

    Raises:
        IllegalStep: no such step from where it stands, or not for whoever asks; the message says what there is.
        SamePerson: who proposed it would approve it, where four eyes are asked for (I11).
        OtherContent: the approval is for something else.
    """
    to_state = STEPS.get((kept.state, step))
    if to_state is None:
        if step in _UNDONE:
            raise IllegalStep(_decided_already(kept, step))
        possible = ", ".join(sorted(steps_from(kept.state))) or "nothing; it has come to its end"
        wanted = f"adjustment {kept.id} is {kept.state}: {_words(step)} is not possible"
        raise IllegalStep(f"{wanted}; possible is {possible}")
    _check_named(by)
    _check_who(kept.id, step, by.actor)
    if step is Step.APPROVE:
        _check_approval(kept, by.actor, content)
    change = AdjustmentChange(len(kept.history) + 1, at, kept.state, to_state, by.actor.strip(), by.how, by.note)
    decided = by.actor.strip() if step in (Step.APPROVE, Step.REJECT) else kept.decided_by
    return replace(
        kept, state=to_state, decided_by=decided, history=(*kept.history, change), revision=kept.revision + 1
    )


def steps_from(state: AdjustmentState) -> Iterator[Step]:
    """Yield the steps that lead on from here."""
    return (step for at, step in STEPS if at is state)


def move_to(kept: Kept, to_state: AdjustmentState) -> Step:
    """Return the step that leads to the state that somebody asks for.

    Raises:
        IllegalStep: nobody can ask for this state.
    """
    step = MOVES.get(to_state)
    if step is None:
        raise IllegalStep(
            f"adjustment {kept.id} cannot be made {to_state}: that follows from keeping and applying it; "
            f"possible are {', '.join(sorted(MOVES))}"
        )
    return step


def names_of(adjustment: Adjustment) -> frozenset[str]:
    """Return the assets and instruments that it is about."""
    names = {effect.key.partition(":")[2].rpartition(":")[0] for effect in adjustment.effects}
    for posting in adjustment.postings:
        match posting:
            case PostFill(record) | PostOrder(record):
                names.add(record.instrument)
            case PostMovement(movement):
                names.add(movement.asset)
            case Plug(name=name):
                names.add(name)
            case _:
                continue
    return frozenset(names)


def is_policys_own(kept: Kept) -> bool:
    """Say whether policy and this program alone have had to do with it so far, and no person."""
    return all(who(change.actor) != "person" for change in kept.history)


def who(actor: str) -> str:
    """Return what kind of actor this is: policy, this program, or a person."""
    name = actor.strip().casefold()
    return name if name in (POLICY, PROGRAM) else "person"


def _check_named(by: By) -> None:
    if not by.actor.strip():
        raise IllegalStep("nobody is named for it; say who decides")


def _check_who(adjustment_id: str, step: Step, actor: str) -> None:
    if who(actor) not in MAY[step]:
        raise IllegalStep(f"{actor} may not {_words(step)} adjustment {adjustment_id}: policy or a person has to")


def _check_approval(kept: Kept, actor: str, content: str | None) -> None:
    if kept.is_barred(actor):
        raise _same_person(kept.id, actor)
    if content != kept.adjustment.content:
        raise OtherContent(
            f"the approval of adjustment {kept.id} is for other postings than it has now; look at it again: "
            f"its content is {kept.adjustment.content}"
        )


def _same_person(adjustment_id: str, actor: str) -> SamePerson:
    return SamePerson(f"{actor} proposed adjustment {adjustment_id} and may not approve it; somebody else has to")


_UNDONE = {Step.APPROVE: "approved", Step.REJECT: "rejected"}
_ALREADY = {
    _S.REJECTED: "was rejected already",
    _S.EXPIRED: "has expired",
    _S.APPROVED: "was approved already",
    _S.INTENDED: "was approved already",
    _S.OUTCOME_UNKNOWN: "was approved already, and nobody knows yet whether the book took it",
    _S.REFUSED: "was refused by the book",
    _S.REVERSED: "was taken back already",
} | dict.fromkeys(IN_THE_BOOK, "is in the book already")


def _decided_already(kept: Kept, step: Step) -> str:
    """Return for people why they come too late."""
    last = kept.history[-1]
    by = None if kept.state in (*RENEWABLE, _S.REVERSED) else kept.decided_by
    return (
        f"adjustment {kept.id} {_ALREADY[kept.state]} ({by or last.actor}, {last.at:%Y-%m-%d %H:%M} UTC) and cannot be "
        f"{_UNDONE[step]} any more; look at it again: gal-friday adjustment {kept.id}"
    )


def _words(step: Step) -> str:
    return step.replace("_", " ")
