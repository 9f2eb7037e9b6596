"""Who is known, in memory, gone with the process."""

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec.structs import replace

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
from gal_friday.domain.person import looks
from gal_friday.ports.errors import StoreFailed


class MemoryAccess:
    """``Access`` that forgets."""

    def __init__(self, journal: Callable[[Sequence[Fact]], object] | None = None) -> None:
        """Begin empty. *journal* takes the facts of every change."""
        self._journal = journal
        self._tokens: dict[str, Token] = {}
        self._users: dict[str, User] = {}
        self._passkeys: dict[str, Passkey] = {}
        self._sessions: dict[str, Session] = {}
        self._once: dict[str, Once] = {}

    async def token(self, token_id: str) -> HeldToken | None:
        """Return one token; see ``Tokens``."""
        token = self._tokens.get(token_id)
        return None if token is None else HeldToken(token, await self.user(token.owner))

    async def tokens(self) -> Sequence[Token]:
        """Return every token; see ``Tokens``."""
        return tuple(sorted(self._tokens.values(), key=lambda one: (one.created, one.id)))

    async def add_token(self, token: Token, fact: Fact) -> None:
        """Keep a new token; see ``Tokens``."""
        if token.id in self._tokens:
            raise StoreFailed(f"there is a token {token.id}; make another one")
        await self.tell(fact)
        self._tokens[token.id] = token

    async def token_used(self, token_id: str, at: datetime) -> None:
        """Write down when it was last used; see ``Tokens``."""
        token = self._tokens.get(token_id)
        if token is not None and (token.last_used is None or token.last_used < at):
            self._tokens[token_id] = replace(token, last_used=at)

    async def revoke_token(self, token_id: str, at: datetime, fact: Fact) -> bool:
        """End a token; see ``Tokens``."""
        token = self._tokens.get(token_id)
        if token is None or token.revoked is not None:
            return False
        await self.tell(fact)
        self._tokens[token_id] = replace(token, revoked=at)
        return True

    async def user(self, name: str) -> User | None:
        """Return whom this name belongs to; see ``Users``."""
        return self._users.get(looks(name))

    async def users(self) -> Sequence[User]:
        """Return everybody; see ``Users``."""
        return tuple(self._users[key] for key in sorted(self._users))

    async def save_user(self, user: User, fact: Fact, *, end_sessions: bool = False) -> User | None:
        """Write a user on; see ``Users``."""
        known = self._users.get(looks(user.name))
        if (known.revision if known is not None else 0) != user.revision:
            return None
        await self.tell(fact)
        saved = replace(user, revision=user.revision + 1)
        self._users[looks(user.name)] = saved
        if end_sessions:
            self._sessions = {key: one for key, one in self._sessions.items() if one.user != user.name}
        return saved

    async def passkey(self, passkey_id: str) -> HeldPasskey | None:
        """Return one passkey; see ``Users``."""
        passkey = self._passkeys.get(passkey_id)
        user = None if passkey is None else await self.user(passkey.user)
        return None if passkey is None or user is None else HeldPasskey(passkey, user)

    async def passkeys(self, user: str) -> Sequence[Passkey]:
        """Return those of this person; see ``Users``."""
        mine = (one for one in self._passkeys.values() if looks(one.user) == looks(user))
        return tuple(sorted(mine, key=lambda one: (one.added, one.id)))

    async def add_passkey(self, passkey: Passkey, fact: Fact) -> None:
        """Keep a new passkey; see ``Users``."""
        if passkey.id in self._passkeys:
            raise StoreFailed("there is this passkey already")
        await self.tell(fact)
        self._passkeys[passkey.id] = passkey

    async def passkey_used(self, passkey_id: str, sign_count: int, at: datetime) -> None:
        """Write down its count; see ``Users``."""
        if passkey_id in self._passkeys:
            self._passkeys[passkey_id] = replace(self._passkeys[passkey_id], sign_count=sign_count, last_used=at)

    async def remove_passkey(self, passkey: Passkey, fact: Fact) -> bool:
        """Remove it; see ``Users``."""
        if passkey.id not in self._passkeys:
            return False
        await self.tell(fact)
        del self._passkeys[passkey.id]
        return True

    async def session(self, digest: str) -> HeldSession | None:
        """Return one session; see ``Sessions``."""
        session = self._sessions.get(digest)
        user = None if session is None else await self.user(session.user)
        return None if session is None or user is None else HeldSession(session, user)

    async def open_session(self, session: Session, fact: Fact, *, replaces: str | None, over: datetime) -> None:
        """Keep a new session; see ``Sessions``."""
        await self.tell(fact)
        kept = {key: one for key, one in self._sessions.items() if one.began >= over and key != replaces}
        self._sessions = kept | {session.digest: session}

    async def session_seen(self, digest: str, at: datetime) -> None:
        """Write down when it was last used; see ``Sessions``."""
        session = self._sessions.get(digest)
        if session is not None and session.seen < at:
            self._sessions[digest] = replace(session, seen=at)

    async def end_session(self, digest: str, fact: Fact) -> bool:
        """End it; see ``Sessions``."""
        if digest not in self._sessions:
            return False
        await self.tell(fact)
        del self._sessions[digest]
        return True

    async def keep_once(self, once: Once, *, now: datetime) -> None:
        """Keep a secret that is good once; see ``Sessions``."""
        self._once = {key: one for key, one in self._once.items() if one.expires > now} | {once.digest: once}

    async def take_once(self, digest: str, purpose: Purpose, *, now: datetime) -> Once | None:
        """Return it and forget it; see ``Sessions``."""
        found = self._once.get(digest)
        if found is None or found.purpose is not purpose:
            return None
        del self._once[digest]
        return found if found.expires > now else None

    async def tell(self, fact: Fact) -> None:
        """Write a fact; see ``Sessions``."""
        if self._journal is not None:
            self._journal((fact,))
