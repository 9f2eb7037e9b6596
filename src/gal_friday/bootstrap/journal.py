"""The journal of the configured database, for whoever stands above the adapters: verified, shown, handed out."""

import getpass
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.journal import (
    SCRIPT,
    Anchor,
    Asked,
    SqlJournal,
    Verified,
    anchors_in,
    entries,
    export,
    flaw_of,
    kept_key,
    newest,
    proof_in,
    record,
    sent,
    verify,
)
from gal_friday.adapters.journal.inspection import Anchored
from gal_friday.adapters.sql.engine import open_engine
from gal_friday.adapters.sql.migration import upgrade
from gal_friday.bootstrap.database import ready_url
from gal_friday.bootstrap.settings import Settings
from gal_friday.bootstrap.wire import state_folder
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.journal import Written
from gal_friday.ports.errors import StoreFailed

__all__ = ["SCRIPT", "Anchor", "Anchored", "Asked", "Verified", "anchors_in", "flaw_of", "proof_in"]


async def verified(settings: Settings, *, trusted: Iterable[str], anchored: Iterable[Anchored]) -> Verified:
    """Return what the verification of the journal saw; see ``verify``.

    Raises:
        StoreFailed: the database cannot be read.
    """
    own = kept_key(state_folder(settings))
    engine = open_engine(ready_url(settings))
    try:
        await upgrade(engine)
        return await verify(engine, trusted=trusted, anchored=anchored, own=own.id if own else "")
    finally:
        await engine.dispose()


async def shown(settings: Settings, asked: Asked) -> Sequence[Written]:
    """Return what the newest of these entries say, newest first.

    Raises:
        StoreFailed: the database cannot be read.
    """
    engine = open_engine(ready_url(settings))
    try:
        await upgrade(engine)
        return await entries(engine, asked)
    finally:
        await engine.dispose()


async def exported(
    settings: Settings, file: BinaryIO, *, account: str | None = None, since: datetime | None = None
) -> int:
    """Write the journal to an open file, and return how many lines there are.

    Raises:
        StoreFailed: the database cannot be read.
    """
    engine = open_engine(ready_url(settings))
    lines = 0
    try:
        await upgrade(engine)
        async for line in export(engine, account=account, since=since):
            file.write(line)
            lines += 1
    finally:
        await engine.dispose()
    return lines


async def newest_head(settings: Settings) -> Anchor:
    """Return the newest head, ready to be handed out.

    Raises:
        StoreFailed: the database cannot be read, or nothing was written to the journal yet.
    """
    engine = open_engine(ready_url(settings))
    try:
        await upgrade(engine)
        anchor = await newest(engine)
    finally:
        await engine.dispose()
    if anchor is None:
        raise StoreFailed("the journal is empty: there is no head to hand out; `gal-friday run` writes the first")
    return anchor


async def handed_out(settings: Settings, anchor: Anchor, to: str | None) -> str:
    """Hand a head to a file or an address, write that down, and return what the place is called.

    Without *to* whoever calls has shown it, and it is only written down.

    Raises:
        WorldFailed: the place did not take it.
        StoreFailed: it was handed out, and could not be written down.
    """
    place = "standard output" if to is None else await sent(anchor, to)
    clock = SystemClock()
    engine = open_engine(ready_url(settings))
    try:
        journal = SqlJournal(state_folder(settings), clock)
        await record(engine, journal, clock.now(), anchor, place, self_declared())
    finally:
        await engine.dispose()
    return place


def self_declared() -> Actor:
    """Return who sits at the command line, by the operating system's word alone."""
    try:
        return Actor(getpass.getuser(), KnownBy.SELF_DECLARED)
    except (OSError, KeyError):  # A container's user often has no name.
        return Actor("unknown", KnownBy.SELF_DECLARED)


def script() -> bytes:
    """Return the script that verifies an export offline."""
    return Path(SCRIPT).read_bytes()
