"""A book that a trading system keeps: read from its file, repaired over real HTTP, told and replayed by commands."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import Struct
from sqlalchemy import select, text

from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.sql.tables import JOURNAL_ENTRIES
from gal_friday.bootstrap.demo import running_demo
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.cli import main
from gal_friday.domain.policy import Mode
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.snapshot import Scales
from gal_friday.domain.snapshot_json import write_snapshot
from tests.contracts.receiving import TOKEN, Fault, ReceivingServer, receiving

DEAF = Fault(posts=False, status=503)
WRITER = """
[accounts.main.book]
type = "file"
path = "{folder}/book.json"

[accounts.main.book.writer]
type = "http"
url = "{url}"
token = "file:{folder}/token"
timeout_seconds = 5
"""


class Place(Struct):
    """The demo's account, with its book in a file."""

    folder: Path
    server: ReceivingServer
    capsys: pytest.CaptureFixture[str]
    told: list[str]

    @property
    def configuration(self) -> str:
        return str(self.folder / "elsewhere.toml")

    async def run(self, mode: Mode = Mode.ENFORCE) -> ReconciliationReport:
        async with ReconciliationService.from_config(self.configuration) as service:
            report = await service.run_reconciliation("main", mode=mode)
        self.told.append(report.to_json().decode())
        return report

    async def types(self, *words: str) -> tuple[int, str]:
        self.capsys.readouterr()
        status = await asyncio.to_thread(main, [*words, "--config", self.configuration])
        out, err = self.capsys.readouterr()
        self.told.append(out + err)
        return status, out + err


@pytest.fixture
async def place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Place]:
    async with running_demo() as demo, receiving() as server:
        since = SystemClock().now() - timedelta(days=9)
        book = await demo.service.opened.book.snapshot(account="main", since=since, scales=Scales())
        (tmp_path / "book.json").write_bytes(write_snapshot(book))
        (tmp_path / "token").write_text(TOKEN)
        plain = demo.configuration.read_text().replace("gal-friday.db", "elsewhere.db")
        (tmp_path / "elsewhere.toml").write_text(plain + WRITER.format(folder=tmp_path, url=server.url))
        made = Place(tmp_path, server, capsys, [])
        yield made
        async with (
            ReconciliationService.from_config(made.configuration) as service,
            service.opened.store._engine.connect() as connection,
        ):
            rows = (await connection.execute(select(JOURNAL_ENTRIES.c.entry))).scalars().all()
            sent = (await connection.execute(text("SELECT body FROM handovers"))).scalars().all()
        assert rows
        assert TOKEN not in "".join((*made.told, *rows, *sent))


async def test_a_book_elsewhere_is_repaired_stopped_settled_and_replayed(place: Place) -> None:
    place.server.faults = [Fault(), Fault(ending="reset"), DEAF]
    first = await place.run()
    assert len({one.adjustment_id for one in first.auto_corrections}) == 1
    (unknown,) = [note.split()[3] for note in first.notes if note.startswith("nobody knows whether")]
    assert place.server.book.taken[1] == unknown  # it was posted, and nobody here can know

    place.server.faults = [DEAF] * 3
    second = await place.run()
    reasons = {reason for one in second.decisions for reason in one.decision.reasons}
    assert any(reason.startswith(f"corrections stopped: nobody knows whether {unknown}") for reason in reasons)
    assert (second.auto_corrections, len(place.server.book.taken)) == ((), 2)

    status, out = await place.types("adjustments", "--state", "outcome_unknown")
    assert (status, unknown in out, "outcome unknown" in out) == (0, True, True)
    status, out = await place.types("adjustments", unknown)
    assert "nobody knows whether the book has it" in out
    assert "gal-friday run main" in out
    waiting = next(one.adjustment_id for one in second.proposals)
    status, out = await place.types("review", "approve", waiting, "--as", "bob", "--note", "so it is")
    assert status != 0
    assert f"nobody knows yet whether adjustment {unknown} was posted" in out

    place.server.faults = []
    third = await place.run()
    status, out = await place.types("adjustments", unknown, "--json")
    assert json.loads(out)["state"] == "applied"
    assert len(place.server.book.taken) == len(set(place.server.book.taken))
    for report in (first, second, third):
        status, out = await place.types("replay", report.reconciliation_id)
        assert status == 0, out


async def test_approving_and_undoing_go_the_same_way(place: Place) -> None:
    first = await place.run(Mode.PROPOSE)
    name = first.proposals[0].adjustment_id
    status, out = await place.types("review", "approve", name, "--as", "bob", "--note", "so it is")
    assert (status, "it is settled once a run sees both sides agree" in out) == (0, True), out
    assert place.server.book.taken == [name]
    status, out = await place.types("review", "undo", name, "--as", "bob", "--note", "it was wrong", "--json")
    back = json.loads(out)["adjustment_id"]
    assert (status, json.loads(out)["reverses"]) == (0, name)
    place.server.faults = [Fault(status=502), DEAF]
    status, out = await place.types("review", "approve", back, "--as", "ann", "--note", "yes")
    assert (status, "nobody knows whether it was posted" in out) == (4, True), out
    await place.run(Mode.PROPOSE)
    status, out = await place.types("adjustments", name, "--json")
    assert json.loads(out)["state"] == "reversed"
    assert place.server.book.taken == [name, back]
    assert json.loads(place.server.asked[-1].body or b"{}") == {}


async def test_a_writer_that_does_not_know_us_is_found_by_preflight_and_loses_nothing(place: Place) -> None:
    (place.folder / "token").write_text("another")
    status, out = await place.types("preflight")
    assert (status, "does not know the token" in out) == (4, True), out
    report = await place.run()
    assert any("stays approved, and nothing was posted" in each for each in report.error_messages)
    assert place.server.book.taken == []
    (place.folder / "token").write_text(TOKEN)
    assert (await place.types("preflight"))[0] == 0
    assert (await place.run()).auto_corrections
    assert len(place.server.book.taken) == len(set(place.server.book.taken)) > 1
