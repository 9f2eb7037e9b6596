"""Who is let in by a token, and what everybody else is told."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends, FastAPI

from gal_friday.adapters.access import MemoryAccess, SystemChance
from gal_friday.adapters.clock import SteppedClock
from gal_friday.api.security import Caller, caller, check, secure
from gal_friday.domain.access import Accounts, Permission, Role
from gal_friday.domain.facts import Actor, Fact, KnownBy
from gal_friday.flows.door import Door
from gal_friday.flows.tokens import Mint, Wanted, issue, revoke

ROOT = Actor("root", KnownBy.SELF_DECLARED)


class House:
    """An application with two routes, and everything behind its door."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.clock = SteppedClock()
        self.access = MemoryAccess(self.facts.extend)
        self.mint = Mint(self.access, SystemChance(), self.clock)
        self.app = FastAPI()
        secure(self.app, Door(self.access, self.clock))
        self.app.get("/read")(self.read)
        self.app.post("/approve/{account}")(self.approve)
        self.client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(self.app, raise_app_exceptions=False), base_url="http://localhost"
        )

    async def read(self, who: Annotated[Caller, Depends(caller(Permission.READ))]) -> dict[str, Any]:
        return {"name": who.actor.name, "known_by": who.actor.known_by}

    async def approve(self, account: str, who: Annotated[Caller, Depends(caller(Permission.APPROVE))]) -> str:
        check(who, Permission.APPROVE, account)
        return who.actor.name

    async def token(self, role: Role = Role.VIEWER, accounts: Accounts = Accounts(), **more: Any) -> str:  # noqa: B008
        wanted = Wanted(name="test", owner="bot", role=role, accounts=accounts, **more)
        return (await issue(self.mint, wanted, ROOT)).text

    async def get(self, token: str | None) -> httpx2.Response:
        return await self.client.get("/read", headers=bearer(token))


def bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def house() -> AsyncIterator[House]:
    built = House()
    yield built
    await built.client.aclose()


async def test_the_owner_of_a_token_is_who_acts(house: House) -> None:
    answer = await house.get(await house.token())
    assert answer.json() == {"name": "bot", "known_by": "token"}


async def test_without_proof_the_answer_says_what_to_send(house: House) -> None:
    answer = await house.get(None)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="gal-friday"'
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:gal-friday:problem:no-proof"


async def test_a_wrong_secret_and_an_unknown_id_are_answered_alike(house: House) -> None:
    known, other = await house.token(), await house.token()
    await revoke(house.mint, other[3:13], ROOT)
    from gal_friday.domain.token_text import written

    wrong = written(bytes.fromhex(known[3:13]), b"\x07" * 32)
    of_a_revoked_one = written(bytes.fromhex(other[3:13]), b"\x07" * 32)
    unknown = written(bytes(5), b"\x07" * 32)
    answers = [await house.get(text) for text in (wrong, of_a_revoked_one, unknown)]
    assert [answer.status_code for answer in answers] == [401] * 3
    assert len({answer.text for answer in answers}) == 1


async def test_a_token_that_was_not_copied_whole_is_told_apart(house: House) -> None:
    answer = await house.get((await house.token())[:-1])
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:gal-friday:problem:malformed")


async def test_a_revoked_token_is_refused_at_once(house: House) -> None:
    token = await house.token()
    assert (await house.get(token)).status_code == 200
    assert await revoke(house.mint, token[3:13], ROOT)
    answer = await house.get(token)
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:gal-friday:problem:revoked")
    assert not await revoke(house.mint, token[3:13], ROOT)


async def test_a_token_ends_at_its_end_and_not_before(house: House) -> None:
    token = await house.token(lasts=timedelta(hours=1))
    house.clock.advance(3599.999999)
    assert (await house.get(token)).status_code == 200
    house.clock.advance(0.000001)
    answer = await house.get(token)
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:gal-friday:problem:expired")


async def test_a_token_may_no_more_than_its_role(house: House) -> None:
    headers = bearer(await house.token(Role.REVIEWER))
    answer = await house.client.post("/approve/main", headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:gal-friday:problem:forbidden")


async def test_an_account_of_somebody_else_is_none_that_exists(house: House) -> None:
    headers = bearer(await house.token(Role.APPROVER, Accounts(("main",))))
    assert (await house.client.post("/approve/main", headers=headers)).status_code == 200
    other = await house.client.post("/approve/other", headers=headers)
    none = await house.client.post("/approve/nope", headers=headers)
    assert (other.status_code, none.status_code) == (404, 404)
    assert other.json()["detail"].replace("other", "nope") == none.json()["detail"]


async def test_when_a_token_was_used_is_written_once_a_minute(house: House) -> None:
    token, begun = await house.token(), house.clock.now()
    for _ in range(3):
        await house.get(token)
        house.clock.advance(30)
    (kept,) = await house.access.tokens()
    assert kept.last_used == begun + timedelta(seconds=60)


async def test_making_and_ending_a_token_are_facts_without_its_secret(house: House) -> None:
    token = await house.token()
    await revoke(house.mint, token[3:13], ROOT)
    assert [(fact.kind, fact.subject, fact.actor) for fact in house.facts] == [
        ("token_created", token[3:13], ROOT),
        ("token_revoked", token[3:13], ROOT),
    ]
    assert token[14:] not in str(house.facts)
    assert (await house.access.tokens())[0].digest not in str(house.facts)
