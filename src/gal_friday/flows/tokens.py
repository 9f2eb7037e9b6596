"""Tokens: made, listed, ended. The secret is returned once, by whoever made it, and never again."""

from collections.abc import Sequence
from datetime import timedelta

from msgspec import Struct

from gal_friday.domain.access import Accounts, Grant, Permission, Role, allows, covers
from gal_friday.domain.access_facts import token_created, token_revoked
from gal_friday.domain.credentials import Token
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.facts import Actor
from gal_friday.domain.person import same_person
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


async def issue(mint: Mint, wanted: Wanted, by: Actor, holding: Grant | None = None) -> Issued:
    """Make a token, keep what it can be checked with, and return it with its text.

    *holding* is what whoever asks is allowed; None is whoever has the database in their hands.

    Raises:
        BadToken, MalformedRemark: it cannot be made so.
        StoreFailed: nothing was written.
    """
    token, text = _made(mint, wanted, by)
    await _check_owner(mint, token, by, holding)
    await mint.access.add_token(token, token_created(token, by))
    return Issued(token, text)


async def revoke(mint: Mint, token_id: str, by: Actor) -> bool:
    """End a token; False where there is none that is not revoked yet.

    Raises:
        StoreFailed: nothing was written.
    """
    now = mint.clock.now()
    return await mint.access.revoke_token(token_id, now, token_revoked(token_id, now, by))


async def listed(mint: Mint) -> Sequence[Token]:
    """Return every token, oldest first."""
    return await mint.access.tokens()


def _made(mint: Mint, wanted: Wanted, by: Actor) -> tuple[Token, str]:
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
    return token, text


async def _check_owner(mint: Mint, token: Token, by: Actor, holding: Grant | None) -> None:
    """Check that nobody gets a second name to approve with, nor another one's (I11)."""
    owner = await mint.access.user(token.owner)
    if owner is None and any(allows(token.grant, one) for one in (Permission.APPROVE, Permission.ADMINISTER)):
        raise BadToken(
            f"a token that may approve or administer acts for a person, and {token.owner!r} does not sign in here; "
            f"`gal-friday user add {token.owner}` first, or take a lesser role or scopes without them"
        )
    if holding is None:
        return
    if owner is not None and not same_person(token.owner, by.name):
        raise BadToken(f"only {owner.name} can make a token that acts as {owner.name}; name a program as its owner")
    if not covers(holding, token.grant):
        raise BadToken("nobody hands out more than they may themselves: take a lesser role, or fewer accounts")
