"""Settings that parse and make no sense: limits that cannot hold, names that nobody can read, secrets in the open."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from gal_friday.bootstrap.alert_sense import nonsense_in_alerts
from gal_friday.bootstrap.exposure import PORT_MAX, nonsense_in_api
from gal_friday.bootstrap.problems import Path, Problem
from gal_friday.bootstrap.secrets import FORMS, is_reference

if TYPE_CHECKING:
    from gal_friday.bootstrap.settings import (
        AccountSettings,
        Database,
        HttpWriter,
        Reconciliation,
        Settings,
        TableWriter,
    )

# Thirty years: further back than any exchange, and no further than the calendar.
_LONGEST = {"lookback_hours": 24 * 366 * 30, "reach_back_days": 366 * 30}
_TIMEOUT_MAX = 60
PRICE_FILES = (".csv", ".json")
_LONGEST_ELSE = 10_000_000
_RISING = (
    ("medium_threshold", "high_threshold", "critical_threshold"),
    ("medium_value", "high_value", "critical_value"),
)


def nonsense_in(settings: "Settings") -> Iterator[Problem]:
    """Yield every value that parses and makes no sense."""
    for account, configured in settings.accounts.items():
        yield from _of_account(account, configured)
    yield from _of_database(settings.database)
    yield from _of_reconciliation(settings.reconciliation)
    yield from _of_prices(settings)
    yield from _of_names(settings)
    yield from nonsense_in_api(settings.api)
    yield from _limits(("access",), asdict(settings.access))
    yield from _of_service(settings)
    yield from nonsense_in_alerts(settings)
    if not 0 <= (days := settings.recordings.keep_days) <= _LONGEST["reach_back_days"]:
        yield Problem(("recordings", "keep_days"), f"must be from 0 to {_LONGEST['reach_back_days']}", days)


def _of_account(account: str, configured: "AccountSettings") -> Iterator[Problem]:
    path = ("accounts", account)
    for name in ("api_key", "api_secret"):
        if not is_reference(getattr(configured, name)):
            yield Problem((*path, name), f"a secret must not stand here; refer to it as {FORMS}")
    yield from _limits((*path, "book"), asdict(configured.book))
    if (writer := getattr(configured.book, "writer", None)) is not None:
        yield from _of_writer((*path, "book", "writer"), writer)


def _of_writer(path: Path, writer: "HttpWriter | TableWriter") -> Iterator[Problem]:
    values = asdict(writer)
    yield from _limits(path, values)
    for name in ("token", "database"):
        if name in values and not is_reference(values[name]):
            yield Problem((*path, name), f"a secret must not stand here; refer to it as {FORMS}")
    if "table" in values and not all(part.isidentifier() for part in values["table"].split(".")):
        yield Problem(
            (*path, "table"), "is no name of a table; write one such as gal_friday_handovers", values["table"]
        )
    if values["timeout_seconds"] > _TIMEOUT_MAX:
        text = f"must be at most {_TIMEOUT_MAX}: a run holds its account meanwhile"
        yield Problem((*path, "timeout_seconds"), text, values["timeout_seconds"])


def _of_database(database: "Database") -> Iterator[Problem]:
    if database.password is None:
        return
    path = ("database", "password")
    if not is_reference(database.password):
        yield Problem(path, f"a secret must not stand here; refer to it as {FORMS}")
    if database.located().startswith("sqlite"):
        yield Problem(path, "is for PostgreSQL: SQLite has no password; take it out, or set url")


def _of_service(settings: "Settings") -> Iterator[Problem]:
    service, path = settings.service, ("service",)
    for name, least, most in (
        ("runs_at_once", 1, 1_000),
        ("jitter_percent", 0, 50),
        ("late_after_minutes", 1, 10_080),
        ("lease_seconds", 4, 3_600),
        ("drain_seconds", 0, 3_600),
        ("metrics_port", 0, PORT_MAX),
    ):
        value = getattr(service, name)
        if value is not None and not least <= value <= most:
            yield Problem((*path, name), f"must be from {least} to {most}", value)
    intervals: dict[Path, int | None] = {
        ("accounts", name, "interval_minutes"): one.interval_minutes for name, one in settings.accounts.items()
    }
    intervals["reconciliation", "interval_minutes"] = settings.reconciliation.interval_minutes
    for where, minutes in intervals.items():
        if minutes is not None and not 1 <= minutes <= 44_640:
            yield Problem(where, "must be from 1 to 44640, which is a month", minutes)


def _of_reconciliation(reconciliation: "Reconciliation") -> Iterator[Problem]:
    path, values = ("reconciliation",), asdict(reconciliation)
    yield from _limits(path, values)
    for group in _RISING:
        for lower, higher in pairwise(group):
            if values[lower] > values[higher]:
                text = f"must not be below {lower}, which is {values[lower]:f}"
                yield Problem((*path, higher), text, values[higher])


def _of_prices(settings: "Settings") -> Iterator[Problem]:
    prices, aliases = settings.prices, settings.aliases.assets
    if prices.file is not None and not prices.file.lower().endswith(PRICE_FILES):
        yield Problem(("prices", "file"), f"must end in {' or '.join(PRICE_FILES)}", prices.file)
    meant: dict[str, str] = {}
    for name, price in prices.fixed.items():
        path, asset = ("prices", "fixed", name), aliases.get(name, name)
        if price <= 0:
            yield Problem(path, "must be above zero", price)
        if asset == settings.reconciliation.reporting_currency:
            yield Problem(path, "is the reporting currency, in which prices are stated; take it out", price)
        if meant.setdefault(asset, name) != name:
            yield Problem(path, f"has a price already, as {meant[asset]}; leave one of the two", price)
    yield from _unreadable(("prices", "fixed"), prices.fixed)


def _limits(path: Path, values: dict[str, Any]) -> Iterator[Problem]:
    """Yield counts that are not above zero or too large, and amounts that are negative."""
    for name, value in values.items():
        match value:
            case bool():
                continue
            case int() if not 0 < value <= _LONGEST.get(name, _LONGEST_ELSE):
                text = f"must be above zero and at most {_LONGEST.get(name, _LONGEST_ELSE)}"
                yield Problem((*path, name), text, value)
            case Decimal() if value < 0:
                yield Problem((*path, name), "must not be negative", value)
            case dict():
                yield from _limits((*path, name), value)


def _of_names(settings: "Settings") -> Iterator[Problem]:
    """Yield names that nobody could read on a screen, or tell from nothing."""
    aliases, reconciliation = settings.aliases, settings.reconciliation
    currency = reconciliation.reporting_currency
    if not _readable(currency):
        yield Problem(("reconciliation", "reporting_currency"), _UNREADABLE, currency)
    yield from _unreadable(("accounts",), settings.accounts)
    yield from _unreadable(("reconciliation", "tolerances"), reconciliation.tolerances)
    for path, names in ((("aliases", "assets"), aliases.assets), (("aliases", "instruments"), aliases.instruments)):
        yield from _unreadable(path, names)
        for name, value in names.items():
            if not _readable(value):
                yield Problem((*path, name), _UNREADABLE, value)


_UNREADABLE = "is no name; write one that can be read"


def _unreadable(path: Path, names: Iterable[str]) -> Iterator[Problem]:
    yield from (Problem((*path, name), _UNREADABLE) for name in names if not _readable(name))


def _readable(name: str) -> bool:
    return bool(name.strip()) and name.isprintable()
