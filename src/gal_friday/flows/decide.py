"""People decide about repairs of the book: asked for, approved, rejected, taken back.

A decision is written twice, once in the life of the adjustment and once in the review of every discrepancy that it
repairs; the first is the one that counts, and the second follows from it (``noting``). Approving does not write to the
book: that is done by what is passed in as *apply*, and only a run that sees both sides agree closes a review (I7).
Nothing here writes to a book.
"""

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain.adjusted import IN_THE_BOOK, RENEWABLE, By, Kept
from gal_friday.domain.adjustment import Adjustment, AdjustmentState
from gal_friday.domain.candidate import Candidate
from gal_friday.domain.errors import GalFridayError, SamePerson
from gal_friday.domain.facts import Actor
from gal_friday.domain.followed import Followed
from gal_friday.domain.person import same_person
from gal_friday.domain.remark import name_of, note_of
from gal_friday.domain.review import Action, IllegalAction, Reason, ReviewState
from gal_friday.domain.reviewed import Ask, ReviewChange, Stepped, check_decidable, step
from gal_friday.flows.noting import note as noted
from gal_friday.flows.noting import reviews_of, words_of
from gal_friday.flows.review import Desk, found
from gal_friday.ports.adjustments import Adjustments

ADJUSTMENT = "adj_"
"""How the id of an adjustment begins."""
_LOOKED_AT = 1_000

Apply = Callable[[str], Awaitable[object]]
"""Takes the id of an approved adjustment, posts it to its book, and returns what came of it."""
Candidates = Callable[[Followed], Awaitable[Sequence[Candidate]]]
"""Returns what the last run could have posted for a discrepancy."""


class NothingToDecide(GalFridayError, LookupError):
    """No adjustment is meant by what was named; the message says what there is, or how one is made."""


class Repairs(Struct, frozen=True, kw_only=True):
    """What deciding about repairs needs beside the desk."""

    desk: Desk
    adjustments: Adjustments
    four_eyes: bool = False
    four_eyes_value: Decimal = Decimal(0)
    """From this value on, in the reporting currency; without a price four eyes are asked for."""
    candidates: Candidates | None = None
    apply: Apply | None = None

    def needs_four_eyes(self, value: Decimal | None) -> bool:
        """Say whether somebody else than who proposed it has to approve an adjustment of this value (I11)."""
        return self.four_eyes and (value is None or value >= self.four_eyes_value)


class Decided(Struct, frozen=True, kw_only=True):
    """An adjustment after a decision."""

    kept: Kept
    changes: tuple[ReviewChange, ...] = ()
    """What was written to the reviews of its discrepancies."""
    outcome: object = None
    """What applying it came to; None where nothing was applied."""


async def propose(repairs: Repairs, discrepancy_id: str, by: Actor, *, note: str = "") -> Decided:
    """Propose what the last run could have posted for a discrepancy; somebody has to approve it.

    Raises:
        NothingToDecide: it is proposed or decided already, or no run knows a repair; the message says what to do.
        UnknownDiscrepancy, IllegalAction, MalformedRemark, StoreFailed: as in ``review.act``.
    """
    followed = await found(repairs.desk, discrepancy_id)
    made = await _proposable(repairs, followed)
    ask = _ask(repairs, Action.PROPOSE, by, note, made.adjustment_id)
    await _steps(repairs, made.discrepancies, ask, asked=followed.id)
    four_eyes = repairs.needs_four_eyes(made.value)
    (kept,) = await repairs.adjustments.keep(
        [made], state=AdjustmentState.PROPOSED, by=_by(ask), four_eyes=four_eyes
    )  # fmt: skip
    return Decided(kept=kept, changes=await noted(repairs.desk, kept.adjustment.discrepancies, ask))


async def can_be_proposed(repairs: Repairs, followed: Followed) -> bool:
    """Say whether there is a repair of this discrepancy that ``propose`` would propose.

    Raises:
        StoreFailed: nothing could be read.
    """
    try:
        await _proposable(repairs, followed)
    except NothingToDecide:
        return False
    return True


