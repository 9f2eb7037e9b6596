"""Who is known here: tokens, people, and what they proved. And what makes, checks and counts secrets."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gal_friday.domain.credentials import (
    HeldPasskey,
    HeldSession,
    HeldToken,
    Once,
    Passkey,
    Purpose,
    Session,
    Token,
    User,
)
from gal_friday.domain.facts import Fact
from gal_friday.domain.throttle import Tried


class Tokens(Protocol):
    """Keeps API tokens; what is read back is equal to what was written. Every change has its fact (I10)."""

    async def token(self, token_id: str) -> HeldToken | None:
        """Return the token with this id, revoked and expired ones as well; None where there is none.

        Raises:
            StoreFailed: it cannot be read.
        """
        ...

    async def tokens(self) -> Sequence[Token]:
        """Return every token, oldest first.

        Raises:
            StoreFailed: they cannot be read.
        """
        ...

    async def add_token(self, token: Token, fact: Fact) -> None:
        """Keep a new token and its fact, in one transaction.

        Raises:
            StoreFailed: nothing was written; or there is one of this id.
        """
        ...

    async def token_used(self, token_id: str, at: datetime) -> None:
        """Write down when it was last used; nothing where there is none, or it was used later.

        Raises:
            StoreFailed: nothing was written.
        """
        ...

    async def revoke_token(self, token_id: str, at: datetime, fact: Fact) -> bool:
        """End a token and write its fact, in one transaction; False where there is none that is not revoked yet.

        Raises:
            StoreFailed: nothing was written.
        """
        ...


class Users(Protocol):
    """Keeps people and their passkeys; names that look alike are one person."""

    async def user(self, name: str) -> User | None:
        """Return whom this name belongs to, however it is spelled; None where nobody has it.

        Raises:
            StoreFailed: it cannot be read.
        """
        ...

    async def users(self) -> Sequence[User]:
        """Return everybody, by name, those who are not let in any more as well.

        Raises:
            StoreFailed: they cannot be read.
        """
        ...

    async def save_user(self, user: User, fact: Fact, *, end_sessions: bool = False) -> User | None:
        """Write a new user (revision 0) or the next state of one, and its fact; ends their sessions with it if asked.

        None where somebody else has written since, or there is one of this name: then nothing was written.

        Raises:
            StoreFailed: nothing was written.
        """
        ...

    async def passkey(self, passkey_id: str) -> HeldPasskey | None:
        """Return the passkey with this id and whose it is; None where there is none.

        Raises:
            StoreFailed: it cannot be read.
        """
        ...

    async def passkeys(self, user: str) -> Sequence[Passkey]:
        """Return those of this person, oldest first.

        Raises:
            StoreFailed: they cannot be read.
        """
        ...

    async def add_passkey(self, passkey: Passkey, fact: Fact) -> None:
        """Keep a new passkey and its fact.

        Raises:
            StoreFailed: nothing was written; or there is one of this id.
        """
        ...

    async def passkey_used(self, passkey_id: str, sign_count: int, at: datetime) -> None:
        """Write down its count of signatures and when it was used.

        Raises:
            StoreFailed: nothing was written.
        """
        ...

    async def remove_passkey(self, passkey: Passkey, fact: Fact) -> bool:
        """Remove it and write its fact; False where it was not there.

        Raises:
            StoreFailed: nothing was written.
        """
        ...


class Sessions(Protocol):
    """Keeps sessions, and secrets that are good once."""

    async def session(self, digest: str) -> HeldSession | None:
        """Return the session with this digest, over or not; None where there is none.

        Raises:
            StoreFailed: it cannot be read.
        """
        ...

    async def open_session(self, session: Session, fact: Fact, *, replaces: str | None, over: datetime) -> None:
        """Keep a new session and its fact, in place of the one with the digest *replaces*.

        Sessions that began before *over* are forgotten with it.

        Raises:
            StoreFailed: nothing was written.
        """
        ...

    async def session_seen(self, digest: str, at: datetime) -> None:
        """Write down when it was last used.

        Raises:
            StoreFailed: nothing was written.
        """
        ...

    async def end_session(self, digest: str, fact: Fact) -> bool:
        """End it and write its fact; False where there is none.

        Raises:
            StoreFailed: nothing was written.
        """
        ...

    async def keep_once(self, once: Once, *, now: datetime) -> None:
        """Keep a secret that is good once; those that have expired are forgotten with it.

        Raises:
            StoreFailed: nothing was written.
        """
        ...

    async def take_once(self, digest: str, purpose: Purpose, *, now: datetime) -> Once | None:
        """Return it, and forget it: of two who ask at once, one gets it. None where it is not there, or has expired.

        Raises:
            StoreFailed: nobody can tell, and nobody got it.
        """
        ...

    async def tell(self, fact: Fact) -> None:
        """Write a fact that changes nothing here: an attempt that failed.

        Raises:
            StoreFailed: nothing was written.
        """
        ...


class Access(Tokens, Users, Sessions, Protocol):
    """Keeps all of it."""


class Chance(Protocol):
    """Bytes that nobody can guess."""

    def bytes(self, count: int) -> bytes:
        """Return so many of them."""
        ...


class Passwords(Protocol):
    """Makes passwords into what can be kept of them, slowly, so that guessing is slow as well."""

    async def kept(self, password: str) -> str:
        """Return what is kept of it; different every time."""
        ...

    async def fits(self, password: str, kept: str | None) -> bool:
        """Say whether it is the password; for None, where there is none, it takes as long and says no."""
        ...

    def outdated(self, kept: str) -> bool:
        """Say whether it was made with other costs than are used now."""
        ...


class Throttle(Protocol):
    """Counts attempts."""

    def charge(self, what: Sequence[tuple[Tried, str]], now: datetime) -> int:
        """Count one attempt under each of these pairs of kind and name; all of them, or none.

        Zero where it is allowed; else the seconds until it would be.
        """
        ...

    def forgive(self, what: Sequence[tuple[Tried, str]]) -> None:
        """Take one attempt back: it was no mistake."""
        ...
