"""What a user can set: a TOML file, overridden by GAL_FRIDAY_… environment variables, overridden by flags.

Unknown settings are refused, because a misspelt limit that is silently ignored is worse than none. Numbers
keep their digits: ``0.01`` in the file is exactly that. What is wrong with a value is said in ``problems`` and
``sense``; here it is only given the name of the file or the variable that it came from.
"""

import os
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct
from platformdirs import user_config_path, user_data_path

from gal_friday.bootstrap.alert_settings import AlertSettings
from gal_friday.bootstrap.errors import BadConfiguration
from gal_friday.bootstrap.files import read_bounded
from gal_friday.bootstrap.problems import Problem, problems_in
from gal_friday.bootstrap.sense import nonsense_in
from gal_friday.domain.aliases import Aliases
from gal_friday.domain.assets import Asset, Instrument
from gal_friday.domain.policy import Mode, Policy

PREFIX = "GAL_FRIDAY_"
FILE_NAME = "gal-friday.toml"
_BYTES_MAX = 4 * 1024 * 1024  # Of a configuration file.
_TOLD_MAX = 10  # Problems of one configuration.

ExchangeName = Literal["kraken"]
ModeName = Literal["observe", "propose", "enforce"]


class Reconciliation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How accounts are reconciled. Shares are fractions, values are in *reporting_currency*."""

    interval_minutes: int = 60
    """Minutes between two runs of an account by ``gal-friday serve``; a little less, so that not all come at once."""
    lookback_hours: int = 24
    """How far back orders, fills and movements are compared. Balances and positions have no window."""
    auto_correct: bool = True
    """Whether what the policy allows is corrected without a person (mode enforce), or only proposed (propose)."""
    auto_correct_threshold: Decimal = Policy().auto_correct_threshold
    """Up to this relative difference a plug may be posted without a person; for balances up to a tenth of it."""
    auto_correct_max_value: Decimal = Policy().auto_correct_max_value
    """Up to this value a plug may be posted without a person; without a price none is."""
    proven_max_value: Decimal = Policy().proven_max_value
    """Up to this value a proven repair may be posted without a person."""
    corrections_per_hour: int = Policy().corrections_per_hour
    """How many repairs may be posted in an hour without a person; the others are proposed."""
    corrections_per_day: int = Policy().corrections_per_day
    """The same for a day."""
    corrected_value_per_hour: Decimal = Policy().corrected_value_per_hour
    """How much they may be worth together in an hour."""
    corrected_value_per_day: Decimal = Policy().corrected_value_per_day
    """The same for a day."""
    breaker_discrepancies: int = Policy().breaker_discrepancies
    """With more discrepancies than this at once nothing is corrected."""
    breaker_flips: int = Policy().breaker_flips
    """A discrepancy that came back so often stops corrections of its account."""
    four_eyes: bool = Policy().four_eyes
    """Whether who proposes may not approve."""
    four_eyes_value: Decimal = Policy().four_eyes_value
    """From this value on; without a price always."""
    proposals_expire_hours: int = Policy().proposals_expire_hours
    """After so long an undecided proposal expires."""
    tolerance: Decimal = Policy().tolerance
    """Difference still called equal, inclusive."""
    tolerances: dict[str, Decimal] = {}
    """The same for single assets."""
    medium_threshold: Decimal = Policy().medium_threshold
    """Relative difference from which on a discrepancy is medium."""
    high_threshold: Decimal = Policy().high_threshold
    """Relative difference from which on a discrepancy is high."""
    critical_threshold: Decimal = Policy().critical_threshold
    """Relative difference from which on a discrepancy is critical."""
    medium_value: Decimal = Policy().medium_value
    """Value of the difference from which on a discrepancy is medium."""
    high_value: Decimal = Policy().high_value
    """Value of the difference from which on a discrepancy is high."""
    critical_value: Decimal = Policy().critical_value
    """Value of the difference from which on a discrepancy is critical."""
    trivial_value: Decimal = Policy().trivial_value
    """A difference worth less is low, whatever else holds."""
    reporting_currency: str = Policy().reporting_currency
    """The currency in which values are stated."""
    confirmations: int = Policy().confirmations
    """In how many runs a discrepancy must be seen before it is confirmed."""
    grace_seconds: int = Policy().grace_seconds
    """How long an absence may be a delay, and how long a discrepancy must have been seen for to be confirmed."""
    max_price_age_minutes: int = Policy().max_price_age_minutes
    """A price that is older than this values nothing."""
    graces: dict[ExchangeName, int] = {}
    """The grace at single exchanges, in place of grace_seconds."""
    pending_runs: int = Policy().pending_runs
    """After so many runs in which it was pending, a key is judged by what both sides were before it moved."""
    reach_back_days: int = Policy().reach_back_days
    """How far back records are read, at most, to judge discrepancies that are still open."""

    def mode(self) -> Mode:
        """Return what runs may do where the account does not say."""
        return Mode.ENFORCE if self.auto_correct else Mode.PROPOSE

    def policy(self) -> Policy:
        """Return the tolerances and thresholds as the domain takes them."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in Policy.__struct_fields__}
        fields["tolerances"] = {Asset(name): amount for name, amount in self.tolerances.items()}
        fields["reporting_currency"] = Asset(self.reporting_currency)
        return Policy(**fields)


