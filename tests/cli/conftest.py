"""Running the command line in the process of the test, with its two streams apart."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gal_friday.cli import main


class Outcome(NamedTuple):
    """What a command left behind."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        """Return the one JSON document on stdout."""
        return json.loads(self.out)


Run = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _a_home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test away from the configuration, data and colours of whoever runs it."""
    for name in ("GAL_FRIDAY_CONFIG", "KRAKEN_API_KEY", "KRAKEN_API_SECRET", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs a command and gives back its status and its two streams."""

    def ran(*arguments: str) -> Outcome:
        status = main(list(arguments))
        out, err = capsys.readouterr()
        return Outcome(status, out, err)

    return ran
