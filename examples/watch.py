"""The whole of it, timed: a wrong fill, a discrepancy, an alert in a webhook, an approval by the API, and the proof.

    python examples/watch.py

A simulated Kraken and the receiver of a webhook run on this machine. A fill reaches the exchange and not the bot's
book: ``gal-friday serve`` hears of it on the stream, finds the discrepancy, tells the webhook, and proposes to book
the fill under the exchange's own id. Somebody approves that by the API, and the next run sees both sides agree.
Everything is in a folder of its own, which is gone afterwards.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.kraken import read_exports
from gal_friday.adapters.simulated import Exchange, SimulatedKraken
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import load
from gal_friday.client import Client
from gal_friday.domain.records import Order

CLOCK = SystemClock()
Say = Callable[[str], object]

CONFIGURATION = """state_folder = "{folder}"
[database]
url = "sqlite+aiosqlite:///{folder}/gal-friday.db"
[reconciliation]
auto_correct = false
confirmations = 1
grace_seconds = 1
[api]
port = 0
[accounts.main]
api_key = "file:{folder}/key"
api_secret = "file:{folder}/secret"
url = "{url}"
tier = "none"
stream = true
[alerts]
severity = "low"
resolve_after_seconds = 1
[alerts.channels.here]
type = "webhook"
url = "{webhook}"
secret = "file:{folder}/webhook-secret"
"""


async def watch(say: Say = print) -> dict[str, float]:
    """Do all of it, say when each step was reached, and return the seconds since the fill."""
    with TemporaryDirectory(prefix="gal-friday-watch-") as name:
        folder, told = Path(name), asyncio.Queue[dict[str, Any]]()
        exchange = _traded(folder)
        async with SimulatedKraken(exchange, enforce_limits=False) as kraken, _webhook(told) as webhook:
            file = folder / "gal-friday.toml"
            file.write_text(CONFIGURATION.format(folder=folder, url=kraken.url, webhook=webhook))
            await _booked(folder, file)
            token = await _token(file)
            async with _serving(file) as address, Client(address, token) as client:
                await _until(lambda: _seen_whole(client))
                return await _watched(exchange, client, told, say)


async def _watched(
    exchange: Exchange, client: Client, told: asyncio.Queue[dict[str, Any]], say: Say
) -> dict[str, float]:
    began, reached = CLOCK.monotonic(), dict[str, float]()

    def now(step: str, what: str) -> None:
        reached[step] = CLOCK.monotonic() - began
        say(f"{reached[step]:6.2f} s  {what}")

    (fill,) = exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.025").executions
    now("fill", f"{fill.trade}: 0.025 BTC bought; the book hears nothing of it")
    found = await _until(lambda: _open(client, fill.trade))
    now("discrepancy", f"{found['id']}: {found['latest']['explanation'] or found['type']}")
    alert = await asyncio.wait_for(told.get(), 30)
    now("alert", f"webhook: {alert['text'].splitlines()[0]}")
    proposed = await _until(lambda: _proposed(client))
    now("proposed", f"{proposed}: book the missing fill")
    decided = await client.approve(proposed, note="the exchange's record is there")
    now("approved", f"{decided.adjustment_id} is approved and posted")
    await client.run("main")
    await _until(lambda: _settled(client, fill.trade))
    now("verified", "a run saw both sides agree; the discrepancy is cleared")
    while alert["what"] != "resolved":
        alert = await asyncio.wait_for(told.get(), 120)
    now("resolved", f"webhook: {alert['text'].splitlines()[0]}")
    return reached


def _traded(folder: Path) -> Exchange:
    """Return an exchange on which something happened an hour ago, with the account's key in files."""
    exchange = Exchange(lambda: CLOCK.now() - timedelta(hours=1), seed=5)
    exchange.open_account("main")
    exchange.set_price("XXBTZUSD", "60000")
    exchange.deposit("main", "ZUSD", "10000")
    exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.1")
    exchange.now = CLOCK.now
    key = exchange.issue_key("main", tier="pro")
    for name, text in (("key", key.key), ("secret", key.secret), ("webhook-secret", "known to both sides")):
        (folder / name).write_text(text)
    for name in ("ledgers", "trades"):
        (folder / f"{name}.csv").write_text(getattr(exchange, f"{name}_csv")("main"))
    return exchange


async def _booked(folder: Path, file: Path) -> None:
    """Write the bot's book, which has all that happened until now."""
    exports = read_exports(folder / "ledgers.csv", folder / "trades.csv")
    (fill,) = exports.fills
    # What the exports do not hold: the order behind the fill, as a bot knows it.
    order = Order(
        order_id=fill.order_id,
        instrument=fill.instrument,
        side=fill.side,
        quantity=fill.quantity,
        filled=fill.quantity,
        status="filled",
        type="market",
        opened_at=fill.at,
        updated_at=fill.at,
    )
    async with ReconciliationService(load(file, environment={})) as service:
        await service.opened.book.append(
            account="main", exchange="kraken", fills=exports.fills, movements=exports.movements, orders=[order]
        )


async def _token(file: Path) -> str:
    """Let alice in who may approve, and return a token in her name."""
    who = ("--role", "approver")
    await asyncio.to_thread(_ran, file, "user", "add", "alice", *who, "--without-password")
    said = await asyncio.to_thread(_ran, file, "token", "create", "watch", "--owner", "alice", *who, "--json")
    token: str = json.loads(said)["token"]
    return token


def _ran(file: Path, *arguments: str) -> str:
    done = subprocess.run(_command(file, *arguments), capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        raise RuntimeError(f"gal-friday {' '.join(arguments)} said: {done.stderr}")
    return done.stdout


def _command(file: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "gal_friday", *arguments, "--config", str(file)]


@asynccontextmanager
async def _serving(file: Path) -> AsyncIterator[str]:
    """Run the service as a process of its own, and give its address."""
    process = await asyncio.create_subprocess_exec(*_command(file, "serve"), stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    said = b""
    while b"The API answers at " not in said:
        said = await asyncio.wait_for(process.stderr.readline(), 30)
        if not said:
            raise RuntimeError("the service ended before it began; run it alone to see why")
    reading = asyncio.create_task(process.stderr.read())
    try:
        yield said.decode().partition("The API answers at ")[2].split()[0].rstrip(".")
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 30)
        await reading


@asynccontextmanager
async def _webhook(told: asyncio.Queue[dict[str, Any]]) -> AsyncIterator[str]:
    """Receive notices, each as it was sent; a real receiver checks the signature as docs/alerts.md shows."""

    async def received(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split("\r\n")[0])
        told.put_nowait(json.loads(await reader.readexactly(length)))
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(received, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/alerts"


async def _seen_whole(client: Client) -> bool:
    status = await client.status("main")
    return status.last_report is not None and status.last_report["verdict"] == "reconciled"


async def _open(client: Client, fill: str) -> dict[str, Any] | None:
    found = [one async for one in client.discrepancies("main")]
    return next((one for one in found if one["type"] == "fill_missing_internal" and fill in json.dumps(one)), None)


async def _proposed(client: Client) -> str | None:
    status = await client.status("main")
    proposals = status.last_report["proposals"] if status.last_report is not None else ()
    return next((one["adjustment_id"] for one in proposals), None)


async def _settled(client: Client, fill: str) -> bool:
    return await _open(client, fill) is None


async def _until(look: Callable[[], Awaitable[Any]]) -> Any:
    async with asyncio.timeout(60):
        while not (found := await look()):  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.02)
    return found


if __name__ == "__main__":
    os.environ.pop("GAL_FRIDAY_CONFIG", None)
    asyncio.run(watch())
