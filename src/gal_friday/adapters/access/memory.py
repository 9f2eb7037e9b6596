"""Who is known, in memory, gone with the process."""

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec.structs import replace

from gal_friday.domain.credentials import HeldToken, Token, User
from gal_friday.domain.facts import Fact
from gal_friday.ports.errors import StoreFailed


class MemoryAccess:
    """``Access`` that forgets."""

    def __init__(self, journal: Callable[[Sequence[Fact]], object] | None = None) -> None:
        """Begin empty. *journal* takes the facts of every change."""
        self._journal = journal
        self._tokens: dict[str, Token] = {}
        self._users: dict[str, User] = {}

    async def token(self, token_id: str) -> HeldToken | None:
        """Return one token; see ``Access``."""
        token = self._tokens.get(token_id)
        return None if token is None else HeldToken(token, self._users.get(token.owner))

    async def tokens(self) -> Sequence[Token]:
        """Return every token; see ``Access``."""
        return tuple(sorted(self._tokens.values(), key=lambda one: (one.created, one.id)))

    async def add_token(self, token: Token, fact: Fact) -> None:
        """Keep a new token; see ``Access``."""
        if token.id in self._tokens:
            raise StoreFailed(f"there is a token {token.id}; make another one")
        self._told(fact)
        self._tokens[token.id] = token

    async def token_used(self, token_id: str, at: datetime) -> None:
        """Write down when it was last used; see ``Access``."""
        token = self._tokens.get(token_id)
        if token is not None and (token.last_used is None or token.last_used < at):
            self._tokens[token_id] = replace(token, last_used=at)

    async def revoke_token(self, token_id: str, at: datetime, fact: Fact) -> bool:
        """End a token; see ``Access``."""
        token = self._tokens.get(token_id)
        if token is None or token.revoked is not None:
            return False
        self._told(fact)
        self._tokens[token_id] = replace(token, revoked=at)
        return True

    def _told(self, *facts: Fact) -> None:
        if self._journal is not None:
            self._journal(facts)
