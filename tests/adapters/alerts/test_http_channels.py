"""What leaves this program over HTTP, byte for byte, and what becomes of it where the receiver is hostile."""

import asyncio
import hmac
import logging
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from traceback import format_exception

import pytest

from gal_friday.adapters.alerts.channels import (
    AlertmanagerChannel,
    AppriseChannel,
    LogChannel,
    PagerDutyChannel,
    WebhookChannel,
)
from gal_friday.adapters.alerts.post import Poster
from gal_friday.adapters.alerts.webhook import REPLAY_SECONDS
from gal_friday.adapters.clock import SteppedClock, SystemClock
from gal_friday.domain.alert import What
from gal_friday.domain.materiality import Severity
from gal_friday.ports.alerts import Channel, Undelivered
from tests.adapters.alerts.notices import HOSTILE, PUBLIC, SECRET, T0, notice
from tests.adapters.alerts.receivers import Answer, drips, listening, raw, receiving, says

LINK = "https://gal-friday.example/discrepancies/dis_0123456789abcdef"
CLOCK = SteppedClock(T0 + timedelta(seconds=7), auto=False)
Make = Callable[[str], Channel]
MAKES: dict[str, Make] = {
    "webhook": lambda url: WebhookChannel("duty", f"{url}/hook?token={SECRET}", SECRET, CLOCK, public_url=PUBLIC),
    "pagerduty": lambda url: PagerDutyChannel("duty", SECRET, CLOCK, url=url, public_url=PUBLIC),
    "alertmanager": lambda url: AlertmanagerChannel(
        "duty", url, CLOCK, holds=timedelta(hours=8), user="us", password=SECRET, public_url=PUBLIC
    ),
    "apprise": lambda url: AppriseChannel("duty", f"{url.replace('http', 'json')}/{SECRET}", public_url=PUBLIC),
}
# What apprise imports is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")
each = pytest.mark.parametrize("name", MAKES)


async def test_a_webhook_can_be_verified_as_its_page_says() -> None:
    async with receiving() as receiver:
        channel = MAKES["webhook"](receiver.url)
        await channel.send(notice())
        await channel.close()
    (got,) = receiver.got
    stamp, key = got.headers["x-gal-friday-timestamp"], got.headers["x-gal-friday-key"]
    signed = b".".join((stamp.encode(), key.encode(), got.body))
    assert got.headers["x-gal-friday-signature"] == f"v1={hmac.new(SECRET.encode(), signed, sha256).hexdigest()}"
    assert int(stamp) == int(CLOCK.now().timestamp())
    assert (REPLAY_SECONDS, got.headers["content-type"], key) == (300, "application/json", notice().key)
    assert (got.json["format"], got.json["what"], got.json["link"]) == ("gal-friday/alert/1", "firing", LINK)
    assert got.json["alert"]["count"] == 3


async def test_an_incident_of_pagerduty_is_triggered_acknowledged_and_resolved_under_one_key() -> None:
    async with receiving(says(202)) as receiver:
        channel = MAKES["pagerduty"](receiver.url)
        for number, what in enumerate((What.FIRING, What.GREW, What.ACKNOWLEDGED, What.RESOLVED), 1):
            await channel.send(notice(what, number))
        await channel.close()
    events = [one.json for one in receiver.got]
    assert [one["event_action"] for one in events] == ["trigger", "trigger", "acknowledge", "resolve"]
    assert {(one["dedup_key"], one["routing_key"]) for one in events} == {("alr_53b1f1c1d1e0a9c2.2", SECRET)}
    assert {(one.path, one.headers["content-type"]) for one in receiver.got} == {("/v2/enqueue", "application/json")}
    payload = events[0]["payload"]
    assert payload["summary"] == "[critical] main: BTC in spot: book 1.5, exchange 1.25 (critical)"
    assert {"source": "main", "severity": "critical", "class": "discrepancies", "component": "kraken"}.items() <= (
        payload.items()
    )
    assert events[0]["client_url"] == events[0]["links"][0]["href"] == LINK
    assert set(events[3]) == {"routing_key", "event_action", "dedup_key"}


