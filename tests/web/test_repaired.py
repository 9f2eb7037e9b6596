"""What pages say of a repair from its approval until a run has looked, and of taking it back."""

import re

from gal_friday.domain.access import Role
from tests.api.world import KINDS, World
from tests.web.conftest import SignIn, proposed
from tests.web.test_queue import ids_in

REPAIRED = "repaired, waits for the next run"


async def test_what_is_repaired_says_so_until_the_next_run_has_looked(browsers: SignIn, here: World) -> None:
    browser = await browsers()
    _, call, content = await proposed(browser, here)
    assert REPAIRED not in (await browser.get("/discrepancies?group=cause")).text
    await browser.post(f"{call}/approve", json={"content": content})
    overview = (await browser.get("/")).text
    assert re.search(r'<p class="why">\d+ repaired: the next run looks whether both sides agree\.</p>', overview)
    assert ">Check main now</button>" in overview
    for choice in ("", "?group=cause"):
        assert REPAIRED in (await browser.get(f"/discrepancies{choice}")).text
    await here.service.run_reconciliation("main", only=KINDS)
    assert "Check main now" not in (await browser.get("/")).text


async def test_a_take_back_is_called_that_and_is_not_to_be_decided_by_who_proposed_it(
    browsers: SignIn, here: World
) -> None:
    alice, bob = await browsers("alice"), await browsers("bob")
    path, call, content = await proposed(alice, here)
    name = path.rpartition("/")[2]
    await alice.post(f"{call}/approve", json={"content": content})
    await alice.post(f"{call}/undo", json={"note": ""})
    assert "taking back the repair waits for a decision" in (await alice.get("/")).text
    assert "take-back" in (await alice.get("/discrepancies")).text
    wanted = "/discrepancies?review=to+decide"
    assert name not in ids_in((await alice.get(wanted)).text)
    assert name in ids_in((await bob.get(wanted)).text)


async def test_taking_back_says_beforehand_who_has_to_approve_it_and_is_not_offered_twice(
    browsers: SignIn, here: World
) -> None:
    alice = await browsers("alice")
    path, call, content = await proposed(alice, here)
    await alice.post(f"{call}/approve", json={"content": content})
    for name, role in (("Alice", Role.ADMIN), ("victor", Role.VIEWER)):
        await browsers(name, role)
    page = (await alice.get(path)).text
    assert "somebody else than you has to approve it (four eyes)" in page
    assert "<code>gal-friday user add NAME --role approver</code>" in page
    await browsers("bob")
    assert "user add" not in (await alice.get(path)).text
    await alice.post(f"{call}/undo", json={"note": ""})
    page = (await alice.get(path)).text
    assert "Taking it back waits for a decision." in page
    assert 'value="undo"' not in page
