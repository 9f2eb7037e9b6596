"""``gal-friday config``: check, show and explain the configuration. No secret is ever shown."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct, to_builtins

from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.errors import BadConfiguration
from gal_friday.bootstrap.secrets import resolve
from gal_friday.bootstrap.settings import AccountSettings, BookInFile, Settings, found, load
from gal_friday.cli.exit_status import RECONCILED, WRONG_USAGE
from gal_friday.cli.options import AsJson, ConfigFile
from gal_friday.cli.output import complain, out, printable, say, write_json
from gal_friday.cli.setting_list import documented, schema_of
from gal_friday.domain.plain import plain


class Checked(Struct, frozen=True):
    """What ``config check`` found."""

    ok: bool
    file: str | None
    accounts: list[str]
    problems: list[str]


def check(*, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """Check the configuration and everything it refers to; exit 2 where something is wrong."""
    settings = load(config)
    problems = list(_problems(settings))
    file = config or found(os.environ)
    result = Checked(not problems, str(file) if file else None, sorted(settings.accounts), problems)
    if as_json:
        write_json(result)
    else:
        _say(result)
    return WRONG_USAGE if problems else RECONCILED


def show(*, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """Show the settings in effect: file, environment and defaults together; secrets as references."""
    from gal_friday.bootstrap.wire import mode_of, state_folder

    settings = load(config)
    effective = _without_passwords(settings)
    effective["state_folder"] = str(state_folder(settings))
    for account, set_there in effective["accounts"].items():
        set_there["mode"] = mode_of(settings, account).value
    if as_json:
        write_json(effective)
        return RECONCILED
    file = config or found(os.environ)
    say(f"from {file}" if file else "there is no configuration file; `gal-friday init` writes one")
    console = out()
    for name, value in _flat(plain(effective)):
        console.print(f"{name} = {printable(value)}{_mode_from(name, settings)}")
    return RECONCILED


def _mode_from(name: str, settings: Settings) -> str:
    """Say where the mode of an account comes from, behind the setting of this name; nothing for any other."""
    modes = {f"accounts.{account}.mode": configured.mode for account, configured in settings.accounts.items()}
    if name not in modes or modes[name] is not None:
        return ""
    return f"  (from reconciliation.auto_correct = {str(settings.reconciliation.auto_correct).lower()})"


def schema(*, as_json: AsJson = False) -> int:
    """List everything that can be set, with its default and meaning; --json gives a JSON schema."""
    if as_json:
        write_json(schema_of(Settings))
        return RECONCILED
    console = out()
    for line in documented(Settings):
        console.print(line)
    return RECONCILED


def _say(result: Checked) -> None:
    for problem in result.problems:
        complain(problem)
    if result.ok:
        names = ", ".join(result.accounts)
        out().print(printable(f"{result.file or 'the environment'}: ok; accounts: {names}"))


def _problems(settings: Settings) -> Iterator[str]:
    from gal_friday.bootstrap.alerts import alert_problems
    from gal_friday.bootstrap.prices import price_problems

    yield from alert_problems(settings)
    if settings.database.password is not None:
        yield from _unresolved("database.password", settings.database.password)
    if not settings.accounts:
        yield "no account is configured; `gal-friday init` writes a configuration to fill in"
    for name, account in sorted(settings.accounts.items()):
        yield from _of_account(name, account)
    yield from price_problems(settings, now=system_clock().now())


def _of_account(name: str, account: AccountSettings) -> Iterator[str]:
    for setting, reference in (("api_key", account.api_key), ("api_secret", account.api_secret)):
        yield from _unresolved(f"accounts.{name}.{setting}", reference)
    match account.book:
        case BookInFile(path=path) if not Path(path).expanduser().is_file():
            yield f"accounts.{name}.book.path: there is no file {path}; let the trading system write it first"
        case _:
            return


def _unresolved(setting: str, reference: str) -> Iterator[str]:
    try:
        resolve(reference, setting=setting)
    except BadConfiguration as wrong:
        yield str(wrong)


def _without_passwords(settings: Settings) -> Any:
    tree = to_builtins(settings, builtin_types=(settings.reconciliation.tolerance.__class__,))
    tree["database"]["url"] = _masked(settings.database.located())
    for account in tree["accounts"].values():
        account["url"] = _masked(account["url"])
    return tree


def _masked(url: str) -> str:
    """Return the address with its passwords hidden: the one before the host, and any that follows as an option."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        return "***"  # no address, so that any part of it may be a password
    user, at, place = ("", "", rest) if scheme.startswith("sqlite") else rest.rpartition("@")
    shown = f"{user.partition(':')[0]}:***" if ":" in user else user
    return scheme + mark + _PASSWORD.sub("=***", shown + at + place)


_PASSWORD = re.compile(r"(?i)(?<=password)=[^&]*|(?<=passwd)=[^&]*|(?<=passphrase)=[^&]*")


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield every setting with its full name, as the file would name it."""
    if isinstance(value, dict):
        for inner, part in value.items():
            yield from _flat(part, f"{name}.{inner}" if name else inner)
    elif value is None:
        yield name, "(none)"
    else:
        yield name, str(value).lower() if isinstance(value, bool) else str(value)