class Database(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where reports and the embedded book are kept."""

    url: str | None = None
    """An SQLAlchemy URL; by default an SQLite file in the user's data folder."""
    password: str | None = None
    """Reference to the password of PostgreSQL's user, where the address holds none."""

    def located(self) -> str:
        """Return the URL in use, as it is configured: without the password that is kept elsewhere."""
        return self.url or f"sqlite+aiosqlite:///{user_data_path('gal-friday') / 'gal-friday.db'}"


class EmbeddedBook(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="embedded", tag_field="type"):
    """The book is kept here, fed by ``gal-friday book import`` or the Python API."""


class HttpWriter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="http", tag_field="type"):
    """Repairs are handed over to the trading system by HTTP; it posts them to its own book."""

    url: str
    """Where adjustments are posted to, and asked about: https, or http on this machine."""
    token: str
    """Reference to the token that goes along: env:NAME, file:PATH, cred:NAME or keyring:SERVICE/NAME."""
    timeout_seconds: int = 10
    """For how long an answer is waited for; after that the outcome is unknown until it is asked about."""


class TableWriter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="table", tag_field="type"):
    """Repairs are laid out in a table that the trading system reads, and answers in."""

    database: str
    """Reference to the database's address: env:NAME, file:PATH, cred:NAME or keyring:SERVICE/NAME."""
    table: str = "gal_friday_handovers"
    """The name of the table, with its schema where it needs one."""
    timeout_seconds: int = 10
    """For how long an answer is waited for; after that the outcome is unknown until it is asked about."""


class BookInFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="file", tag_field="type"):
    """The trading system writes a snapshot file, which is read anew at every run."""

    path: str
    stale_after_minutes: int = 60
    """A file whose ``as_of`` is older than this is reported."""
    writer: HttpWriter | TableWriter | None = None
    """How repairs are handed over to the trading system; without it they are only proposed, in the report."""


class AccountSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account at one exchange, with one read-only key."""

    exchange: ExchangeName = "kraken"
    """The exchange: kraken is the only one."""
    api_key: str
    """Reference to the key: env:NAME, file:PATH, cred:NAME or keyring:SERVICE/NAME."""
    api_secret: str
    """Reference to the secret."""
    tier: Literal["starter", "intermediate", "pro", "none"] = "starter"
    """The account's verification level at Kraken, which sets its rate limit; ``none`` for a simulated exchange."""
    url: str = "https://api.kraken.com"
    allow_trading_key: bool = False
    """Accept a key that may trade or withdraw. Gal-Friday never uses such rights; a key without them is safer."""
    stream: bool = False
    """Let ``gal-friday serve`` listen to the account's private stream: what it tells makes the account due at once."""
    stream_url: str | None = None
    """Address of the stream; by default the one that belongs to *url*."""
    interval_minutes: int | None = None
    """Minutes between two runs of this account; by default as all others."""
    mode: ModeName | None = None
    """What a run may do about what it finds; by default enforce with auto_correct, else propose."""
    book: EmbeddedBook | BookInFile = EmbeddedBook()


class ServiceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How ``gal-friday serve`` goes about it."""

    dispatcher: Literal["tasks", "queue"] = "tasks"
    """Who carries out runs: ``tasks`` of the service itself, or the workers of a ``queue`` in PostgreSQL."""
    runs_at_once: int = 4
    """How many accounts are reconciled side by side."""
    jitter_percent: int = 10
    """Up to this share of the interval a run comes earlier, so that accounts are spread."""
    late_after_minutes: int = 5
    """A run that is so late is told as missed."""
    lease_seconds: int = 60
    """After so long an account is taken over whose process was killed or stands still."""
    drain_seconds: int = 25
    """How long runs under way may go on after the service was told to stop."""
    traces: bool = False
    """Send traces to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names, by OTLP over HTTP."""
    metrics_port: int | None = None
    """The port of ``api.host`` at which a worker gives its metrics and health; 0 takes a free one, by default none."""


class PriceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What differences are worth: fixed prices first, then those of the file, then the exchange's own."""

    file: str | None = None
    """A file of prices, .csv or .json, with asset, price, currency and at; read anew at every run."""
    fixed: dict[str, Decimal] = {}
    """For example ``BTC = "60000"``: prices in reporting_currency that hold for as long as they stand here."""


class Recordings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What each run was told, kept so that its report can be worked out again."""

    keep_days: int = 30
    """For how many days ``gal-friday replay`` works; 0 keeps nothing."""


class AliasSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The names that the trading system's book uses, where they are not the canonical ones."""

    assets: dict[str, str] = {}
    """For example ``XBT = "BTC"``."""
    instruments: dict[str, str] = {}
    """For example ``XBTUSD = "BTC/USD"``."""

    def table(self) -> Aliases:
        """Return the names as the domain takes them."""
        return Aliases(
            {name: Asset(code) for name, code in self.assets.items()},
            {name: Instrument(code) for name, code in self.instruments.items()},
        )


class ApiSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the service answers, and whom it believes. Everybody shows a token or signs in, wherever they come from."""

    host: str = "127.0.0.1"
    """The address to listen on; one that other machines reach needs TLS, or a proxy that has it."""
    port: int = 8321
    """The port to listen on; 0 takes a free one."""
    public_url: str | None = None
    """Where people open it, such as ``https://books.example.org``; passkeys are good for this name."""
    allowed_hosts: str = ""
    """Further names that it goes by, with commas between them; a call under any other name is refused."""
    tls_cert: str | None = None
    """File with the certificate and its chain, for TLS without a proxy."""
    tls_key: str | None = None
    """File with its private key."""
    trusted_proxies: str = ""
    """Addresses or networks of proxies whose X-Forwarded-For and -Proto are believed, with commas between them."""


class AccessSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long it holds that somebody signed in."""

    session_idle_minutes: int = 60
    """A session that is not used for so long is over."""
    session_hours: int = 12
    """However much it is used, it is over after so long."""
    fresh_minutes: int = 10
    """Approving and administering ask for a proof that is no older."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set."""

    state_folder: str | None = None
    """Where the last nonce, a lockout and the call counter of each key are kept; by default the user's state folder."""
    reconciliation: Reconciliation = Reconciliation()
    database: Database = Database()
    accounts: dict[str, AccountSettings] = {}
    prices: PriceSettings = PriceSettings()
    aliases: AliasSettings = AliasSettings()
    recordings: Recordings = Recordings()
    service: ServiceSettings = ServiceSettings()
    api: ApiSettings = ApiSettings()
    access: AccessSettings = AccessSettings()
    alerts: AlertSettings = AlertSettings()


