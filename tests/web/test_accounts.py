"""The pages of accounts: keys, budgets, freshness and schedule as they are, and nothing of what is not theirs."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from gal_friday.bootstrap.vitals import live_of
from gal_friday.domain.access import Accounts, Role
from gal_friday.domain.schedule import Held, Obstacle, Planned, Step, Why
from gal_friday.flows.vitals import Budget, Listened
from tests.api.world import World
from tests.web.conftest import SignIn


def scheduled(here: World) -> None:
    """Give API and pages the schedules of the service."""
    schedules = here.service.opened.schedules
    for name in ("backend", "house"):
        setattr(here.app.state, name, replace(getattr(here.app.state, name), schedules=schedules))


async def test_a_key_that_may_trade_is_shown_in_red(browsers: SignIn, here: World) -> None:
    browser = await browsers("victor", Role.VIEWER)
    assert "not looked at" in (await browser.get("/accounts")).text
    key = next(one for one in here.exchange.keys.values() if one.account == "main")
    rights = set(key.rights)
    key.rights |= {"modify-trades", "withdraw-funds"}
    try:
        looked = (await browser.get("/api/accounts/main/preflight")).json()
    finally:
        key.rights.clear()
        key.rights.update(rights)
    failed = [one for one in looked["checks"] if one["outcome"] == "failed"]
    assert [one["name"] for one in failed] == ["key can only read"]
    page = (await browser.get("/accounts/main")).text
    assert f'<td class="bad">{failed[0]["detail"]}' in page
    assert '<span class="outcome failed">key can only read' in (await browser.get("/accounts")).text
    again = (await browser.get("/api/accounts/main/preflight")).json()
    assert again == looked  # a look costs calls: within a minute it is the same


async def test_what_was_not_seen_says_why_and_when_it_was_seen_last(browsers: SignIn) -> None:
    browser = await browsers()
    found = (await browser.get("/api/accounts/main/vitals")).json()
    seen = {one["kind"]: one for one in found["seen"]}
    assert seen["orders"]["complete"] is None
    assert seen["orders"]["not_checked"][0]["reason"]
    assert seen["fills"]["complete"]
    page = (await browser.get("/accounts/main")).text
    assert seen["orders"]["not_checked"][0]["reason"] in page
    assert f'href="/runs/{seen["fills"]["reconciliation_id"]}"' in page


async def test_a_schedule_that_is_held_back_says_why_and_until_when(browsers: SignIn, here: World) -> None:
    scheduled(here)
    now = here.mint.clock.now()
    held = Held(Obstacle.LOCKOUT, now + timedelta(minutes=15))
    plan = Planned(account="main", due=held.until, because=Why.RETRY, failures=3, held=held, status="failed")
    await here.service.opened.schedules.save(Step(plan))
    browser = await browsers()
    page = (await browser.get("/accounts/main")).text
    assert "every further call would prolong that" in page
    assert '<dd class="bad">3</dd>' in page
    assert "because the run before it did not succeed" in page
    rows = (await browser.get("/accounts")).text
    assert rows.index("/accounts/main") < rows.index("/accounts/filed")  # what is in trouble comes first


async def test_who_stopped_the_runs_is_shown_and_lets_them_go_on(browsers: SignIn, here: World) -> None:
    scheduled(here)
    browser = await browsers("bob", Role.APPROVER)
    await browser.post("/api/accounts/main/pause")  # its schedule begins with it
    await browser.post("/api/accounts/main/pause")
    page = (await browser.get("/accounts/main")).text
    assert "stopped by <strong>bob</strong>" in page
    assert 'data-post="/api/accounts/main/resume"' in page
    assert 'data-post="/api/reconciliation' not in (await (await browsers("v", Role.VIEWER)).get("/accounts/main")).text


async def test_the_budget_is_shown_as_the_exchange_counts_it(browsers: SignIn, here: World) -> None:
    live = live_of(here.service.settings, "main")
    budget = Budget(limit=20.0, points_per_hour=3600, left=7.5, left_at=here.mint.clock.now())
    paced = replace(live.paced, interval=timedelta(hours=2))
    told = replace(live, budget=budget, paced=paced, stream=Listened(wanted=True, connected=False, because="<i>gone"))
    here.app.state.house = replace(here.app.state.house, live=lambda _: told)
    browser = await browsers()
    page = (await browser.get("/accounts/main")).text
    assert "<strong>12.5</strong> of 20 points spent" in page
    assert "stretched to <strong>2\u202fh</strong>" in page
    assert "&lt;i&gt;gone" in page
    assert "12.5 of 20" in (await browser.get("/accounts")).text


@pytest.mark.parametrize("after,seconds,left", [(5.0, 0, 5.0), (5.0, 4, 9.0), (19.0, 60, 20.0)])
def test_points_come_back_by_themselves(here: World, after: float, seconds: int, left: float) -> None:
    settings = here.service.settings
    main = replace(settings.accounts["main"], tier="pro")  # 20 points, one a second
    at = here.mint.clock.now() - timedelta(seconds=seconds)
    live = live_of(replace(settings, accounts={"main": main}), "main", left=(at, after))
    assert live.budget.left == pytest.approx(left, abs=0.5)
    assert live.budget.limit == 20


@pytest.mark.parametrize(
    "path", ["/accounts/main", "/accounts/nobody", "/api/accounts/main/vitals", "/api/accounts/main/preflight"]
)
async def test_another_account_is_not_there(browsers: SignIn, path: str) -> None:
    theirs = await browsers("eve", Role.ADMIN, Accounts(("spare",)))
    assert (await theirs.get(path)).status_code == 404
    assert "/accounts/main" not in (await theirs.get("/accounts")).text
