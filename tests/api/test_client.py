"""The client of the library against a real server on loopback, and the example that is built on it."""

import asyncio
from contextlib import aclosing
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from msgspec.structs import replace

from examples.bot import trade
from gal_friday.adapters.kraken.exports import read_exports
from gal_friday.client import Client, Patience, Problem, Unreachable
from gal_friday.domain.access import Permission, Role
from gal_friday.domain.gate import Why
from gal_friday.domain.policy import Mode
from tests.api.world import World, served

HASTY = Patience(attempts=3, first_wait=0.001, longest_wait=0.01, seconds=5)


class Flaky(httpx2.AsyncBaseTransport):
    """Loses answers on their way: the service has done what it was asked for, and nobody hears of it."""

    def __init__(self, app: Any, lose: int) -> None:
        self._inner, self.lose = httpx2.ASGITransport(app), lose
        self.calls: list[httpx2.Request] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.calls.append(request)
        answer = await self._inner.handle_async_request(request)
        if self.lose:
            self.lose -= 1
            raise httpx2.ReadError("the connection was lost")
        return answer


def flaky(here: World, token: str, lose: int) -> tuple[Client, Flaky]:
    way = Flaky(here.app, lose)
    http = httpx2.AsyncClient(transport=way, base_url="http://localhost")
    return Client("", token, patience=HASTY, http=http), way


async def test_a_bot_pushes_what_it_traded_and_asks_the_gate(here: World) -> None:
    exports = read_exports(here.folder / "ledgers.csv", here.folder / "trades.csv")
    said: list[str] = []
    async with served(here.app) as url, Client(url, await here.token_for_everything(), patience=HASTY) as service:
        assert await trade(service, "main", "BTC/USD", said.append) is False
        assert "never" not in said[0]
        assert "no run has seen the whole account yet" in said[0]
        done = await service.push_fills("main", [one for one in exports.fills if one.fill_id == here.missed])
        assert done.new == 1
        await service.push_movements("main", [one for one in exports.movements if one.refers_to == here.missed])
        for found in await orders_of(here):
            await service.push_orders("main", [found])
        report = await service.run("main")
        assert report["verdict"] == "reconciled", report["not_checked"]
        assert (await service.gate("main", "BTC/USD")).may_trade
        assert (await service.gate("main", "XBT/USD")).because[0].why is Why.NOT_SEEN
        assert await trade(service, "main", "BTC/USD", said.append) is True
        status = await service.status("main")
    assert said[-1].startswith("traded 0.001 BTC/USD")
    assert (status.consecutive_failures, status.last_report and status.last_report["verdict"]) == (0, "reconciled")


async def orders_of(here: World) -> tuple[Any, ...]:
    """Return the orders as the exchange has them: Kraken's exports do not list them."""
    report = await here.service.run_reconciliation("main", mode=Mode.OBSERVE)
    decided = [one.candidate.adjustment for one in report.decisions if one.candidate.adjustment is not None]
    return tuple(posting.order for made in decided for posting in made.postings if hasattr(posting, "order"))


async def test_without_an_answer_the_bot_does_not_trade(here: World) -> None:
    said: list[str] = []
    async with Client("http://127.0.0.1:9", "gf_x", patience=HASTY) as service:
        assert await trade(service, "main", "BTC/USD", said.append) is False
    assert said[0].startswith("not trading: GET /api/gate/main/BTC/USD has no answer after 3 attempts")


async def test_an_answer_that_was_lost_is_fetched_again_and_nothing_is_done_twice(here: World) -> None:
    exports = read_exports(here.folder / "ledgers.csv", here.folder / "trades.csv")
    missed = [one for one in exports.fills if one.fill_id == here.missed]
    service, way = flaky(here, await here.token_for_everything(), lose=2)
    async with service:
        done = await service.push_fills("main", missed)
    assert (done.new, done.already_known, len(way.calls)) == (1, 0, 3)
    assert len({call.headers["idempotency-key"] for call in way.calls}) == 1


async def test_a_call_that_is_made_again_on_purpose_has_a_key_of_its_own(here: World) -> None:
    service, way = flaky(here, await here.token_for_everything(), lose=0)
    async with service:
        await service.push_fills("main", [])
        await service.push_fills("main", [])
    assert len({call.headers["idempotency-key"] for call in way.calls}) == 2


async def test_a_service_that_stays_away_is_given_up_and_a_no_is_raised_at_once(here: World) -> None:
    service, way = flaky(here, await here.feeder(), lose=9)
    async with service:
        with pytest.raises(Unreachable, match="after 3 attempts"):
            await service.status()
        way.lose = 0
        with pytest.raises(Problem) as refused:
            await service.run("main")
        assert (refused.value.status, refused.value.code, len(way.calls)) == (403, "forbidden", 4)


async def test_an_adjustment_is_approved_for_what_was_looked_at_alone(here: World) -> None:
    await here.reconciled(mode=Mode.PROPOSE)
    service, _ = flaky(here, await here.token(Role.APPROVER, "bob"), lose=0)
    kept = [one for one in await here.service.opened.adjustments.adjustments() if one.adjustment.effects]
    async with service:
        assert len([one async for one in service.discrepancies("main")]) >= 5
        with pytest.raises(Problem, match="posts something else"):
            await service.approve(kept[0].id, content="another")
        done = await service.approve(kept[0].id, content=kept[0].adjustment.content, note="seen")
    assert (done.adjustment_id, done.state) == (kept[0].id, "applied")


async def test_events_arrive_as_they_happen_and_go_on_behind_the_last_one(here: World) -> None:
    async with served(here.app) as url, Client(url, await here.token(), patience=HASTY) as service:
        newest = await here.service.opened.journal_reading.newest()
        told: list[Any] = []

        async def listen() -> None:
            async with aclosing(service.events(after=newest - 2)) as stream:
                async for event in stream:
                    told.append(event)
                    if event.kind == "run_finished" and event.id > newest:
                        return

        listening = asyncio.create_task(listen())
        while len(told) < 2:  # noqa: ASYNC110 - the list is filled by the task above
            await asyncio.sleep(0.01)
        await here.reconciled()
        await asyncio.wait_for(listening, 10)
    assert [event.id for event in told] == list(range(newest - 1, told[-1].id + 1))
    assert told[-1].entry["account"] == "main"


async def test_a_stream_that_ends_is_opened_again_and_nothing_is_told_twice(here: World) -> None:
    backend = here.app.state.backend
    here.app.state.backend = replace(backend, limits=replace(backend.limits, stream_seconds=0.05))
    ids: list[int] = []
    token = await here.token()
    async with (
        served(here.app) as url,
        Client(url, token, patience=HASTY) as service,
        aclosing(service.events(after=0)) as stream,
    ):
        async for event in stream:
            ids.append(event.id)
            if len(ids) == 3:
                await here.reconciled()
            if event.id > 20:
                break
    assert ids == list(range(1, ids[-1] + 1))


async def test_the_token_of_a_bot_can_do_what_the_example_says(here: World) -> None:
    token = await here.token(Role.VIEWER, "bot", scopes=frozenset({Permission.READ, Permission.FEED}))
    service, _ = flaky(here, token, lose=0)
    async with service:
        answer = await service.gate("main", "BTC/USD", max_age_seconds=60)
        assert (await service.push_fills("spare", [])).version == 0
    assert answer.may_trade is False
    assert Decimal(answer.max_age_seconds) == 60
