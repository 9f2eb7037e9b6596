"""What every keeper of who is known promises, held against each: memory, SQLite and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from gal_friday.adapters.access import MemoryAccess, SqlAccess
from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.domain.access import Accounts, Grant, Permission, Role
from gal_friday.domain.credentials import Once, Passkey, Purpose, Session, Token, User
from gal_friday.domain.facts import Fact
from gal_friday.ports.access import Access
from gal_friday.ports.errors import StoreFailed
from tests.postgres.databases import POSTGRESQL, Databases

T0 = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TOKEN = Token(
    id="0102030405",
    name="the bot ☃",
    owner="Alice",
    grant=Grant(
        role=Role.REVIEWER,
        accounts=Accounts(("main", "sp,are")),
        scopes=frozenset({Permission.READ, Permission.FEED}),
    ),
    digest="d" * 64,
    created=T0,
    created_by="root",
    expires=T0 + timedelta(days=90),
)
ALICE = User(name="Alice", role=Role.APPROVER, accounts=Accounts(), password="$argon2id$…", created=T0)
KEY = Passkey(id="k1", user="Alice", name="laptop", public_key=b"\x00\xff", sign_count=0, added=T0)
SESSION = Session(digest="a" * 64, user="Alice", began=T0, seen=T0, proven=T0)


class Journalled:
    """Takes facts as a journal would, and refuses them once told to."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.full = False

    def __call__(self, facts: Iterable[Fact]) -> None:
        if self.full:
            raise StoreFailed("the journal is full")
        self.facts.extend(facts)

    async def append(self, connection: AsyncConnection, facts: Iterable[Fact]) -> None:
        self(facts)


class Kept:
    """One keeper under test, and its journal."""

    def __init__(self, access: Access, journal: Journalled) -> None:
        self.access, self.journal = access, journal


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
async def kept(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases) -> AsyncIterator[Kept]:
    journal = Journalled()
    if request.param == "memory":
        yield Kept(MemoryAccess(journal), journal)
        return
    async with AsyncExitStack() as stack:
        if request.param == "sqlite":
            engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'access.db'}")
            await upgrade(engine)
        else:
            engine = open_engine(await stack.enter_async_context(databases.fresh(tables=True)))
        yield Kept(SqlAccess(engine, journal), journal)
        await engine.dispose()


def fact(kind: str = "something", **body: Any) -> Fact:
    return Fact(kind=kind, at=T0, account="", subject="x", body=body)


async def with_alice(kept: Kept) -> User:
    saved = await kept.access.save_user(ALICE, fact())
    assert saved is not None
    return saved


async def test_a_token_is_read_back_as_it_was_written(kept: Kept) -> None:
    everything = replace(TOKEN, id="0000000000", grant=Grant(role=Role.ADMIN), created=T0 + MINUTE)
    nothing = replace(TOKEN, id="1111111111", grant=Grant(role=Role.VIEWER, accounts=Accounts(()), scopes=frozenset()))
    for token in (TOKEN, everything, nothing):
        await kept.access.add_token(token, fact())
        held = await kept.access.token(token.id)
        assert held is not None
        assert (held.token, held.owner) == (token, None)
    assert list(await kept.access.tokens()) == [TOKEN, nothing, everything]
    assert await kept.access.token("ffffffffff") is None


async def test_a_token_comes_with_its_owner_however_the_name_is_spelled(kept: Kept) -> None:
    alice = await with_alice(kept)
    await kept.access.add_token(replace(TOKEN, owner="ALICE"), fact())
    held = await kept.access.token(TOKEN.id)
    assert held is not None
    assert held.owner == alice


async def test_one_id_is_one_token(kept: Kept) -> None:
    await kept.access.add_token(TOKEN, fact("first"))
    with pytest.raises(StoreFailed):
        await kept.access.add_token(replace(TOKEN, name="other"), fact("second"))
    assert await kept.access.tokens() == (TOKEN,)
    assert [one.kind for one in kept.journal.facts] == ["first"]


async def test_when_it_was_used_only_goes_forward(kept: Kept) -> None:
    await kept.access.add_token(TOKEN, fact())
    for at in (T0 + MINUTE, T0):
        await kept.access.token_used(TOKEN.id, at)
    await kept.access.token_used("ffffffffff", T0)
    assert (await kept.access.tokens())[0].last_used == T0 + MINUTE


