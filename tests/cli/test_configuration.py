"""``init`` and ``config``: a file that loads, checks that name what is wrong, and no secret anywhere."""

import stat
from pathlib import Path

import pytest

from gal_friday.bootstrap.settings import load
from tests.cli.conftest import Run

FILE = Path("gal-friday.toml")
SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5"  # From no real key.


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRAKEN_API_KEY", "key")
    monkeypatch.setenv("KRAKEN_API_SECRET", SECRET)


def test_what_init_writes_loads_and_only_its_owner_can_read_it(run: Run) -> None:
    outcome = run("init")
    assert (outcome.status, outcome.out) == (0, "wrote gal-friday.toml\n")
    assert stat.S_IMODE(FILE.stat().st_mode) == 0o600
    assert list(load(FILE).accounts) == ["main"]


def test_init_says_which_rights_a_read_only_key_needs(run: Run) -> None:
    said = run("init").err
    for right in ("Query funds", "Query open orders", "Query closed orders", "Query ledger entries"):
        assert right in said


def test_init_never_overwrites_unasked(run: Run) -> None:
    FILE.write_text("mine")
    outcome = run("init")
    assert (outcome.status, FILE.read_text()) == (2, "mine")
    assert "--force replaces it" in outcome.err


def test_init_replaces_when_asked_and_takes_back_the_rights_of_others(run: Run) -> None:
    FILE.write_text("mine")
    FILE.chmod(0o644)
    assert run("init", "--force").status == 0
    assert stat.S_IMODE(FILE.stat().st_mode) == 0o600


def test_init_writes_into_a_folder_and_names_the_file_in_what_comes_next(run: Run, tmp_path: Path) -> None:
    outcome = run("init", str(tmp_path))
    assert outcome.out == f"wrote {tmp_path / 'gal-friday.toml'}\n"
    assert f"gal-friday run --config {tmp_path / 'gal-friday.toml'}" in outcome.err


def test_init_says_when_a_folder_is_missing(run: Run) -> None:
    outcome = run("init", "gone/gal-friday.toml")
    assert (outcome.status, outcome.out) == (2, "")
    assert "No such file or directory" in outcome.err


def test_init_in_json(run: Run) -> None:
    assert run("init", "--json").json() == {"written": "gal-friday.toml"}


def test_a_good_configuration_is_ok(run: Run, keys: None) -> None:
    run("init")
    outcome = run("config", "check")
    assert (outcome.status, outcome.out, outcome.err) == (0, "gal-friday.toml: ok; accounts: main\n", "")


def test_every_secret_that_cannot_be_resolved_is_named(run: Run) -> None:
    run("init")
    outcome = run("config", "check", "--json")
    assert outcome.status == 2
    assert outcome.json() == {
        "ok": False,
        "file": "gal-friday.toml",
        "accounts": ["main"],
        "problems": [
            f"accounts.main.{name}: the environment variable KRAKEN_{name.upper()} is not set; export it first"
            for name in ("api_key", "api_secret")
        ],
    }


def test_no_account_is_nothing_to_be_content_with(run: Run) -> None:
    outcome = run("config", "check")
    assert (outcome.status, outcome.out) == (2, "")
    assert "no account is configured" in outcome.err


def test_a_book_file_that_is_not_there_is_named(run: Run, keys: None) -> None:
    FILE.write_text(
        '[accounts.main]\napi_key = "env:KRAKEN_API_KEY"\napi_secret = "env:KRAKEN_API_SECRET"\n'
        '[accounts.main.book]\ntype = "file"\npath = "gone.json"\n'
    )
    outcome = run("config", "check")
    assert outcome.status == 2
    assert "there is no file gone.json" in outcome.err


BAD_FILES = {
    "unknown setting": ("[reconciliation]\ntolerence = 1\n", "tolerence"),
    "no TOML": ("accounts = [", "is not valid TOML"),
    "negative": ('[reconciliation]\ntolerance = "-1"\n', "must not be negative"),
    "no number": ('[reconciliation]\ntolerance = "much"\n', "reconciliation"),
    "secret": (f'[accounts.main]\napi_key = "env:K"\napi_secret = "{SECRET}"\n', "api_secret: a secret must not stand"),
    "secret with a colon": (f'[accounts.main]\napi_key = "env:K"\napi_secret = "x:{SECRET}"\n', "api_secret"),
    "binary": ("\0", "is not valid TOML"),
}


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("command", ["check", "show"])
def test_a_bad_file_is_refused_with_place_and_reason_and_no_secret(run: Run, name: str, command: str) -> None:
    content, reason = BAD_FILES[name]
    FILE.write_text(content)
    outcome = run("config", command)
    assert (outcome.status, outcome.out) == (2, "")
    assert reason in outcome.err
    assert SECRET not in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("path", ["gone.toml", "."])
