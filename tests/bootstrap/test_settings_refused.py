"""What a refused configuration says: file, place, value, what would do, and what to do next. No secret, ever."""

from decimal import Decimal
from pathlib import Path

import pytest

from gal_friday.bootstrap.errors import BadConfiguration
from gal_friday.bootstrap.settings import Reconciliation, load
from gal_friday.domain.assets import Asset
from gal_friday.domain.policy import Policy

ACCOUNT = '[accounts.main]\napi_key = "env:K"\napi_secret = "env:S"\n'
SECRET = "kQH5HW8p1uGOVjbgWA7FunAmGO8lsSUX"  # From no real key.


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused(text: str, **environment: str) -> str:
    Path("gal-friday.toml").write_text(text)
    with pytest.raises(BadConfiguration) as wrong:
        load(environment={f"GAL_FRIDAY_{name}": value for name, value in environment.items()})
    return str(wrong.value)


NEXT = "; correct it and run gal-friday config check"


@pytest.mark.parametrize(
    "text, said",
    [
        (ACCOUNT + 'exchange = "krakn"', "[accounts.main] exchange = 'krakn': must be one of 'kraken'"),
        (
            ACCOUNT + 'tier = "gold"',
            "[accounts.main] tier = 'gold': must be one of 'starter', 'intermediate', 'pro', 'none'",
        ),
        (ACCOUNT + "tiers = 1", "[accounts.main] tiers: there is no such setting; did you mean tier?"),
        (
            "[reconciliation]\ntolerence = 1",
            "[reconciliation] tolerence: there is no such setting; did you mean tolerance?",
        ),
        ("[reconciliaton]\n", "reconciliaton: there is no such setting; did you mean reconciliation?"),
        ("[database]\nxyz = 1", "[database] xyz: there is no such setting; known here: url, password"),
        (
            f'[database]\nurl = "postgresql://gf@h/d"\npassword = "{SECRET}"',
            "[database] password: a secret must not stand here; refer to it as env:NAME",
        ),
        (
            '[database]\npassword = "env:P"',
            "[database] password: is for PostgreSQL: SQLite has no password; take it out",
        ),
        ('[reconciliation]\nconfirmations = "two"', "[reconciliation] confirmations = 'two': must be a whole number"),
        ("[reconciliation]\nconfirmations = 1.5", "[reconciliation] confirmations = 1.5: must be a whole number"),
        (ACCOUNT + "allow_trading_key = 3", "[accounts.main] allow_trading_key = 3: must be true or false"),
        (
            '[reconciliation]\ntolerance = "much"',
            "[reconciliation] tolerance = 'much': must be an amount in plain digits, such as \"0.01\"",
        ),
        (
            "[reconciliation]\ntolerance = nan",
            '[reconciliation] tolerance = NaN: must be an amount in plain digits, such as "0.01"',
        ),
        (
            "[reconciliation.tolerances]\nBTC = true",
            '[reconciliation.tolerances] BTC = true: must be an amount in plain digits, such as "0.01"',
        ),
        ("[reconciliation]\ntolerance = -1", "[reconciliation] tolerance = -1: must not be negative"),
        ("[reconciliation.tolerances]\nBTC = -1", "[reconciliation.tolerances] BTC = -1: must not be negative"),
        (
            '[reconciliation]\nmedium_value = "200"',
            "[reconciliation] high_value = 100: must not be below medium_value, which is 200",
        ),
        ("[reconciliation.graces]\nkrakn = 9", "[reconciliation.graces] krakn: the name must be one of 'kraken'"),
        (
            "[reconciliation.graces]\nkraken = 0",
            "[reconciliation.graces] kraken = 0: must be above zero and at most 10000000",
        ),
        (
            "[reconciliation]\nreach_back_days = 10981",
            "[reconciliation] reach_back_days = 10981: must be above zero and at most 10980",
        ),
        (
            "[reconciliation]\npending_runs = 0",
            "[reconciliation] pending_runs = 0: must be above zero and at most 10000000",
        ),
        ("reconciliation = 3", "reconciliation: is a section and has settings of its own: interval_minutes, "),
        ("accounts = 3", "accounts: is a section of names of your own, each with its value"),
        ("[accounts]\nmain = 3", "[accounts] main: is a section and has settings of its own: exchange, api_key, "),
        ('[accounts.main]\napi_secret = "env:S"', "[accounts.main] api_key: is missing; write it, it has no default"),
        (
            ACCOUNT + 'book = "bot.json"',
            "[accounts.main] book: is a section; write type, must be one of 'embedded', 'file'",
        ),
        (
            ACCOUNT + 'book = {path = "x"}',
            "[accounts.main.book] type: is missing; it must be one of 'embedded', 'file'",
        ),
        (ACCOUNT + 'book = {type = "pipe"}', "[accounts.main.book] type = 'pipe': must be one of 'embedded', 'file'"),
        (ACCOUNT + 'book = {type = "file"}', "[accounts.main.book] path: is missing"),
        ('[prices]\nfile = "prices.txt"', "[prices] file = 'prices.txt': must end in .csv or .json"),
        ('[prices.fixed]\nBTC = "0"', "[prices.fixed] BTC = 0: must be above zero"),
        ('[prices.fixed]\nBTC = "-1"', "[prices.fixed] BTC = -1: must be above zero"),
        (
            "[prices.fixed]\nBTC = inf",
            '[prices.fixed] BTC = Infinity: must be an amount in plain digits, such as "0.01"',
        ),
        (
            '[prices.fixed]\nUSD = "1"',
            "[prices.fixed] USD = 1: is the reporting currency, in which prices are stated; take it out",
        ),
        (
            '[prices.fixed]\nBTC = "1"\nXBT = "2"\n[aliases.assets]\nXBT = "BTC"',
            "[prices.fixed] XBT = 2: has a price already, as BTC; leave one of the two",
        ),
        ('[prices.fixed]\n" " = "1"', "[prices.fixed] ' ': is no name; write one that can be read"),
        ("state_folder = 3", 'state_folder = 3: must be text in quotes ("…")'),
    ],
)
def test_a_refusal_names_file_place_value_what_would_do_and_the_next_step(text: str, said: str) -> None:
    message = refused(text)
    assert message.startswith(f"gal-friday.toml: {said}")
    assert message.endswith(NEXT)


