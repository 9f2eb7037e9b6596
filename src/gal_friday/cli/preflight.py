"""``gal-friday preflight``: everything a run needs, looked at one by one before the first one.

It asks the exchange, the book, the database and the folders; it changes nothing but the tables' revision.
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gal_friday.bootstrap.preflight import checks_of
from gal_friday.bootstrap.settings import Settings, load
from gal_friday.bootstrap.wire import OpenStore, account_of, exchange_of, open_store, state_folder, stream_of
from gal_friday.cli.columns import padded
from gal_friday.cli.exit_status import FAILED, RECONCILED
from gal_friday.cli.options import AsJson, ConfigFile
from gal_friday.cli.output import out, printable, write_json
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.exchange import Check

_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red"}

Account = Annotated[str | None, Parameter(help="The account to check; every account without it.")]
Checks = dict[str, tuple[Check, ...]]


def preflight(account: Account = None, /, *, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """Check keys, rights, clock, book and database; exit 4 where a check failed."""
    settings = load(config)
    names = sorted(settings.accounts) if account is None and settings.accounts else [account_of(settings, account)[0]]
    found = asyncio.run(_looked(settings, names))
    ok = all(check.outcome != "failed" for checks in found.values() for check in checks)
    if as_json:
        write_json({"ok": ok, "accounts": found})
    else:
        _show(found)
    return RECONCILED if ok else FAILED


async def _looked(settings: Settings, names: list[str]) -> Checks:
    # Before anything is opened: what is badly configured is told first, and as such.
    folder = state_folder(settings)
    exchanges = {name: exchange_of(name, settings.accounts[name], folder) for name in names}
    for name in names:
        stream_of(name, settings.accounts[name], folder)
    shared = [_writable(folder)]
    store: OpenStore | None = None
    try:
        store = await open_store(settings)
        shared.append(Check("database", "ok", "open, its tables are up to date"))
    except StoreFailed as failure:
        shared.append(Check("database", "failed", str(failure)))
    try:
        return {name: (*shared, *await checks_of(name, settings, exchanges[name], store)) for name in names}
    finally:
        for exchange in exchanges.values():
            await exchange.close()
        if store is not None:
            await store.close()


def _writable(folder: Path) -> Check:
    """Say whether the last nonce of a key can be kept; asked of the nearest folder that exists."""
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        return Check("state folder", "ok", f"{folder} can be written")
    return Check("state folder", "failed", f"{folder} cannot be written; set state_folder to one that can")


def _show(found: Checks) -> None:
    console = out()
    for name, checks in found.items():
        console.print(printable(name), style="bold")
        for check, title in zip(checks, padded([check.name for check in checks]), strict=True):
            console.print(f"  {check.outcome:<9}", style=_STYLES.get(check.outcome, ""), end="")
            for line in _lines(check, title):
                console.print(line)


def _lines(check: Check, title: str) -> Iterator[str]:
    yield printable(f"{title}  {check.detail}")
