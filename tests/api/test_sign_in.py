"""Signing in, staying signed in and out again; and everything that somebody tries who is not that person."""

from collections.abc import AsyncIterator

import pytest

from gal_friday.api.browser import PLAIN_COOKIE, SECURE_COOKIE
from gal_friday.api.reception import Front
from gal_friday.domain.access import Accounts, Role
from gal_friday.domain.facts import FactKind
from gal_friday.flows import users
from gal_friday.flows.door import by_session, is_still_in
from gal_friday.flows.sign_in import link_for
from tests.api.house import PASSWORD, ROOT, House, bearer, code


@pytest.fixture
async def house() -> AsyncIterator[House]:
    built = House()
    await built.user()
    yield built
    await built.programs.aclose()


async def test_whoever_signs_in_is_who_acts(house: House) -> None:
    browser = house.browser()
    answer = await browser.sign_in()
    assert answer.status_code == 200
    assert (await browser.get("/read")).json() == {"name": "alice", "known_by": "session"}
    me = (await browser.get("/api/me")).json()
    assert me["permissions"] == ["read", "metrics", "run", "review", "approve", "operate"]
    assert (me["role"], me["accounts"], me["fresh"]) == ("approver", None, True)
    assert me["form_token"] == answer.json()["form_token"]


async def test_the_cookie_is_out_of_reach_of_pages_and_other_sites(house: House) -> None:
    (cookie,) = (await house.browser().sign_in()).headers.get_list("set-cookie")
    assert cookie.startswith(f"{PLAIN_COOKIE}=")
    assert {part.strip().lower() for part in cookie.split(";")[1:]} == {"httponly", "path=/", "samesite=lax"}


async def test_over_tls_only_this_very_host_can_have_set_the_cookie() -> None:
    house = House(scheme="https", host="books.example.org", front=Front(hosts=frozenset({"books.example.org"})))
    await house.user()
    browser = house.browser()
    (cookie,) = (await browser.sign_in()).headers.get_list("set-cookie")
    assert cookie.startswith(f"{SECURE_COOKIE}=")
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert parts == {"httponly", "path=/", "samesite=lax", "secure"}
    # A name that another host of the domain could have set is not looked at.
    planted = {"Cookie": f"{PLAIN_COOKIE}={browser.cookie()}"}
    assert code(await house.programs.get("/read", headers=planted)) == (401, "no-proof")


async def test_nobody_signs_in_to_another_machine_in_the_open() -> None:
    house = House(host="books.example.org", front=Front(hosts=frozenset({"books.example.org"})))
    await house.user()
    answer = await house.browser().sign_in()
    assert code(answer) == (403, "not-secure")
    assert "set-cookie" not in answer.headers


async def test_two_sessions_in_one_browser_are_none(house: House) -> None:
    browser = house.browser()
    await browser.sign_in()
    shown = {"Cookie": f"{PLAIN_COOKIE}={browser.cookie()}; {PLAIN_COOKIE}=planted"}
    assert code(await house.programs.get("/read", headers=shown)) == (401, "malformed")


@pytest.mark.parametrize("value", ["", "x", "ü", "a" * 5000, "'; DROP TABLE sessions; --", "\x00"])
async def test_a_cookie_that_somebody_made_up_is_no_session(house: House, value: str) -> None:
    answer = await house.programs.get("/read", headers={b"Cookie": f"{PLAIN_COOKIE}={value}".encode("latin-1")})
    assert code(answer) in {(401, "expired"), (401, "no-proof")}


async def test_a_session_is_worth_nothing_after_signing_out(house: House) -> None:
    browser = house.browser()
    await browser.sign_in()
    stolen = {"Cookie": f"{PLAIN_COOKIE}={browser.cookie()}"}
    assert (await house.programs.get("/read", headers=stolen)).status_code == 200
    answer = await browser.delete("/api/session")
    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert code(await house.programs.get("/read", headers=stolen)) == (401, "expired")
    assert house.kinds()[-2:] == [FactKind.SIGNED_IN, FactKind.SIGNED_OUT]


async def test_a_session_that_somebody_prepared_is_not_the_one_that_begins(house: House) -> None:  # fixation
    attacker, victim = house.browser(), house.browser()
    await house.user("mallory", Role.VIEWER)
    await attacker.sign_in("mallory")
    prepared = attacker.cookie()
    victim.client.cookies.set(PLAIN_COOKIE, prepared)
    await victim.sign_in()
    fresh = [one.value for one in victim.client.cookies.jar if one.value != prepared]
    assert len(fresh) == 1
    # And the prepared one is over: it was replaced by what began in its place.
    assert code(await attacker.get("/read")) == (401, "expired")


async def test_every_sign_in_has_an_id_of_its_own(house: House) -> None:
    browser = house.browser()
    ids = set()
    for _ in range(3):
        await browser.sign_in()
        ids.add(browser.cookie())
    assert len(ids) == 3


