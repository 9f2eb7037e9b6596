"""``gal-friday user``: who signs in, and what they may do.

A password is asked for on a terminal alone, or read from stdin, and never taken from an argument: other users of the
machine see those.
"""

import getpass
import shlex
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from gal_friday.bootstrap.access import link_of, register_of
from gal_friday.bootstrap.settings import Settings
from gal_friday.bootstrap.wire import OpenStore
from gal_friday.cli.again import carrying
from gal_friday.cli.columns import padded, table
from gal_friday.cli.exit_status import RECONCILED
from gal_friday.cli.granting import AccountNames, RoleName, accounts_in, opened, role_in, told
from gal_friday.cli.options import AsJson, BadUsage, ConfigFile
from gal_friday.cli.output import out, printable, say, write_json
from gal_friday.cli.review import who
from gal_friday.domain.credentials import User
from gal_friday.domain.password import CHARS_MAX
from gal_friday.flows import users
from gal_friday.flows.users import Register

Name = Annotated[str, Parameter(help="The person's name; names that look alike are one person.")]
NewRole = Annotated[str, Parameter(name="role", help="viewer, reviewer, approver or admin.")]
FromStdin = Annotated[
    bool, Parameter(name="--password-stdin", help="Read the password from stdin, up to the line's end.")
]
Without = Annotated[bool, Parameter(name="--without-password", help="Only a link or a passkey lets them in.")]
AllAccounts = Annotated[bool, Parameter(name="--all-accounts", help="Every account from now on.")]


def add(
    name: Name,
    /,
    *,
    role: RoleName = "viewer",
    accounts: AccountNames = None,
    password_stdin: FromStdin = False,
    without_password: Without = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Let somebody sign in: with a password, or without one by a link and then a passkey."""
    chosen = role_in(role)
    secret = None if without_password else _password(password_stdin)

    async def make(settings: Settings, store: OpenStore) -> User:
        allowed = accounts_in(accounts, settings)
        return await users.add(register_of(store), name, chosen, allowed, secret, who(None))

    made = opened(config, make)
    _done(made, as_json=as_json)
    if made.password is None and not as_json:
        say(carrying(f"gal-friday user link {shlex.quote(made.name)}", config))
        say("  (prints a link that signs them in once)")
    return RECONCILED


def listed(*, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """List who there is, by name, with their role and accounts."""

    async def read(_settings: Settings, store: OpenStore) -> Sequence[User]:
        return await users.listed(register_of(store))

    found = opened(config, read)
    if as_json:
        write_json({"users": [_json(one) for one in found], "count": len(found)})
    elif found:
        for line in table(padded([printable(cell) for cell in column]) for column in _columns(found)):
            out().print(line)
    else:
        say("nobody signs in here; `gal-friday user add NAME --role admin` lets somebody")
    return RECONCILED


def role(
    name: Name,
    role_: NewRole,
    /,
    *,
    accounts: AccountNames = None,
    all_accounts: AllAccounts = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Give somebody another role; the accounts stay unless others are named. It holds from their next call on."""
    if all_accounts and accounts is not None:
        raise BadUsage("--accounts and --all-accounts contradict each other; take one")
    chosen = role_in(role_)

    async def change(settings: Settings, store: OpenStore) -> User:
        others = accounts_in(accounts, settings) if accounts is not None or all_accounts else None
        return await users.set_role(register_of(store), name, chosen, others, who(None))

    return _done(opened(config, change), as_json=as_json)


def password(
    name: Name, /, *, password_stdin: FromStdin = False, config: ConfigFile = None, as_json: AsJson = False
) -> int:
    """Give somebody another password; whoever is signed in under their name is not any more."""
    secret = _password(password_stdin)
    return _changed(config, lambda register: users.set_password(register, name, secret, who(None)), as_json=as_json)


def disable(name: Name, /, *, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """Let somebody in no more: their sessions end, their tokens are refused. The name stays theirs."""
    return _changed(config, lambda register: users.disable(register, name, who(None)), as_json=as_json)


def enable(name: Name, /, *, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """Let somebody in again."""
    return _changed(config, lambda register: users.enable(register, name, who(None)), as_json=as_json)


def link(name: Name, /, *, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """Print a link that signs somebody in, once and within half an hour: to add a passkey, or a password was lost."""

    async def make(settings: Settings, store: OpenStore) -> str:
        return await link_of(settings, store, await users.known(register_of(store), name))

    address = opened(config, make)
    if as_json:
        write_json({"link": address})
        return RECONCILED
    say("whoever opens it is signed in as this person, once, within half an hour:")
    out().print(address)
    return RECONCILED


def _changed(config: ConfigFile, change: Callable[[Register], Awaitable[User]], *, as_json: bool) -> int:
    async def work(_settings: Settings, store: OpenStore) -> User:
        return await change(register_of(store))

    return _done(opened(config, work), as_json=as_json)


def _done(user: User, *, as_json: bool) -> int:
    if as_json:
        write_json(_json(user))
    else:
        ways = "disabled" if user.disabled else "with a password" if user.password else "without a password"
        out().print(printable(f"{user.name}: {user.role}, accounts: {told(user.accounts)}, {ways}"))
    return RECONCILED


def _password(from_stdin: bool) -> str:
    """Return the password that somebody types, twice, or that stands on stdin."""
    if from_stdin:
        # One character more than can be kept, so that too long is told from cut off.
        return sys.stdin.readline(CHARS_MAX + 2).rstrip("\r\n")
    if not sys.stdin.isatty():
        raise BadUsage("a password is asked for on a terminal alone; elsewhere --password-stdin reads it from stdin")
    typed = getpass.getpass("Password: ", stream=sys.stderr)
    if typed != getpass.getpass("Once more: ", stream=sys.stderr):
        raise BadUsage("the two passwords are not the same; nothing was changed, begin again")
    return typed


def _columns(found: Sequence[User]) -> Iterator[Sequence[str]]:
    yield "name", *(one.name for one in found)
    yield "role", *(one.role for one in found)
    yield "accounts", *(told(one.accounts) for one in found)
    yield "password", *("yes" if one.password else "no" for one in found)
    yield "since", *(f"{one.created:%Y-%m-%d}" for one in found)
    yield "", *(f"disabled {one.disabled:%Y-%m-%d}" if one.disabled else "" for one in found)


def _json(user: User) -> dict[str, Any]:
    return {
        "name": user.name,
        "role": user.role,
        "accounts": user.accounts.names,
        "password": user.password is not None,
        "created": user.created,
        "disabled": user.disabled,
    }