async def approve(repairs: Repairs, named: str, by: Actor, *, note: str = "") -> Decided:
    """Approve an adjustment, named by itself or by a discrepancy that it repairs, and apply it.

    The approval is for what it posts at this moment and for nothing else.

    Raises:
        NothingToDecide: no adjustment is meant.
        SamePerson: who proposed it would approve it, where four eyes are asked for (I11).
        IllegalStep, OtherContent, Overtaken: the adjustment is not what it was, or was decided already.
        IllegalAction: a discrepancy of it is accepted or put aside, or all of them agree already.
        BookFailed, Overtaken: it is approved, and did not reach its book; the next run hands it over.
        MalformedRemark, StoreFailed: as in ``review.act``.
    """
    kept = await _meant(repairs, named, AdjustmentState.PROPOSED)
    ask = _ask(repairs, Action.APPROVE, by, note, kept.id)
    _check_four_eyes(repairs, kept, ask.by)
    await _check_needed(repairs, kept)
    await _check_settled(repairs, kept)
    await _steps(repairs, kept.adjustment.discrepancies, ask)
    content, revision = kept.adjustment.content, kept.revision
    approved = await repairs.adjustments.move(
        kept.id, AdjustmentState.APPROVED, by=_by(ask), content=content, revision=revision
    )
    changes = await noted(repairs.desk, approved.adjustment.discrepancies, ask)
    outcome = None if repairs.apply is None else await repairs.apply(kept.id)
    return Decided(kept=await _now(repairs, approved), changes=changes, outcome=outcome)


async def reject(repairs: Repairs, named: str, by: Actor, *, reason: Reason | None, note: str = "") -> Decided:
    """Turn an adjustment down, named by itself or by a discrepancy that it repairs.

    Raises:
        NothingToDecide: no adjustment is meant.
        IllegalStep, Overtaken: it was decided already.
        MalformedRemark, StoreFailed: as in ``review.act``.
    """
    kept = await _meant(repairs, named, AdjustmentState.PROPOSED)
    ask = replace(_ask(repairs, Action.REJECT, by, note, kept.id), reason=reason)
    # What has to be said is checked before anything is written, also where no discrepancy is known any more.
    await _steps(repairs, kept.adjustment.discrepancies, ask, checked=True)
    by_whom = replace(_by(ask), note=words_of(reason, ask.note))
    rejected = await repairs.adjustments.move(kept.id, AdjustmentState.REJECTED, by=by_whom, revision=kept.revision)
    return Decided(kept=rejected, changes=await noted(repairs.desk, rejected.adjustment.discrepancies, ask))


async def undo(repairs: Repairs, named: str, by: Actor, *, note: str = "") -> Decided:
    """Propose what takes an applied adjustment back; it is approved like any other, and both stay on record.

    Raises:
        NothingToDecide: no adjustment is meant, or taking it back as it stands was rejected.
        IllegalStep: it is not in the book, or nothing of it stands.
        MalformedRemark, StoreFailed: as in ``review.act``.
    """
    kept = await _meant(repairs, named, *IN_THE_BOOK)
    clean = note_of(note)
    reason = f"takes back {kept.id}: " + (clean or kept.adjustment.reason)
    made = await repairs.adjustments.reversal(kept.id, reason=reason)
    before = await repairs.adjustments.adjustment(made.adjustment_id)
    if before is not None and before.state is AdjustmentState.REJECTED:
        raise NothingToDecide(
            f"taking back {kept.id} was rejected already, by {before.decided_by}, and is not asked for again while it "
            f"stands as it does; why: gal-friday adjustment {before.id}"
        )
    ask = _ask(repairs, Action.UNDO, by, clean, made.adjustment_id)
    await _steps(repairs, made.discrepancies, ask)
    four_eyes = repairs.needs_four_eyes(made.value)
    (proposed,) = await repairs.adjustments.keep(
        [made], state=AdjustmentState.PROPOSED, by=_by(ask), four_eyes=four_eyes
    )  # fmt: skip
    return Decided(kept=proposed, changes=await noted(repairs.desk, proposed.adjustment.discrepancies, ask))


def _ask(repairs: Repairs, action: Action, by: Actor, note: str, adjustment_id: str) -> Ask:
    named = replace(by, name=name_of(by.name))
    return Ask(action=action, by=named, at=repairs.desk.clock.now(), note=note_of(note), adjustment_id=adjustment_id)


def _by(ask: Ask) -> By:
    return By(ask.by.name, ask.by.known_by, ask.note)


async def _proposable(repairs: Repairs, followed: Followed) -> Adjustment:
    """Return what can be proposed for a discrepancy, or raise what stands against it."""
    waiting = await _of_discrepancy(repairs, followed, AdjustmentState.PROPOSED)
    if waiting:
        raise NothingToDecide(
            f"adjustment {waiting[0].id} is proposed for {followed.id} already; "
            f"decide about it: gal-friday review approve {waiting[0].id}"
        )
    made = await _worked_out(repairs, followed)
    kept = await repairs.adjustments.adjustment(made.adjustment_id)
    if kept is not None and kept.state not in RENEWABLE:
        raise NothingToDecide(
            f"adjustment {kept.id}, the repair of {followed.id}, is {kept.state} already, and is not proposed again "
            f"while this difference lasts; look what else can be done: gal-friday discrepancy {followed.id}"
        )
    return made