async def test_an_idle_session_ends_and_a_used_one_goes_on_to_its_end(house: House) -> None:
    idle, used = house.browser(), house.browser()
    await idle.sign_in()
    await used.sign_in()
    for _ in range(12 * 2 - 1):
        house.clock.advance(30 * 60)
        assert (await used.get("/read")).status_code == 200
    assert code(await idle.get("/read")) == (401, "expired")
    house.clock.advance(30 * 60)
    assert code(await used.get("/read")) == (401, "expired")


async def test_an_hour_without_a_call_is_the_end_and_a_moment_less_is_not(house: House) -> None:
    browser = house.browser()
    await browser.sign_in()
    house.clock.advance(3599.999999)
    assert (await browser.get("/read")).status_code == 200
    house.clock.advance(3600)
    assert code(await browser.get("/read")) == (401, "expired")


async def test_what_somebody_may_changes_with_their_next_call(house: House) -> None:
    browser = house.browser()
    await browser.sign_in()
    assert (await browser.post("/approve/main")).status_code == 200
    await users.set_role(house.register, "alice", Role.REVIEWER, None, ROOT)
    assert code(await browser.post("/approve/main")) == (403, "forbidden")
    await users.disable(house.register, "alice", ROOT)
    assert code(await browser.get("/read")) == (401, "expired")
    await users.enable(house.register, "alice", ROOT)
    assert code(await browser.get("/read")) == (401, "expired")


async def test_whoever_stays_connected_is_in_until_their_session_ends(house: House) -> None:
    browser = house.browser()
    await browser.sign_in()
    door = house.entry.door
    who = await by_session(door, browser.cookie())
    house.clock.advance(3599)
    assert await is_still_in(door, who)
    house.clock.advance(1)
    assert not await is_still_in(door, who)  # having stayed connected was no use of the session
    await browser.sign_in()
    who = await by_session(door, browser.cookie())
    await users.set_role(house.register, "alice", Role.REVIEWER, None, ROOT)
    assert not await is_still_in(door, who)
    who = await by_session(door, browser.cookie())
    await browser.delete("/api/session")
    assert not await is_still_in(door, who)


async def test_another_password_ends_every_session(house: House) -> None:
    browser = house.browser()
    await browser.sign_in()
    await users.set_password(house.register, "alice", "another horse battery staple", ROOT)
    assert code(await browser.get("/read")) == (401, "expired")
    assert code(await browser.sign_in()) == (401, "unknown")
    assert (await browser.sign_in(password="another horse battery staple")).status_code == 200


