"""Which adapter stands behind which port. Nothing else in the project names a concrete adapter."""

from collections.abc import Collection
from datetime import timedelta
from functools import partial
from pathlib import Path

from platformdirs import user_state_path
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.access import SqlAccess
from gal_friday.adapters.alerts import SqlAlerts, SqlWatched
from gal_friday.adapters.answers import SqlAnswers
from gal_friday.adapters.book_file import FileBook
from gal_friday.adapters.book_sql import HandoverAdjustments, SqlAdjustments, SqlBook
from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.journal import SqlJournal, SqlJournalReading, kept_key, verify_lately
from gal_friday.adapters.kraken import KrakenExchange, Recorder, tier_named
from gal_friday.adapters.prices import FilePrices, FixedPrices
from gal_friday.adapters.recordings import SqlRecordings
from gal_friday.adapters.schedule import SqlSchedules
from gal_friday.adapters.sql.engine import close_engine, open_engine, writing
from gal_friday.adapters.sql.migration import upgrade
from gal_friday.adapters.sql.timing import Told, timed
from gal_friday.adapters.store import SqlHistory, SqlPages, SqlReviews, SqlStore
from gal_friday.adapters.store.leases import SqlLeases
from gal_friday.bootstrap.database import ready_url
from gal_friday.bootstrap.errors import BadConfiguration
from gal_friday.bootstrap.files import expanded, read_bounded
from gal_friday.bootstrap.secrets import resolve
from gal_friday.bootstrap.settings import AccountSettings, BookInFile, EmbeddedBook, Settings
from gal_friday.domain.assets import Asset
from gal_friday.domain.conditions import JournalSeen
from gal_friday.domain.facts import FactKind
from gal_friday.domain.journal import written
from gal_friday.domain.policy import Mode, Policy
from gal_friday.domain.policy_facts import policy_changed
from gal_friday.domain.schedule import Timing
from gal_friday.domain.snapshot import Scales
from gal_friday.flows.fetch import Sources
from gal_friday.ports.book import Book
from gal_friday.ports.errors import ExchangeRefused, StoreFailed
from gal_friday.ports.exchange import Calls, Exchange, Progress
from gal_friday.ports.journal_reading import Wanted
from gal_friday.ports.prices import Prices
from gal_friday.ports.receiver import Receiver
from gal_friday.ports.stream import Stream
from gal_friday.service.listening import Knows

_LOOKED_BACK = timedelta(hours=1)
"""How far back a book that is kept elsewhere is read for fills that the stream has just told."""


class OpenStore:
    """The open database: reports on one hand, embedded books on the other."""

    def __init__(self, engine: AsyncEngine, key_folder: Path) -> None:
        """Put both on the same database, and its journal, which is signed with the key in this folder."""
        self._engine, self._key_folder = engine, key_folder
        self.journal = SqlJournal(key_folder, SystemClock())
        self.store = SqlStore(engine, self.journal)
        self.reviews = SqlReviews(engine, self.journal)
        self.book = SqlBook(engine, clock=SystemClock())
        self.adjustments = SqlAdjustments(engine, clock=SystemClock(), journal=self.journal)
        self.alerts = SqlAlerts(engine, self.journal)
        self.watched = SqlWatched(engine)
        self.leases = SqlLeases(engine, clock=SystemClock())
        self.schedules = SqlSchedules(engine, self.journal)
        self.recordings = SqlRecordings(engine)
        self.pages = SqlPages(engine)
        self.history = SqlHistory(engine)
        self.answers = SqlAnswers(engine)
        self.journal_reading = SqlJournalReading(engine)
        self.access = SqlAccess(engine, self.journal)

    def handing_over(self, receiver: Receiver) -> HandoverAdjustments:
        """Return the adjustments of accounts whose book is behind this receiver."""
        return HandoverAdjustments(self._engine, receiver, clock=SystemClock(), journal=self.journal)

    def timed(self, told: Told) -> None:
        """Tell of every statement from now on how long the database took for it."""
        timed(self._engine, SystemClock(), told)

    async def note_policy(self, policy: Policy) -> None:
        """Write into the journal that this policy is in effect, unless it was the last one that was written there.

        Raises:
            StoreFailed: nothing was written.
        """
        newest = await self.journal_reading.before(Wanted(kind=FactKind.POLICY_CHANGED.value), limit=1)
        before = written(newest[0].text).subject if newest else ""
        if before != policy.version:
            async with writing(self._engine, StoreFailed) as connection:
                await self.journal.append(connection, (policy_changed(policy, before, SystemClock().now()),))

    async def verify_journal(self, last: JournalSeen | None) -> JournalSeen:
        """Return what a look at the entries of the journal since *last* saw.

        Raises:
            StoreFailed: the database cannot be read.
        """
        own = kept_key(self._key_folder)
        return await verify_lately(self._engine, last, SystemClock().now(), own=own.id if own else "")

    async def close(self) -> None:
        """Close every connection."""
        await close_engine(self._engine)


