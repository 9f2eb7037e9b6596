"""What plugs stand for is on the screen, in the JSON and in an export."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gal_friday.adapters.book_sql import SqlAdjustments
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.sql import open_engine
from gal_friday.domain.adjusted import Applied
from gal_friday.domain.adjustment import AdjustmentState
from tests.cli.conftest import Run
from tests.cli.samples import side, written
from tests.contracts.adjusting import POLICY, adjustment, plug

AT = datetime(2026, 2, 1, tzinfo=UTC)
LINES = [{"kind": "balances", "name": "XRP", "part": "spot", "amount": "3", "plugs": 1}]


@pytest.fixture(autouse=True)
def _a_book_with_a_plug(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"sqlite+aiosqlite:///{tmp_path / 'book.db'}"
    monkeypatch.setenv("GAL_FRIDAY_DATABASE__URL", address)
    run("init")
    assert run("book", "import", written(tmp_path, "book.json", side("internal"))).status == 0

    async def plugged() -> None:
        engine = open_engine(address)
        adjustments = SqlAdjustments(engine, clock=SteppedClock(AT))
        made = adjustment(plug("3"), effects={"balances:XRP:spot": "3"}, version="1", at=AT)
        await adjustments.keep([made], state=AdjustmentState.APPROVED, by=POLICY)
        assert isinstance(await adjustments.apply(made.adjustment_id, token=None), Applied)
        await engine.dispose()

    asyncio.run(plugged())


def test_the_suspense_line_is_shown(run: Run) -> None:
    shown = run("book", "show")
    assert shown.out.splitlines()[-2:] == ["suspense  amount  plugs", "XRP spot       3      1"]
    assert "suspense: 3 XRP in 1 plug" in shown.err


def test_the_suspense_line_is_in_the_json(run: Run) -> None:
    told = run("book", "show", "--json").json()
    assert (told["suspense"], told["notes"]) == (LINES, ["suspense: 3 XRP in 1 plug"])


def test_the_suspense_line_is_in_an_export_that_every_reader_of_the_format_reads(run: Run) -> None:
    told = json.loads(run("book", "export").out)
    assert (told["format"], told["suspense"]) == ("gal-friday/snapshot/1", LINES)
    assert [row["kind"] for row in told["movements"] if row["asset"] == "XRP"] == ["plug"]


def test_a_book_that_is_opened_from_an_export_has_what_plugs_stood_for_in_its_opening_and_says_so(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run("book", "show", "--json").json()
    assert run("book", "export", "kept.json").status == 0
    monkeypatch.setenv("GAL_FRIDAY_DATABASE__URL", f"sqlite+aiosqlite:///{tmp_path / 'anew.db'}")
    opened = run("book", "import", "kept.json")
    assert opened.status == 0
    assert "suspense: 3 XRP in 1 plug: part of the opening from now on, and no plug any more" in opened.err
    anew = run("book", "show", "--json").json()
    assert (anew["balances"], anew["suspense"]) == (whole["balances"], [])
    assert {row["kind"] for row in json.loads(run("book", "export").out)["movements"]} == {"opening"}


def test_a_book_without_a_plug_has_no_suspense(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAL_FRIDAY_DATABASE__URL", f"sqlite+aiosqlite:///{tmp_path / 'other.db'}")
    assert run("book", "import", written(tmp_path, "book.json", side("internal"))).status == 0
    assert "suspense" not in run("book", "show").out
    assert run("book", "show", "--json").json()["suspense"] == []
