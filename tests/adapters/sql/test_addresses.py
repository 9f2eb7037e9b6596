"""What may be written as the address of a database, and that nothing of it that is secret is ever shown."""

import sys
import traceback
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.sql import current_revision, newest_revision, open_engine, upgrade
from gal_friday.adapters.sql.engine import checked
from gal_friday.adapters.sql.failures import redacted, shown, without_secrets
from gal_friday.ports.errors import StoreFailed
from tests.postgres.databases import Databases

HOST = "postgresql+asyncpg://me:hunter2@host"


@pytest.mark.parametrize("address", ["", "nonsense", "mysql://host/db", "sqlite:///book.db", "sqlite+aiosqlite://"])
def test_an_address_that_is_none_says_how_one_looks(address: str) -> None:
    with pytest.raises(StoreFailed, match=r"write sqlite\+aiosqlite:///gal-friday\.db or postgresql\+asyncpg://"):
        open_engine(address)


@pytest.mark.parametrize(
    "rest",
    [
        ":x/y",
        ":5432:1/y",
        ":0/y",
        ":65536/y",
        "/y?port=x",
        "/y?port=5432,x",
        "/y?port=0",
        "[::1/y",
        ":-1/y",
        ",other/y?host=a,b",
    ],
)
def test_an_address_whose_port_is_none_says_how_one_looks(rest: str) -> None:
    with pytest.raises(StoreFailed, match=r"^(no database address can be read|the database address names no port)"):
        open_engine(HOST + rest)


def test_the_first_and_the_last_port_are_ports() -> None:
    assert [checked(f"{HOST}:{port}/y").port for port in (1, 65535)] == [1, 65535]


def test_an_unwritten_at_sign_in_a_password_is_told_and_not_taken_for_a_host() -> None:
    with pytest.raises(StoreFailed, match="an @ in its password or user; write it as %40") as caught:
        open_engine("postgresql+asyncpg://me:hunt@er2@host/y")
    assert "er2" not in str(caught.value)
    assert checked("postgresql+asyncpg://me:hunt%40er2@host/y").password == "hunt@er2"


@pytest.mark.parametrize("scheme", ["postgresql+asyncpg", "postgresql", "postgres"])
def test_the_driver_need_not_be_named(scheme: str) -> None:
    assert open_engine(f"{scheme}://me@host/y").url.drivername == "postgresql+asyncpg"


def test_another_driver_is_refused_and_not_replaced() -> None:
    with pytest.raises(StoreFailed, match=r"postgresql\+psycopg is no database that this program speaks to"):
        open_engine("postgresql+psycopg://me@host/y")


def test_a_missing_driver_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(StoreFailed, match=r"install it: pip install 'gal-friday\[postgres\]'"):
        open_engine("postgresql://me@host/y")


WITH_SECRETS = [
    "postgresql+asyncpg://me:hunter2@127.0.0.1:1/y",
    "postgresql+asyncpg://me:hunter2@127.0.0.1:x/y",
    "postgresql+asyncpg://me:hunter2@127.0.0.1:hunter2/y",
    "postgresql+asyncpg://me:hunter2@[::1/y",
    "postgresql+asyncpg://me:a@hunter2@127.0.0.1:1/y",
    "postgresql+asyncpg://me:hunt/hunter2@127.0.0.1:1/y",
    "postgresql+asyncpg://me:hunt?hunter2@127.0.0.1:1/y",
    "postgresql+asyncpg://127.0.0.1:1/y?user=me&password=hunter2",
    "postgresql+asyncpg://127.0.0.1:1/y?user=me&password=hunter2&password=hunter22",
    "postgresql+asyncpg://me:hunter2@127.0.0.1:1/y?sslmode=hunter2",
    "postgresql+asyncpg://me@127.0.0.1:1/y?sslpassword=hunter2",
    "postgresql+asyncpg://me@127.0.0.1:1/y?sslmode=require&sslcert=none.crt&sslkey=none.key&sslpassword=hunter2",
    "postgresql+asyncpg://me@127.0.0.1:1/y?options=-chunter2",
    "postgresql://127.0.0.1:1/y?token=hunter2",
    "mysql://me:hunter2@host/y",
    "oracle:hunter2",
]


