"""No secret is anywhere but where it belongs.

A service with every secret that can be configured or entered is driven through what works and what fails, and then
everything that it wrote and said is searched for them: its log, what commands say, every answer of the API with its
headers, every row of every table (packed recordings unpacked), the exported journal, and every file of its folder.
Digests of secrets are no secrets.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import zlib
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import httpx2
import pytest
from sqlalchemy import make_url

from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.simulated import Exchange, SimulatedKraken
from tests.adapters.alerts.receivers import post_office, receiving, says
from tests.postgres.databases import POSTGRESQL, Databases
from tests.signals import heard

pytestmark = [pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to handle"), *POSTGRESQL.marks]

CHANNELS = ("hook", "pager", "manager", "mail", "other")
CONFIGURED = {
    "DATABASE": "planted-database-password-3f81",
    "WRONG_KEY": "plantedWrongKeyOfTheExchange7c20",
    "WRONG_SECRET": b64encode(b"planted wrong secret of the exchange 51d9").decode(),
    "WRITER": "planted-token-of-the-writer-90aa",
    "HOOK": "planted-secret-of-the-webhook-c4e7",
    "HOOK_PATH": "planted-path-of-the-webhook-28bd",
    "PAGER": "plantedroutingkeyofpagerduty6f12",
    "MANAGER": "planted-password-of-alertmanager-e05b",
    "MAIL": "planted-password-of-the-mail-server-7d3c",
    "OTHER": "planted-password-of-apprise-b916",
}
SCOPES = "read,feed,run,metrics,review,approve,operate,administer"
PASSWORD = "planted password of alice 4a6e"
GUESSES = ("planted password that is wrong 1c2f", "planted password in a broken body 8e90")

SETTINGS = """
state_folder = "{folder}"
[database]
url = "postgresql+asyncpg://planted@{server}/{database}"
password = "env:P_DATABASE"
[api]
port = 0
[reconciliation]
confirmations = 1
grace_seconds = 1
[accounts.main]
api_key = "env:P_KEY"
api_secret = "env:P_SECRET"
url = "{exchange}"
tier = "none"
[accounts.wrong]
api_key = "env:P_WRONG_KEY"
api_secret = "env:P_WRONG_SECRET"
url = "{exchange}"
tier = "none"
[accounts.echo]
api_key = "env:P_WRONG_KEY"
api_secret = "env:P_WRONG_SECRET"
url = "{denying}"
tier = "none"
[accounts.filed]
api_key = "env:P_KEY"
api_secret = "env:P_SECRET"
url = "{exchange}"
tier = "none"
[accounts.filed.book]
type = "file"
path = "{folder}/none.json"
[accounts.filed.book.writer]
type = "http"
url = "{echo}/writer"
token = "env:P_WRITER"
[alerts]
severity = "low"
[alerts.channels.hook]
type = "webhook"
url = "env:P_HOOK_URL"
secret = "env:P_HOOK"
[alerts.channels.pager]
type = "pagerduty"
url = "{echo}"
routing_key = "env:P_PAGER"
[alerts.channels.manager]
type = "alertmanager"
url = "{echo}"
user = "friday"
password = "env:P_MANAGER"
[alerts.channels.mail]
type = "email"
host = "127.0.0.1"
port = {mail}
security = "none"
sender = "friday@example.org"
to = "alice@example.org"
user = "friday"
password = "env:P_MAIL"
[alerts.channels.other]
type = "apprise"
url = "env:P_OTHER_URL"
"""


class Service:
    """``gal-friday serve`` and its commands, with every secret that there is, and everything that it said."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.configuration, self.log = folder / "gal-friday.toml", folder / "log"
        self.environment = os.environ | environment
        self.secrets: dict[str, str] = {name: environment[f"P_{name}"] for name in (*CONFIGURED, "KEY", "SECRET")}
        self.said: list[tuple[str, str]] = []
        """Where it was said, and what."""
        self.process: subprocess.Popen[bytes] | None = None
        self.client = httpx2.AsyncClient()

    def command(self, *words: str, typed: str = "", gives: str = "") -> str:
        """Run a command, and return what it printed; *gives* is the secret that it is asked for."""
        command = [sys.executable, "-m", "gal_friday", *words, "--config", str(self.configuration)]
        done = subprocess.run(
            command, input=typed, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        if gives:
            self.secrets[gives] = done.stdout.strip().rpartition("#")[2]
        self.said.append((f"gal-friday {' '.join(words[:2])}", done.stderr if gives else done.stdout + done.stderr))
        return done.stdout.strip()

    async def started(self) -> None:
        with heard(signal.SIGINT, signal.SIGTERM), self.log.open("wb") as log:
            command = [sys.executable, "-m", "gal_friday", "serve", "--config", str(self.configuration)]
            self.process = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
                command, stderr=log, stdout=log, env=self.environment
            )
        address = (await self.logged("The API answers at ")).partition(" Ctrl-C")[0].rstrip(".")
        self.client = httpx2.AsyncClient(base_url=address.replace("127.0.0.1", "localhost"), timeout=30)

    async def logged(self, words: str) -> str:
        """Wait until the log has these words, and return what comes behind them."""
        async with asyncio.timeout(60):
            while words not in (text := self.log.read_text()):  # noqa: ASYNC110 - another process writes there
                await asyncio.sleep(0.05)
        return text.partition(words)[2].partition("\n")[0]

    async def call(self, method: str, path: str, *, token: str = "", gives: str = "", **more: Any) -> httpx2.Response:
        """Call the API; where the answer *gives* a secret, that is not looked for in this answer."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = await self.client.request(method, path, headers=headers | more.pop("headers", {}), **more)
        text = f"{answer.text}\n{answer.headers}"
        if gives:
            assert answer.status_code == 201, answer.text
            self.secrets[gives] = answer.json()[gives.partition(" ")[0]]
            text = text.replace(self.secrets[gives], "")
        for name, value in answer.cookies.items():
            self.secrets[f"session {len(self.secrets)}"] = value
            text = text.replace(value, f"the new {name}")
        self.said.append((f"{method} {path.partition('?')[0]} {answer.status_code}", text))
        return answer

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)


@asynccontextmanager
async def service(folder: Path, databases: Databases) -> AsyncIterator[tuple[Service, asyncpg.Connection]]:
    """Give a service that nothing was done with yet, and a way into its database."""
    exchange = Exchange(lambda: SystemClock().now() - timedelta(hours=1), seed=7)
    exchange.open_account("main")
    exchange.deposit("main", "ZUSD", "10000")
    key = exchange.issue_key("main", tier="pro")
    exchange.now = SystemClock().now
    everything = " ".join(CONFIGURED.values())
    refusing = says(200, json.dumps({"error": [f"EGeneral:Permission denied: {CONFIGURED['WRONG_KEY']}"]}).encode())
    async with AsyncExitStack() as stack:
        simulated = await stack.enter_async_context(SimulatedKraken(exchange, enforce_limits=False))
        denying = await stack.enter_async_context(receiving(refusing))
        echoing = await stack.enter_async_context(receiving(says(500, everything.encode())))
        mail = await stack.enter_async_context(post_office(offers=("AUTH PLAIN LOGIN",)))
        address = make_url(await stack.enter_async_context(databases.fresh()))
        connection = await asyncpg.connect(address.set(drivername="postgresql").render_as_string(hide_password=False))
        stack.push_async_callback(connection.close)
        await connection.execute(f"CREATE ROLE planted LOGIN PASSWORD '{CONFIGURED['DATABASE']}'")
        await connection.execute("GRANT ALL ON SCHEMA public TO planted")
        stack.push_async_callback(_without_role, connection)
        settings = SETTINGS.format(
            folder=folder / "state",
            server=f"{address.host}:{address.port}",
            database=address.database,
            exchange=simulated.url,
            denying=denying.url,
            echo=echoing.url,
            mail=mail.port,
        )
        (folder / "gal-friday.toml").write_text(settings)
        environment = {f"P_{name}": secret for name, secret in CONFIGURED.items()}
        environment |= {"P_KEY": key.key, "P_SECRET": key.secret}
        environment["P_HOOK_URL"] = f"{echoing.url}/{CONFIGURED['HOOK_PATH']}"
        environment["P_OTHER_URL"] = echoing.url.replace("http://", f"json://friday:{CONFIGURED['OTHER']}@")
        made = Service(folder, environment)
        try:
            yield made, connection
        finally:
            if made.process is not None and made.process.poll() is None:
                made.process.kill()
                made.process.wait()
            await made.client.aclose()


async def _without_role(connection: asyncpg.Connection) -> None:
    await connection.execute("REASSIGN OWNED BY planted TO CURRENT_USER; DROP OWNED BY planted; DROP ROLE planted")


@pytest.mark.timeout(180)
async def test_no_secret_is_anywhere_but_where_it_belongs(tmp_path: Path, databases: Databases) -> None:
    async with service(tmp_path, databases) as (running, database):
        await _begun(running)
        await _people_come_and_go(running)
        await _programs_come_and_go(running)
        await _told_in_vain(database)
        await _without_its_database(running, database)
        await asyncio.to_thread(running.stop)
        await asyncio.to_thread(running.command, "journal", "export", str(tmp_path / "state" / "journal.jsonl"))
        running.said.append(("the log", running.log.read_text()))
        running.said.extend([one async for one in _rows(database)])
        running.said.extend(_files(tmp_path / "state"))
    found = {
        f"{name} in {place}"
        for name, secret in running.secrets.items()
        for form in _forms(secret)
        for place, text in running.said
        if form in text
    }
    assert sorted(found) == []
    assert len(running.secrets) > 20
    assert len(running.said) > 60


async def _begun(running: Service) -> None:
    """Make what people make before the first start, start, and look at what there is."""
    running.secrets |= {"password": PASSWORD, **{f"guess {number}": guess for number, guess in enumerate(GUESSES)}}
    await asyncio.to_thread(running.command, "db", "upgrade")
    alice = ("user", "add", "alice", "--role", "admin", "--password-stdin")
    await asyncio.to_thread(running.command, *alice, typed=f"{PASSWORD}\n")
    token = ("token", "create", "all", "--owner", "alice", "--role", "admin", "--scopes", SCOPES)
    looking = (("config", "show"), ("preflight",), ("token", "list"))
    await asyncio.gather(
        asyncio.to_thread(running.command, "user", "link", "alice", gives="link"),
        asyncio.to_thread(running.command, *token, gives="token"),
        running.started(),
        *(asyncio.to_thread(running.command, *words) for words in looking),
    )


async def _people_come_and_go(running: Service) -> None:
    page = {"Origin": str(running.client.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    as_json = page | {"Content-Type": "application/json"}
    for guess in GUESSES:
        await running.call("POST", "/api/session", headers=page, json={"name": guess, "password": guess})
        for broken in (
            '{"name": 1, "password": "%s"}',
            '{"password": ["%s"]}',
            '{"name": "a", "password": "%s',
            '"%s"',
        ):
            await running.call("POST", "/api/session", headers=as_json, content=broken % guess)
    link = running.secrets["link"]
    for _ in range(2):
        await running.call("POST", "/api/session/link", headers=page, json={"link": link})
    signed = await running.call("POST", "/api/session", headers=page, json={"name": "alice", "password": PASSWORD})
    assert signed.status_code == 200, signed.text
    running.said[-1] = (running.said[-1][0], running.said[-1][1].replace(signed.json()["form_token"], ""))
    page["X-Form-Token"] = running.secrets["form token"] = signed.json()["form_token"]
    await running.call("POST", "/api/session/step-up", headers=page, json={"password": GUESSES[0]})
    for path in ("/", "/discrepancies", "/runs", "/journal", "/policy", "/you", "/discrepancies.csv"):
        await running.call("GET", path)
    made = {"name": "another", "owner": "bot", "role": "viewer"}
    await running.call("POST", "/api/tokens", headers=page, json=made, gives="token of a session")
    await running.call("DELETE", "/api/session", headers=page)
    running.client.cookies.clear()
    session = next(value for name, value in running.secrets.items() if name.startswith("session"))
    await running.call("GET", "/api/me", headers={"Cookie": f"gal-friday-local={session}"})


async def _programs_come_and_go(running: Service) -> None:
    token = running.secrets["token"]
    made = await running.call("POST", "/api/tokens", token=token, gives="token of a token", json={
        "name": "short", "owner": "bot", "role": "viewer", "scopes": ["read"]
    })  # fmt: skip
    revoked = running.secrets["token of a token"]
    await running.call("GET", "/api/me", token=revoked)
    await running.call("DELETE", f"/api/tokens/{made.json()['id']}", token=token)
    for bad in (revoked, token[:-1], f"{token[:-2]}{'aa' if token[-2:] != 'aa' else 'bb'}", f"{token} {token}"):
        assert (await running.call("GET", "/api/me", token=bad)).status_code == 401
    await running.call("GET", f"/api/me?token={token}")
    await running.call("GET", f"/{token}/x")
    await running.call("GET", "/api/me", headers={"Authorization": f"Basic {token}", "X-Request-Id": "one"})
    row = {"fill_id": "T1", "instrument": "BTC/USD", "side": "buy", "quantity": "1", "price": "9", "fee": "0"}
    row["at"] = (SystemClock().now() - timedelta(minutes=30)).isoformat()
    body = {"account": "main", "fills": [row]}
    assert (await running.call("POST", "/api/book/fills", token=token, json=body)).status_code == 200
    await running.call("POST", "/api/book/fills", token=token, content=token, headers={"Content-Type": token})
    for account in ("main", "wrong", "echo", "filed"):
        ran = await running.call("POST", f"/api/reconciliation/run?account={account}", token=token)
        assert (ran.status_code == 200) or account != "main", ran.text
    lists = ("accounts", "reports", "discrepancies", "adjustments", "journal", "policy", "prices", "tokens")
    for path in (*(f"/api/{name}" for name in lists), "/metrics", "/openapi.json", "/readyz", "/healthz"):
        assert (await running.call("GET", path, token=token)).status_code == 200, path


async def _told_in_vain(database: asyncpg.Connection) -> None:
    """Wait until every channel was tried, and refused."""
    tried = "SELECT count(DISTINCT channel) FROM alert_outbox WHERE channel = ANY($1) AND attempts > 0"
    async with asyncio.timeout(60):
        while await database.fetchval(tried, CHANNELS) < len(CHANNELS):  # noqa: ASYNC110 - another process writes there
            await asyncio.sleep(0.1)


async def _without_its_database(running: Service, database: asyncpg.Connection) -> None:
    """Have the database refuse the service its password, and then take it again."""
    refused = "ALTER ROLE planted PASSWORD 'another'"
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'planted'"
    await database.execute(refused)
    await database.execute(ended)
    answers = [await running.call("GET", "/api/reports", token=running.secrets["token"]) for _ in range(8)]
    assert 503 in {one.status_code for one in answers}
    page = {"Origin": str(running.client.base_url).rstrip("/")}
    await running.call("POST", "/api/session", headers=page, json={"name": "alice", "password": PASSWORD})
    running.command("reports")
    await database.execute(f"ALTER ROLE planted PASSWORD '{CONFIGURED['DATABASE']}'")


async def _rows(database: asyncpg.Connection) -> AsyncIterator[tuple[str, str]]:
    """Yield every row of every table as text; what is bytes unpacked, as far as it is packed."""
    query = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    for (table,) in await database.fetch(query):
        for row in await database.fetch(f'SELECT * FROM "{table}"'):
            yield f"table {table}", " ".join(_text(value) for value in row.values())


def _text(value: Any) -> str:
    return _unpacked(value).decode(errors="replace") if isinstance(value, bytes) else str(value)


def _unpacked(packed: bytes) -> bytes:
    try:
        return zlib.decompress(packed)
    except zlib.error:
        return packed


def _files(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield f"file {path.name}", path.name + path.read_bytes().decode(errors="replace")


def _forms(secret: str) -> set[str]:
    """Return the secret as it is, and as it would be written in an address, a header or a dump."""
    raw = secret.encode()
    basic = {b64encode(b"friday:" + raw).decode(), b64encode(raw).decode()}
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], raw.hex(), *basic}