async def test_a_token_is_revoked_once(kept: Kept) -> None:
    await kept.access.add_token(TOKEN, fact())
    assert await kept.access.revoke_token(TOKEN.id, T0 + MINUTE, fact("revoked"))
    assert not await kept.access.revoke_token(TOKEN.id, T0 + 2 * MINUTE, fact("again"))
    assert not await kept.access.revoke_token("ffffffffff", T0, fact("nobody"))
    assert (await kept.access.tokens())[0].revoked == T0 + MINUTE
    assert [one.kind for one in kept.journal.facts] == ["something", "revoked"]


async def test_a_user_is_read_back_however_the_name_is_spelled(kept: Kept) -> None:
    alice = await with_alice(kept)
    assert alice == replace(ALICE, revision=1)
    for name in ("Alice", "alice", "ALICE", "Ａlice", "Аlice"):
        assert await kept.access.user(name) == alice
    assert await kept.access.user("bob") is None


async def test_a_name_that_looks_like_another_is_taken(kept: Kept) -> None:
    alice = await with_alice(kept)
    assert await kept.access.save_user(replace(ALICE, name="аliсe", role=Role.ADMIN), fact("other")) is None
    assert await kept.access.users() == (alice,)
    assert len(kept.journal.facts) == 1


async def test_two_changes_cannot_both_carry_on_from_one_state(kept: Kept) -> None:
    alice = await with_alice(kept)
    first = await kept.access.save_user(replace(alice, role=Role.VIEWER), fact("first"))
    assert await kept.access.save_user(replace(alice, role=Role.ADMIN), fact("second")) is None
    assert await kept.access.user("alice") == first
    assert [one.kind for one in kept.journal.facts] == ["something", "first"]


async def test_two_who_make_the_same_person_at_once_make_one(kept: Kept) -> None:
    made = await asyncio.gather(*(kept.access.save_user(ALICE, fact()) for _ in range(2)))
    assert sorted(one is None for one in made) == [False, True]


async def test_users_are_listed_by_name(kept: Kept) -> None:
    for name in ("zoe", "Émile", "bob", "李"):
        await kept.access.save_user(replace(ALICE, name=name), fact())
    assert [one.name for one in await kept.access.users()] == ["bob", "Émile", "zoe", "李"]


async def test_a_passkey_is_read_back_with_whose_it_is(kept: Kept) -> None:
    alice = await with_alice(kept)
    await kept.access.add_passkey(KEY, fact())
    await kept.access.passkey_used("k1", 7, T0 + MINUTE)
    held = await kept.access.passkey("k1")
    assert held is not None
    assert held.user == alice
    assert held.passkey == replace(KEY, sign_count=7, last_used=T0 + MINUTE)
    assert await kept.access.passkeys("alice") == (held.passkey,)
    assert await kept.access.passkeys("bob") == ()
    assert await kept.access.passkey("k2") is None


async def test_one_passkey_belongs_to_one_person(kept: Kept) -> None:
    await with_alice(kept)
    await kept.access.add_passkey(KEY, fact())
    with pytest.raises(StoreFailed):
        await kept.access.add_passkey(KEY, fact())


async def test_a_passkey_is_removed_once(kept: Kept) -> None:
    await with_alice(kept)
    await kept.access.add_passkey(KEY, fact())
    assert await kept.access.remove_passkey(KEY, fact("removed"))
    assert not await kept.access.remove_passkey(KEY, fact("again"))
    assert await kept.access.passkeys("alice") == ()
    assert kept.journal.facts[-1].kind == "removed"


async def opened(kept: Kept, digest: str, began: datetime = T0, replaces: str | None = None) -> Session:
    session = replace(SESSION, digest=digest, began=began, seen=began, proven=began)
    await kept.access.open_session(session, fact("opened"), replaces=replaces, over=T0 - timedelta(hours=12))
    return session


