"""The gate, asked: what is known of an account, less what a person accepted, and the rule of ``domain/gate``."""

from datetime import timedelta

from msgspec.structs import replace

from gal_friday.domain.assets import Instrument
from gal_friday.domain.due import needs_a_person
from gal_friday.domain.gate import Gate, gate
from gal_friday.domain.policy import Policy
from gal_friday.domain.review import ReviewState
from gal_friday.flows.review import Desk
from gal_friday.ports.pages import Pages


async def may_trade(
    pages: Pages,
    desk: Desk,
    policy: Policy,
    account: str,
    instrument: Instrument,
    *,
    max_age: timedelta,
    first: bool = False,
) -> Gate:
    """Return whether trading may go on in this instrument, and everything against it.

    Raises:
        StoreFailed: nobody can tell, which is no yes.
    """
    standing, now = await pages.standing(account), desk.clock.now()
    if standing.severe:
        reviews = await desk.reviews.reviews(one.id for one in standing.severe)
        accepted = {name: one for name, one in reviews.items() if one.state is ReviewState.ACCEPTED}
        standing = replace(
            standing,
            severe=tuple(
                one for one in standing.severe if one.id not in accepted or needs_a_person(accepted[one.id], one, now)
            ),
        )
    return gate(standing, instrument, now, policy=policy, max_age=max_age, first=first)
