"""Signing in: by password, by passkey, by a link that is good once; proving it again; signing out.

Whoever cannot prove it is told nothing about what was wrong, takes as long to be told, and may not try again at once.
A session begins with a new random id whatever the browser had before, so that nobody can prepare one for somebody else.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain.access_facts import passkey_changed, session_fact, sign_in_refused, user_changed
from gal_friday.domain.credentials import Once, Passkey, Purpose, Refusal, Session, User
from gal_friday.domain.facts import PROGRAM, FactKind
from gal_friday.domain.password import CHARS_MAX
from gal_friday.domain.person import looks
from gal_friday.domain.remark import NAME_MAX, name_of
from gal_friday.domain.throttle import Tried
from gal_friday.domain.token_text import digest_of
from gal_friday.flows.door import Caller, Door, NotAdmitted, form_token, session_digest
from gal_friday.ports.access import Access, Chance, Passwords, Throttle
from gal_friday.ports.clock import Clock
from gal_friday.ports.passkeys import PasskeyRefused, Passkeys, Site

SECRET_BYTES = 32
CHALLENGE_LASTS = timedelta(minutes=5)
LINK_LASTS = timedelta(minutes=30)
PASSKEYS_MAX = 20
"""Of one person."""
_WRONG = "this name and password do not go together; try again, or ask an admin"
_NO_PASSKEY = "this passkey lets nobody in here; try another one, or the password"


class Entry(Struct, frozen=True):
    """What signing in needs."""

    door: Door
    chance: Chance
    passwords: Passwords
    passkeys: Passkeys
    throttle: Throttle


class SignedIn(Struct, frozen=True):
    """A session that has begun, and its secrets: the only time that anybody sees them."""

    session: Session
    user: User
    secret: str
    """For the cookie."""
    form_token: str
    """For the page."""

    def __repr__(self) -> str:
        """Say nothing of the secrets."""
        return f"SignedIn({self.session.name})"


class Attempt(Struct, frozen=True):
    """Where somebody tries from, and the session that their browser shows, if any."""

    address: str
    shown: str | None = None


async def with_password(entry: Entry, name: str, password: str, attempt: Attempt) -> SignedIn:
    """Begin a session for whoever knows this person's password.

    Raises:
        NotAdmitted: they do not, or tried too often.
        StoreFailed: nobody can tell.
    """
    user = await _proven_by_password(entry, name, password, attempt)
    return await _begun(entry, user, attempt, how="password")


async def with_link(entry: Entry, secret: str, attempt: Attempt) -> SignedIn:
    """Begin a session for whoever has a link that is good once.

    Raises:
        NotAdmitted: it is not good, or they tried too often.
        StoreFailed: nobody can tell.
    """
    tries = ((Tried.SIGN_IN_BY_ADDRESS, attempt.address),)
    await _charge(entry, tries, "", attempt, how="link")
    once = await entry.door.access.take_once(digest_of(secret), Purpose.SIGN_IN, now=entry.door.clock.now())
    user = None if once is None or once.user is None else await entry.door.access.user(once.user)
    if user is None or user.disabled is not None:
        raise await _refused(entry, "", attempt, "link", "this link is not good any more; ask for another one")
    entry.throttle.forgive(tries)
    return await _begun(entry, user, attempt, how="link")


async def passkey_options(entry: Entry, site: Site, attempt: Attempt) -> str:
    """Return what a browser is told so that it asks for a passkey of this site, as JSON.

    Raises:
        NotAdmitted: they asked too often.
        StoreFailed: nothing was kept.
    """
    await _charge(entry, ((Tried.CHALLENGE, attempt.address),), "", attempt, how="passkey")
    return entry.passkeys.to_use(site, await _challenge(entry, Purpose.USE_PASSKEY, None))


async def with_passkey(entry: Entry, site: Site, answer: dict[str, Any], attempt: Attempt) -> SignedIn:
    """Begin a session for whoever holds the device of a passkey.

    Raises:
        NotAdmitted: they do not, or tried too often.
        StoreFailed: nobody can tell.
    """
    user = await _proven_by_passkey(entry, site, answer, attempt)
    return await _begun(entry, user, attempt, how="passkey")


async def again_with_password(entry: Entry, who: Caller, password: str, attempt: Attempt) -> SignedIn:
    """Take the proof of somebody who is signed in once more; their session goes on under a new id.

    Raises:
        NotAdmitted: it is none.
        StoreFailed: nobody can tell.
    """
    user = await _proven_by_password(entry, who.actor.name, password, attempt)
    return await _begun(entry, user, attempt, how="password", on=who.session)


async def again_with_passkey(
    entry: Entry, site: Site, who: Caller, answer: dict[str, Any], attempt: Attempt
) -> SignedIn:
    """Do the same with a passkey, which must be theirs.

    Raises:
        NotAdmitted: it is not.
        StoreFailed: nobody can tell.
    """
    user = await _proven_by_passkey(entry, site, answer, attempt)
    if user.name != who.actor.name:
        raise await _refused(entry, who.actor.name, attempt, "passkey", _NO_PASSKEY)
    return await _begun(entry, user, attempt, how="passkey", on=who.session)


async def sign_out(entry: Entry, session: Session) -> None:
    """End a session; its id is worth nothing from here on.

    Raises:
        StoreFailed: it goes on.
    """
    fact = session_fact(FactKind.SIGNED_OUT, session, entry.door.clock.now())
    await entry.door.access.end_session(session.digest, fact)


async def link_for(access: Access, chance: Chance, clock: Clock, user: User) -> str:
    """Return a secret that signs this person in, once.

    Raises:
        StoreFailed: nothing was kept.
    """
    secret, now = chance.bytes(SECRET_BYTES).hex(), clock.now()
    once = Once(digest=digest_of(secret), purpose=Purpose.SIGN_IN, user=user.name, expires=now + LINK_LASTS)
    await access.keep_once(once, now=now)
    return secret


async def new_passkey_options(entry: Entry, site: Site, who: Caller) -> str:
    """Return what a browser is told so that it makes a passkey for who is signed in, as JSON.

    Raises:
        StoreFailed: nothing was kept.
    """
    known = tuple(await entry.door.access.passkeys(who.actor.name))
    return entry.passkeys.to_add(site, who.actor.name, known, await _challenge(entry, Purpose.ADD_PASSKEY, who))


async def add_passkey(entry: Entry, site: Site, who: Caller, name: str, answer: dict[str, Any]) -> Passkey:
    """Keep a new passkey of who is signed in.

    Raises:
        PasskeyRefused, MalformedRemark: not this one, or not under this name.
        StoreFailed: nothing was kept.
    """
    challenge, now = entry.passkeys.challenge_in(answer), entry.door.clock.now()
    once = await entry.door.access.take_once(digest_of(challenge.hex()), Purpose.ADD_PASSKEY, now=now)
    if once is None or once.user != who.actor.name:
        raise PasskeyRefused("this answer comes too late, or to no question of ours; begin again")
    if len(await entry.door.access.passkeys(who.actor.name)) >= PASSKEYS_MAX:
        raise PasskeyRefused(f"there are {PASSKEYS_MAX} passkeys; remove one first")
    made = entry.passkeys.added(site, answer, challenge)
    passkey = Passkey(
        id=made.id,
        user=who.actor.name,
        name=name_of(name),
        public_key=made.public_key,
        sign_count=made.sign_count,
        added=now,
    )
    await entry.door.access.add_passkey(passkey, passkey_changed(FactKind.PASSKEY_ADDED, passkey, now, who.actor))
    return passkey


async def passkeys_of(entry: Entry, who: Caller) -> Sequence[Passkey]:
    """Return those of who is signed in, oldest first."""
    return await entry.door.access.passkeys(who.actor.name)


async def remove_passkey(entry: Entry, who: Caller, passkey_id: str) -> bool:
    """Remove a passkey of who is signed in; False where they have none of this id.

    Raises:
        StoreFailed: it is still there.
    """
    for passkey in await entry.door.access.passkeys(who.actor.name):
        if passkey.id == passkey_id:
            fact = passkey_changed(FactKind.PASSKEY_REMOVED, passkey, entry.door.clock.now(), who.actor)
            return await entry.door.access.remove_passkey(passkey, fact)
    return False


async def _proven_by_password(entry: Entry, name: str, password: str, attempt: Attempt) -> User:
    typed = name[:NAME_MAX].replace("\0", "")  # Nobody's name has it, and not every database can be asked for it.
    key = looks(typed)
    tries = (
        (Tried.SIGN_IN_BY_ADDRESS, attempt.address),
        (Tried.SIGN_IN_BY_NAME, key),
        (Tried.SIGN_IN_BY_BOTH, f"{key} {attempt.address}"),
    )
    user = await entry.door.access.user(typed)
    about = "" if user is None else user.name
    await _charge(entry, tries, about, attempt, how="password")
    kept = None if user is None or len(password) > CHARS_MAX else user.password
    # For nobody, too: that there is no such person must not be told by how quick the answer is.
    fits = await entry.passwords.fits(password[:CHARS_MAX], kept)
    if not fits or user is None or user.disabled is not None:
        raise await _refused(entry, about, attempt, "password", _WRONG)
    entry.throttle.forgive(tries)
    return await _renewed(entry, user, password)


async def _renewed(entry: Entry, user: User, password: str) -> User:
    """Keep the password with the costs of today, where it was kept with others; it is the same password."""
    if user.password is None or not entry.passwords.outdated(user.password):
        return user
    changed = replace(user, password=await entry.passwords.kept(password))
    fact = user_changed(FactKind.PASSWORD_CHANGED, user, entry.door.clock.now(), PROGRAM)
    return await entry.door.access.save_user(changed, fact) or user


async def _proven_by_passkey(entry: Entry, site: Site, answer: dict[str, Any], attempt: Attempt) -> User:
    tries = ((Tried.SIGN_IN_BY_ADDRESS, attempt.address),)
    await _charge(entry, tries, "", attempt, how="passkey")
    now = entry.door.clock.now()
    try:
        challenge = entry.passkeys.challenge_in(answer)
        once = await entry.door.access.take_once(digest_of(challenge.hex()), Purpose.USE_PASSKEY, now=now)
        held = await entry.door.access.passkey(str(answer.get("id"))[: NAME_MAX * 20])
        if once is None or held is None or held.user.disabled is not None:
            raise PasskeyRefused(_NO_PASSKEY)
        count = entry.passkeys.used(site, answer, challenge, held.passkey)
    except PasskeyRefused:
        raise await _refused(entry, "", attempt, "passkey", _NO_PASSKEY) from None
    await entry.door.access.passkey_used(held.passkey.id, count, now)
    entry.throttle.forgive(tries)
    return held.user


async def _challenge(entry: Entry, purpose: Purpose, who: Caller | None) -> bytes:
    challenge, now = entry.chance.bytes(SECRET_BYTES), entry.door.clock.now()
    user = None if who is None else who.actor.name
    once = Once(digest=digest_of(challenge.hex()), purpose=purpose, user=user, expires=now + CHALLENGE_LASTS)
    await entry.door.access.keep_once(once, now=now)
    return challenge


async def _begun(entry: Entry, user: User, attempt: Attempt, *, how: str, on: Session | None = None) -> SignedIn:
    """Begin a session under a new id; *on* is the one that goes on in it, with its own end."""
    secret, now = entry.chance.bytes(SECRET_BYTES).hex(), entry.door.clock.now()
    digest = session_digest(secret)
    session = Session(digest=digest, user=user.name, began=on.began if on else now, seen=now, proven=now)
    kind = FactKind.SIGNED_IN if on is None else FactKind.STEPPED_UP
    replaces = None if attempt.shown is None else session_digest(attempt.shown)
    await entry.door.access.open_session(
        session,
        session_fact(kind, session, now, how=how, address=attempt.address),
        replaces=replaces,
        over=now - entry.door.rules.lasts,
    )
    return SignedIn(session, user, secret, form_token(secret))


async def _charge(entry: Entry, tries: Sequence[tuple[Tried, str]], about: str, attempt: Attempt, *, how: str) -> None:
    # Before anything is checked: a hundred attempts at once are a hundred attempts.
    now = entry.door.clock.now()
    if wait := entry.throttle.charge(tries, now):
        await _tell(entry, about, now, attempt, how, throttled=True)
        raise NotAdmitted(Refusal.THROTTLED, f"too many attempts; try again in {wait} seconds", retry_after=wait)


async def _refused(entry: Entry, about: str, attempt: Attempt, how: str, words: str) -> NotAdmitted:
    await _tell(entry, about, entry.door.clock.now(), attempt, how, throttled=False)
    return NotAdmitted(Refusal.UNKNOWN, words)


async def _tell(entry: Entry, about: str, now: datetime, attempt: Attempt, how: str, *, throttled: bool) -> None:
    # Not each of a flood: the journal keeps everything for ever.
    if entry.throttle.charge(((Tried.TOLD, "all"),), now) == 0:
        fact = sign_in_refused(about, now, how=how, address=attempt.address, throttled=throttled)
        await entry.door.access.tell(fact)
