"""What holds for every call: its name, where it comes from, its headers; and no secret in an address."""

import pytest

from gal_friday.api.reception import Front, counted
from gal_friday.api.shield import HEADERS, HSTS
from gal_friday.domain.token_text import written
from tests.api.house import House, code

TOKEN = written(bytes(5), bytes(32))
PROXIED = Front(hosts=frozenset({"books.example.org"}), proxies=("10.0.0.0/24", "fd00::1"))


@pytest.mark.parametrize("path", ["/read", "/nowhere", "/api/me"])
async def test_every_answer_has_every_header(path: str) -> None:
    answer = await House().programs.get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Request-Id"]
    assert "Strict-Transport-Security" not in answer.headers


async def test_the_policy_of_pages_is_strict() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


async def test_over_tls_browsers_are_told_to_stay_there() -> None:
    answer = await House(scheme="https").programs.get("/read")
    assert answer.headers["Strict-Transport-Security"] == HSTS


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8321",
        "localhost.evil.example",
        "127.0.0.1.nip.example",
        "",
        "0.0.0.0:8321",
        "LOCALHOST@x",
    ],
)
async def test_a_name_that_somebody_pointed_here_is_refused(host: str) -> None:  # DNS rebinding
    house = House()
    answer = await house.programs.get("/read", headers={"Host": host})
    assert code(answer) == (421, "unknown-host")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8321", "[::1]:8321", "[::1]", "localhost."])
async def test_a_name_of_ours_is_let_in_whatever_its_port(host: str) -> None:
    assert (await House().programs.get("/where", headers={"Host": host})).status_code == 200


async def test_two_names_are_none() -> None:
    answer = await House().programs.get("/read", headers=[("Host", "localhost"), ("Host", "evil.example")])
    assert code(answer) == (421, "unknown-host")


@pytest.mark.parametrize(
    "address",
    [
        f"/read?x={TOKEN}",
        f"/read/{TOKEN}",
        f"/read?token={TOKEN}",
        "/read?token=x",
        "/read?a=1&access_token=x",
        "/read?password=x",
        "/read?x=gf%5f0000000000%5F" + TOKEN[14:],
        "/read?x=gf%255f0000000000%255F" + TOKEN[14:],
    ],
)
async def test_a_secret_in_an_address_is_refused_and_not_repeated(address: str) -> None:
    answer = await House().programs.get(address)
    assert code(answer) == (400, "secret-in-address")
    assert TOKEN[14:] not in answer.text


@pytest.mark.parametrize("address", ["/read/%00", "/read?x=a%00b", "/%00"])
async def test_no_database_is_asked_for_what_none_can_hold(address: str) -> None:
    assert code(await House().programs.get(address)) == (422, "bad-address")


async def where(house: House, **headers: str) -> dict[str, str]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    answer: dict[str, str] = (await house.programs.get("/where", headers=sent)).json()
    return answer


async def test_nobody_but_a_proxy_of_ours_says_who_asks() -> None:
    told = {"X_Forwarded_For": "1.2.3.4", "X_Forwarded_Proto": "https"}
    stranger = await where(House(peer="192.0.2.7"), **told)
    assert (stranger["address"], stranger["scheme"]) == ("192.0.2.7", "http")
    assert (await where(House(peer="127.0.0.1"), **told))["address"] == "127.0.0.1"
    proxied = await where(House(peer="10.0.0.9", front=PROXIED, host="books.example.org"), **told)
    assert (proxied["address"], proxied["scheme"]) == ("1.2.3.4", "https")


@pytest.mark.parametrize(
    "forwarded, address",
    [
        ("6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("6.6.6.6, 1.2.3.4, 10.0.0.8", "1.2.3.4"),
        ("6.6.6.6,1.2.3.4,fd00::1,::ffff:10.0.0.7", "1.2.3.4"),
        ("", "10.0.0.9"),
        ("10.0.0.8", "10.0.0.9"),
        (", ,", "10.0.0.9"),
        ("9.9.9.9," * 10_000 + "1.2.3.4", "1.2.3.4"),
        ("x" * 5000, "x" * 64),
    ],
)
async def test_what_stands_before_our_proxies_anybody_may_have_written(forwarded: str, address: str) -> None:
    house = House(peer="10.0.0.9", front=PROXIED, host="books.example.org")
    assert (await where(house, X_Forwarded_For=forwarded))["address"] == address


@pytest.mark.parametrize("proto", ["ftp", "https, http", "HTTPS", ""])
async def test_a_scheme_that_is_none_is_not_believed(proto: str) -> None:
    house = House(peer="10.0.0.9", front=PROXIED, host="books.example.org")
    assert (await where(house, X_Forwarded_Proto=proto))["scheme"] == "http"


async def test_the_name_that_a_proxy_was_asked_under_is_not_taken_from_it() -> None:
    house = House(peer="10.0.0.9", front=PROXIED, host="books.example.org")
    answer = await house.programs.get(
        "/read", headers={"Host": "evil.example", "X-Forwarded-Host": "books.example.org"}
    )
    assert code(answer) == (421, "unknown-host")


async def test_a_call_keeps_the_id_that_it_came_with() -> None:
    house = House()
    assert (await where(house, X_Request_Id="abc-1"))["id"] == "abc-1"
    answer = await house.programs.get("/where", headers={"X-Request-Id": "abc-1"})
    assert answer.headers["X-Request-Id"] == "abc-1"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "ü", "a;b", '"><script>'])
async def test_an_id_that_could_do_harm_is_replaced(given: str) -> None:
    answer = await House().programs.get("/where", headers={b"X-Request-Id": given.encode()})
    assert answer.headers["X-Request-Id"] not in {given, ""}
    assert len(answer.headers["X-Request-Id"]) == 16


@pytest.mark.parametrize(
    "address, network",
    [
        ("1.2.3.4", "1.2.3.4"),
        ("2001:db8::1:2", "2001:db8::/64"),
        ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        ("", ""),
        ("x", "x"),
    ],
)
def test_attempts_are_counted_by_what_somebody_is_given(address: str, network: str) -> None:
    assert counted(address) == network