async def test_a_session_is_read_back_with_the_person_as_they_are_now(kept: Kept) -> None:
    alice = await with_alice(kept)
    session = await opened(kept, "a")
    changed = await kept.access.save_user(replace(alice, role=Role.VIEWER), fact())
    await kept.access.session_seen("a", T0 + MINUTE)
    held = await kept.access.session("a")
    assert held is not None
    assert (held.session, held.user) == (replace(session, seen=T0 + MINUTE), changed)
    assert await kept.access.session("b") is None


async def test_a_new_session_takes_the_place_of_the_old_and_buries_the_dead(kept: Kept) -> None:
    await with_alice(kept)
    await opened(kept, "dead", T0 - timedelta(hours=13))
    await opened(kept, "old")
    await opened(kept, "other")
    await opened(kept, "new", replaces="old")
    there = {digest: await kept.access.session(digest) is not None for digest in ("dead", "old", "other", "new")}
    assert there == {"dead": False, "old": False, "other": True, "new": True}


async def test_a_session_ends_once(kept: Kept) -> None:
    await with_alice(kept)
    await opened(kept, "a")
    assert await kept.access.end_session("a", fact("out"))
    assert not await kept.access.end_session("a", fact("again"))
    assert await kept.access.session("a") is None
    assert kept.journal.facts[-1].kind == "out"


async def test_sessions_end_with_a_change_that_says_so(kept: Kept) -> None:
    alice = await with_alice(kept)
    bob = await kept.access.save_user(replace(ALICE, name="bob"), fact())
    assert bob is not None
    await opened(kept, "a")
    await kept.access.open_session(replace(SESSION, digest="b", user="bob"), fact(), replaces=None, over=T0)
    alice = await kept.access.save_user(replace(alice, role=Role.ADMIN), fact()) or alice
    assert await kept.access.session("a") is not None
    await kept.access.save_user(replace(alice, disabled=T0), fact(), end_sessions=True)
    assert await kept.access.session("a") is None
    assert await kept.access.session("b") is not None


def once(digest: str = "o", **other: Any) -> Once:
    fields: dict[str, Any] = {"purpose": Purpose.SIGN_IN, "user": None, "expires": T0 + MINUTE}
    return Once(digest=digest, **(fields | other))


async def test_a_secret_is_good_once_and_for_one_thing(kept: Kept) -> None:
    await with_alice(kept)
    await kept.access.keep_once(once(user="Alice"), now=T0)
    assert await kept.access.take_once("o", Purpose.USE_PASSKEY, now=T0) is None
    taken = await asyncio.gather(*(kept.access.take_once("o", Purpose.SIGN_IN, now=T0) for _ in range(3)))
    assert [one for one in taken if one is not None] == [once(user="Alice")]


async def test_a_secret_ends_at_its_end(kept: Kept) -> None:
    await kept.access.keep_once(once("early"), now=T0)
    await kept.access.keep_once(once("late"), now=T0)
    last = T0 + MINUTE - timedelta(microseconds=1)
    assert await kept.access.take_once("early", Purpose.SIGN_IN, now=last) is not None
    assert await kept.access.take_once("late", Purpose.SIGN_IN, now=T0 + MINUTE) is None


async def test_nothing_changes_without_its_fact(kept: Kept) -> None:  # I10
    alice = await with_alice(kept)
    await kept.access.add_token(TOKEN, fact())
    await kept.access.add_passkey(KEY, fact())
    await opened(kept, "a")
    kept.journal.full = True
    for attempt in (
        kept.access.add_token(replace(TOKEN, id="f" * 10), fact()),
        kept.access.revoke_token(TOKEN.id, T0, fact()),
        kept.access.save_user(replace(alice, role=Role.ADMIN), fact(), end_sessions=True),
        kept.access.save_user(replace(ALICE, name="bob"), fact()),
        kept.access.add_passkey(replace(KEY, id="k2"), fact()),
        kept.access.remove_passkey(KEY, fact()),
        kept.access.open_session(replace(SESSION, digest="b"), fact(), replaces="a", over=T0),
        kept.access.end_session("a", fact()),
        kept.access.tell(fact()),
    ):
        with pytest.raises(StoreFailed):
            await attempt
    assert await kept.access.tokens() == (TOKEN,)
    assert await kept.access.users() == (alice,)
    assert await kept.access.passkeys("alice") == (KEY,)
    assert await kept.access.session("a") is not None
    assert await kept.access.session("b") is None
