"""What somebody is told who does not know the password, how long it takes, and how often they may try."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gal_friday.adapters.access import MemoryAccess
from gal_friday.adapters.access.passwords import Argon2Passwords
from gal_friday.adapters.clock import SystemClock
from gal_friday.domain.credentials import User
from gal_friday.domain.facts import FactKind
from gal_friday.flows import users
from tests.api.house import PASSWORD, House, code


@pytest.fixture
async def house() -> AsyncIterator[House]:
    built = House()
    await built.user()
    yield built
    await built.programs.aclose()


@pytest.mark.parametrize("name", ["nobody", "", " ", "alice\x00", "Ａlice\u200b", "a" * 200, "ali ce;--", "李" * 100])
async def test_what_was_wrong_is_not_said(house: House, name: str) -> None:
    answer = await house.browser().sign_in(name, "wrong password here")
    known = await house.browser("10.0.0.1").sign_in("alice", "wrong password here")
    if name:
        assert code(answer) == code(known) == (401, "unknown")
        assert answer.json() == known.json()
    else:
        assert answer.status_code == 422
    assert "wrong password here" not in answer.text


@pytest.mark.parametrize("name", ["ALICE", "Alice", "Ａlice", "Аlice", "al\u200bice"])
async def test_a_name_is_found_however_it_is_typed_and_is_one_person(house: House, name: str) -> None:
    browser = house.browser()
    await browser.sign_in(name)
    assert (await browser.get("/read")).json()["name"] == "alice"
    with pytest.raises(users.NameTaken):
        await house.user(name.replace("\u200b", ""))


async def test_nobody_waits_less_for_a_name_that_does_not_exist() -> None:
    house = House(passwords=Argon2Passwords())  # with the costs that hold outside of tests
    await house.user()
    clock = SystemClock()

    async def seconds(name: str, peer: str) -> float:
        begun = clock.monotonic()
        await house.browser(peer).sign_in(name, "wrong password here")
        return clock.monotonic() - begun

    await seconds("nobody", "10.9.9.9")  # makes what is compared with
    known = [await seconds("alice", f"10.0.0.{number}") for number in range(7)]
    nobody = [await seconds("nobody", f"10.0.1.{number}") for number in range(7)]
    # The quickest of each: what else the machine does only makes one slower. Without the hash it would be 1 : 100.
    assert 0.5 < min(known) / min(nobody) < 2
    assert min(nobody) > 0.02


async def test_guessing_is_throttled_and_told_once_in_a_while(house: House) -> None:
    browser = house.browser()
    answers = [await browser.sign_in("alice", f"wrong password {number}") for number in range(25)]
    assert [code(answer)[0] for answer in answers] == [401] * 5 + [429] * 20
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    # The right password does not help either, or it could be told from a wrong one.
    assert code(await browser.sign_in()) == (429, "throttled")
    told = [fact for fact in house.facts if fact.kind == FactKind.SIGN_IN_REFUSED]
    assert len(told) == 10
    assert {fact.subject for fact in told} == {"alice"}
    house.clock.advance(60)
    assert (await browser.sign_in()).status_code == 200


async def test_a_stranger_does_not_keep_somebody_out(house: House) -> None:
    stranger = house.browser("10.0.0.66")
    for _ in range(10):
        await stranger.sign_in("alice", "wrong password here")
    assert (await house.browser("10.0.0.1").sign_in()).status_code == 200


async def test_many_addresses_together_are_throttled_too(house: House) -> None:
    answers = [await house.browser(f"10.0.{n}.1").sign_in("alice", "wrong password here") for n in range(51)]
    assert [code(answer)[0] for answer in answers] == [401] * 50 + [429]


async def test_one_household_is_one_address(house: House) -> None:
    answers = [await house.browser(f"2001:db8::{n:x}").sign_in("alice", "wrong password here") for n in range(6)]
    assert [code(answer)[0] for answer in answers] == [401] * 5 + [429]


async def test_a_hundred_attempts_at_once_are_a_hundred_attempts(house: House) -> None:
    browser = house.browser()
    answers = await asyncio.gather(*(browser.sign_in("alice", f"wrong password {n}") for n in range(100)))
    assert [answer.status_code for answer in answers].count(401) == 5


class Exact(MemoryAccess):
    """Who is known, in a database that cannot be asked for a character NUL."""

    async def user(self, name: str) -> User | None:
        """Return nobody."""
        assert "\0" not in name
        return None


async def test_no_database_is_asked_for_a_name_that_none_can_hold() -> None:
    assert code(await House(Exact()).browser().sign_in("\0", PASSWORD)) == (401, "unknown")


async def test_those_who_know_their_password_are_not_counted(house: House) -> None:
    for _ in range(40):
        assert (await house.browser().sign_in()).status_code == 200


async def test_what_was_typed_as_a_name_is_not_kept(house: House) -> None:
    await house.browser().sign_in(PASSWORD, "alice")
    assert PASSWORD not in str(house.facts)


@pytest.mark.parametrize("password", ["x" * 1_000_000, "x" * 4_000, "\ud800" * 20, "\x00" * 20])
async def test_a_password_of_any_kind_is_answered(house: House, password: str) -> None:
    body = b'{"name": "alice", "password": "' + password.encode("utf-8", "surrogatepass").replace(b"\x00", b"\\u0000")
    answer = await house.browser().client.post(
        "/api/session", content=body + b'"}', headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in {400, 401, 422}


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b'{"name": 1, "password": []}', b'{"name": "a"}', b"\xff"])
async def test_what_is_no_sign_in_is_refused(house: House, body: bytes) -> None:
    sent = {"Content-Type": "application/json"}
    answer = await house.browser().client.post("/api/session", content=body, headers=sent)
    assert answer.status_code in {400, 422}


async def test_a_form_of_another_kind_is_no_sign_in(house: House) -> None:
    # What a page of another site can send without asking: text/plain that looks like JSON.
    body = b'{"name": "alice", "password": "' + PASSWORD.encode() + b'"}'
    answer = await house.browser().client.post("/api/session", content=body, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 422