@pytest.mark.parametrize(
    "headers, refused",
    [
        ({}, True),
        ({"Origin": "http://evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "http://localhost:9999"}, True),
        ({"Origin": "https://localhost:8321"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost:8321"}, True),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:8321"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"}, True),
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "http://localhost:8321"}, False),
    ],
)
async def test_what_another_site_sends_is_refused(house: House, headers: dict[str, str], refused: bool) -> None:
    browser = house.browser()
    await browser.sign_in()
    shown = {"Cookie": f"{PLAIN_COOKIE}={browser.cookie()}", "X-Form-Token": browser.client.headers["X-Form-Token"]}
    answer = await house.programs.post("/touch", headers=shown | headers)
    assert (answer.status_code == 403) is refused
    # Nor does it sign anybody in (under the attacker's name, for what the victim types next).
    proof = {"name": "alice", "password": PASSWORD}
    answer = await house.programs.post("/api/session", json=proof, headers=headers)
    assert (answer.status_code == 403) is refused


async def test_a_page_that_could_not_read_its_token_changes_nothing(house: House) -> None:
    browser, other = house.browser(), house.browser()
    await browser.sign_in()
    await other.sign_in()
    for token in ("", "x", other.client.headers["X-Form-Token"]):
        browser.client.headers["X-Form-Token"] = token
        assert code(await browser.post("/touch")) == (403, "cross-site")
        assert code(await browser.delete("/api/session")) == (403, "cross-site")
    assert (await browser.get("/read")).status_code == 200


async def test_a_program_needs_none_of_this(house: House) -> None:
    headers = bearer(await house.token()) | {"Origin": "http://evil.example"}
    assert (await house.programs.post("/touch", headers=headers)).status_code == 200


async def test_a_token_beside_a_session_is_what_counts(house: House) -> None:
    browser = house.browser()
    await browser.sign_in()
    token = await house.token()
    shown = bearer(token) | {"Cookie": f"{PLAIN_COOKIE}={browser.cookie()}"}
    assert (await house.programs.get("/read", headers=shown)).json()["name"] == "bot"
    bad = bearer(token[:-1]) | {"Cookie": f"{PLAIN_COOKIE}={browser.cookie()}"}
    assert code(await house.programs.get("/read", headers=bad)) == (401, "malformed")
    assert code(await house.programs.delete("/api/session", headers=bearer(token))) == (403, "forbidden")


async def test_approving_asks_for_a_proof_of_a_short_while_ago(house: House) -> None:
    browser = house.browser()
    await browser.sign_in()
    house.clock.advance(599.999999)
    assert (await browser.post("/approve/main")).status_code == 200
    house.clock.advance(0.000001)
    assert code(await browser.post("/approve/main")) == (403, "prove-again")
    assert (await browser.get("/api/me")).json()["fresh"] is False
    assert (await browser.post("/touch")).status_code == 200
    old = browser.cookie()
    assert code(await browser.post("/api/session/step-up", {"password": "wrong password here"})) == (401, "unknown")
    assert code(await browser.post("/approve/main")) == (403, "prove-again")
    assert (await browser.post("/api/session/step-up", {"password": PASSWORD})).status_code == 200
    assert (await browser.post("/approve/main")).status_code == 200
    assert browser.cookie() != old
    stolen = {"Cookie": f"{PLAIN_COOKIE}={old}"}
    assert code(await house.programs.get("/read", headers=stolen)) == (401, "expired")
    assert house.kinds()[-1] == FactKind.STEPPED_UP


async def test_proving_it_again_does_not_make_a_session_longer(house: House) -> None:
    browser = house.browser()
    await browser.sign_in()
    for _ in range(23):
        house.clock.advance(30 * 60)
        assert (await browser.post("/api/session/step-up", {"password": PASSWORD})).status_code == 200
    house.clock.advance(30 * 60)
    assert code(await browser.get("/read")) == (401, "expired")


async def test_somebody_elses_proof_is_none(house: House) -> None:
    await house.user("bob", Role.ADMIN)
    browser = house.browser()
    await browser.sign_in()
    await users.set_password(house.register, "bob", "some other four words", ROOT)
    answer = await browser.post("/api/session/step-up", {"password": "some other four words"})
    assert code(answer) == (401, "unknown")


async def test_a_link_signs_in_once(house: House) -> None:
    alice = await house.access.user("alice")
    assert alice is not None
    secret = await link_for(house.access, house.entry.chance, house.clock, alice)
    browser = house.browser()
    assert (await browser.post("/api/session/link", {"link": secret})).status_code == 200
    assert (await browser.get("/read")).json()["name"] == "alice"
    assert code(await house.browser().post("/api/session/link", {"link": secret})) == (401, "unknown")
    late = await link_for(house.access, house.entry.chance, house.clock, alice)
    house.clock.advance(30 * 60)
    assert code(await house.browser().post("/api/session/link", {"link": late})) == (401, "unknown")


async def test_who_is_disabled_is_let_in_by_nothing(house: House) -> None:
    alice = await house.access.user("alice")
    assert alice is not None
    link = await link_for(house.access, house.entry.chance, house.clock, alice)
    await users.disable(house.register, "alice", ROOT)
    assert code(await house.browser().sign_in()) == (401, "unknown")
    assert code(await house.browser().post("/api/session/link", {"link": link})) == (401, "unknown")


async def test_somebody_without_a_password_is_let_in_by_none(house: House) -> None:
    await users.add(house.register, "demo", Role.ADMIN, Accounts(), None, ROOT)
    for password in ("", "None", "nobody has this password"):
        answer = await house.browser().sign_in("demo", password)
        assert answer.status_code in {401, 422}


async def test_only_an_admin_makes_tokens_and_sees_each_secret_once(house: House) -> None:
    await house.user("boss", Role.ADMIN)
    browser, other = house.browser(), house.browser()
    await browser.sign_in("boss")
    await other.sign_in("alice")
    wanted = {"name": "the bot", "owner": "bot-1", "role": "viewer", "scopes": ["read", "feed"], "accounts": ["main"]}
    assert code(await other.post("/api/tokens", wanted)) == (403, "forbidden")
    made = (await browser.post("/api/tokens", wanted)).json()
    assert (await house.get(made["token"])).json()["name"] == "bot-1"
    listed = await browser.get("/api/tokens")
    assert made["token"][14:] not in listed.text
    (row,) = listed.json()["tokens"]
    assert {key: row[key] for key in ("accounts", "scopes", "role", "created_by")} == {
        "accounts": ["main"],
        "scopes": ["feed", "read"],
        "role": "viewer",
        "created_by": "boss",
    }
    assert (await browser.delete(f"/api/tokens/{made['id']}")).status_code == 204
    assert code(await browser.delete(f"/api/tokens/{made['id']}")) == (404, "unknown-token")
    assert code(await house.get(made["token"])) == (401, "revoked")


async def test_an_admin_of_some_accounts_administers_nothing(house: House) -> None:
    await house.user("half", Role.ADMIN, Accounts(("main",)))
    browser = house.browser()
    await browser.sign_in("half")
    assert code(await browser.get("/api/tokens")) == (403, "forbidden")
