"""Words for who may do what, as several commands take them: roles, scopes, accounts, and who is asking."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from cyclopts import Parameter

from gal_friday.bootstrap.settings import Settings, load
from gal_friday.bootstrap.wire import OpenStore, open_store
from gal_friday.cli.options import BadUsage, ConfigFile
from gal_friday.domain.access import ALL, Accounts, Permission, Role

Done = TypeVar("Done")

RoleName = Annotated[str, Parameter(name="--role", help=f"What they may do: {', '.join(Role)}; each all before it.")]
AccountNames = Annotated[
    str | None, Parameter(name="--accounts", help="Only these accounts, with commas between them; all without it.")
]


def role_in(text: str) -> Role:
    """Return the role that this word names.

    Raises:
        BadUsage: there is no such role.
    """
    try:
        return Role(text.strip().lower())
    except ValueError:
        raise BadUsage(f"{text!r} is no role; known are {', '.join(Role)}") from None


def accounts_in(text: str | None, settings: Settings) -> Accounts:
    """Return the accounts that these words name; all of them for None.

    Raises:
        BadUsage: one that is not configured, or none.
    """
    if text is None:
        return ALL
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not names:
        raise BadUsage("--accounts names none; leave it out for all of them")
    if unknown := [name for name in names if name not in settings.accounts]:
        known = ", ".join(sorted(settings.accounts)) or "none"
        raise BadUsage(f"--accounts: no account {unknown[0]!r}; configured are: {known}")
    return Accounts(names)


def scopes_in(text: str | None) -> frozenset[Permission] | None:
    """Return the scopes that these words name; None for None.

    Raises:
        BadUsage: a word that is no scope.
    """
    if text is None:
        return None
    words = {part.strip().lower() for part in text.split(",") if part.strip()}
    known = {one.value for one in Permission}
    if unknown := sorted(words - known):
        raise BadUsage(f"--scopes: {unknown[0]!r} is no scope; known are {', '.join(Permission)}")
    return frozenset(Permission(word) for word in words)


def told(accounts: Accounts) -> str:
    """Return accounts in words."""
    return "all" if accounts.names is None else ", ".join(accounts.names) or "none"


def opened(config: ConfigFile, work: Callable[[Settings, OpenStore], Awaitable[Done]]) -> Done:
    """Do this with the configured database open."""

    async def do() -> Done:
        settings = load(config)
        store = await open_store(settings)
        try:
            return await work(settings, store)
        finally:
            await store.close()

    return asyncio.run(do())
