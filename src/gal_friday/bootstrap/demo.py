"""The demo: a simulated Kraken on loopback, the book of a bot that had ten accidents, and one real reconciliation.

Nothing in it is a shortcut: the connector speaks HTTP to the server, the book and the report are in a database.
Everything lives in a folder of its own, which is gone afterwards.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from socket import create_server
from tempfile import TemporaryDirectory

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.simulated import SimulatedKraken
from gal_friday.adapters.simulated.day import ACCOUNT, Day, trading_day
from gal_friday.bootstrap.demo_book import Accident, BotBook, book_of
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import AccountSettings, Database, Settings
from gal_friday.domain.access import ALL, Role
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.ports.exchange import Progress

CONFIGURATION = "gal-friday.toml"
VISITOR = "visitor"
"""Who the link of the demo signs in."""
_PASSWORD_BYTES = 8


class Demo(Struct, frozen=True):
    """A running demo: the simulated exchange is up and the bot's book is written."""

    url: str
    configuration: Path
    service: ReconciliationService
    accidents: tuple[Accident, ...]


@asynccontextmanager
async def running_demo(*, progress: Progress | None = None, now: datetime | None = None) -> AsyncIterator[Demo]:
    """Start the demo and stop it again. *now* is the end of its day of trading; by default the present."""
    day = trading_day((now or SystemClock().now()) - timedelta(seconds=1))
    book = book_of(day)
    with TemporaryDirectory(prefix="gal-friday-demo-") as folder:
        # The day is over; from here on the exchange's clock goes with everybody's.
        day.exchange.now = SystemClock().now
        async with SimulatedKraken(day.exchange, enforce_limits=False) as server:
            settings = _configured(Path(folder), server.url, day)
            async with ReconciliationService(settings, progress=progress) as service:
                await _write_down(service, book)
                yield Demo(server.url, Path(folder) / CONFIGURATION, service, book.accidents)


def _configured(folder: Path, url: str, day: Day) -> Settings:
    """Write a configuration as a user would have one, with the key in files beside it, and return it."""
    (folder / "key").write_text(day.key.key)
    (folder / "secret").write_text(day.key.secret)
    account = AccountSettings(
        api_key=f"file:{folder / 'key'}", api_secret=f"file:{folder / 'secret'}", url=url, tier="none"
    )
    database = f"sqlite+aiosqlite:///{folder / 'gal-friday.db'}"
    (folder / CONFIGURATION).write_text(
        f'state_folder = "{folder}"\n\n[database]\nurl = "{database}"\n\n[accounts.{ACCOUNT}]\nexchange = "kraken"\n'
        f'api_key = "{account.api_key}"\napi_secret = "{account.api_secret}"\n'
        f'url = "{url}"\ntier = "none"\n'
    )
    return Settings(state_folder=str(folder), database=Database(url=database), accounts={ACCOUNT: account})


async def _write_down(service: ReconciliationService, book: BotBook) -> None:
    await service.opened.book.append(
        account=ACCOUNT, exchange="kraken", fills=book.fills, movements=book.movements, orders=book.orders
    )


async def serve_demo(demo: Demo, stop: asyncio.Event, ready: Callable[[str, str], None]) -> None:
    """Look after the demo's account as a service does, until *stop* is set; *ready* is told a link and a password.

    The link is good once, for somebody who may look, review and approve; the password, made for this demo alone, is
    asked for when they approve later, or have signed out. Its service proposes and waits for people.
    Without the extra ``server`` there are no pages, and both are empty.
    """
    from gal_friday.adapters.access import SystemChance
    from gal_friday.bootstrap.access import link_of, register_of  # slow to import, and only a service needs them
    from gal_friday.bootstrap.serve import Serving, serve
    from gal_friday.flows import users

    made = demo.service.settings
    accounts = {name: replace(one, mode="propose") for name, one in made.accounts.items()}
    settings = replace(made, accounts=accounts, api=replace(made.api, port=_free_port(made.api.port)))

    async def told(serving: Serving) -> None:
        if not serving.address:
            ready("", "")
            return
        password = SystemChance().bytes(_PASSWORD_BYTES).hex()
        opened = serving.service.opened
        by = Actor("demo", KnownBy.SYSTEM)
        user = await users.add(register_of(opened), VISITOR, Role.APPROVER, ALL, password, by)
        ready(await link_of(settings, opened, user), password)

    await serve(settings, stop, ready=told)


def _free_port(wanted: int) -> int:
    """Return the port that is wanted, or another one where somebody has it."""
    for port in (wanted, 0):
        try:
            with create_server(("127.0.0.1", port)) as found:
                return int(found.getsockname()[1])
        except OSError:
            continue
    return wanted