def test_a_file_that_cannot_be_read_is_refused(run: Run, path: str) -> None:
    outcome = run("config", "check", "--config", path)
    assert (outcome.status, outcome.out) == (2, "")
    assert f"cannot read the configuration {path}" in outcome.err


def test_show_gives_references_and_never_what_they_refer_to(run: Run, keys: None) -> None:
    run("init")
    for outcome in (run("config", "show"), run("config", "show", "--json")):
        assert "env:KRAKEN_API_SECRET" in outcome.out
        assert SECRET not in outcome.out + outcome.err


def test_show_says_where_settings_come_from_and_state_is_kept(run: Run, tmp_path: Path) -> None:
    assert "there is no configuration file; `gal-friday init`" in run("config", "show").err
    run("init", str(tmp_path / "mine.toml"))
    outcome = run("config", "show", "--config", str(tmp_path / "mine.toml"))
    assert outcome.err == f"from {tmp_path / 'mine.toml'}\n"
    assert "None" not in outcome.out


@pytest.mark.parametrize(
    "auto_correct, own, shown",
    [
        ("true", "", "enforce  (from reconciliation.auto_correct = true)"),
        ("false", "", "propose  (from reconciliation.auto_correct = false)"),
        ("true", 'mode = "observe"', "observe"),
    ],
)
def test_show_says_which_mode_is_in_effect_and_where_it_comes_from(
    run: Run, auto_correct: str, own: str, shown: str
) -> None:
    account = f'[accounts.main]\napi_key = "env:K"\napi_secret = "env:S"\n{own}\n'
    FILE.write_text(f"[reconciliation]\nauto_correct = {auto_correct}\n{account}")
    assert f"accounts.main.mode = {shown}" in run("config", "show").out.splitlines()
    assert run("config", "show", "--json").json()["accounts"]["main"]["mode"] == shown.partition(" ")[0]


def test_show_hides_the_password_of_the_database(run: Run) -> None:
    FILE.write_text('[database]\nurl = "postgresql+asyncpg://me:hunter2@localhost/books"\n')
    outcome = run("config", "show")
    assert "database.url = postgresql+asyncpg://me:***@localhost/books" in outcome.out
    assert "hunter2" not in outcome.out


def test_show_tells_what_the_environment_overrides(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAL_FRIDAY_RECONCILIATION__TOLERANCE", "0.00000002")
    assert "reconciliation.tolerance = 0.00000002" in run("config", "show").out


def test_schema_lists_every_setting_with_its_meaning(run: Run) -> None:
    text = run("config", "schema").out
    assert 'tolerance = "0.00000001"  (amount)\n    Difference still called equal, inclusive.' in text
    assert "[accounts.NAME.book]" in text


def test_the_json_schema_describes_settings_in_plain_digits(run: Run) -> None:
    schema = run("config", "schema", "--json").json()
    tolerance = schema["$defs"]["Reconciliation"]["properties"]["tolerance"]
    assert (tolerance["default"], tolerance["description"]) == (
        "0.00000001",
        "Difference still called equal, inclusive.",
    )


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://me:hunter2@host/name",
        "postgresql+asyncpg://me:hunt?er2/hunter2@host/name",
        "postgresql+asyncpg://host/name?user=me&password=hunter2",
    ],
)
def test_show_hides_a_password_wherever_an_address_has_it(run: Run, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("GAL_FRIDAY_DATABASE__URL", url)
    monkeypatch.setenv("GAL_FRIDAY_ACCOUNTS__MAIN__API_KEY", "env:K")
    monkeypatch.setenv("GAL_FRIDAY_ACCOUNTS__MAIN__API_SECRET", "env:S")
    monkeypatch.setenv("GAL_FRIDAY_ACCOUNTS__MAIN__URL", "https://me:hunter2@host")
    outcome = run("config", "show")
    assert "***" in outcome.out
    assert "hunter2" not in outcome.out + run("config", "show", "--json").out


@pytest.mark.parametrize("url", ["hunter2", "postgres:app:hunter2@db/books", "//app:hunter2@db"])
def test_show_shows_nothing_of_what_is_no_address(run: Run, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("GAL_FRIDAY_DATABASE__URL", url)
    for outcome in (run("config", "show"), run("config", "show", "--json")):
        assert "hunter2" not in outcome.out + outcome.err