async def open_store(settings: Settings) -> OpenStore:
    """Open the configured database and bring its tables up to date.

    Raises:
        StoreFailed: it cannot be opened, or belongs to a newer program; the message says what to do.
    """
    engine = open_engine(ready_url(settings))
    try:
        await upgrade(engine)
    except BaseException:
        await close_engine(engine)
        raise
    return OpenStore(engine, state_folder(settings))


def account_of(settings: Settings, name: str | None) -> tuple[str, AccountSettings]:
    """Return the account of this name, or the only one there is.

    Raises:
        BadConfiguration: no account, no such account, or several and none named.
    """
    accounts = settings.accounts
    if not accounts:
        raise BadConfiguration("no account is configured; `gal-friday init` writes a configuration to fill in")
    if name is None:
        if len(accounts) > 1:
            raise BadConfiguration(f"several accounts are configured, name one: {', '.join(sorted(accounts))}")
        return next(iter(accounts.items()))
    if name not in accounts:
        raise BadConfiguration(f"no account {name!r}; configured are: {', '.join(sorted(accounts))}")
    return name, accounts[name]


def mode_of(settings: Settings, name: str | None) -> Mode:
    """Return what a run of this account may do about what it finds."""
    mode = account_of(settings, name)[1].mode
    return settings.reconciliation.mode() if mode is None else Mode(mode)


def sources_of(
    settings: Settings,
    name: str | None,
    store: OpenStore,
    progress: Progress | None = None,
    recorder: Recorder | None = None,
    calls: Calls | None = None,
) -> Sources:
    """Return the two sides of an account, ready to be read; *recorder* takes down what the exchange answers."""
    account, configured = account_of(settings, name)
    return Sources(
        account,
        exchange_of(account, configured, state_folder(settings), progress, recorder, calls),
        book_of(account, configured, store),
        SystemClock(),
        settings.aliases.table(),
    )


def state_folder(settings: Settings) -> Path:
    """Return where small state lives that must outlast the process, such as the last nonce of a key."""
    if settings.state_folder:
        return expanded(settings.state_folder, setting="state_folder")
    return user_state_path("gal-friday")


def exchange_of(
    account: str,
    configured: AccountSettings,
    folder: Path,
    progress: Progress | None = None,
    recorder: Recorder | None = None,
    calls: Calls | None = None,
) -> Exchange:
    """Return the exchange of an account, not yet opened.

    Raises:
        BadConfiguration: key, secret or url cannot be used, or nothing can be kept in *folder*.
    """
    key = resolve(configured.api_key, setting=f"accounts.{account}.api_key")
    secret = resolve(configured.api_secret, setting=f"accounts.{account}.api_secret")
    try:
        return KrakenExchange(
            key=key.reveal(),
            secret=secret.reveal(),
            clock=SystemClock(),
            url=configured.url,
            tier=configured.tier,
            state_folder=folder,
            allow_trading_key=configured.allow_trading_key,
            progress=progress,
            recorder=recorder,
            calls=calls,
            stream=configured.stream,
        )
    except ExchangeRefused as wrong:
        # Nothing was asked yet, so what is wrong is what was configured.
        raise BadConfiguration(f"accounts.{account}: {wrong}") from None
    except OSError as error:
        raise BadConfiguration(
            f"nothing can be kept in the folder {folder}: {error.strerror}; set state_folder to one that can be written"
        ) from error


