"""Keeping adjustments, deciding on them, and posting them to a book."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from gal_friday.domain.adjusted import AdjustmentChange, By, Kept, Outcome
from gal_friday.domain.adjustment import Adjustment, AdjustmentState
from gal_friday.domain.handover import Sighting


class Adjustments(Protocol):
    """Adjustments of books: what was proposed, who decided, what was posted, at most once (I9).

    A book that is kept elsewhere is posted to by whoever keeps it; see ``ports/receiver.py``.
    """

    async def keep(
        self,
        adjustments: Iterable[Adjustment],
        *,
        state: AdjustmentState,
        by: By,
        four_eyes: bool = False,
    ) -> Sequence[Kept]:
        """Keep them as proposed or approved, and return how each stands now, in the order given.

        The same adjustment is kept once. Kept again from a newer reading it rests on that one, while nobody wrote
        it; where it had expired or was refused it is proposed anew; otherwise it stays as it is.

        Raises:
            IllegalStep: another state than proposed or approved, or nobody is named.
            SamePerson: approved at once where four eyes are asked for (I11).
            StoreFailed: nothing was written.
        """
        ...

    async def adjustment(self, adjustment_id: str, *, accounts: Collection[str] | None = None) -> Kept | None:
        """Return the one with this id, or the only one whose id begins with it; None where there is none.

        Those of other *accounts* are as none: a beginning must not tell their ids.

        Raises:
            StoreFailed: several ids begin with it; the message lists them.
        """
        ...

    async def adjustments(
        self,
        *,
        account: str | None = None,
        accounts: Collection[str] | None = None,
        states: Iterable[AdjustmentState] = (),
        since: datetime | None = None,
        trading_pair: str | None = None,
        after: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[Kept]:
        """Return adjustments, the newest first; those of an instrument or asset with *trading_pair*.

        *accounts* are those that whoever asks may see; None is all. *after* is the instant and the id of the one
        behind which a page begins.
        """
        ...

    async def changes(self, adjustment_id: str) -> Sequence[AdjustmentChange]:
        """Return every change of this adjustment, the oldest first; none where it is not known."""
        ...

    async def move(
        self,
        adjustment_id: str,
        to_state: AdjustmentState,
        *,
        by: By,
        content: str | None = None,
        revision: int | None = None,
    ) -> Kept:
        """Approve, reject, let expire, verify, doubt or mark as reversed; return how it stands then.

        An approval names the *content* it is for. *revision* is the one that whoever decides has seen.

        Raises:
            IllegalStep: it cannot go there from where it stands.
            SamePerson: who proposed it would approve it, where four eyes are asked for (I11).
            OtherContent: the approval is for other postings than it has.
            Overtaken: it was written since *revision*.
            StoreFailed: there is none with this id, or nothing could be written.
        """
        ...

    async def intend(self, adjustment_id: str) -> Kept:
        """Record that it is about to be written; asked again it stays as it is.

        Raises:
            IllegalStep: it is not approved.
            StoreFailed: there is none with this id, or nothing could be written.
        """
        ...

    async def apply(self, adjustment_id: str, *, token: int | None) -> Outcome:
        """Write an approved adjustment into the book in one transaction, read it back, and return what came of it.

        Applied or refused before, the first outcome is returned and nothing is written. *token* is that of the
        account's lease; None asks for no fence.

        Raises:
            IllegalStep: it is neither approved nor intended.
            Overtaken: another owner has the account now; nothing was written, and its state is as before.
            IllegalStep: of a book kept elsewhere: another adjustment of the account is of unknown outcome.
            NotAsPosted: the book does not hold what was just written: a mistake of this program.
            StoreFailed, BookFailed: nobody knows more than ``unsettled`` does; look there before trying again.
                Of a book kept elsewhere, BookFailed says that it cannot be reached at all; it stays approved.
        """
        ...

    async def apply_all(self, adjustment_ids: Sequence[str], *, token: int | None) -> Sequence[Outcome]:
        """Write several of one account in this order, and return what came of each; faster than one by one.

        Each is written whole or refused by itself and makes its own version: a plug that was computed from the
        version before the first of them is refused after it.

        Raises:
            As ``apply``; then those that come before may have been written: ``unsettled`` and ``settle`` tell.
        """
        ...

    async def unsettled(self, account: str) -> Sequence[Kept]:
        """Return what a restart has to look after: approved, intended, or of unknown outcome; the oldest first."""
        ...

    async def settle(
        self, account: str, *, token: int | None = None, seen: Mapping[str, Sighting] | None = None
    ) -> Sequence[Kept]:
        """Look up in the book what was intended, and return each as it stands then: applied, or approved again.

        The embedded book tells at once. A book that is kept elsewhere is asked, with *token*; *seen* is what a run
        saw of each adjustment, by its id. What neither of them settles stays of unknown outcome.

        Raises:
            Overtaken: another owner has the account now; nothing was settled.
            NotAsPosted: the book holds it in part; that cannot be, and a person has to look.
            StoreFailed, BookFailed: nothing was settled.
        """
        ...

    async def reversal(self, adjustment_id: str, *, reason: str, reconciliation_id: str = "") -> Adjustment:
        """Return the adjustment that takes back whatever of this one still stands; nothing is kept or written yet.

        Raises:
            IllegalStep: it is not in the book, or nothing of it stands.
            StoreFailed: there is none with this id.
        """
        ...
