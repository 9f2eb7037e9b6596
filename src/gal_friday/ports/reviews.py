"""Where reviews are kept: what people decided about discrepancies, and every step that led there."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from gal_friday.domain.reviewed import Review, ReviewChange, Stepped


class Reviews(Protocol):
    """Keeps reviews; what is read back is equal to what was written."""

    async def reviews(self, ids: Iterable[str]) -> Mapping[str, Review]:
        """Return the reviews of those of these discrepancies that somebody has touched, by the id of the discrepancy.

        Raises:
            StoreFailed: they cannot be read.
        """
        ...

    async def not_closed(self, account: str) -> Sequence[Review]:
        """Return every review of the account that no run has closed, by id.

        Raises:
            StoreFailed: they cannot be read.
        """
        ...

    async def changes(self, discrepancy_id: str) -> Sequence[ReviewChange]:
        """Return every change of this review, oldest first; none where nobody has touched it.

        Raises:
            StoreFailed: they cannot be read.
        """
        ...

    async def save(self, steps: Sequence[Stepped]) -> None:
        """Write these steps, their changes and their facts in one transaction: all of them, or none (I10).

        Raises:
            ReviewOvertaken: somebody else has taken a step since one of these was read; nothing was written.
            StoreFailed: nothing was written.
        """
        ...
