"""What somebody proves who they are with, as it is kept: never a secret, only what a secret can be checked against.

Whether a credential is still good is asked with the instant, and answered here.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from gal_friday.domain.access import Accounts, Grant, Role, at_least


class Refusal(StrEnum):
    """Why somebody is not let in. What tells of a stranger's guess and what of a real credential are kept apart."""

    NO_PROOF = "no_proof"
    """Nothing was shown."""
    MALFORMED = "malformed"
    """What was shown is no credential, or was not copied whole."""
    UNKNOWN = "unknown"
    """Nobody knows it: the name, the secret or the session. Which of them is not said."""
    EXPIRED = "expired"
    REVOKED = "revoked"
    DISABLED = "disabled"
    """The person whom it belongs to is not let in any more."""
    THROTTLED = "throttled"
    """Too many attempts; later."""


class Token(Struct, frozen=True, kw_only=True):
    """An API token, without its secret."""

    id: str
    name: str
    """What it is for, in a person's words."""
    owner: str
    """In whose name it acts: for four eyes, token and person are one."""
    grant: Grant
    digest: str
    created: datetime
    created_by: str
    expires: datetime
    last_used: datetime | None = None
    """To the minute."""
    revoked: datetime | None = None

    def refusal(self, now: datetime) -> Refusal | None:
        """Return why it is not good now; None where it is."""
        if self.revoked is not None:
            return Refusal.REVOKED
        return Refusal.EXPIRED if now >= self.expires else None


class User(Struct, frozen=True, kw_only=True):
    """A person who signs in, without the password."""

    name: str
    role: Role
    accounts: Accounts
    password: str | None
    """As argon2 writes it; None where only a passkey lets this person in."""
    created: datetime
    disabled: datetime | None = None
    revision: int = 0
    """Counts what was written here: two changes cannot both carry on from one state."""

    @property
    def grant(self) -> Grant:
        """Return what this person is allowed."""
        return Grant(role=self.role, accounts=self.accounts)


class HeldToken(Struct, frozen=True):
    """A token, and the person it belongs to, where one of that name signs in here."""

    token: Token
    owner: User | None


USED_EVERY = timedelta(minutes=1)
"""When a token was used is written down this often at most: a bot that asks ten times a second writes once."""


def grant_of(held: HeldToken) -> Grant:
    """Return what a token is allowed now: never more than the person it belongs to."""
    mine = held.token.grant
    if held.owner is None:
        return mine
    role = mine.role if at_least(held.owner.role, mine.role) else held.owner.role
    return Grant(role=role, accounts=both(mine.accounts, held.owner.accounts), scopes=mine.scopes)


def both(one: Accounts, other: Accounts) -> Accounts:
    """Return the accounts that are in both."""
    if one.names is None:
        return other
    return Accounts(tuple(name for name in one.names if other.holds(name)))