@pytest.mark.parametrize("address", WITH_SECRETS)
async def test_no_part_of_an_address_that_may_be_secret_is_shown(address: str) -> None:
    with pytest.raises(StoreFailed) as caught:
        await upgrade(open_engine(address))
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_an_open_engine_does_not_know_what_is_secret() -> None:
    engine = open_engine("postgresql://me:hunter2@host:5433/y?host=other&sslpassword=hunter2&sslmode=require")
    assert str(engine.url) == "postgresql+asyncpg://me@host:5433/y?host=other"
    assert "hunter2" not in repr(engine)


def test_what_people_call_a_database_is_its_file_or_its_address() -> None:
    assert shown(make_url("sqlite+aiosqlite:////data/book.db?mode=ro&key=hunter2")) == "/data/book.db"
    assert shown(make_url("sqlite+aiosqlite://")) == "the database in memory"
    assert shown(make_url("postgresql://me:hunter2@host/y?password=a&dbname=z")) == "postgresql://me@host/y?dbname=z"


def test_a_driver_that_quotes_the_password_is_not_repeated() -> None:
    url = make_url("postgresql://me:hunt%2Fer@host/y?sslpassword=swordfish")
    assert redacted("no hunt/er, no hunt%2Fer, no swordfish here", url) == "no ***, no ***, no *** here"
    assert redacted("nothing secret", make_url("postgresql://host/y?password=")) == "nothing secret"


@pytest.mark.postgres
@pytest.mark.parametrize("options", ["", "?application_name=books", "?sslmode=disable", "?target_session_attrs=any"])
async def test_the_options_of_postgresqls_own_addresses_are_understood(databases: Databases, options: str) -> None:
    async with databases.fresh(tables=True) as address:
        engine = open_engine(address.replace("postgresql+asyncpg", "postgresql") + options)
        assert await current_revision(engine) == newest_revision()
        await engine.dispose()


@pytest.mark.postgres
async def test_the_password_may_come_from_postgresqls_own_file(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with databases.fresh(tables=True) as address:
        url = make_url(address)
        file = tmp_path / "pgpass"
        file.touch(0o600)
        file.write_text(f"{url.host}:{url.port}:*:{url.username}:{url.password}\n")
        monkeypatch.setenv("PGPASSFILE", str(file))
        engine = open_engine(without_secrets(url).render_as_string())
        assert await current_revision(engine) == newest_revision()
        await engine.dispose()


@pytest.mark.postgres
async def test_of_several_hosts_the_one_that_answers_is_taken(databases: Databases) -> None:
    async with databases.fresh(tables=True) as address:
        url = make_url(address)
        user = f"postgresql://{url.username}:{url.password}@/{url.database}"
        engine = open_engine(f"{user}?host=127.0.0.1:1&host={url.host}:{url.port}")
        assert await current_revision(engine) == newest_revision()
        await engine.dispose()


async def refused(engine: AsyncEngine) -> str:
    with pytest.raises(StoreFailed) as caught:
        await current_revision(engine)
    await engine.dispose()
    return str(caught.value)


@pytest.mark.postgres
@pytest.mark.parametrize(
    "change,says",
    [
        ({"password": "wrong"}, "refuses this user or password; check the database address"),
        ({"username": "stranger"}, "refuses this user or password; check the database address"),
        ({"database": "nowhere"}, "does not exist; create it, then run: gal-friday db upgrade"),
        ({"port": 1}, "cannot be reached ("),
        ({"host": "no.such.host.invalid"}, "cannot be reached ("),
        ({"host": "x" * 70}, "cannot be reached"),
        ({"query": {"sslmode": "require"}}, "cannot be reached ("),
        ({"query": {"sslmode": "sometimes"}}, "cannot be reached as its address stands ("),
        ({"query": {"no_such_setting": "1"}}, 'failed (unrecognized configuration parameter "no_such_setting")'),
    ],
)
async def test_an_address_that_leads_nowhere_says_what_is_wrong_with_it(
    databases: Databases, change: dict[str, object], says: str
) -> None:
    url = databases.server().set(**change)  # type: ignore[arg-type]
    found = await refused(open_engine(url.render_as_string(hide_password=False)))
    assert says in found
    assert str(url.password) not in found.replace(str(url.username), "")