async def test_an_alert_of_alertmanager_keeps_its_labels_and_holds_from_the_attempt_on() -> None:
    async with receiving() as receiver:
        channel = MAKES["alertmanager"](receiver.url)
        await channel.send(notice())
        await channel.send(notice(What.RESOLVED, 2))
        await channel.close()
    first, last = (one.json for one in receiver.got)
    labels = {
        "alertname": "gal_friday_discrepancies",
        "account": "main",
        "exchange": "kraken",
        "severity": "critical",
        "incident": "alr_53b1f1c1d1e0a9c2.2",
    }
    assert (first[0]["labels"], last[0]["labels"], first[0]["generatorURL"]) == (labels, labels, LINK)
    assert first[0]["endsAt"] == "2026-03-01T20:00:07.000Z"
    assert last[0]["endsAt"] == "2026-03-01T12:00:00.000Z"
    # It may have stood there under another severity.
    assert {one["labels"]["severity"] for one in last} == set(Severity)
    assert receiver.got[0].path == "/api/v2/alerts"
    assert receiver.got[0].headers["authorization"] == f"Basic {b64encode(f'us:{SECRET}'.encode()).decode()}"


async def test_what_waited_longer_than_a_push_holds_is_not_over_on_arrival() -> None:
    late = SteppedClock(T0 + timedelta(hours=20), auto=False)
    async with receiving() as receiver:
        channel = AlertmanagerChannel("duty", receiver.url, late, holds=timedelta(hours=8))
        await channel.send(notice())
        await channel.close()
    assert receiver.got[0].json[0]["endsAt"] == "2026-03-02T16:00:00.000Z"


@pytest.mark.parametrize(
    "what, kind", [(What.FIRING, "failure"), (What.RESOLVED, "success"), (What.ACKNOWLEDGED, "info")]
)
async def test_apprise_is_given_a_title_a_text_and_how_grave_it_is(what: What, kind: str) -> None:
    async with receiving() as receiver:
        await MAKES["apprise"](receiver.url).send(notice(what))
    told = receiver.got[0].json
    assert (told["type"], told["title"].startswith("[critical] main: "), LINK in told["message"]) == (kind, True, True)


def test_the_log_is_one_line_and_grave_what_is_grave(caplog: pytest.LogCaptureFixture) -> None:
    channel = LogChannel("log", public_url=PUBLIC)
    with caplog.at_level(logging.INFO, "gal_friday.alerts"):
        asyncio.run(channel.send(notice(title=HOSTILE[0])))
        asyncio.run(channel.send(notice(What.RESOLVED)))
    grave, over = caplog.records
    assert (grave.levelname, over.levelname) == ("ERROR", "WARNING")
    assert len(grave.getMessage().splitlines()) == 1
    assert LINK in grave.getMessage()


REFUSALS: dict[str, Answer] = {
    "400": says(400, b"your routing key " + SECRET.encode()),
    "401": says(401),
    "404": says(404),
    "410": says(410),
    "500": says(500, b"{" * 1000),
    "503": says(503),
    "nothing": raw(b""),
    "half a head": raw(b"HTTP/1.1 20"),
    "no HTTP": raw(b"\x15\x03\x01\x00\x02\x02\x28 TLS, not HTTP\r\n\r\n"),
}


