"""One call: what is tried again, what is not, what is remembered, and that nothing secret comes out."""

import asyncio
import logging
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from gal_friday.adapters.kraken.client import UnknownId, WrongArguments
from gal_friday.adapters.kraken.endpoints import BALANCE_EX, LEDGERS, QUERY_ORDERS, SYSTEM_STATUS
from gal_friday.adapters.kraken.signing import Credentials
from gal_friday.adapters.kraken.transport import Deadlines, Transport
from gal_friday.ports.errors import (
    ExchangeFailed,
    ExchangeMalformed,
    ExchangeRefused,
    ExchangeUnavailable,
)
from tests.adapters.kraken.script import KEY, SECRET, Connection, ok, raw, refused

HTML = "<html><title>502</title></html>"


async def test_a_private_call_is_a_signed_form_with_a_growing_nonce(kraken: Connection) -> None:
    kraken.script.says(ok({}))
    await kraken.client.call(LEDGERS, {"ofs": "0", "start": "1"})
    await kraken.client.call(LEDGERS, {"ofs": "50"})
    first, second = kraken.script.requests
    assert first.method == "POST"
    assert first.url.path == "/0/private/Ledgers"
    assert first.headers["API-Key"] == KEY
    body = first.content.decode()
    nonce = int(kraken.script.form(0)["nonce"])
    assert first.headers["API-Sign"] == Credentials(KEY, SECRET).signature(first.url.path, nonce, body)
    assert int(kraken.script.form(1)["nonce"]) > nonce
    assert second.headers["User-Agent"].startswith("gal-friday")


async def test_a_public_call_carries_no_key(kraken: Connection) -> None:
    kraken.script.says(ok({"status": "online"}))
    await kraken.client.call(SYSTEM_STATUS)
    (request,) = kraken.script.requests
    assert request.method == "GET"
    assert not {"api-key", "api-sign"} & {name.lower() for name in request.headers}


@pytest.mark.parametrize(
    "trouble",
    [
        refused("EService:Unavailable"),
        refused("EService:Busy", "EService:Timeout"),
        refused("EGeneral:Internal error"),
        httpx2.Response(200, json={"error": "EService:Unavailable"}),
        raw(HTML, 502, **{"content-type": "text/html"}),
        raw(HTML, 520),
        raw("", 200),
        raw('{"error":[],"result":{"a":', 200),
        raw("[]", 200),
        raw('{"error":[],"result":{"a":1,"a":2}}', 200),
        raw('{"result":{}}', 200),
        httpx2.ConnectError("no route"),
        httpx2.ReadTimeout("late"),
        httpx2.RemoteProtocolError("cut"),
    ],
)
async def test_trouble_that_passes_is_waited_out(kraken: Connection, trouble: httpx2.Response | Exception) -> None:
    kraken.script.says(trouble, trouble, ok({"ZUSD": {"balance": "1"}}))
    reply = await kraken.client.call(BALANCE_EX)
    assert reply.result == {"ZUSD": {"balance": "1"}}
    assert len(kraken.script.requests) == 3
    assert 0.5 < kraken.waited() < 10


@pytest.mark.parametrize("trouble", [refused("EService:Busy"), raw(HTML, 503), httpx2.ReadTimeout("late")])
async def test_trouble_that_stays_is_unavailable_after_a_bounded_number_of_calls(
    kraken: Connection, trouble: httpx2.Response | Exception
) -> None:
    kraken.script.says(trouble)
    with pytest.raises(ExchangeUnavailable, match="tried 4 times"):
        await kraken.client.call(BALANCE_EX)
    assert len(kraken.script.requests) == 4


async def test_an_answer_that_stays_unreadable_is_malformed(kraken: Connection) -> None:
    kraken.script.says(raw('{"error":[],"result":{"a":'))
    with pytest.raises(ExchangeMalformed, match="BalanceEx"):
        await kraken.client.call(BALANCE_EX)


async def test_a_warning_keeps_the_result_and_is_passed_on(kraken: Connection) -> None:
    kraken.script.says(ok({"ZUSD": {"balance": "1"}}, "WGeneral:Planned maintenance"))
    reply = await kraken.client.call(BALANCE_EX)
    assert reply.result
    assert reply.warnings == ("WGeneral:Planned maintenance",)


async def test_a_market_state_does_not_stop_a_read(kraken: Connection) -> None:
    kraken.script.says(ok({"ZUSD": {"balance": "1"}}, "EService:Market in cancel_only mode"))
    assert (await kraken.client.call(BALANCE_EX)).result


@pytest.mark.parametrize("answer", [raw('{"error":[]}'), raw('{"error":[],"result":null}')])
async def test_silence_is_an_empty_account_for_balances(kraken: Connection, answer: httpx2.Response) -> None:
    kraken.script.says(answer)
    assert (await kraken.client.call(BALANCE_EX)).result == {}


