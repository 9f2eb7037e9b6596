"""Everything at once, for a while: ``python3 dev.py soak [--accounts 200] [--fills 1000] [--minutes 10] [--seed 1]``.

A trading system pushes so many fills a second into the books of many accounts, over HTTP. The service is ``gal-friday
serve`` over PostgreSQL, and the wire between the two fails again and again, each time in another way: it is slow, cut,
reset, a black hole, or it loses the answer to a commit. A call without a good answer is made again under its key until
it has one; what is due meanwhile waits for the next. At the end every book must hold exactly what was pushed, which an
oracle has added up beside it. The memory of the service is looked at every second (Linux).

Its exit status is 1 where anything is lost or there twice, or where memory grows.
"""

import argparse
import asyncio
import statistics
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from random import Random
from socket import socket
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import httpx2
import msgspec
from sqlalchemy import make_url

from benchmarks.idle import all_run, megabytes, serving
from benchmarks.measured import Measured
from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.simulated import SimulatedKraken, scenarios
from gal_friday.bootstrap.access import mint_of
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import load
from gal_friday.domain import quantity
from gal_friday.domain.access import Permission, Role
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.quantity import ZERO
from gal_friday.flows.tokens import Wanted, issue
from tests.postgres.databases import Databases
from tests.service.wire import Wire

GROWTH_MAX = 0.05
"""So much may memory in the last fifth of the time be above that in the second one: the first one fills caches."""
PATIENCE = 180
"""Seconds in which everything has to be delivered after the last fill."""
CALLS_AT_ONCE = 40


class Account:
    """One account: what is due, what is in the book for certain, and what it must add up to."""

    def __init__(self, name: str, chance: Random) -> None:
        self.name, self._chance = name, chance
        self.due: list[dict[str, str]] = []
        self.pushed = 0
        self.held = {"BTC": ZERO, "USD": ZERO}

    def trade(self, at: str) -> None:
        """Let one more fill be due."""
        buys = self._chance.random() < 0.6
        size = quantity.multiply(Decimal(self._chance.randrange(1, 10**9)), Decimal("0.00000001"))
        price = quantity.multiply(Decimal(self._chance.randrange(550_000, 650_000)), Decimal("0.1"))
        self.pushed += 1
        self.due.append(
            {
                "fill_id": f"{self.name}-{self.pushed}",
                "instrument": "BTC/USD",
                "side": "buy" if buys else "sell",
                "quantity": quantity.text(size),
                "price": quantity.text(price),
                "at": at,
            }
        )
        signed = size if buys else quantity.negate(size)
        self.held["BTC"] = quantity.add(self.held["BTC"], signed)
        self.held["USD"] = quantity.subtract(self.held["USD"], quantity.multiply(signed, price))