def stream_of(account: str, configured: AccountSettings, folder: Path) -> Stream | None:
    """Return the private stream of an account, not yet connected; None where it is not to be listened to.

    Raises:
        BadConfiguration: the extra is not installed, or key, secret or an address cannot be used.
    """
    if not configured.stream:
        return None
    try:
        from gal_friday.adapters.kraken.stream import KrakenStream
    except ImportError as error:
        raise BadConfiguration(
            f"accounts.{account}.stream needs the extra: pip install 'gal-friday[server]'"
        ) from error
    key = resolve(configured.api_key, setting=f"accounts.{account}.api_key")
    secret = resolve(configured.api_secret, setting=f"accounts.{account}.api_secret")
    try:
        return KrakenStream(
            key=key.reveal(),
            secret=secret.reveal(),
            clock=SystemClock(),
            url=configured.url,
            stream_url=configured.stream_url,
            tier=configured.tier,
            state_folder=folder,
            allow_trading_key=configured.allow_trading_key,
        )
    except ExchangeRefused as wrong:
        raise BadConfiguration(f"accounts.{account}: {wrong}") from None


def points_per_hour(configured: AccountSettings) -> int | None:
    """Return what the exchange gives back of the call budget of an account's key; None is without limit."""
    tier = tier_named(configured.tier)
    return None if tier is None else int(tier.decay * 3600)


def timing_of(settings: Settings, configured: AccountSettings) -> Timing:
    """Return how often this account is to be reconciled."""
    minutes = configured.interval_minutes or settings.reconciliation.interval_minutes
    return Timing(
        interval=timedelta(minutes=minutes),
        jitter_percent=settings.service.jitter_percent,
        late_after=timedelta(minutes=settings.service.late_after_minutes),
    )


def knows_of(account: str, configured: AccountSettings, store: OpenStore) -> Knows:
    """Return what tells which of some fills the book of this account has."""
    book = book_of(account, configured, store)
    if book is store.book:
        return partial(store.book.known_fills, account)

    async def known(ids: Collection[str]) -> Collection[str]:
        since = SystemClock().now() - _LOOKED_BACK
        held = await book.snapshot(account=account, since=since, scales=Scales())
        return {fill.fill_id for fill in held.fills} & set(ids)

    return known


def book_of(account: str, configured: AccountSettings, store: OpenStore) -> Book:
    """Return the internal side of an account."""
    match configured.book:
        case EmbeddedBook():
            return store.book
        case BookInFile(path=path, stale_after_minutes=stale_after_minutes):
            return FileBook(
                expanded(path, setting=f"accounts.{account}.book.path"),
                clock=SystemClock(),
                stale_after_minutes=stale_after_minutes,
            )


def prices_of(settings: Settings) -> tuple[Prices, ...]:
    """Return the configured sources of prices, in the order in which they are asked; the exchange comes after them.

    Raises:
        BadConfiguration: the name of the file is no path.
    """
    aliases, fixed = settings.aliases.table().assets, settings.prices.fixed
    sources: list[Prices] = []
    if fixed:
        stated = {aliases.get(name, Asset(name)): price for name, price in fixed.items()}
        sources.append(FixedPrices(stated, currency=Asset(settings.reconciliation.reporting_currency)))
    if (file := price_file(settings)) is not None:
        sources.append(file)
    return tuple(sources)


def price_file(settings: Settings) -> FilePrices | None:
    """Return the configured file of prices, if there is one."""
    if settings.prices.file is None:
        return None
    path = expanded(settings.prices.file, setting="prices.file")
    return FilePrices(path, read=read_bounded, aliases=settings.aliases.table().assets)
