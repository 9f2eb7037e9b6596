"""A row of the queue: a discrepancy with its review, what is proposed for it, and the cause that it stands under."""

from decimal import Decimal

from msgspec import Struct

from gal_friday.domain.adjusted import Kept
from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.followed import Followed
from gal_friday.domain.reviewed import Review


class Row(Struct, frozen=True, kw_only=True):
    """One discrepancy, with everything that the queue says of it."""

    followed: Followed
    review: Review
    adjustments: tuple[Kept, ...]
    """The newest first."""
    said: str
    """Every word that it can be found by, in small letters."""

    @property
    def cause(self) -> str | None:
        """Why the sides differ, as the last run that saw it has it."""
        return self.followed.latest.cause

    @property
    def value(self) -> Decimal | None:
        """What it is worth."""
        return self.followed.latest.value

    @property
    def assignee(self) -> str:
        """Who is to look at it, or nothing."""
        return self.review.assignee

    @property
    def proposed(self) -> tuple[Kept, ...]:
        """The adjustments that wait for a decision."""
        return tuple(one for one in self.adjustments if one.state is AdjustmentState.PROPOSED)

    @property
    def taken_back(self) -> bool:
        """Whether all that waits for a decision is to take an earlier repair back."""
        return self.waits and all(one.adjustment.reverses for one in self.proposed)

    @property
    def is_repaired(self) -> bool:
        """Whether its repair is in the book, and the next run sees whether both sides agree."""
        return self.followed.is_open and any(
            one.state is AdjustmentState.APPLIED and not one.adjustment.reverses for one in self.adjustments[:1]
        )

    def is_for(self, name: str) -> bool:
        """Whether anything waits for a decision that this person may take."""
        return any(not one.is_barred(name) for one in self.proposed)

    @property
    def waits(self) -> bool:
        """Whether an adjustment is proposed for it."""
        return bool(self.proposed)
