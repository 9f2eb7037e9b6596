"""Tokens: made, listed, ended. The secret is returned once, by whoever made it, and never again."""

from collections.abc import Sequence
from datetime import timedelta

from msgspec import Struct

from gal_friday.domain.access import Accounts, Grant, Permission, Role
from gal_friday.domain.credentials import Token
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.facts import Actor, Fact, FactKind
from gal_friday.domain.remark import name_of
from gal_friday.domain.token_text import ID_BYTES, SECRET_BYTES, read, written
from gal_friday.ports.access import Access, Chance
from gal_friday.ports.clock import Clock

LASTS = timedelta(days=90)
LASTS_MAX = timedelta(days=366)


class BadToken(GalFridayError, ValueError):
    """A token cannot be made as it was asked for; the message says what would do."""


class Wanted(Struct, frozen=True, kw_only=True):
    """What a new token is to be."""

    name: str
    owner: str
    role: Role
    accounts: Accounts = Accounts()
    scopes: frozenset[Permission] | None = None
    lasts: timedelta = LASTS


class Issued(Struct, frozen=True):
    """A new token, and its text: the only time that anybody sees it."""

    token: Token
    text: str

    def __repr__(self) -> str:
        """Say nothing of the text."""
        return f"Issued({self.token.id})"


class Mint(Struct, frozen=True):
    """Where tokens are made."""

    access: Access
    chance: Chance
    clock: Clock


async def issue(mint: Mint, wanted: Wanted, by: Actor) -> Issued:
    """Make a token, keep what it can be checked with, and return it with its text.

    Raises:
        BadToken, MalformedRemark: it cannot be made so.
        StoreFailed: nothing was written.
    """
    if not timedelta(0) < wanted.lasts <= LASTS_MAX:
        raise BadToken(f"a token lasts for 1 to {LASTS_MAX.days} days; name another end")
    text = written(mint.chance.bytes(ID_BYTES), mint.chance.bytes(SECRET_BYTES))
    shown, now = read(text), mint.clock.now()
    token = Token(
        id=shown.id,
        name=name_of(wanted.name),
        owner=name_of(wanted.owner, "owner"),
        grant=Grant(role=wanted.role, accounts=wanted.accounts, scopes=wanted.scopes),
        digest=shown.digest,
        created=now,
        created_by=by.name,
        expires=now + wanted.lasts,
    )
    await mint.access.add_token(token, created(token, by))
    return Issued(token, text)


async def revoke(mint: Mint, token_id: str, by: Actor) -> bool:
    """End a token; False where there is none that is not revoked yet.

    Raises:
        StoreFailed: nothing was written.
    """
    now = mint.clock.now()
    fact = Fact(kind=FactKind.TOKEN_REVOKED, at=now, account="", subject=token_id, actor=by)
    return await mint.access.revoke_token(token_id, now, fact)


async def listed(mint: Mint) -> Sequence[Token]:
    """Return every token, oldest first."""
    return await mint.access.tokens()


def created(token: Token, by: Actor) -> Fact:
    """Return the fact of a new token: all of it but what it is checked with."""
    grant = token.grant
    return Fact(
        kind=FactKind.TOKEN_CREATED,
        at=token.created,
        account="",
        subject=token.id,
        actor=by,
        body={
            "name": token.name,
            "owner": token.owner,
            "role": grant.role,
            "accounts": "all" if grant.accounts.names is None else list(grant.accounts.names),
            "scopes": "all" if grant.scopes is None else sorted(grant.scopes),
            "expires": token.expires,
        },
    )
