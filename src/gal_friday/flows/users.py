"""People who sign in: made, let in or not, given a password, a role and accounts. Every change has its fact.

A person is never removed, because the journal speaks of them: whoever is disabled is not let in, and nobody else gets
the name.
"""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain.access import Accounts, Role
from gal_friday.domain.access_facts import role_changed, user_changed, user_created
from gal_friday.domain.credentials import User
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.facts import Actor, Fact, FactKind
from gal_friday.domain.password import check_password
from gal_friday.domain.remark import name_of
from gal_friday.ports.access import Access, Passwords
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import StoreFailed


class NameTaken(GalFridayError, ValueError):
    """Somebody has this name, or one that looks like it."""


class UnknownUser(GalFridayError, LookupError):
    """Nobody has this name."""


class Register(Struct, frozen=True):
    """Where people are kept."""

    access: Access
    passwords: Passwords
    clock: Clock


async def add(register: Register, name: str, role: Role, accounts: Accounts, password: str | None, by: Actor) -> User:
    """Make somebody who can sign in: with this password; without one by a link or a passkey alone.

    Raises:
        NameTaken, MalformedRemark, WeakPassword: not so.
        StoreFailed: nothing was written.
    """
    wanted = name_of(name)
    if (known := await register.access.user(wanted)) is not None:
        raise _taken(wanted, known.name)
    if password is not None:
        check_password(password, wanted)
    user = User(
        name=wanted,
        role=role,
        accounts=accounts,
        password=None if password is None else await register.passwords.kept(password),
        created=register.clock.now(),
    )
    saved = await register.access.save_user(user, user_created(user, by))
    if saved is None:
        raise _taken(wanted, wanted)
    return saved


async def set_password(register: Register, name: str, password: str, by: Actor) -> User:
    """Give somebody another password; whoever is signed in under their name is not any more.

    Raises:
        UnknownUser, WeakPassword: not so.
        StoreFailed: nothing was written.
    """
    user = await known(register, name)
    check_password(password, user.name)
    changed = replace(user, password=await register.passwords.kept(password))
    fact = user_changed(FactKind.PASSWORD_CHANGED, user, register.clock.now(), by)
    return await _saved(register, changed, fact, end_sessions=True)


async def disable(register: Register, name: str, by: Actor) -> User:
    """Let somebody in no more: neither by password nor passkey, nor their tokens; their sessions end now.

    Raises:
        UnknownUser: not so.
        StoreFailed: nothing was written.
    """
    user, now = await known(register, name), register.clock.now()
    if user.disabled is not None:
        return user
    fact = user_changed(FactKind.USER_DISABLED, user, now, by)
    return await _saved(register, replace(user, disabled=now), fact, end_sessions=True)


async def enable(register: Register, name: str, by: Actor) -> User:
    """Let somebody in again.

    Raises:
        UnknownUser: not so.
        StoreFailed: nothing was written.
    """
    user = await known(register, name)
    if user.disabled is None:
        return user
    fact = user_changed(FactKind.USER_ENABLED, user, register.clock.now(), by)
    return await _saved(register, replace(user, disabled=None), fact)


async def set_role(register: Register, name: str, role: Role, accounts: Accounts | None, by: Actor) -> User:
    """Give somebody another role, and other accounts where they are named; it holds from their next call on.

    Raises:
        UnknownUser: not so.
        StoreFailed: nothing was written.
    """
    user = await known(register, name)
    changed = replace(user, role=role, accounts=user.accounts if accounts is None else accounts)
    if changed == user:
        return user
    return await _saved(register, changed, role_changed(user, changed, register.clock.now(), by))


async def listed(register: Register) -> Sequence[User]:
    """Return everybody, by name."""
    return await register.access.users()


async def known(register: Register, name: str) -> User:
    """Return whom this name belongs to.

    Raises:
        UnknownUser: nobody.
    """
    user = await register.access.user(name)
    if user is None:
        raise UnknownUser(f"nobody has the name {name[:80]!r}; `gal-friday user list` shows who there is")
    return user


async def _saved(register: Register, user: User, fact: Fact, *, end_sessions: bool = False) -> User:
    saved = await register.access.save_user(user, fact, end_sessions=end_sessions)
    if saved is None:
        raise StoreFailed(f"somebody else changed {user.name} at the same moment; nothing was written, try again")
    return saved


def _taken(wanted: str, known_as: str) -> NameTaken:
    other = "" if wanted == known_as else f", and {wanted!r} looks like it"
    return NameTaken(f"there is a user {known_as!r}{other}; take a name that nobody mistakes for it")
