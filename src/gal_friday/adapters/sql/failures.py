"""What a database said, in words that name the file and the next step.

Our own errors carry no statement and no parameter: those belong to the database's log, and may hold what
an alert should not. Of an address only what is known to be no secret is ever shown.
"""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from sqlalchemy import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from gal_friday.ports.errors import BookFailed, StoreFailed

Failure = type[BookFailed] | type[StoreFailed]

# SQLite result codes (SQLite documentation, Result and Error Codes), by the beginning of their names.
_SQLITE = {
    "SQLITE_BUSY": "is locked by another program; let that one finish, then try again",
    "SQLITE_LOCKED": "is locked by another program; let that one finish, then try again",
    "SQLITE_FULL": "cannot grow: the disk is full; free some space, then try again",
    "SQLITE_NOTADB": "is no database; name another file, or restore this one from a backup",
    "SQLITE_CORRUPT": "is damaged; keep a copy, and restore it from a backup",
    "SQLITE_READONLY": "may only be read; give this user the right to write the file and its folder",
    "SQLITE_PERM": "may not be opened by this user; give it the right to write the file and its folder",
    "SQLITE_AUTH": "may not be opened by this user; give it the right to write the file and its folder",
    "SQLITE_CANTOPEN": "cannot be opened; check that its folder exists and that this user may write there",
    "SQLITE_CONSTRAINT_PRIMARYKEY": "was given the same by another program at the same moment; try again",
    "SQLITE_CONSTRAINT_UNIQUE": "was given the same by another program at the same moment; try again",
    "SQLITE_IOERR": "could not be read or written; check the disk (full, over quota, or failing)",
}

_ENDED = "ended the connection; check that the server runs, then try again"

# PostgreSQL documentation, Appendix A: error codes, by their beginnings; the first that fits.
_POSTGRESQL = {
    "53100": "cannot grow: its disk is full; free some space, then try again",
    "53300": "takes no more connections; close some, or raise max_connections",
    "55P03": "is locked by another program; let that one finish, then try again",
    "57014": "did not answer in time; try again",
    "40": "changed in the meantime; try again",
    "23505": "was given the same by another program at the same moment; try again",
    "22021": "cannot keep a text with the character NUL in it; leave that record out, or correct it",
    "42501": "refuses this user; grant it the rights that docs/database.md lists",
    "25006": "may only be read; connect to the primary server",
    "28": "refuses this user or password; check the database address",
    "3D000": "does not exist; create it, then run: gal-friday db upgrade",
    "42P01": "has no tables of this program yet; run: gal-friday db upgrade",
    "42703": "has tables of an older version; run: gal-friday db upgrade",
    "57P01": _ENDED,
    "57P": "is starting or stopping; try again",
    "25P03": _ENDED,
    "25P04": "ended a transaction that took too long; try again, with less at once",
    "08003": _ENDED,
    "08": "cannot be reached; check that the server runs, then try again",
}


@contextmanager
def translated(failure: Failure, url: URL) -> Iterator[None]:
    """Turn whatever the database raises inside into *failure*, said once and in words; a task has to run it.

    Raises:
        BookFailed, StoreFailed: whichever *failure* is.
        CancelledError: the task is being cancelled. A driver may tell of the connection that this cost it instead, and
            whoever takes failures in its stride would go on for ever.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError from error
        raise failure(f"{shown(url)} {_reason(error)}") from error


def shown(url: URL) -> str:
    """Return what people call the database: the file, or the address without anything secret."""
    if url.get_backend_name() == "sqlite":
        return url.database or "the database in memory"
    return without_secrets(url).render_as_string()


def without_secrets(url: URL) -> URL:
    """Return the address with its user, host, port and database alone: an option may be a password too."""
    told = {name: value for name, value in url.query.items() if name in _TOLD}
    return URL.create(url.drivername, url.username, None, url.host, url.port, url.database, told)


_TOLD = {"host", "port", "user", "database", "dbname", "service"}


def redacted(text: str, url: URL) -> str:
    """Return what somebody said of the address, with every part that may be secret taken out."""
    options = url.normalized_query.items()
    secrets = {str(url.password or ""), *(part for name, parts in options if "password" in name for part in parts)}
    for secret in sorted(secrets - {""}, key=len, reverse=True):  # the longest first: one may hold another
        text = text.replace(secret, "***").replace(quote(secret, safe=""), "***")
    return text


def _reason(error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    text = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
    for known in (_from_sqlite(cause, text), _from_postgresql(cause)):
        if known is not None:
            return known
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return _ENDED  # in the driver's own words, without a code, when it is noticed at the next statement
    if isinstance(cause, TimeoutError):
        return "did not answer in time; try again"
    if isinstance(cause, OSError) and not isinstance(cause, sqlite3.Error):
        return f"cannot be reached ({text}); check that the server runs, then try again"
    if isinstance(cause, ArgumentError):
        return f"cannot be reached as its address stands ({text}); check the database address"
    return f"failed ({text}); nothing was written"


def _from_sqlite(cause: BaseException, text: str) -> str | None:
    if "no such table" in text:
        return "has no tables of this program yet; run: gal-friday db upgrade"
    if "no such column" in text or "has no column" in text:
        return "has tables of an older version; run: gal-friday db upgrade"
    name = getattr(cause, "sqlite_errorname", "")
    return next((reason for code, reason in _SQLITE.items() if name.startswith(code)), None)


def _from_postgresql(cause: BaseException) -> str | None:
    code = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or ""
    return next((reason for known, reason in _POSTGRESQL.items() if code.startswith(known)), None)
