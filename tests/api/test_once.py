"""A call under a key is done once, whatever becomes of its answer on the way."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.adapters.clock import SystemClock
from gal_friday.api.once import REPLAYED
from gal_friday.domain.policy import Mode
from gal_friday.ports.answers import Answers, Asked, Claimed, Given
from gal_friday.ports.errors import StoreFailed
from tests.api.world import World


def under(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


async def commented(here: World) -> tuple[Any, str]:
    (one, *_) = await here.service.opened.store.discrepancies()
    return await here.as_(), f"/api/discrepancies/{one.id}/comment"


async def test_the_same_call_under_the_same_key_gets_the_first_answer_and_does_nothing(here: World) -> None:
    client, path = await commented(here)
    async with client:
        first = await client.post(path, json={"note": "once"}, headers=under("k"))
        second = await client.post(path, json={"note": "once"}, headers=under("k"))
        assert (second.status_code, second.content) == (200, first.content)
        assert (first.headers.get(REPLAYED), second.headers[REPLAYED]) == (None, "true")
        third = await client.post(path, json={"note": "once"}, headers=under("another"))
        assert third.json()["review"]["revision"] == 2


async def test_the_same_key_with_another_body_or_address_is_refused(here: World) -> None:
    client, path = await commented(here)
    async with client:
        await client.post(path, json={"note": "once"}, headers=under("k"))
        for other in (
            await client.post(path, json={"note": "twice"}, headers=under("k")),
            await client.post(path.replace("comment", "reopen"), json={"note": "once"}, headers=under("k")),
        ):
            assert (other.status_code, other.json()["type"]) == (422, "urn:gal-friday:problem:key-used")


async def test_a_key_belongs_to_who_sent_it(here: World) -> None:
    client, path = await commented(here)
    async with client, await here.as_(owner="bob") as bob:
        await client.post(path, json={"note": "mine"}, headers=under("k"))
        answer = await bob.post(path, json={"note": "mine"}, headers=under("k"))
    assert answer.json()["changes"][0]["actor"]["name"] == "bob"


async def test_what_was_refused_may_be_asked_again(here: World) -> None:
    lease = await here.service.opened.leases.acquire("main", owner="another", seconds=60)
    assert lease is not None
    async with await here.as_() as client:
        busy = await client.post("/api/reconciliation/run?account=main", headers=under("k"))
        await here.service.opened.leases.release(lease)
        done = await client.post("/api/reconciliation/run?account=main", headers=under("k"))
        again = await client.post("/api/reconciliation/run?account=main", headers=under("k"))
    assert (busy.status_code, done.status_code) == (409, 200)
    assert again.content == done.content


async def test_while_the_first_call_is_under_way_the_second_has_to_wait(here: World) -> None:
    begun, end = asyncio.Event(), asyncio.Event()

    async def slow(account: str, mode: Mode | None) -> Any:
        begun.set()
        await end.wait()
        return await here.service.run_reconciliation(account, mode=mode)

    here.app.state.backend = replace(here.app.state.backend, run=slow)
    async with await here.as_() as client:
        first = asyncio.create_task(client.post("/api/reconciliation/run?account=main", headers=under("k")))
        await begun.wait()
        second = await client.post("/api/reconciliation/run?account=main", headers=under("k"))
        end.set()
        assert (second.status_code, second.json()["type"]) == (409, "urn:gal-friday:problem:key-busy")
        assert (await first).status_code == 200


@pytest.mark.parametrize("fails", ["claim", "keep"])
async def test_a_key_that_could_not_be_given_back_is_given_back_to_the_next_call(here: World, fails: str) -> None:
    client, path = await commented(here)
    backend = here.app.state.backend
    here.app.state.backend = replace(backend, answers=Gone(backend.answers, fails))
    async with client:
        first = await client.post(path, json={"note": "once"}, headers=under("k"))
        second = await client.post(path, json={"note": "once"}, headers=under("k"))
    assert (first.status_code, second.status_code) == (503, 200)
    assert here.app.state.taken_keys == {}


class Gone:
    """Answers of a database that goes when one thing is done, and comes back after the key could not be given back."""

    def __init__(self, answers: Answers, fails: str) -> None:
        self._answers, self._fails, self._gone = answers, fails, False

    async def claim(self, asked: Asked, **limits: datetime) -> Claimed:
        taken = await self._answers.claim(asked, **limits)
        self._fail("claim")
        return taken

    async def keep(self, asked: Asked, answer: Given) -> None:
        self._fail("keep")
        await self._answers.keep(asked, answer)

    async def release(self, asked: Asked) -> None:
        gone, self._gone = self._gone, False
        if gone:
            raise StoreFailed("the database is gone")
        await self._answers.release(asked)

    async def forget(self, before: datetime) -> int:
        return await self._answers.forget(before)

    def _fail(self, what: str) -> None:
        if what == self._fails:
            self._fails, self._gone = "", True
            raise StoreFailed("the database is gone")


async def test_a_key_is_forgotten_after_its_time(here: World) -> None:
    client, path = await commented(here)
    backend = here.app.state.backend
    async with client:
        await client.post(path, json={"note": "once"}, headers=under("k"))
        here.app.state.backend = replace(
            backend, limits=replace(backend.limits, answers_kept=timedelta(0), answer_due=timedelta(0))
        )
        again = await client.post(path, json={"note": "once"}, headers=under("k"))
    assert again.json()["review"]["revision"] == 2


async def test_what_nobody_may_ask_for_again_is_removed(here: World) -> None:
    client, path = await commented(here)
    answers = here.service.opened.answers
    old = Asked(caller="token:x", key="old", what="POST", at=SystemClock().now() - timedelta(days=2))
    await answers.claim(old, stale_before=old.at, forgotten_before=old.at)
    async with client:
        await client.post(path, json={"note": "once"}, headers=under("k"))
    assert await answers.forget(SystemClock().now() - timedelta(days=1)) == 0


async def test_a_key_is_text_that_can_stand_in_a_header(here: World) -> None:
    client, path = await commented(here)
    async with client:
        for key in ("", "two words", "x" * 256):
            answer = await client.post(path, json={"note": "x"}, headers=under(key))
            assert answer.status_code == 422, key