class Soak:
    """The pusher, the faults, and what was seen meanwhile."""

    def __init__(self, http: httpx2.AsyncClient, wire: Wire, accounts: list[Account], chance: Random) -> None:
        self._http, self._wire, self._chance = http, wire, chance
        self.accounts = accounts
        self.took: list[float] = []
        self.answers: Counter[int] = Counter()
        self.faults: Counter[str] = Counter()
        self.memory: list[float] = []
        self._calls = asyncio.Semaphore(CALLS_AT_ONCE)

    async def run(self, pid: int, *, a_second: int, seconds: float) -> float:
        """Push for so long, then until everything is delivered; return how long that took."""
        fails, looks = asyncio.create_task(self._fail()), asyncio.create_task(self._look(pid))
        pushing = [asyncio.create_task(self._push(one)) for one in self.accounts]
        began = perf_counter()
        made = 0
        while (passed := perf_counter() - began) < seconds:
            at = SystemClock().now().isoformat()
            while made < passed * a_second:
                self.accounts[made % len(self.accounts)].trade(at)
                made += 1
            await asyncio.sleep(0.05)
        fails.cancel()
        looks.cancel()
        await asyncio.gather(fails, looks, return_exceptions=True)
        self._wire.mend()
        ended = perf_counter()
        async with asyncio.timeout(PATIENCE):
            while any(one.due for one in self.accounts):  # noqa: ASYNC110 - two hundred tasks, one of which is last
                await asyncio.sleep(0.05)
        for task in pushing:
            task.cancel()
        await asyncio.gather(*pushing, return_exceptions=True)
        return perf_counter() - ended

    async def _push(self, account: Account) -> None:
        """Deliver what is due, about once a second."""
        await asyncio.sleep(self._chance.random())
        while True:
            if account.due:
                batch = account.due[:1000]
                body = msgspec.json.encode({"account": account.name, "fills": batch})
                await self._delivered(body, key=str(batch[0]["fill_id"]))
                del account.due[: len(batch)]
            await asyncio.sleep(1.0)

    async def _delivered(self, body: bytes, *, key: str) -> None:
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        began = perf_counter()
        while True:
            async with self._calls:
                try:
                    status = (await self._http.post("/api/book/fills", content=body, headers=headers)).status_code
                except httpx2.HTTPError:
                    status = 0
            self.answers[status] += 1
            if status not in (0, 409, 503):  # no answer, still under way, the database cannot: all of them pass
                self.took.append(perf_counter() - began)
                return
            await asyncio.sleep(0.5)

    async def _fail(self) -> None:
        """Let the wire fail again and again, and mend it."""
        ways: dict[str, Any] = {
            "slow": lambda: self._wire.slow(self._chance.uniform(0.01, 0.2)),
            "reset": self._wire.reset,
            "cut": lambda: self._wire.cut(self._chance.randrange(50_000)),
            "half cut": lambda: self._wire.cut(self._chance.randrange(50_000), half=True),
            "black hole": self._wire.swallow,
            "end not heard": self._wire.linger,
            "commit lost": lambda: self._wire.lose_answer(b"COMMIT;", after=b"INSERT INTO book_fills"),
        }
        while True:
            await asyncio.sleep(self._chance.uniform(2, 8))
            name = self._chance.choice(sorted(ways))
            self.faults[name] += 1
            ways[name]()
            await asyncio.sleep(self._chance.uniform(0.5, 5))
            self._wire.mend()

    async def _look(self, pid: int) -> None:
        while True:
            self.memory.append(megabytes(pid))
            await asyncio.sleep(1.0)

    async def wrong(self) -> list[str]:
        """Return every book that does not hold what was pushed."""
        found = []
        for one in self.accounts:
            book = (await self._http.get(f"/api/book/{one.name}")).json()
            held = {row["asset"]: Decimal(row["total"]) for row in book["balances"]}
            if {asset: total for asset, total in held.items() if total} != {a: t for a, t in one.held.items() if t}:
                found.append(f"{one.name} holds {held}, pushed was {one.held}")
        return found


def main(words: list[str]) -> int:
    """Soak, and say what was found."""
    parser = argparse.ArgumentParser(prog="dev.py soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--fills", type=int, default=1000, help="a second")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(words)
    databases = Databases()
    try:
        return asyncio.run(_soaked(asked, databases))
    finally:
        databases.close()


async def _soaked(asked: argparse.Namespace, databases: Databases) -> int:
    chance = Random(asked.seed)
    accounts = [Account(f"a{number}", Random(f"{asked.seed} {number}")) for number in range(asked.accounts)]
    async with databases.fresh(tables=True) as address:
        url = make_url(address)
        async with Wire(str(url.host), int(url.port or 5432)) as wire:
            through = url.set(host="127.0.0.1", port=wire.port).render_as_string(hide_password=False)
            async with _service(through, len(accounts)) as (http, pid):
                soak = Soak(http, wire, accounts, chance)
                late = await soak.run(pid, a_second=asked.fills, seconds=asked.minutes * 60)
                wrong = await soak.wrong()
        there = await databases.command("SELECT count(*) FROM book_fills", database=url.database)
    growth = _growth(soak.memory)
    pushed = sum(one.pushed for one in accounts)
    for line in _told(soak, late=late, pushed=pushed, there=there, wrong=len(wrong), growth=growth):
        print(f"  {line}", flush=True)
    for book in wrong[:10]:
        print(f"WRONG  {book}")
    return 1 if wrong or there != pushed or growth > GROWTH_MAX else 0