def test_every_problem_has_a_line_and_there_are_not_too_many_lines() -> None:
    message = refused(ACCOUNT + 'tier = "x"\n[reconciliation]\nconfirmations = 0.5\n')
    assert [line.partition(":")[0] for line in message.splitlines()] == ["gal-friday.toml"] * 2
    assert message.endswith("; correct them and run gal-friday config check")
    many = refused("[aliases.assets]\n" + "\n".join(f"A{number} = 1" for number in range(30)))
    assert many.splitlines()[-1] == "and 20 more; correct them and run gal-friday config check"


def test_a_value_from_the_environment_is_named_by_its_variable() -> None:
    message = refused(ACCOUNT, ACCOUNTS__MAIN__TIER="gold", RECONCILIATION__TOLERANCES__BTC="x")
    assert "GAL_FRIDAY_ACCOUNTS__MAIN__TIER: [accounts.main] tier = 'gold': must be one of 'starter', " in message
    assert "GAL_FRIDAY_RECONCILIATION__TOLERANCES__BTC: [reconciliation.tolerances] BTC = 'x': must be" in message


def test_a_file_that_is_not_the_usual_one_is_named_in_the_next_step() -> None:
    Path("mine.toml").write_text("[database]\nx = 1")
    with pytest.raises(BadConfiguration, match=r"run gal-friday config check --config mine\.toml$"):
        load(Path("mine.toml"), environment={})


@pytest.mark.parametrize(
    "text",
    [
        f'[accounts.main]\napi_key = "env:K"\napi_secret = "{SECRET}"\n',
        f'[accounts.main]\napi_key = "env:K"\napi_sceret = "{SECRET}"\n',
        f'[accounts]\nmain = "{SECRET}"\n',
        f'accounts = "{SECRET}"\n',
        f'[accounts.main]\napi_key = "env:K"\napi_secret = ["{SECRET}"]\n',
        f'[database]\nurl = ["postgresql://me:{SECRET}@host/name"]\n',
        f'[database]\nurl = {{ password = "{SECRET}" }}\n',
        ACCOUNT + f'book = "{SECRET}"\n',
    ],
)
def test_what_may_be_a_secret_is_never_quoted(text: str) -> None:
    assert SECRET[:8] not in refused(text)


