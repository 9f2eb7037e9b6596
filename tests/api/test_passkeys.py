"""Passkeys, with a device in software: added by who is signed in, and then enough to sign in with."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from gal_friday.domain.facts import FactKind
from gal_friday.flows import users
from tests.api.authenticator import PRESENT, VERIFIED, Authenticator
from tests.api.house import PASSWORD, ROOT, Browser, House, code

ORIGIN = "http://localhost:8321"


@pytest.fixture
async def house() -> AsyncIterator[House]:
    built = House()
    await built.user()
    yield built
    await built.programs.aclose()


async def signed_in(house: House, name: str = "alice") -> Browser:
    browser = house.browser()
    await browser.sign_in(name)
    return browser


async def add(browser: Browser, device: Authenticator, *, origin: str = ORIGIN) -> httpx2.Response:
    options = (await browser.post("/api/me/passkeys/options")).json()
    return await browser.post("/api/me/passkeys", {"name": "laptop", "answer": device.create(options, origin)})


async def use(browser: Browser, device: Authenticator, *, origin: str = ORIGIN, **changed: Any) -> httpx2.Response:
    options = (await browser.post("/api/session/passkey/options")).json()
    return await browser.post("/api/session/passkey", {"answer": device.get(options | changed, origin)})


async def test_a_passkey_signs_its_person_in_without_a_name(house: House) -> None:
    device = Authenticator()
    assert (await add(await signed_in(house), device)).status_code == 201
    browser = house.browser()
    assert (await use(browser, device)).status_code == 200
    assert (await browser.get("/read")).json() == {"name": "alice", "known_by": "session"}
    assert (await browser.post("/approve/main")).status_code == 200
    assert house.kinds()[1:] == [FactKind.SIGNED_IN, FactKind.PASSKEY_ADDED, FactKind.SIGNED_IN]
    assert house.facts[-1].body["how"] == "passkey"


async def test_the_options_ask_for_what_a_sign_in_without_a_name_needs(house: House) -> None:
    options = (await (await signed_in(house)).post("/api/me/passkeys/options")).json()
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["requireResidentKey"] is True
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["rp"] == {"id": "localhost", "name": "Gal-Friday"}
    assert options["user"]["name"] == "alice"
    assert len(base64url_to_bytes(options["challenge"])) == 32
    used = (await house.browser().post("/api/session/passkey/options")).json()
    assert (used["rpId"], used["allowCredentials"], used["userVerification"]) == ("localhost", [], "required")


async def test_a_device_that_is_known_is_told_so(house: House) -> None:
    browser, device = await signed_in(house), Authenticator()
    await add(browser, device)
    options = (await browser.post("/api/me/passkeys/options")).json()
    assert [one["id"] for one in options["excludeCredentials"]] == [bytes_to_base64url(device.id)]


async def test_a_passkey_proves_it_again(house: House) -> None:
    browser, device = await signed_in(house), Authenticator()
    await add(browser, device)
    house.clock.advance(600)
    assert code(await browser.post("/approve/main")) == (403, "prove-again")
    options = (await browser.post("/api/session/passkey/options")).json()
    answer = await browser.post("/api/session/step-up", {"answer": device.get(options, ORIGIN)})
    assert answer.status_code == 200
    assert (await browser.post("/approve/main")).status_code == 200


async def test_somebody_elses_passkey_proves_nothing(house: House) -> None:
    await house.user("bob")
    device = Authenticator()
    await add(await signed_in(house, "bob"), device)
    browser = await signed_in(house)
    options = (await browser.post("/api/session/passkey/options")).json()
    answer = await browser.post("/api/session/step-up", {"answer": device.get(options, ORIGIN)})
    assert code(answer) == (401, "unknown")


async def test_an_answer_is_good_once(house: House) -> None:
    device = Authenticator()
    await add(await signed_in(house), device)
    browser = house.browser()
    options = (await browser.post("/api/session/passkey/options")).json()
    answer = device.get(options, ORIGIN)
    assert (await browser.post("/api/session/passkey", {"answer": answer})).status_code == 200
    assert code(await house.browser().post("/api/session/passkey", {"answer": answer})) == (401, "unknown")


async def test_an_answer_that_comes_late_is_none(house: House) -> None:
    device = Authenticator()
    await add(await signed_in(house), device)
    browser = house.browser()
    options = (await browser.post("/api/session/passkey/options")).json()
    house.clock.advance(300)
    answer = {"answer": device.get(options, ORIGIN)}
    assert code(await browser.post("/api/session/passkey", answer)) == (401, "unknown")


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:9999", "https://localhost:8321", ""])
async def test_an_answer_for_another_site_is_none(house: House, origin: str) -> None:
    device = Authenticator()
    browser = await signed_in(house)
    assert (await add(browser, device, origin=origin)).status_code == 422
    await add(browser, device)
    assert code(await use(house.browser(), device, origin=origin)) == (401, "unknown")
    assert code(await use(house.browser(), device, rpId="evil.example")) == (401, "unknown")


async def test_an_answer_to_a_question_of_somebody_else_is_none(house: House) -> None:
    device = Authenticator()
    await add(await signed_in(house), device)
    made_up = bytes_to_base64url(b"\x05" * 32)
    assert code(await use(house.browser(), device, challenge=made_up)) == (401, "unknown")
    # Nor does the question of one ceremony do for the other.
    browser = await signed_in(house)
    options = (await browser.post("/api/me/passkeys/options")).json()
    options["rpId"] = "localhost"
    answer = {"answer": device.get(options, ORIGIN)}
    assert code(await house.browser().post("/api/session/passkey", answer)) == (401, "unknown")


async def test_a_new_passkey_is_of_who_asked_for_it(house: House) -> None:
    await house.user("bob")
    alice, bob = await signed_in(house), await signed_in(house, "bob")
    options = (await alice.post("/api/me/passkeys/options")).json()
    answer = {"name": "stolen", "answer": Authenticator().create(options, ORIGIN)}
    assert (await bob.post("/api/me/passkeys", answer)).status_code == 422


@pytest.mark.parametrize("flags", [PRESENT, VERIFIED, 0])
async def test_a_device_that_did_not_look_who_is_there_proves_nothing(house: House, flags: int) -> None:
    device = Authenticator()
    await add(await signed_in(house), device)
    device.flags = flags
    assert code(await use(house.browser(), device)) == (401, "unknown")


async def test_the_key_of_another_device_under_the_same_name_is_none(house: House) -> None:
    await add(await signed_in(house), Authenticator())
    assert code(await use(house.browser(), Authenticator())) == (401, "unknown")


async def test_a_copy_is_told_by_its_count(house: House) -> None:
    device = Authenticator()
    await add(await signed_in(house), device)
    for _ in range(3):
        assert (await use(house.browser(), device)).status_code == 200
    device.count = 1
    assert code(await use(house.browser(), device)) == (401, "unknown")


async def test_a_removed_passkey_lets_nobody_in(house: House) -> None:
    browser, device = await signed_in(house), Authenticator()
    made = (await add(browser, device)).json()
    assert (await browser.get("/api/me/passkeys")).json()["passkeys"][0]["name"] == "laptop"
    bob = await signed_in_bob(house)
    assert code(await bob.delete(f"/api/me/passkeys/{made['id']}")) == (404, "unknown-passkey")
    assert (await browser.delete(f"/api/me/passkeys/{made['id']}")).status_code == 204
    assert code(await use(house.browser(), device)) == (401, "unknown")


async def signed_in_bob(house: House) -> Browser:
    await house.user("bob")
    return await signed_in(house, "bob")


async def test_who_is_disabled_is_not_let_in_by_a_passkey(house: House) -> None:
    device = Authenticator()
    await add(await signed_in(house), device)
    await users.disable(house.register, "alice", ROOT)
    assert code(await use(house.browser(), device)) == (401, "unknown")


async def test_a_way_in_that_stays_asks_for_a_fresh_proof(house: House) -> None:
    browser = await signed_in(house)
    house.clock.advance(600)
    assert code(await browser.post("/api/me/passkeys/options")) == (403, "prove-again")
    await browser.post("/api/session/step-up", {"password": PASSWORD})
    assert (await browser.post("/api/me/passkeys/options")).status_code == 200


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"response": {}},
        {"response": None},
        {"response": {"clientDataJSON": "%%%"}},
        {"response": {"clientDataJSON": bytes_to_base64url(b"\xff\xfe")}},
        {"response": {"clientDataJSON": bytes_to_base64url(b"[]")}},
        {"response": {"clientDataJSON": bytes_to_base64url(b'{"challenge": 5, "type": [], "origin": {}}')}},
        {"response": {"clientDataJSON": "A" * 100_000}},
        {"id": ["x"] * 100},
        {"a": {"b": {"c": {"d": {"e": {}}}}}},
    ],
)
async def test_what_is_no_answer_is_refused(house: House, answer: dict[str, Any]) -> None:
    assert code(await house.browser().post("/api/session/passkey", {"answer": answer})) == (401, "unknown")
    browser = await signed_in(house)
    assert (await browser.post("/api/me/passkeys", {"name": "x", "answer": answer})).status_code == 422


async def test_answers_with_one_part_broken_are_refused(house: House) -> None:
    device = Authenticator()
    await add(await signed_in(house), device)
    for part in ("clientDataJSON", "authenticatorData", "signature"):
        browser = house.browser()
        options = (await browser.post("/api/session/passkey/options")).json()
        whole = device.get(options, ORIGIN)
        good = base64url_to_bytes(whole["response"][part])
        for bad in (b"", good[:-1], bytes([good[0] ^ 1]) + good[1:], good + b"x"):
            whole["response"][part] = bytes_to_base64url(bad)
            house.clock.advance(30)
            assert code(await browser.post("/api/session/passkey", {"answer": whole})) == (401, "unknown"), part


async def test_asking_for_questions_without_end_is_throttled(house: House) -> None:
    browser = house.browser()
    answers = [(await browser.post("/api/session/passkey/options")).status_code for _ in range(31)]
    assert answers == [200] * 30 + [429]