async def _worked_out(repairs: Repairs, followed: Followed) -> Adjustment:
    """Return the repair that the last run worked out, or raise why there is none."""
    known = () if repairs.candidates is None else await repairs.candidates(followed)
    of_it = [one for one in known if followed.id in one.discrepancies]
    barred = [bar for one in of_it for bar in (*one.bars.lasting, *one.bars.passing)]
    if barred:
        raise NothingToDecide(f"nothing may be posted for {followed.id}: {'; '.join(barred)}")
    for one in of_it:
        if one.adjustment is not None:
            return one.adjustment
    raise NothingToDecide(
        f"no run has found a repair of {followed.id}; book what is missing, or look again: "
        f"gal-friday run {followed.account}"
    )


async def _meant(repairs: Repairs, named: str, *states: AdjustmentState) -> Kept:
    """Return the adjustment of this id, or the only one in these states of the discrepancy of this id."""
    if named.startswith(ADJUSTMENT):
        kept = await repairs.adjustments.adjustment(named)
        if kept is None:
            raise NothingToDecide(f"no adjustment {named!r}; gal-friday review queue lists what waits for a decision")
        return kept
    followed = await found(repairs.desk, named)
    of_it = await _of_discrepancy(repairs, followed, *states)
    if len(of_it) == 1:
        return of_it[0]
    if of_it:
        raise NothingToDecide(f"several adjustments of {followed.id}: {', '.join(one.id for one in of_it)}; name one")
    raise NothingToDecide(
        f"no adjustment of {followed.id} is {' or '.join(sorted(states))}; "
        f"gal-friday discrepancy {followed.id} shows where it stands"
    )


async def _of_discrepancy(repairs: Repairs, followed: Followed, *states: AdjustmentState) -> list[Kept]:
    some = await repairs.adjustments.adjustments(account=followed.account, states=states, limit=_LOOKED_AT)
    return [one for one in some if followed.id in one.adjustment.discrepancies]


def _check_four_eyes(repairs: Repairs, kept: Kept, by: Actor) -> None:
    """Hold the policy of now against an adjustment that was proposed under another one; see ``adjusted`` (I11)."""
    if same_person(by.name, kept.proposed_by) and repairs.needs_four_eyes(kept.adjustment.value):
        raise SamePerson(f"{by.name} proposed adjustment {kept.id} and may not approve it; somebody else has to")


async def _check_needed(repairs: Repairs, kept: Kept) -> None:
    """Refuse to approve the repair of what agrees altogether; one symptom that is gone does not make it needless."""
    pairs = await reviews_of(repairs.desk, kept.adjustment.discrepancies)
    if pairs and all(not followed.is_open for followed, _ in pairs):
        review = replace(pairs[0][1], state=ReviewState.CLOSED)
        check_decidable(review, kept.id, reverses=kept.adjustment.reverses is not None)


async def _check_settled(repairs: Repairs, kept: Kept) -> None:
    """Refuse to approve what could not be posted: nothing is, while the outcome of another one is unknown."""
    account, unknown = kept.adjustment.account, (AdjustmentState.OUTCOME_UNKNOWN,)
    for other in await repairs.adjustments.adjustments(account=account, states=unknown, limit=1):
        raise NothingToDecide(
            f"nobody knows yet whether adjustment {other.id} was posted, and until that is settled nothing else of "
            f"{account} is: gal-friday run {account}"
        )


async def _steps(
    repairs: Repairs, discrepancies: Sequence[str], ask: Ask, *, asked: str = "", checked: bool = False
) -> list[Stepped]:
    """Return the steps of every review that this decision concerns, or raise what stands against it.

    A proposal concerns what it was *asked* for; its other symptoms may be put aside. Where no discrepancy is known,
    *checked* holds what was said against the table all the same.
    """
    steps = []
    for followed, review in await reviews_of(repairs.desk, discrepancies):
        try:
            steps.append(step(review, ask, followed))
        except IllegalAction:
            if not asked or followed.id == asked:
                raise
    if checked and not steps and not ask.reason:
        raise NothingToDecide(f"give a `reason`, one of {', '.join(Reason)}")
    return steps


async def _now(repairs: Repairs, kept: Kept) -> Kept:
    return await repairs.adjustments.adjustment(kept.id) or kept