def test_a_long_or_unprintable_value_is_cut_and_escaped() -> None:
    message = refused('[accounts.main]\napi_key = "env:K"\napi_secret = "env:S"\ntier = "\\u001b' + 900 * "x" + '"')
    assert "\x1b" not in message
    assert len(message) < 400


POLICY = {
    "tolerance": Decimal("0.5"),
    "tolerances": {Asset("BTC"): Decimal("0.25")},
    "medium_threshold": Decimal("0.02"),
    "high_threshold": Decimal("0.06"),
    "critical_threshold": Decimal("0.11"),
    "medium_value": Decimal(11),
    "high_value": Decimal(101),
    "critical_value": Decimal(1001),
    "trivial_value": Decimal(2),
    "reporting_currency": Asset("EUR"),
    "max_price_age_minutes": 61,
    "confirmations": 3,
    "grace_seconds": 91,
    "graces": {"kraken": 92},
    "pending_runs": 4,
    "reach_back_days": 8,
    "auto_correct_threshold": Decimal("0.02"),
    "auto_correct_max_value": Decimal(11),
    "proven_max_value": Decimal(10001),
    "corrections_per_hour": 21,
    "corrections_per_day": 101,
    "corrected_value_per_hour": Decimal(20001),
    "corrected_value_per_day": Decimal(50001),
    "breaker_discrepancies": 101,
    "breaker_flips": 4,
    "four_eyes": False,
    "four_eyes_value": Decimal(1),
    "proposals_expire_hours": 73,
}


def test_every_field_of_the_policy_can_be_set_under_its_own_name() -> None:
    assert set(POLICY) == set(Policy.__struct_fields__)
    lines = [f"{name} = {_toml(value)}" for name, value in POLICY.items()]
    Path("gal-friday.toml").write_text("[reconciliation]\n" + "\n".join(lines))
    assert load(environment={}).reconciliation.policy() == Policy(**POLICY)  # type: ignore[arg-type]


def test_the_defaults_of_the_settings_are_those_of_the_policy() -> None:
    assert Reconciliation().policy() == Policy()


def _toml(value: object) -> str:
    match value:
        case dict():
            return "{ " + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + " }"
        case int():
            return str(value).lower()
        case _:
            return f'"{value}"'


def test_a_variable_below_what_is_no_section_is_named() -> None:
    assert refused("", X__Y__Z="1").startswith("GAL_FRIDAY_X__Y__Z: x: there is no such setting")


WRITER = ACCOUNT + '[accounts.main.book]\ntype = "file"\npath = "b.json"\n[accounts.main.book.writer]\n'
HTTP = WRITER + 'type = "http"\nurl = "https://bot.example/x"\n'


@pytest.mark.parametrize(
    "text, said",
    [
        (HTTP, "[accounts.main.book.writer] token: is missing; write it, it has no default"),
        (HTTP + f'token = "{SECRET}"', "[accounts.main.book.writer] token: a secret must not stand here"),
        (
            WRITER + f'type = "table"\ndatabase = "postgresql://bot:{SECRET}@db/bot"',
            "[accounts.main.book.writer] database: a secret must not stand here",
        ),
        (
            WRITER + 'type = "table"\ndatabase = "env:DB"\ntable = "a; DROP TABLE b"',
            "[accounts.main.book.writer] table = 'a; DROP TABLE b': is no name of a table",
        ),
        (HTTP + 'token = "env:T"\ntimeout_seconds = 61', "timeout_seconds = 61: must be at most 60"),
        (HTTP + 'token = "env:T"\ntimeout_seconds = 0', "timeout_seconds = 0: must be above zero"),
        (WRITER + 'type = "ftp"', "[accounts.main.book.writer] type = 'ftp': must be one of 'http', 'table'"),
    ],
)
def test_a_writer_that_makes_no_sense_is_refused_without_its_secret(text: str, said: str) -> None:
    message = refused(text)
    assert said in message
    assert SECRET not in message
