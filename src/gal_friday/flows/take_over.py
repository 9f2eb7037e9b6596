"""What the policy proposed, and nobody has touched since, the policy may correct once it allows it.

What a person asked for, or looked at, stays with that person. The proposal ends first, in its own history and in the
journal, and is then kept anew: so nobody approves what somebody else decides about at this moment. Nothing here posts.
"""

from msgspec.structs import replace

from gal_friday.domain.adjusted import PROGRAM_ITSELF, Kept, is_policys_own
from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.errors import Overtaken
from gal_friday.domain.reviewed import was_looked_at
from gal_friday.flows.review import Desk
from gal_friday.ports.adjustments import Adjustments

_BECAUSE = "the policy allows it by now, and no person has asked for it or looked at it"


async def take_over(adjustments: Adjustments, desk: Desk | None, adjustment_id: str) -> None:
    """End the proposal of this adjustment, if it is one that the policy may take over; else leave all as it is.

    Raises:
        StoreFailed: nothing could be read or written.
    """
    kept = await adjustments.adjustment(adjustment_id)
    if kept is None or kept.state is not AdjustmentState.PROPOSED or not is_policys_own(kept):
        return
    if desk is not None and await _looked_at(desk, kept):
        return
    by = replace(PROGRAM_ITSELF, note=_BECAUSE)
    try:
        await adjustments.move(kept.id, AdjustmentState.EXPIRED, by=by, revision=kept.revision)
    except Overtaken:
        return  # Somebody decides about it at this moment: it is theirs.


async def _looked_at(desk: Desk, kept: Kept) -> bool:
    known = await desk.store.followed(kept.adjustment.discrepancies)
    return any([was_looked_at(one, await desk.reviews.changes(one.id)) for one in known])
