"""The page of one run, and its replay through the API: the same as at the command line."""

import re
import sqlite3

from gal_friday.domain.access import Accounts, Role
from gal_friday.domain.policy import Mode
from tests.api.world import World
from tests.web.conftest import SignIn


async def test_a_run_is_told_in_ten_steps_and_leads_to_its_entry(browsers: SignIn, here: World) -> None:
    await here.reconciled(mode=Mode.PROPOSE)
    browser = await browsers()
    (newest, *_) = (await browser.get("/api/reports")).json()["reports"]
    page = (await browser.get(f"/runs/{newest['reconciliation_id']}")).text
    steps = re.findall(
        r'<td class="num">(\d+)</td><td>([a-z ]+)</td><td class="whole">([^<]+)</td>(<td .*?</td>)', page
    )
    assert [name for _, name, *_ in steps] == [
        "fetch", "cut", "compare", "gather", "explain", "carry forward", "decide", "apply", "record", "tell",
    ]  # fmt: skip
    said = {name: words for _, name, words, _ in steps}
    took = {name: re.sub(r"<[^>]*>", "", cell) for _, name, _, cell in steps}
    assert all(re.fullmatch(r"[\d.]+\s\w+", took[name]) for name in ("fetch", "compare", "gather", "explain", "decide"))
    assert (took["cut"], took["apply"], took["record"]) == ("with fetch", "with decide", "")
    assert said["compare"].startswith(f"{newest['keys_checked']} keys: ")
    assert "0 repairs posted, 1 proposed" in said["apply"]
    entry = re.search(r'href="(/journal/\d+)">entry', page)
    assert entry is not None
    told = (await browser.get(entry[1])).text
    assert newest["reconciliation_id"] in told
    assert "run finished" in told.lower()


async def test_a_run_is_replayed_and_what_differs_is_named(browsers: SignIn, here: World) -> None:
    browser = await browsers("victor", Role.VIEWER)
    name = (await browser.get("/api/reports")).json()["reports"][0]["reconciliation_id"]
    assert f'data-report="{name}"' in (await browser.get(f"/runs/{name}")).text
    found = (await browser.get(f"/api/reports/{name}/replay")).json()
    assert (found["outcome"], found["difference"], found["kept"], found["because"]) == ("equal", None, True, "")
    with sqlite3.connect(here.folder / "gal-friday.db") as database:
        database.execute("DROP TRIGGER reconciliation_events_no_update")
        changed = "replace(report, '\"fills_checked\":', '\"fills_checked\":9')"
        database.execute(f"UPDATE reconciliation_events SET report = {changed}")
    found = (await browser.get(f"/api/reports/{name}/replay")).json()
    assert (found["outcome"], found["difference"]["path"]) == ("different", "$.fills_checked")


async def test_what_is_no_longer_kept_is_not_offered(browsers: SignIn, here: World) -> None:
    browser = await browsers()
    name = (await browser.get("/api/reports")).json()["reports"][0]["reconciliation_id"]
    with sqlite3.connect(here.folder / "gal-friday.db") as database:
        database.execute("DELETE FROM recording_contents")
        database.execute("DROP TRIGGER recordings_no_delete")
        database.execute("DELETE FROM recordings")
    assert "cannot be replayed" in (await browser.get(f"/runs/{name}")).text
    found = (await browser.get(f"/api/reports/{name}/replay")).json()
    assert (found["outcome"], found["kept"]) == ("incomplete", False)
    assert "was not recorded" in found["because"]


async def test_a_run_of_another_account_is_not_replayed(browsers: SignIn) -> None:
    name = (await (await browsers()).get("/api/reports")).json()["reports"][0]["reconciliation_id"]
    theirs = await browsers("eve", Role.ADMIN, Accounts(("spare",)))
    assert (await theirs.get(f"/api/reports/{name}/replay")).status_code == 404