def _told(soak: Soak, *, late: float, pushed: int, there: int, wrong: int, growth: float) -> list[Measured]:
    took = sorted(soak.took)
    return [
        Measured("fills pushed", pushed, ""),
        Measured("  lost, or there twice", abs(pushed - there), "", "0"),
        Measured("  books that do not hold what was pushed", wrong, "", "0"),
        Measured("  delivered after the last one", late, "s"),
        Measured("a push and its answer, tried until it has one: median", took[len(took) // 2] * 1000, "ms"),
        Measured("  p99", took[int(len(took) * 0.99)] * 1000, "ms"),
        Measured("  the longest", took[-1] * 1000, "ms"),
        Measured("calls", soak.answers.total(), ""),
        Measured("  answered with 503", soak.answers[503], ""),
        Measured("  without an answer", soak.answers[0], ""),
        Measured(
            "  answered otherwise",
            sum(soak.answers[each] for each in soak.answers.keys() - {0, 200, 409, 503}),
            "",
            "0",
        ),
        *(Measured(f"  faults of the wire: {name}", count, "") for name, count in sorted(soak.faults.items())),
        Measured("memory of the service, median of the last fifth of the time", _fifth(soak.memory, 4), "MB"),
        Measured("  above the second fifth", growth * 100, "%", f"<= {GROWTH_MAX:.0%}"),
    ]


def _fifth(memory: list[float], number: int) -> float:
    size = max(1, len(memory) // 5)
    return statistics.median(memory[number * size : (number + 1) * size] or memory[-1:])


def _growth(memory: list[float]) -> float:
    return _fifth(memory, 4) / _fifth(memory, 1) - 1


@asynccontextmanager
async def _service(database: str, accounts: int) -> AsyncIterator[tuple[httpx2.AsyncClient, int]]:
    """Give a client of a service whose accounts have each been reconciled once, and the service's number."""
    scenario = scenarios.virgin(1)
    scenario.exchange.now = SystemClock().now
    with TemporaryDirectory() as name, socket() as free:
        folder = Path(name)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        (folder / "key").write_text(scenario.key.key)
        (folder / "secret").write_text(scenario.key.secret)
        async with SimulatedKraken(scenario.exchange, enforce_limits=False) as server:
            file = _configured(folder, server.url, database, accounts, port)
            async with ReconciliationService(load(file, environment={})) as service:
                for number in range(accounts):
                    await service.opened.book.append(account=f"a{number}", exchange="kraken")
                wanted = Wanted(name="soak", owner="soak", role=Role.VIEWER, scopes=_SCOPES)
                token = (await issue(mint_of(service.opened), wanted, Actor("soak", KnownBy.SYSTEM))).text
                async with serving(file, folder) as pid, _calling(port, token) as http:
                    await all_run(service, accounts)
                    yield http, pid


_SCOPES = frozenset({Permission.FEED, Permission.READ})


def _configured(folder: Path, url: str, database: str, accounts: int, port: int) -> Path:
    account = f'api_key = "file:{folder}/key"\napi_secret = "file:{folder}/secret"\nurl = "{url}"\ntier = "none"\n'
    file = folder / "gal-friday.toml"
    file.write_text(
        f'state_folder = "{folder}"\n[database]\nurl = "{database}"\n[api]\nport = {port}\n'
        # Once, before anything is pushed: what the exchange has not got would be reported, by every run and at length.
        "[reconciliation]\ninterval_minutes = 44640\n"
        + "".join(f'[accounts.a{number}]\nmode = "observe"\n{account}' for number in range(accounts))
    )
    return file


@asynccontextmanager
async def _calling(port: int, token: str) -> AsyncIterator[httpx2.AsyncClient]:
    limits = httpx2.Limits(max_connections=CALLS_AT_ONCE + 5)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers=headers, limits=limits, timeout=60
    ) as http:
        yield http


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
