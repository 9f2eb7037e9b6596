"""The pages of the journal: what is listed, one entry with its proof, and the heads."""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.journal import SqlJournal
from gal_friday.adapters.sql.engine import open_engine, writing
from gal_friday.bootstrap.database import ready_url
from gal_friday.domain.access import Accounts, Role
from gal_friday.domain.facts import Actor, Fact, FactKind, KnownBy
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.journal_reading import Checked, JournalReading, Progress
from tests.api.world import World
from tests.web.conftest import SignIn

HOSTILE = "<script>alert(1)</script>\"'&"


def listed(page: str) -> list[int]:
    return [int(seq) for seq in re.findall(r'<a href="/journal/(\d+)">', page)]


async def test_entries_are_chosen_by_kind_who_day_and_subject(browsers: SignIn, here: World) -> None:
    browser = await browsers()
    one = (await here.service.opened.store.open_discrepancies("main"))[0]
    assert (await browser.post(f"/api/discrepancies/{one.id}/comment", json={"note": "seen"})).status_code == 200
    everything = listed((await browser.get("/journal")).text)
    by_alice = (await browser.get("/journal?actor=alice&kind=review_commented")).text
    (seq,) = listed(by_alice)
    assert seq in everything
    assert seq in listed((await browser.get(f"/journal?subject={one.id[:12]}")).text)
    today = re.search(r'datetime="(\d{4}-\d\d-\d\d)', by_alice)
    assert today is not None
    assert seq in listed((await browser.get(f"/journal?since={today[1]}&until={today[1]}")).text)
    assert listed((await browser.get("/journal?until=2020-01-01")).text) == []
    assert listed((await browser.get("/journal?account=spare")).text) == []
    assert f'value="{today[1]}"' in (await browser.get(f"/journal?since={today[1]}")).text


@pytest.mark.parametrize("query", ["since=yesterday", "until=2026-02-31", "until=9999-12-31", "account=nobody"])
async def test_a_day_that_is_none_is_answered_in_words(browsers: SignIn, query: str) -> None:
    answer = await (await browsers(accounts=Accounts(("main",)))).get(f"/journal?{query}")
    assert answer.status_code in (404, 422)
    assert "To the overview" in answer.text


async def test_an_entry_is_shown_with_its_proof_and_the_file_proves_it_elsewhere(
    browsers: SignIn, tmp_path: Path
) -> None:
    browser = await browsers()
    seq = listed((await browser.get("/journal?kind=run_finished")).text)[0]
    page = (await browser.get(f"/journal/{seq}")).text
    assert 'class="verdict reconciled">holds' in page
    proof = (await browser.get(f"/api/journal/{seq}/proof")).content
    said = json.loads(proof)
    assert all(step in page for step in (*said["path"], said["leaf"], said["signed"]["head"]["root"]))
    (tmp_path / "proof.json").write_bytes(proof)
    (tmp_path / "verify_journal.py").write_bytes((await browser.get("/journal/verify_journal.py")).content)
    command = [sys.executable, "-I", "-S", "verify_journal.py", "proof.json"]
    done = await asyncio.to_thread(subprocess.run, command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.startswith(f"verified: entry {seq} (run_finished)")) == (0, True), done


async def test_an_entry_of_another_account_and_the_heads_of_all_are_not_there(browsers: SignIn) -> None:
    seq = listed((await (await browsers()).get("/journal?account=main")).text)[0]
    theirs = await browsers("eve", Role.ADMIN, Accounts(("spare",)))
    for path in (f"/journal/{seq}", "/journal/heads", "/journal/999999", f"/journal/{2**70}"):
        answer = await theirs.get(path)
        assert answer.status_code in (404, 422), path
        assert "run_finished" not in answer.text
    assert 'id="verify"' not in (await theirs.get("/journal")).text


async def test_heads_are_listed_and_what_was_kept_outside(browsers: SignIn, here: World) -> None:
    browser = await browsers()
    page = (await browser.get("/journal/heads")).text
    head = (await browser.get("/api/journal/heads?limit=1")).json()["heads"][0]["head"]
    assert head["root"] in page
    assert "No head was ever handed out" in page
    body = {"to": HOSTILE, "number": head["number"], "size": head["size"], "root": head["root"]}
    await written(here, Fact(kind=FactKind.JOURNAL_ANCHORED, at=here.mint.clock.now(), account="", subject="j",
                             actor=Actor(HOSTILE, KnownBy.SELF_DECLARED), body=body))  # fmt: skip
    page = (await browser.get("/journal/heads")).text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    (seq,) = listed((await browser.get("/journal?kind=journal_anchored")).text)
    assert "<script>alert" not in (await browser.get(f"/journal/{seq}")).text


async def test_the_verification_says_how_far_it_is_and_what_it_took(browsers: SignIn) -> None:
    browser = await browsers("victor", Role.VIEWER)
    before = (await browser.get("/api/journal/verification/progress")).json()
    assert (before["under_way"], before["last"]) == (False, None)
    done, again = await asyncio.gather(*(browser.get("/api/journal/verification") for _ in range(2)))
    assert done.json() == again.json()
    assert done.json()["result"]["sound"] is True
    assert done.json()["seconds"] > 0
    after = (await browser.get("/api/journal/verification/progress")).json()
    assert (after["under_way"], after["last"]) == (False, done.json())
    assert after["entries"] == after["of"] == done.json()["result"]["entries"]


async def written(here: World, fact: Fact) -> None:
    engine = open_engine(ready_url(here.service.settings))
    try:
        async with writing(engine, StoreFailed) as connection:
            await SqlJournal(here.folder, SystemClock()).append(connection, (fact,))
    finally:
        await engine.dispose()


class Halting:
    """The journal, whose verification looks at three entries and then waits."""

    def __init__(self, journal: JournalReading) -> None:
        self._journal, self.go_on = journal, asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    async def verify(self, progress: Progress | None = None) -> Checked:
        assert progress is not None
        progress(3)
        await self.go_on.wait()
        return await self._journal.verify(progress)


async def test_a_verification_goes_on_when_whoever_asked_gave_up(browsers: SignIn, here: World) -> None:
    browser, journal = await browsers(), Halting(here.service.opened.journal_reading)
    here.app.state.backend = replace(here.app.state.backend, journal=journal)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(browser.get("/api/journal/verification"), 0.2)
    halfway = (await browser.get("/api/journal/verification/progress")).json()
    assert (halfway["under_way"], halfway["entries"], halfway["last"]) == (True, 3, None)
    assert halfway["of"] > 3
    journal.go_on.set()
    done = (await browser.get("/api/journal/verification")).json()
    assert (done["checked_at"], done["result"]["sound"]) == (halfway["began"], True)


async def test_a_verification_ends_with_the_service(browsers: SignIn, here: World) -> None:
    browser, journal = await browsers(), Halting(here.service.opened.journal_reading)
    here.app.state.backend = replace(here.app.state.backend, journal=journal)
    asked = asyncio.create_task(browser.get("/api/journal/verification"))
    while not here.app.state.verifying.progress().under_way:  # noqa: ASYNC110 - told by its progress alone
        await asyncio.sleep(0)
    here.app.state.verifying.close()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert here.app.state.verifying.progress().under_way is False