@each
@pytest.mark.parametrize("answer", REFUSALS)
async def test_what_was_not_taken_is_said_so_and_says_no_secret(
    name: str, answer: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with receiving(REFUSALS[answer]) as receiver:
        channel = MAKES[name](receiver.url)
        with caplog.at_level(logging.DEBUG), pytest.raises(Undelivered, match=r"^duty ") as refused:
            await channel.send(notice())
        await channel.close()
    assert SECRET not in "".join(format_exception(refused.value))
    assert SECRET not in "".join(one.getMessage() for one in caplog.records if one.name.startswith("gal_friday"))


@each
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_carries_nothing_anywhere(name: str, status: int) -> None:
    async with receiving() as other, receiving(says(status, Location=f"{other.url}/elsewhere")) as receiver:
        channel = MAKES[name](receiver.url)
        with pytest.raises(Undelivered):
            await channel.send(notice())
        await channel.close()
    assert (len(receiver.got), other.got) == (1, [])


TAKEN: dict[str, Answer] = {
    "no JSON": says(200, b"<html>thanks"),
    "huge": says(200, b"x" * 3_000_000),
    "broken off": raw(b"HTTP/1.1 202 X\r\nContent-Length: 500\r\n\r\nhalf"),
    "hangs in the middle": raw(b"HTTP/1.1 202 X\r\nContent-Length: 500\r\n\r\nhalf", then_hang=True),
    "drips": drips(200),
}


@pytest.mark.parametrize("name", ["webhook", "pagerduty", "alertmanager"])
@pytest.mark.parametrize("answer", TAKEN)
async def test_whoever_says_that_it_was_taken_has_taken_it(
    name: str, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gal_friday.adapters.alerts.post._REST_SECONDS", 0.05)
    began = SystemClock().monotonic()
    async with receiving(TAKEN[answer]) as receiver:
        channel = MAKES[name](receiver.url)
        await channel.send(notice())
        await channel.close()
    assert (len(receiver.got), SystemClock().monotonic() - began < 5) == (1, True)


async def test_a_receiver_that_hangs_is_left_after_the_deadline_of_all_of_it() -> None:
    async def drips_its_head(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\nX-A: ")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    for answer in (raw(b"", then_hang=True), drips_its_head):
        async with receiving(answer) as receiver:
            poster = Poster("duty", receiver.url, CLOCK, seconds=0.2)
            with pytest.raises(Undelivered, match=r"did not answer within 0.2 seconds|\(ReadTimeout\)"):
                await poster.post(b"{}", {})
            await poster.close()


@pytest.mark.parametrize(
    "header, seconds",
    [
        ("40", 40.0),
        ("Sun, 01 Mar 2026 12:00:17 GMT", 10.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("9" * 400, 999_999_999.0),
        ("Mon, 01 Jan 999999999999999999999 00:00:00 GMT", None),
    ],
)
async def test_who_asks_to_be_left_alone_is_heard_and_whoever_asks_nonsense_is_not(
    header: str, seconds: float | None
) -> None:
    async with receiving(says(429, Retry_After=header)) as receiver:
        channel = MAKES["webhook"](receiver.url)
        with pytest.raises(Undelivered, match="answered 429") as refused:
            await channel.send(notice())
        await channel.close()
    assert refused.value.retry_after == seconds


async def test_no_cookie_is_ever_sent_back() -> None:
    async with receiving(says(200, Set_Cookie="who=you; Path=/")) as receiver:
        channel = MAKES["webhook"](receiver.url)
        await channel.send(notice())
        await channel.send(notice(number=2))
        await channel.close()
    assert [one.headers.get("cookie") for one in receiver.got] == [None, None]


async def test_a_receiver_without_tls_is_told_nothing_where_tls_is_asked_for() -> None:
    heard = b""

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        heard = await reader.read(5000)
        writer.write(b"HTTP/1.1 400 X\r\n\r\n")
        await writer.drain()

    async with listening(plain) as port:
        channel = MAKES["webhook"](f"https://127.0.0.1:{port}")
        with pytest.raises(Undelivered, match="was not reached"):
            await channel.send(notice())
        await channel.close()
    assert (heard[:1], SECRET.encode() in heard) == (b"\x16", False)


@each
@pytest.mark.parametrize("text", HOSTILE, ids=["header", "control", "long", "template"])
async def test_hostile_texts_stay_text(name: str, text: str) -> None:
    async with receiving() as receiver:
        channel = MAKES[name](receiver.url)
        await channel.send(notice(title=text, lines=(text,) * 5, account=text, by=text))
        await channel.close()
    (got,) = receiver.got
    assert "bcc" not in got.headers
    assert got.json is not None
    shown = {
        "webhook": lambda: got.json["text"],
        "pagerduty": lambda: got.json["payload"]["summary"],
        "alertmanager": lambda: got.json[0]["annotations"]["summary"],
        "apprise": lambda: got.json["title"],
    }[name]()
    assert (shown.isprintable(), len(shown) <= 300) == (True, True)