@pytest.mark.parametrize("answer", [raw('{"error":[]}'), raw('{"error":[],"result":null}')])
async def test_silence_is_a_failed_read_for_history(kraken: Connection, answer: httpx2.Response) -> None:  # N1
    kraken.script.says(answer)
    with pytest.raises(ExchangeMalformed):
        await kraken.client.call(LEDGERS)


@pytest.mark.parametrize("text", ["EAPI:Invalid key", "EAPI:Invalid signature", "EAuth:Account disabled"])
async def test_a_wrong_key_stops_the_client_for_good(kraken: Connection, text: str) -> None:
    kraken.script.says(refused(text))
    for _ in range(3):
        with pytest.raises(ExchangeRefused, match=text):
            await kraken.client.call(BALANCE_EX)
    assert len(kraken.script.requests) == 1


async def test_a_missing_right_concerns_its_endpoint_only_and_is_named(kraken: Connection) -> None:
    kraken.script.says(refused("EGeneral:Permission denied"), ok({}))
    with pytest.raises(ExchangeRefused, match="query-ledger"):
        await kraken.client.call(LEDGERS)
    await kraken.client.call(BALANCE_EX)


async def test_a_refused_nonce_is_tried_once_more_with_a_larger_one(kraken: Connection) -> None:
    kraken.script.says(refused("EAPI:Invalid nonce"), ok({}))
    await kraken.client.call(BALANCE_EX)
    assert int(kraken.script.form(1)["nonce"]) > int(kraken.script.form(0)["nonce"])


async def test_a_nonce_refused_twice_says_that_the_key_is_shared(kraken: Connection) -> None:
    kraken.script.says(refused("EAPI:Invalid nonce"))
    with pytest.raises(ExchangeUnavailable, match="another program uses this key"):
        await kraken.client.call(BALANCE_EX)
    assert len(kraken.script.requests) == 2


async def test_after_a_lockout_no_client_of_the_key_calls_for_fifteen_minutes(
    kraken: Connection, tmp_path: Path
) -> None:
    kraken.script.says(refused("EGeneral:Temporary lockout"))
    with pytest.raises(ExchangeUnavailable) as locked:
        await kraken.client.call(BALANCE_EX)
    with pytest.raises(ExchangeUnavailable):
        await kraken.another(tmp_path).call(LEDGERS)
    assert len(kraken.script.requests) == 1
    assert locked.value.retry_at is not None
    kraken.clock.advance((locked.value.retry_at - kraken.clock.now()).total_seconds())
    kraken.script.says(ok({}))
    await kraken.client.call(BALANCE_EX)


async def test_a_rate_refusal_takes_the_counter_as_full_and_waits(kraken: Connection) -> None:
    kraken.script.says(refused("EAPI:Rate limit exceeded"), ok({}))
    await kraken.client.call(BALANCE_EX)
    assert 5 <= kraken.waited() <= 15


async def test_a_burst_stays_below_the_limit_of_the_tier(kraken: Connection) -> None:
    kraken.script.says(ok({}))
    for _ in range(12):
        await kraken.client.call(LEDGERS)
    assert kraken.waited() == pytest.approx((24 - 15) / 0.33, abs=1)


async def test_a_wait_for_the_call_budget_is_told_before_it_begins(kraken: Connection) -> None:
    told: list[tuple[str, int, float]] = []
    client = kraken.another(
        None, progress=lambda what, seconds, _: told.append((what, seconds, round(kraken.waited())))
    )
    kraken.script.says(ok({}))
    for _ in range(9):
        await client.call(LEDGERS)
    # Seven calls fit into the counter of 15; each further one waits until two points are given back.
    assert {what for what, _, _ in told} == {"seconds of waiting for Kraken's call budget"}
    assert [(seconds, when) for _, seconds, when in told] == [(3, 0), (9, 3)]


async def test_a_pause_before_asking_again_is_told_as_well(kraken: Connection) -> None:
    told: list[tuple[str, int]] = []
    client = kraken.another(None, "none", progress=lambda what, seconds, _: told.append((what, seconds)))
    kraken.script.says(raw("", 429, **{"retry-after": "30"}), ok({}))
    await client.call(BALANCE_EX)
    assert told == [("seconds of waiting before Kraken is asked again", 30)]


async def test_a_throttle_is_waited_for_until_the_named_time(kraken: Connection) -> None:
    back = int(kraken.clock.now().timestamp()) + 20
    kraken.script.says(refused(f"EService:Throttled: {back}"), ok({}))
    await kraken.client.call(BALANCE_EX)
    assert kraken.clock.now().timestamp() >= back
    assert kraken.waited() < 25


async def test_a_throttle_that_lasts_too_long_names_the_time_instead(kraken: Connection) -> None:
    back = int(kraken.clock.now().timestamp()) + 3600
    kraken.script.says(refused(f"EService:Throttled: {back}"))
    with pytest.raises(ExchangeUnavailable) as throttled:
        await kraken.client.call(BALANCE_EX)
    assert throttled.value.retry_at is not None
    assert throttled.value.retry_at.timestamp() == back


