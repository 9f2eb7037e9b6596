"""Who is known here: tokens, people, and what they proved. And where chance comes from."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gal_friday.domain.credentials import HeldToken, Token
from gal_friday.domain.facts import Fact


class Chance(Protocol):
    """Bytes that nobody can guess."""

    def bytes(self, count: int) -> bytes:
        """Return so many of them."""
        ...


class Access(Protocol):
    """Keeps who is known; what is read back is equal to what was written. Every change has its fact (I10)."""

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
