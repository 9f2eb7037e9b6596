"""Who comes in: what somebody shows is held against what is known, and answered with who they are or a refusal.

Nothing here says what they may do then: that is ``domain/access``. No secret is kept, logged or named in a refusal.
"""

from typing import Literal

from msgspec import Struct

from gal_friday.domain import token_text
from gal_friday.domain.access import Grant, Permission, allows, may
from gal_friday.domain.credentials import USED_EVERY, HeldToken, Refusal, grant_of
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.ports.access import Access
from gal_friday.ports.clock import Clock


class NotAdmitted(GalFridayError):
    """Somebody is not let in; the message says what to do, and nothing that helps to guess."""

    def __init__(self, refusal: Refusal, message: str, *, retry_after: int | None = None) -> None:
        """Keep the reason, and after how many seconds trying again makes sense."""
        super().__init__(message)
        self.refusal = refusal
        self.retry_after = retry_after


class Caller(Struct, frozen=True, kw_only=True):
    """Somebody who came in."""

    actor: Actor
    """Who it is, as the journal has it."""
    grant: Grant
    by: Literal["token", "session"]
    credential: str
    """The id of the token, or the name of the session: no secret."""

    def allows(self, permission: Permission) -> bool:
        """Say whether this may be done at all."""
        return allows(self.grant, permission)

    def may(self, permission: Permission, account: str) -> bool:
        """Say whether this may be done with this account; "" is the installation as a whole."""
        return may(self.grant, permission, account)

    def sees(self, account: str) -> bool:
        """Say whether what concerns this account may be shown; "" is what concerns no single one."""
        return self.may(Permission.READ, account)


class Door(Struct, frozen=True):
    """What is needed to tell who somebody is."""

    access: Access
    clock: Clock


async def by_token(door: Door, text: str) -> Caller:
    """Return whose token this is.

    Raises:
        NotAdmitted: it is none, nobody knows it, or it is not good any more.
        StoreFailed: nobody can tell.
    """
    try:
        shown = token_text.read(text)
    except token_text.NotAToken as wrong:
        raise NotAdmitted(Refusal.MALFORMED, str(wrong)) from None
    held = await door.access.token(shown.id)
    # One answer to an id that nobody knows and to a wrong secret: neither says that the other was right.
    if held is None or not token_text.same_digest(held.token.digest, shown.digest):
        raise NotAdmitted(Refusal.UNKNOWN, "nobody knows this token; `gal-friday token create` makes one")
    _check_good(door, held)
    await _used(door, held)
    return Caller(
        actor=Actor(held.token.owner, KnownBy.TOKEN), grant=grant_of(held), by="token", credential=held.token.id
    )


def _check_good(door: Door, held: HeldToken) -> None:
    token = held.token
    match token.refusal(door.clock.now()):
        case Refusal.REVOKED:
            raise NotAdmitted(Refusal.REVOKED, f"the token {token.id} was revoked; ask for another one")
        case Refusal.EXPIRED:
            raise NotAdmitted(Refusal.EXPIRED, f"the token {token.id} has expired; ask for another one")
        case _:
            pass
    if held.owner is not None and held.owner.disabled is not None:
        raise NotAdmitted(Refusal.DISABLED, f"the token {token.id} belongs to somebody who is not let in any more")


async def _used(door: Door, held: HeldToken) -> None:
    now, last = door.clock.now(), held.token.last_used
    if last is None or now - last >= USED_EVERY:
        await door.access.token_used(held.token.id, now)