@pytest.mark.parametrize("value, seconds", [("7", 7), ("Sat, 31 Jan 2026 12:00:09 GMT", 9)])
async def test_retry_after_is_honoured(kraken: Connection, value: str, seconds: float) -> None:
    kraken.script.says(raw("", 429, **{"retry-after": value}), ok({}))
    await kraken.client.call(BALANCE_EX)
    assert kraken.waited() == pytest.approx(seconds, abs=0.5)


async def test_a_retry_after_at_the_end_of_time_is_believed_for_a_week(kraken: Connection) -> None:
    kraken.script.says(raw("", 429, **{"retry-after": "Fri, 31 Dec 9999 23:59:59 -2359"}))
    with pytest.raises(ExchangeUnavailable) as told:
        await kraken.client.call(BALANCE_EX)
    assert told.value.retry_at is not None
    assert told.value.retry_at - kraken.clock.now() <= timedelta(days=7)


async def test_errors_without_number_are_told_by_the_first_few(kraken: Connection) -> None:
    kraken.script.says(refused(*(f"EOdd:{number}" for number in range(100))))
    with pytest.raises(ExchangeRefused, match="EOdd:9; and 90 more") as refusal:
        await kraken.client.call(BALANCE_EX)
    assert len(str(refusal.value)) < 300


async def test_a_blocked_address_is_left_alone(kraken: Connection) -> None:
    kraken.script.says(raw(HTML, 403, **{"content-type": "text/html"}))
    for _ in range(2):
        with pytest.raises(ExchangeUnavailable) as blocked:
            await kraken.client.call(BALANCE_EX)
        assert blocked.value.retry_at is not None
    assert len(kraken.script.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_refused_because_the_key_would_go_along(kraken: Connection, status: int) -> None:
    kraken.script.says(raw("", status, location="https://elsewhere.test/"))
    with pytest.raises(ExchangeRefused, match="redirect"):
        await kraken.client.call(BALANCE_EX)
    assert len(kraken.script.requests) == 1


async def test_an_answer_without_end_is_refused(kraken: Connection) -> None:
    kraken.script.says(raw('{"error":[],"result":"' + "x" * 5000 + '"}'))
    with pytest.raises(ExchangeMalformed, match="4096 bytes"):
        await kraken.client.call(BALANCE_EX)


async def test_an_answer_that_never_comes_is_given_up_after_the_deadline(tmp_path: Path) -> None:
    kraken = Connection(tmp_path, total=0.02)

    async def silence(request: httpx2.Request) -> httpx2.Response:
        await asyncio.Event().wait()
        raise AssertionError("never reached")

    kraken.script.transport.handler = silence
    with pytest.raises(ExchangeUnavailable, match=r"0\.02 s"):
        await kraken.client.call(BALANCE_EX)


@pytest.mark.parametrize(
    "text, error",
    [
        ("EOrder:Unknown order", UnknownId),
        ("EGeneral:Invalid arguments:txid", WrongArguments),
        ("ESomething:New", ExchangeRefused),
    ],
)
async def test_what_will_not_change_is_not_asked_again(
    kraken: Connection, text: str, error: type[ExchangeFailed]
) -> None:
    kraken.script.says(refused(text))
    with pytest.raises(error, match=text):
        await kraken.client.call(QUERY_ORDERS, {"txid": "O"})
    assert len(kraken.script.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://api.kraken.com",
        "ftp://api.kraken.com",
        "https://user:word@api.kraken.com",
        "https://api.kraken.com/?a=b",
        "api.kraken.com",
        "",
    ],
)
def test_an_address_that_would_give_the_key_away_is_refused(url: str) -> None:
    with pytest.raises(ExchangeRefused):
        Transport(url, deadlines=Deadlines())


@pytest.mark.parametrize(
    "answer",
    [
        refused("EAPI:Invalid signature"),
        refused("ESomething:New"),
        raw(HTML, 502),
        raw("", 302, location="https://elsewhere.test/"),
        raw("not json"),
        httpx2.ConnectError("no route"),
        refused(f"EAPI:Invalid key {KEY}"),
        refused(f"EGeneral:Odd:{KEY}", f"WOdd:{KEY}"),
    ],
)
async def test_key_and_secret_are_in_no_message_and_no_log(
    kraken: Connection, caplog: pytest.LogCaptureFixture, answer: httpx2.Response | Exception
) -> None:
    caplog.set_level(logging.DEBUG)
    kraken.script.says(answer)
    with pytest.raises(ExchangeFailed) as failure:
        await kraken.client.call(BALANCE_EX)
    signature = kraken.script.requests[0].headers["API-Sign"]
    said = caplog.text
    error: BaseException | None = failure.value
    while error is not None:
        said += f"{error!r} {error}"
        error = error.__cause__
    assert not any(hidden in said for hidden in (KEY, SECRET, signature))
