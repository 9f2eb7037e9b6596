"""Who is let in by a token, and what everybody else is told."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from gal_friday.adapters.access import MemoryAccess
from gal_friday.domain.access import Accounts, Permission, Role
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.token_text import written
from gal_friday.flows import users
from gal_friday.flows.tokens import BadToken, Wanted, issue, revoke
from gal_friday.ports.errors import StoreFailed
from tests.api.house import ROOT, House, bearer, code


@pytest.fixture
async def house() -> AsyncIterator[House]:
    built = House()
    yield built
    await built.programs.aclose()


async def test_the_owner_of_a_token_is_who_acts(house: House) -> None:
    answer = await house.get(await house.token())
    assert answer.json() == {"name": "bot", "known_by": "token"}


async def test_without_proof_the_answer_says_what_to_send(house: House) -> None:
    answer = await house.get(None)
    assert code(answer) == (401, "no-proof")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="gal-friday"'


async def test_a_wrong_secret_and_an_unknown_id_are_answered_alike(house: House) -> None:
    known, other = await house.token(), await house.token()
    await revoke(house.mint, other[3:13], ROOT)
    wrong = written(bytes.fromhex(known[3:13]), b"\x07" * 32)
    of_a_revoked_one = written(bytes.fromhex(other[3:13]), b"\x07" * 32)
    unknown = written(bytes(5), b"\x07" * 32)
    answers = [await house.get(text) for text in (wrong, of_a_revoked_one, unknown)]
    assert {code(answer) for answer in answers} == {(401, "unknown")}
    assert len({answer.text for answer in answers}) == 1


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "Bearer gf_",
        "bearer {cut}",
        "{whole}",
        "Token {whole}",
        "Bearer {whole} x",
    ],
)
async def test_what_is_no_token_is_told_apart_and_not_quoted(house: House, header: str) -> None:
    token = await house.token()
    sent = header.format(cut=token[:-1], whole=token)
    answer = await house.programs.get("/read", headers={"Authorization": sent})
    assert code(answer) == (401, "malformed")
    assert token[14:-1] not in answer.text
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="gal-friday", error="invalid_token"'


async def test_two_tokens_in_one_call_are_none(house: House) -> None:
    both = [("Authorization", f"Bearer {await house.token()}") for _ in range(2)]
    assert code(await house.programs.get("/read", headers=both)) == (401, "malformed")


async def test_a_revoked_token_is_refused_at_once(house: House) -> None:
    token = await house.token()
    assert (await house.get(token)).status_code == 200
    assert await revoke(house.mint, token[3:13], ROOT)
    assert code(await house.get(token)) == (401, "revoked")
    assert not await revoke(house.mint, token[3:13], ROOT)


async def test_a_token_ends_at_its_end_and_not_before(house: House) -> None:
    token = await house.token(lasts=timedelta(hours=1))
    house.clock.advance(3599.999999)
    assert (await house.get(token)).status_code == 200
    house.clock.advance(0.000001)
    assert code(await house.get(token)) == (401, "expired")


async def test_a_token_may_no_more_than_its_role(house: House) -> None:
    answer = await house.programs.post("/approve/main", headers=bearer(await house.token(Role.REVIEWER)))
    assert code(answer) == (403, "forbidden")


async def test_a_token_may_no_more_than_its_scopes(house: House) -> None:
    token = await house.token(Role.REVIEWER, scopes=frozenset({Permission.METRICS}))
    assert code(await house.get(token)) == (403, "forbidden")


async def test_a_token_may_no_more_than_its_owner_may_now(house: House) -> None:
    await house.user("alice", Role.APPROVER)
    headers = bearer(await house.token(Role.APPROVER, owner="Alice"))
    assert (await house.programs.post("/approve/main", headers=headers)).json() == "alice"
    await users.set_role(house.register, "alice", Role.APPROVER, Accounts(("other",)), ROOT)
    assert code(await house.programs.post("/approve/main", headers=headers)) == (404, "unknown-account")
    await users.set_role(house.register, "alice", Role.VIEWER, None, ROOT)
    assert code(await house.programs.post("/approve/other", headers=headers)) == (403, "forbidden")
    await users.disable(house.register, "alice", ROOT)
    assert code(await house.programs.post("/approve/other", headers=headers)) == (401, "disabled")


async def test_an_account_of_somebody_else_is_none_that_exists(house: House) -> None:
    await house.user()
    headers = bearer(await house.token(Role.APPROVER, Accounts(("main",)), owner="alice"))
    assert (await house.programs.post("/approve/main", headers=headers)).status_code == 200
    other = await house.programs.post("/approve/other", headers=headers)
    none = await house.programs.post("/approve/nope", headers=headers)
    assert (other.status_code, none.status_code) == (404, 404)
    assert other.json()["detail"].replace("other", "nope") == none.json()["detail"]


async def test_when_a_token_was_used_is_written_once_a_minute(house: House) -> None:
    token, begun = await house.token(), house.clock.now()
    for _ in range(3):
        await house.get(token)
        house.clock.advance(30)
    (kept,) = await house.access.tokens()
    assert kept.last_used == begun + timedelta(seconds=60)


class Full(MemoryAccess):
    """Who is known, on a disk that is full."""

    async def token_used(self, token_id: str, at: datetime) -> None:
        """Keep nothing."""
        raise StoreFailed("the database cannot grow: the disk is full")

    async def session_seen(self, digest: str, at: datetime) -> None:
        """Keep nothing."""
        raise StoreFailed("the database cannot grow: the disk is full")


async def test_whoever_only_looks_is_let_in_though_the_disk_is_full() -> None:
    house = House(Full())
    assert (await house.get(await house.token())).status_code == 200
    await house.user()
    browser = house.browser()
    await browser.sign_in()
    house.clock.advance(600)
    assert (await browser.get("/read")).status_code == 200


async def test_making_and_ending_a_token_are_facts_without_its_secret(house: House) -> None:
    token = await house.token()
    await revoke(house.mint, token[3:13], ROOT)
    assert [(fact.kind, fact.subject, fact.actor) for fact in house.facts] == [
        ("token_created", token[3:13], ROOT),
        ("token_revoked", token[3:13], ROOT),
    ]
    assert token[14:] not in str(house.facts)
    assert (await house.access.tokens())[0].digest not in str(house.facts)


async def test_whoever_keeps_trying_is_told_to_wait_and_a_good_token_is_let_in_all_the_same(house: House) -> None:
    good, bad = await house.token(), written(bytes(5), b"\x07" * 32)
    answers = [code(await house.get(bad)) for _ in range(61)]
    assert answers[:60] == [(401, "unknown")] * 60
    refused = await house.get(bad)
    assert (code(refused), refused.headers["Retry-After"]) == ((429, "throttled"), "1")
    assert (await house.get(good)).status_code == 200
    async with house.client("10.0.0.9") as other:
        assert code(await other.get("/read", headers=bearer(bad))) == (401, "unknown")


async def made(house: House, by: str, **wanted: object) -> None:
    fields: dict[str, object] = {"name": "n", "owner": "bot", "role": Role.VIEWER}
    user = await house.access.user(by)
    assert user is not None
    await issue(house.mint, Wanted(**(fields | wanted)), Actor(by, KnownBy.SESSION), user.grant)  # type: ignore[arg-type]


async def test_a_program_that_nobody_stands_behind_does_not_approve(house: House) -> None:  # I11
    for role in (Role.APPROVER, Role.ADMIN):
        with pytest.raises(BadToken, match="acts for a person"):
            await house.token(role, owner="second alice")
    await house.token(Role.APPROVER, owner="reader", scopes=frozenset({Permission.READ}))


async def test_nobody_makes_a_token_that_acts_as_somebody_else(house: House) -> None:  # I11
    await house.user("root2", Role.ADMIN)
    await house.user("bob", Role.APPROVER)
    with pytest.raises(BadToken, match="only bob"):
        await made(house, "root2", owner="BOB", role=Role.APPROVER)
    await made(house, "root2", owner="root2", role=Role.APPROVER)


async def test_nobody_hands_out_more_than_they_may(house: House) -> None:
    await house.user("some", Role.REVIEWER, Accounts(("main",)))
    for wanted in ({"role": Role.APPROVER, "owner": "some"}, {}, {"accounts": Accounts(("main", "other"))}):
        with pytest.raises(BadToken, match="more than they may"):
            await made(house, "some", **wanted)
    await made(house, "some", accounts=Accounts(("main",)))


@pytest.mark.parametrize("lasts", [timedelta(0), timedelta(days=-1), timedelta(days=367)])
async def test_a_token_lasts_for_a_year_at_most(house: House, lasts: timedelta) -> None:
    with pytest.raises(BadToken, match="1 to 366 days"):
        await house.token(lasts=lasts)