def load(path: Path | None = None, *, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of this file, or of the first one found, with the environment over it.

    Without *path*: $GAL_FRIDAY_CONFIG, then ./gal-friday.toml, then the user's configuration folder. No file
    at all is fine: the defaults hold.

    Raises:
        BadConfiguration: a file that cannot be read, bad TOML, an unknown setting, a wrong value.
    """
    environment = os.environ if environment is None else environment
    file = path or found(environment)
    tree = _read(file) if file is not None else {}
    variables = _overlay(tree, environment)
    again = "gal-friday config check" + (f" --config {file}" if file != found(environment) else "")
    settings, problems = _converted(tree)
    if settings is None or problems:
        raise BadConfiguration(_told(problems, file, variables, again))
    return settings


def found(environment: Mapping[str, str]) -> Path | None:
    """Return the configuration file that is used where none is named; None where there is none."""
    named = environment.get(f"{PREFIX}CONFIG")
    if named:
        return Path(named)
    places = (Path(FILE_NAME), user_config_path("gal-friday") / FILE_NAME)
    return next((place for place in places if place.is_file()), None)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_bounded(path, _BYTES_MAX).decode("utf-8-sig"), parse_float=Decimal)
    except OSError as error:
        raise BadConfiguration(
            f"cannot read the configuration {path}: {error.strerror}; `gal-friday init` writes one"
        ) from error
    except UnicodeDecodeError as error:
        raise BadConfiguration(
            f"{path} is no configuration: it is not UTF-8 (byte {error.start}); save the file as UTF-8, or name another"
        ) from error
    except RecursionError as error:
        raise BadConfiguration(f"{path} is nested too deep for a configuration; flatten it") from error
    except ValueError as error:  # Bad TOML, or a number of thousands of digits.
        raise BadConfiguration(f"{path} is not valid TOML: {error}") from error


def _overlay(tree: dict[str, Any], environment: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Put GAL_FRIDAY_SECTION__NAME=value over what the file says; return which variable set what."""
    variables = {}
    for variable in sorted(environment):
        if not variable.startswith(PREFIX) or ("__" not in variable and variable != f"{PREFIX}STATE_FOLDER"):
            continue  # Other names belong to whoever refers to them, such as the variables that hold a key.
        *sections, name = variable.removeprefix(PREFIX).split("__")
        branch, path, names = tree, "", []
        for section in sections:
            names.append(_spelled(section, branch, path))
            path = f"{path}.{section.lower()}"
            branch = branch.setdefault(names[-1], {})
            if not isinstance(branch, dict):
                raise BadConfiguration(f"{variable}: {names[-1]!r} is a single setting, not a section")
        names.append(_spelled(name, branch, path))
        branch[names[-1]] = environment[variable]
        variables[tuple(names)] = variable
    return variables


_OF_CODES = frozenset({".reconciliation.tolerances", ".prices.fixed", ".aliases.assets", ".aliases.instruments"})
"""Sections whose entries are asset codes and the like, in which capitals count."""


def _spelled(word: str, branch: Mapping[str, Any], path: str) -> str:
    """Return how this part of a variable is spelled in a file: codes as they are, accounts as the file has them."""
    if path in _OF_CODES:
        return word
    small = word.lower()
    return next((name for name in branch if name.lower() == small), small) if path == ".accounts" else small


def _converted(tree: dict[str, Any]) -> tuple[Settings | None, list[Problem]]:
    problems = list(problems_in(Settings, tree))
    if problems:
        return None, problems
    settings = msgspec.convert(tree, type=Settings, strict=False)
    return settings, list(nonsense_in(settings))


def _told(problems: list[Problem], file: Path | None, variables: Mapping[tuple[str, ...], str], again: str) -> str:
    """Return every problem on a line of its own, with the file or variable that it stands in, and the next step."""
    lines = [f"{_variable(one, variables) or file or 'the environment'}: {one}" for one in problems[:_TOLD_MAX]]
    if len(problems) > _TOLD_MAX:
        lines.append(f"and {len(problems) - _TOLD_MAX} more")
    return "\n".join(lines) + f"; correct {'it' if len(problems) == 1 else 'them'} and run {again}"


def _variable(one: Problem, variables: Mapping[tuple[str, ...], str]) -> str | None:
    """Return the variable that set it, or that named a setting below what is no section."""
    below = (name for path, name in variables.items() if path[: len(one.path)] == one.path)
    return next(below, None) if one.path not in variables else variables[one.path]
