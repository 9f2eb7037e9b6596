"""Facts: everything that happened and must not be forgotten, each under one name.

The same name is the kind in the journal, the event in the log and the type of a webhook. A fact says what
happened, when, in which account, to what, by whom, and how we know who it was. It never holds a secret.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct


class FactKind(StrEnum):
    """What happened."""

    SNAPSHOT_TAKEN = "snapshot_taken"
    """One side was read, with the digests of the raw answers."""
    DISCREPANCY_OPENED = "discrepancy_opened"
    """Seen for the first time."""
    DISCREPANCY_CONFIRMED = "discrepancy_confirmed"
    """Seen often and long enough to be certain."""
    DISCREPANCY_CHANGED = "discrepancy_changed"
    """Still there, and the sides say something else now."""
    DISCREPANCY_CLEARED = "discrepancy_cleared"
    """Seen to agree."""
    DISCREPANCY_REOPENED = "discrepancy_reopened"
    """Back after it had agreed."""
    DISCREPANCY_EXPLAINED = "discrepancy_explained"
    """A cause was found for it."""
    ADJUSTMENT_PROPOSED = "adjustment_proposed"
    """A repair of the book was worked out."""
    ADJUSTMENT_INTENDED = "adjustment_intended"
    """It is about to be written; whatever comes next, it was meant."""
    ADJUSTMENT_APPLIED = "adjustment_applied"
    """The book was changed."""
    ADJUSTMENT_VERIFIED = "adjustment_verified"
    """The book was read back and holds what was written."""
    ADJUSTMENT_UNVERIFIED = "adjustment_unverified"
    """The book was read back and does not hold it."""
    ADJUSTMENT_EXPIRED = "adjustment_expired"
    """Nobody has to decide about a proposal any more."""
    ADJUSTMENT_FAILED = "adjustment_failed"
    """Nothing was written."""
    ADJUSTMENT_OUTCOME_UNKNOWN = "adjustment_outcome_unknown"
    """Nobody can say whether it was written; it must be looked at before anything else happens."""
    ADJUSTMENT_REVERSED = "adjustment_reversed"
    """It was taken back by another entry."""
    REVIEW_ASSIGNED = "review_assigned"
    """Somebody is to look at it."""
    REVIEW_COMMENTED = "review_commented"
    """Somebody wrote a note."""
    REVIEW_PROPOSED = "review_proposed"
    """Somebody asked for an adjustment."""
    REVIEW_APPROVED = "review_approved"
    """Somebody entitled agreed to an adjustment."""
    REVIEW_REJECTED = "review_rejected"
    """Somebody entitled refused an adjustment."""
    REVIEW_ACCEPTED = "review_accepted"
    """Somebody took the difference as it is, with a reason."""
    REVIEW_DISPUTED = "review_disputed"
    """Somebody says the exchange is wrong."""
    REVIEW_SNOOZED = "review_snoozed"
    """Put aside until a stated time."""
    REVIEW_REOPENED = "review_reopened"
    """A decision was taken back, or no longer holds."""
    REVIEW_UNDONE = "review_undone"
    """Somebody asked for an applied adjustment to be taken back."""
    REVIEW_CLOSED = "review_closed"
    """Seen to agree: nothing is left to decide."""
    RUN_SCHEDULED = "run_scheduled"
    """A run is due at a stated time."""
    RUN_STARTED = "run_started"
    """A run began."""
    RUN_SKIPPED = "run_skipped"
    """A run that was due did not happen, and why."""
    RUNS_PAUSED = "runs_paused"
    """Somebody stopped the runs of an account."""
    RUNS_RESUMED = "runs_resumed"
    """The runs of an account go on."""
    RUN_FINISHED = "run_finished"
    """A run ended: what was checked, what was not, the verdict, and the digest of its report."""
    BOOK_OPENED = "book_opened"
    """A book began, with its opening."""
    BOOK_APPENDED = "book_appended"
    """Entries were added to a book."""
    POLICY_CHANGED = "policy_changed"
    """Limits or rules are other ones from here on."""
    ALERT_RAISED = "alert_raised"
    """Something is wrong that people are told of."""
    ALERT_CHANGED = "alert_changed"
    """It got worse, or there is something new of it, or it still holds."""
    ALERT_ESCALATED = "alert_escalated"
    """Nobody has taken it on in time."""
    ALERT_ACKNOWLEDGED = "alert_acknowledged"
    """Somebody has taken it on."""
    ALERT_RESOLVED = "alert_resolved"
    """It holds no more."""
    ALERT_SENT = "alert_sent"
    """Somebody was told."""
    ALERT_UNDELIVERED = "alert_undelivered"
    """A channel never took what it was to tell; nothing more is tried."""
    SILENCE_BEGUN = "silence_begun"
    """Somebody asked not to be told of some alerts, until an end."""
    SILENCE_ENDED = "silence_ended"
    """Somebody ended a silence early."""
    BREAKER_TRIPPED = "breaker_tripped"
    """Corrections of an account stopped."""
    BREAKER_RESET = "breaker_reset"
    """Corrections of an account may go on."""
    JOURNAL_BEGUN = "journal_begun"
    """The first entry: the journal's id and format."""
    JOURNAL_KEY_ADDED = "journal_key_added"
    """From here on heads may be signed with this key; the entry holds its public half."""
    JOURNAL_ANCHORED = "journal_anchored"
    """A signed head was handed to somewhere outside."""
    TOKEN_CREATED = "token_created"  # noqa: S105 - the words, not one
    """An API token was made; its secret is nowhere."""
    TOKEN_REVOKED = "token_revoked"  # noqa: S105
    """An API token is not good any more."""
    USER_CREATED = "user_created"
    """Somebody can sign in from here on, with a role and accounts."""
    USER_DISABLED = "user_disabled"
    """Somebody is not let in any more; their sessions ended, and their tokens are refused."""
    USER_ENABLED = "user_enabled"
    """Somebody is let in again."""
    ROLE_CHANGED = "role_changed"
    """Somebody may do more, or less, or for other accounts."""
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    """Somebody has another password; their sessions ended."""
    PASSKEY_ADDED = "passkey_added"
    """A device lets somebody in."""
    PASSKEY_REMOVED = "passkey_removed"
    """A device lets nobody in any more."""
    SIGNED_IN = "signed_in"
    """Somebody proved who they are, and a session began."""
    SIGNED_OUT = "signed_out"
    """A session ended because its person said so."""
    STEPPED_UP = "stepped_up"
    """Somebody who was signed in proved again who they are."""
    SIGN_IN_REFUSED = "sign_in_refused"
    """Somebody could not prove who they say they are; of many attempts not each is told."""


class KnownBy(StrEnum):
    """How we know who did it."""

    POLICY = "policy"
    """A rule of this program did it."""
    SELF_DECLARED = "self-declared"
    """The name of the operating system's user; nobody verified it."""
    TOKEN = "token"  # noqa: S105 - the word, not one
    """The owner of a verified token."""
    SESSION = "session"
    """A person who signed in."""
    SYSTEM = "system"
    """This program itself."""


class Actor(Struct, frozen=True):
    """Who did it."""

    name: str
    known_by: str
    """One of ``KnownBy``; a word of a later version survives as itself (I15)."""


PROGRAM = Actor("gal-friday", KnownBy.SYSTEM)
"""This program, where no policy and no person decided."""


class Fact(Struct, frozen=True, kw_only=True):
    """One thing that happened. It gets its place when it is written to the journal."""

    kind: str
    """One of ``FactKind``; a kind of a later version survives as itself (I15)."""
    at: datetime
    account: str
    """Empty where it concerns no single account."""
    subject: str
    """The id of what it happened to: a run, a discrepancy, an adjustment, a book."""
    actor: Actor = PROGRAM
    body: Mapping[str, Any] = {}
    """Text, whole numbers, flags, lists and mappings of them; amounts and instants become text. Floats are refused."""
