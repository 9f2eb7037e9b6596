"""The desk at which people decide, put together from the open database."""

from collections.abc import Sequence

from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.elsewhere import every_book
from gal_friday.bootstrap.settings import Settings
from gal_friday.bootstrap.wire import OpenStore
from gal_friday.domain.candidate import Candidate
from gal_friday.domain.followed import Followed
from gal_friday.flows.decide import Repairs
from gal_friday.flows.review import Desk


def desk_of(opened: OpenStore) -> Desk:
    """Return the desk over an open database."""
    return Desk(opened.store, opened.reviews, system_clock())


def repairs_of(opened: OpenStore, settings: Settings, *, owner: str) -> Repairs:
    """Return what deciding about repairs of a book needs; what is approved is posted at once, wherever it is kept."""
    policy, adjustments = settings.reconciliation.policy(), every_book(settings, opened, owner=owner)

    async def applied(adjustment_id: str) -> object:
        return await adjustments.apply(adjustment_id, token=None)

    async def candidates(followed: Followed) -> Sequence[Candidate]:
        reports = await opened.store.reports(account=followed.account, limit=1)
        return [one.candidate for report in reports for one in report.decisions]

    return Repairs(
        desk=desk_of(opened),
        adjustments=adjustments,
        four_eyes=policy.four_eyes,
        four_eyes_value=policy.four_eyes_value,
        candidates=candidates,
        apply=applied,
    )
