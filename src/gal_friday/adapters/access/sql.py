"""Who is known, in SQLite or PostgreSQL. A change and its fact are one transaction (I10)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, Executable, Insert, Table, Update, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gal_friday.adapters.access import rows
from gal_friday.adapters.sql.access_tables import ACCESS_TOKENS, ONE_TIME_SECRETS, PASSKEYS, SESSIONS, USERS
from gal_friday.adapters.sql.engine import reading, writing
from gal_friday.adapters.sql.journalling import Journalling
from gal_friday.domain.credentials import (
    HeldPasskey,
    HeldSession,
    HeldToken,
    Once,
    Passkey,
    Purpose,
    Session,
    Token,
    User,
)
from gal_friday.domain.facts import Fact
from gal_friday.domain.person import looks
from gal_friday.ports.errors import StoreFailed

_TOKEN, _USER, _PASSKEY = ACCESS_TOKENS.c, USERS.c, PASSKEYS.c
_SESSION, _ONCE = SESSIONS.c, ONE_TIME_SECRETS.c


class SqlTokens:
    """``Tokens`` on a database that was brought up to date by ``upgrade``."""

    def __init__(self, engine: AsyncEngine, journal: Journalling | None = None) -> None:
        """Keep the engine, which whoever opened it disposes of, and the journal that every change is written to."""
        self._engine, self._journal = engine, journal

    async def token(self, token_id: str) -> HeldToken | None:
        """Return one token; see ``Tokens``."""
        async with reading(self._engine, StoreFailed) as connection:
            row = await _one(connection, ACCESS_TOKENS, token_id)
            if row is None:
                return None
            owner = await _one(connection, USERS, row["owner_key"])
        return HeldToken(rows.token(row), None if owner is None else rows.user(owner))

    async def tokens(self) -> Sequence[Token]:
        """Return every token; see ``Tokens``."""
        query = select(ACCESS_TOKENS).order_by(_TOKEN.created, _TOKEN.token_id)
        async with reading(self._engine, StoreFailed) as connection:
            return tuple(rows.token(row) for row in (await connection.execute(query)).mappings())

    async def add_token(self, token: Token, fact: Fact) -> None:
        """Keep a new token; see ``Tokens``."""
        async with writing(self._engine, StoreFailed) as connection:
            await connection.execute(insert(ACCESS_TOKENS), rows.of_token(token))
            await self._tell(connection, fact)

    async def token_used(self, token_id: str, at: datetime) -> None:
        """Write down when it was last used; see ``Tokens``."""
        earlier = _TOKEN.last_used.is_(None) | (_TOKEN.last_used < at)
        statement = update(ACCESS_TOKENS).where((_TOKEN.token_id == token_id) & earlier).values(last_used=at)
        async with writing(self._engine, StoreFailed) as connection:
            await connection.execute(statement)

    async def revoke_token(self, token_id: str, at: datetime, fact: Fact) -> bool:
        """End a token; see ``Tokens``."""
        good = (_TOKEN.token_id == token_id) & _TOKEN.revoked.is_(None)
        async with writing(self._engine, StoreFailed) as connection:
            return await self._told_if(connection, update(ACCESS_TOKENS).where(good).values(revoked=at), fact)

    async def tell(self, fact: Fact) -> None:
        """Write a fact; see ``Sessions``."""
        async with writing(self._engine, StoreFailed) as connection:
            await self._tell(connection, fact)

    async def _told_if(self, connection: AsyncConnection, statement: Executable, fact: Fact) -> bool:
        """Write the fact where the statement changed something, and say whether it did."""
        if not await _changed(connection, statement):
            return False
        await self._tell(connection, fact)
        return True

    async def _tell(self, connection: AsyncConnection, fact: Fact) -> None:
        if self._journal is not None:
            await self._journal.append(connection, (fact,))  # last: it holds the journal until the commit


class SqlUsers(SqlTokens):
    """``Users`` beside them."""

    async def user(self, name: str) -> User | None:
        """Return whom this name belongs to; see ``Users``."""
        async with reading(self._engine, StoreFailed) as connection:
            row = await _one(connection, USERS, looks(name))
        return None if row is None else rows.user(row)

    async def users(self) -> Sequence[User]:
        """Return everybody; see ``Users``."""
        async with reading(self._engine, StoreFailed) as connection:
            found = (await connection.execute(select(USERS))).mappings()
            # By code point on both: the two databases sort text in different ways.
            return tuple(rows.user(row) for row in sorted(found, key=lambda row: str(row["name_key"])))

    async def save_user(self, user: User, fact: Fact, *, end_sessions: bool = False) -> User | None:
        """Write a user on; see ``Users``."""
        row = rows.of_user(user) | {"revision": user.revision + 1}
        async with writing(self._engine, StoreFailed) as connection:
            if not await _changed(connection, _user_written(connection, row, user.revision)):
                return None
            if end_sessions:
                await connection.execute(delete(SESSIONS).where(_SESSION.name_key == row["name_key"]))
            await self._tell(connection, fact)
            found = await _one(connection, USERS, row["name_key"])
        assert found is not None, "it was just written"
        return rows.user(found)

    async def passkey(self, passkey_id: str) -> HeldPasskey | None:
        """Return one passkey; see ``Users``."""
        async with reading(self._engine, StoreFailed) as connection:
            row = await _one(connection, PASSKEYS, passkey_id)
            owner = None if row is None else await _one(connection, USERS, row["name_key"])
        if row is None or owner is None:
            return None
        user = rows.user(owner)
        return HeldPasskey(rows.passkey(row, user.name), user)

    async def passkeys(self, user: str) -> Sequence[Passkey]:
        """Return those of this person; see ``Users``."""
        query = select(PASSKEYS).where(_PASSKEY.name_key == looks(user)).order_by(_PASSKEY.added, _PASSKEY.passkey_id)
        async with reading(self._engine, StoreFailed) as connection:
            owner = await _one(connection, USERS, looks(user))
            name = user if owner is None else owner["name"]
            return tuple(rows.passkey(row, name) for row in (await connection.execute(query)).mappings())

    async def add_passkey(self, passkey: Passkey, fact: Fact) -> None:
        """Keep a new passkey; see ``Users``."""
        async with writing(self._engine, StoreFailed) as connection:
            await connection.execute(insert(PASSKEYS), rows.of_passkey(passkey))
            await self._tell(connection, fact)

    async def passkey_used(self, passkey_id: str, sign_count: int, at: datetime) -> None:
        """Write down its count; see ``Users``."""
        statement = update(PASSKEYS).where(_PASSKEY.passkey_id == passkey_id)
        async with writing(self._engine, StoreFailed) as connection:
            await connection.execute(statement.values(sign_count=sign_count, last_used=at))

    async def remove_passkey(self, passkey: Passkey, fact: Fact) -> bool:
        """Remove it; see ``Users``."""
        async with writing(self._engine, StoreFailed) as connection:
            return await self._told_if(connection, delete(PASSKEYS).where(_PASSKEY.passkey_id == passkey.id), fact)


class SqlAccess(SqlUsers):
    """``Access``: all of it."""

    async def session(self, digest: str) -> HeldSession | None:
        """Return one session; see ``Sessions``."""
        async with reading(self._engine, StoreFailed) as connection:
            row = await _one(connection, SESSIONS, digest)
            owner = None if row is None else await _one(connection, USERS, row["name_key"])
        if row is None or owner is None:
            return None
        user = rows.user(owner)
        return HeldSession(rows.session(row, user.name), user)

    async def open_session(self, session: Session, fact: Fact, *, replaces: str | None, over: datetime) -> None:
        """Keep a new session; see ``Sessions``."""
        row = {
            "digest": session.digest,
            "name_key": looks(session.user),
            "began": session.began,
            "seen": session.seen,
            "proven": session.proven,
        }
        async with writing(self._engine, StoreFailed) as connection:
            gone = _SESSION.began < over
            if replaces is not None:
                gone = gone | (_SESSION.digest == replaces)
            await connection.execute(delete(SESSIONS).where(gone))
            await connection.execute(insert(SESSIONS), row)
            await self._tell(connection, fact)

    async def session_seen(self, digest: str, at: datetime) -> None:
        """Write down when it was last used; see ``Sessions``."""
        statement = update(SESSIONS).where((_SESSION.digest == digest) & (_SESSION.seen < at)).values(seen=at)
        async with writing(self._engine, StoreFailed) as connection:
            await connection.execute(statement)

    async def end_session(self, digest: str, fact: Fact) -> bool:
        """End it; see ``Sessions``."""
        async with writing(self._engine, StoreFailed) as connection:
            return await self._told_if(connection, delete(SESSIONS).where(_SESSION.digest == digest), fact)

    async def keep_once(self, once: Once, *, now: datetime) -> None:
        """Keep a secret that is good once; see ``Sessions``."""
        row = {
            "digest": once.digest,
            "purpose": once.purpose.value,
            "name_key": None if once.user is None else looks(once.user),
            "expires": once.expires,
        }
        async with writing(self._engine, StoreFailed) as connection:
            await connection.execute(delete(ONE_TIME_SECRETS).where(_ONCE.expires <= now))
            await connection.execute(insert(ONE_TIME_SECRETS), row)

    async def take_once(self, digest: str, purpose: Purpose, *, now: datetime) -> Once | None:
        """Return it and forget it; see ``Sessions``."""
        wanted = (_ONCE.digest == digest) & (_ONCE.purpose == purpose.value)
        async with writing(self._engine, StoreFailed) as connection:
            taken = delete(ONE_TIME_SECRETS).where(wanted).returning(_ONCE.name_key, _ONCE.expires)
            row = (await connection.execute(taken)).mappings().one_or_none()
            if row is None or row["expires"] <= now:
                return None
            owner = None if row["name_key"] is None else await _one(connection, USERS, row["name_key"])
        return Once(
            digest=digest, purpose=purpose, user=None if owner is None else owner["name"], expires=row["expires"]
        )


async def _one(connection: AsyncConnection, table: Table, key: str) -> Any:
    (column,) = table.primary_key.columns
    return (await connection.execute(select(table).where(column == key))).mappings().one_or_none()


async def _changed(connection: AsyncConnection, statement: Executable) -> bool:
    done = await connection.execute(statement)
    assert isinstance(done, CursorResult)
    return done.rowcount > 0


def _user_written(connection: AsyncConnection, row: dict[str, Any], known: int) -> Update | Insert:
    if known:
        same = (_USER.name_key == row["name_key"]) & (_USER.revision == known)
        return update(USERS).where(same).values(row)
    # Another process may make the same person in this very moment: then theirs is the one.
    if connection.dialect.name == "postgresql":
        return postgresql.insert(USERS).values(row).on_conflict_do_nothing()
    return sqlite.insert(USERS).values(row).on_conflict_do_nothing()
