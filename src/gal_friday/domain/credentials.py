"""What somebody proves who they are with, as it is kept: never a secret, only what a secret can be checked against.

A token is a program's, a password or passkey a person's; a session is what a browser shows after a person has signed
in. Whether a credential is still good is asked with the instant, and answered here.
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


class Passkey(Struct, frozen=True, kw_only=True):
    """The public half of a key that never leaves a person's device."""

    id: str
    """As the device named it, in base64url."""
    user: str
    name: str
    """Which device, in the person's words."""
    public_key: bytes
    sign_count: int
    added: datetime
    last_used: datetime | None = None


class Session(Struct, frozen=True, kw_only=True):
    """A browser in which a person has signed in."""

    digest: str
    """Of the random id in its cookie."""
    user: str
    began: datetime
    seen: datetime
    """When it was last used, to the minute."""
    proven: datetime
    """When the person last proved who they are."""

    @property
    def name(self) -> str:
        """Return what it is called where people read: too short to be of use to anybody."""
        return f"ses_{self.digest[:12]}"


class SessionRules(Struct, frozen=True):
    """How long a session lasts."""

    idle: timedelta = timedelta(hours=1)
    """Without being used."""
    lasts: timedelta = timedelta(hours=12)
    """However much it is used."""
    fresh: timedelta = timedelta(minutes=10)
    """After a proof, so long for what asks for a fresh one."""

    def ended(self, session: Session, now: datetime) -> bool:
        """Say whether it is over."""
        return now >= session.began + self.lasts or now >= session.seen + self.idle

    def is_fresh(self, session: Session, now: datetime) -> bool:
        """Say whether the person proved who they are a short while ago."""
        return now < session.proven + self.fresh


class Purpose(StrEnum):
    """What a secret is good for, once."""

    SIGN_IN = "sign_in"
    """A link that signs its bearer in."""
    ADD_PASSKEY = "add_passkey"
    """A challenge to a new passkey."""
    USE_PASSKEY = "use_passkey"
    """A challenge to any passkey."""


class Once(Struct, frozen=True, kw_only=True):
    """A secret that is good for one thing, once, and not for long."""

    digest: str
    purpose: Purpose
    user: str | None
    """Whose it is; None where that comes out when it is used."""
    expires: datetime


class HeldPasskey(Struct, frozen=True):
    """A passkey, and the person it belongs to."""

    passkey: Passkey
    user: User


class HeldSession(Struct, frozen=True):
    """A session, and the person it belongs to, as that person is now."""

    session: Session
    user: User


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
