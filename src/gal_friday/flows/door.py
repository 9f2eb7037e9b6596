"""Who comes in: what somebody shows is held against what is known, and answered with who they are or a refusal.

Nothing here says what they may do then: that is ``domain/access``. No secret is kept, logged or named in a refusal.
"""

from contextlib import suppress
from hashlib import sha256
from hmac import new
from typing import Literal

from msgspec import Struct

from gal_friday.domain import token_text
from gal_friday.domain.access import FRESH, Grant, Permission, allows, may
from gal_friday.domain.access_facts import person
from gal_friday.domain.credentials import USED_EVERY, HeldToken, Refusal, Session, SessionRules, grant_of
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.ports.access import Access
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import StoreFailed

_SECRET_CHARS_MAX = 100  # Of a session's; a longer one is none of ours and is not worth hashing.


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
    fresh: bool = True
    """Whether they proved who they are a short while ago; programs prove it with every call."""
    session: Session | None = None

    def allows(self, permission: Permission) -> bool:
        """Say whether this may be done at all."""
        return allows(self.grant, permission)

    def may(self, permission: Permission, account: str) -> bool:
        """Say whether this may be done with this account; "" is the installation as a whole."""
        return may(self.grant, permission, account)

    def sees(self, account: str) -> bool:
        """Say whether what concerns this account may be shown; "" is what concerns no single one."""
        return self.may(Permission.READ, account)

    def has_to_prove(self, permission: Permission) -> bool:
        """Say whether this asks for a proof that is fresher than theirs."""
        return permission in FRESH and not self.fresh


class Door(Struct, frozen=True):
    """What is needed to tell who somebody is."""

    access: Access
    clock: Clock
    rules: SessionRules = SessionRules()


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
        actor=Actor(held.token.owner if held.owner is None else held.owner.name, KnownBy.TOKEN),
        grant=grant_of(held),
        by="token",
        credential=held.token.id,
    )


async def by_session(door: Door, secret: str) -> Caller:
    """Return who signed in with this session.

    Raises:
        NotAdmitted: nobody knows it, or it is over.
        StoreFailed: nobody can tell.
    """
    held = await door.access.session(session_digest(secret))
    now = door.clock.now()
    if held is None or door.rules.ended(held.session, now) or held.user.disabled is not None:
        # One answer to all: whoever shows an old cookie has to do the same as whoever made one up.
        raise NotAdmitted(Refusal.EXPIRED, "the session is over; sign in again")
    if now - held.session.seen >= USED_EVERY:
        with suppress(StoreFailed):  # A disk that is full keeps nobody from looking; the session ends the sooner.
            await door.access.session_seen(held.session.digest, now)
    return Caller(
        actor=person(held.user.name),
        grant=held.user.grant,
        by="session",
        credential=held.session.name,
        fresh=door.rules.is_fresh(held.session, now),
        session=held.session,
    )


async def is_still_in(door: Door, who: Caller) -> bool:
    """Say whether somebody who came in would come in now, to do the same. Asking is no use of what they showed.

    Raises:
        StoreFailed: nobody can tell.
    """
    now = door.clock.now()
    if who.session is None:
        token = await door.access.token(who.credential)
        if token is None or token.token.refusal(now) is not None:
            return False
        return (token.owner is None or token.owner.disabled is None) and grant_of(token) == who.grant
    held = await door.access.session(who.session.digest)
    if held is None or door.rules.ended(held.session, now):
        return False
    return held.user.disabled is None and held.user.grant == who.grant


def session_digest(secret: str) -> str:
    """Return what is kept of the random id in a session's cookie."""
    return token_text.digest_of(secret[:_SECRET_CHARS_MAX])


def form_token(secret: str) -> str:
    """Return what every call of a page has to carry beside the cookie: another site cannot read it (CSRF).

    It follows from the session's secret, and that does not follow from it.
    """
    return new(secret[:_SECRET_CHARS_MAX].encode(), b"gal-friday form token", sha256).hexdigest()


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
        with suppress(StoreFailed):
            await door.access.token_used(held.token.id, now)
