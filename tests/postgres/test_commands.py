"""The program on PostgreSQL from end to end: its tables, a book in and out, and no password on the screen."""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from sqlalchemy import make_url

from gal_friday.cli import main
from tests.cli.samples import side
from tests.postgres.databases import Databases

pytestmark = pytest.mark.postgres


@pytest.fixture
def password(databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Configure an account on an empty database, and give the database's password."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.delenv("GAL_FRIDAY_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    # Commands make loops of their own, so this one is not left running around them.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        stack = AsyncExitStack()
        address = runner.run(stack.enter_async_context(databases.fresh()))
        monkeypatch.setenv("GAL_FRIDAY_DATABASE__URL", address.replace("postgresql+asyncpg", "postgresql"))
        assert main(["init"]) == 0
        yield str(make_url(address).password)
        runner.run(stack.aclose())


def test_a_book_goes_in_and_comes_out_again(password: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("book.json").write_text(json.dumps(side("internal")))
    assert main(["db", "upgrade"]) == main(["db", "upgrade"]) == 0
    assert main(["book", "import", "book.json"]) == 0
    assert main(["book", "export", "out.json"]) == 0
    (balance,) = json.loads(Path("out.json").read_text())["balances"]
    assert (balance["asset"], balance["total"]) == ("BTC", "1.50000000")
    said = capsys.readouterr()
    assert "upgraded from nothing to revision" in said.out
    assert "up to date: revision" in said.out
    assert main(["config", "show"]) == 0
    assert password not in said.out + said.err + capsys.readouterr().out


@pytest.mark.usefixtures("password")
def test_the_password_may_be_in_a_file_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make_url(os.environ["GAL_FRIDAY_DATABASE__URL"])
    monkeypatch.setenv("GAL_FRIDAY_DATABASE__URL", whole.set(password=None).render_as_string())
    assert main(["db", "upgrade"]) == 4
    kept = tmp_path / "database-password"
    kept.write_text(f"{whole.password}\n")
    monkeypatch.setenv("GAL_FRIDAY_DATABASE__PASSWORD", f"file:{kept}")
    assert main(["db", "upgrade"]) == 0
    assert "upgraded from nothing to revision" in capsys.readouterr().out


def test_a_database_that_is_not_there_is_told_without_its_password(
    password: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAL_FRIDAY_DATABASE__URL", f"postgresql://me:{password}@127.0.0.1:1/none")
    assert main(["db", "upgrade"]) == 4
    said = capsys.readouterr()
    assert "postgresql+asyncpg://me@127.0.0.1:1/none cannot be reached" in said.err
    assert password not in said.out + said.err
