"""Configurations that parse and make no sense, and places that are none: refused by name, never a defect."""

import os
from pathlib import Path
from typing import Any

import pytest

from gal_friday.bootstrap.errors import BadConfiguration
from gal_friday.bootstrap.secrets import resolve
from gal_friday.bootstrap.settings import AccountSettings, Settings, load
from gal_friday.bootstrap.wire import exchange_of, state_folder

SECRET = "c2VjcmV0"  # From no real key.
ACCOUNT = '[accounts.main]\napi_key = "env:K"\napi_secret = "env:S"\n'


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K", "key")
    monkeypatch.setenv("S", SECRET)


def loaded(folder: Path, text: str, **environment: str) -> Settings:
    (folder / "c.toml").write_text(text)
    return load(folder / "c.toml", environment={f"GAL_FRIDAY_{name}": value for name, value in environment.items()})


@pytest.mark.parametrize(
    "text, said",
    [
        (f"a = {'[' * 3000}{']' * 3000}", "nested too deep"),
        (f"a = {'9' * 5000}", "not valid TOML"),
        (
            "[reconciliation]\nlookback_hours = 263521",
            "[reconciliation] lookback_hours = 263521: must be above zero and at most 263520; correct it",
        ),
        (
            "[reconciliation]\ninterval_minutes = 10000001",
            "[reconciliation] interval_minutes = 10000001: must be above",
        ),
        ('[reconciliation]\nreporting_currency = ""', "[reconciliation] reporting_currency = '': is no name"),
        ('[reconciliation]\nreporting_currency = "U\\u001bD"', "'U\\x1bD': is no name"),
        ('[reconciliation.tolerances]\n" " = 1', "[reconciliation.tolerances] ' ': is no name"),
        ('[aliases.assets]\nXBT = "B\\nTC"', "[aliases.assets] XBT = 'B\\nTC': is no name"),
        (ACCOUNT.replace("main", '""'), "[accounts] '': is no name"),
        (ACCOUNT.replace("main", '"a\\nb"'), "[accounts] 'a\\nb': is no name"),
        (
            ACCOUNT + 'book = {type = "file", path = "x", stale_after_minutes = 0}',
            "[accounts.main.book] stale_after_minutes = 0: must be",
        ),
        (ACCOUNT + 'book = {type = "file", path = "x", stale_after_minutes = 99999999999}', "stale_after_minutes"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadConfiguration) as wrong:
        loaded(tmp_path, text)
    assert said in str(wrong.value)


def test_the_longest_look_back_can_be_subtracted_from_today(tmp_path: Path) -> None:
    assert loaded(tmp_path, "[reconciliation]\nlookback_hours = 263520").reconciliation.lookback_hours == 263520


def test_a_configuration_saved_by_another_editor_is_read_or_told_how_to_save_it(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(b"\xef\xbb\xbf" + ACCOUNT.encode())
    assert list(load(path, environment={}).accounts) == ["main"]
    path.write_bytes(ACCOUNT.encode("utf-16"))
    with pytest.raises(BadConfiguration, match="save the file as UTF-8"):
        load(path, environment={})


@pytest.mark.parametrize("place", ["/dev/zero", "pipe"])
def test_a_configuration_is_never_waited_for(tmp_path: Path, place: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadConfiguration, match="cannot read the configuration"):
        load(tmp_path / place, environment={})


def test_a_variable_reaches_the_tolerance_of_an_asset_whose_code_is_in_capitals(tmp_path: Path) -> None:
    settings = loaded(tmp_path, ACCOUNT, RECONCILIATION__TOLERANCES__BTC="0.5")
    assert list(settings.reconciliation.tolerances) == ["BTC"]


def test_a_variable_reaches_an_account_however_its_name_is_spelled(tmp_path: Path) -> None:
    settings = loaded(tmp_path, ACCOUNT.replace("main", "Main"), ACCOUNTS__MAIN__TIER="pro")
    assert {name: account.tier for name, account in settings.accounts.items()} == {"Main": "pro"}


def test_a_variable_reaches_a_setting_outside_of_every_section(tmp_path: Path) -> None:
    assert loaded(tmp_path, ACCOUNT, STATE_FOLDER="/somewhere", KRAKEN_KEY="mine").state_folder == "/somewhere"


@pytest.mark.parametrize("reference", ["file:/dev/zero", "file:a\0b", "file:~nobody-of-this-name/x", "file:pipe"])
def test_a_secret_is_never_waited_for_and_never_a_defect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    with pytest.raises(BadConfiguration, match=r"accounts\.main\.api_key: "):
        resolve(reference, setting="accounts.main.api_key")


@pytest.mark.parametrize("folder", ["a\0b", "~nobody-of-this-name/x"])
def test_a_state_folder_that_is_no_path_is_refused_by_name(folder: str) -> None:
    with pytest.raises(BadConfiguration, match=r"^state_folder: "):
        state_folder(Settings(state_folder=folder))


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://x:abc"},
        {"url": "https://[::1"},
        {"url": "https://x\ny"},
        {"url": "http://somebody:hunter2@elsewhere"},
        {"url": "https://:hunter2@elsewhere"},
        {"url": "http://127.0.0.1\\@elsewhere"},
        {"url": "https://x/?key=hunter2"},
        {"api_secret": "env:HOME"},
    ],
    ids=repr,
)
def test_what_cannot_work_at_all_is_wrong_configuration_and_quotes_no_password(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    account = AccountSettings(**{"api_key": "env:K", "api_secret": "env:S"} | change)
    with pytest.raises(BadConfiguration, match=r"^accounts\.main") as wrong:
        exchange_of("main", account, tmp_path)
    assert "hunter2" not in str(wrong.value)


def test_a_state_folder_that_is_a_file_is_wrong_configuration(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadConfiguration, match="set state_folder to one that can be written"):
        exchange_of("main", AccountSettings(api_key="env:K", api_secret="env:S"), tmp_path / "file")
