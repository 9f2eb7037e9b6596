"""Mail as a server gets it: who has it, whom it refuses, where it hangs; no header that a text could add, no secret."""

import asyncio
import email.policy
from email import message_from_bytes
from email.message import EmailMessage
from traceback import format_exception
from typing import Any

import pytest

from gal_friday.adapters.alerts.channels import EmailChannel, Mailbox
from gal_friday.domain.alert import What
from gal_friday.ports.alerts import Undelivered
from tests.adapters.alerts.notices import HOSTILE, PUBLIC, notice
from tests.adapters.alerts.receivers import Post, post_office

ANN, BOB = "ann@example.com", "bob@example.com"


def channel(server: Post, **fields: Any) -> EmailChannel:
    given = {"security": "none", "sender": "gal-friday@example.com", "to": (ANN, BOB), **fields}
    return EmailChannel("boss", Mailbox(host="127.0.0.1", port=server.port, **given), public_url=PUBLIC)


def read(data: bytes) -> EmailMessage:
    made = message_from_bytes(data.removesuffix(b".\r\n"), policy=email.policy.default)
    assert isinstance(made, EmailMessage)
    return made


async def test_a_mail_names_what_is_wrong_where_to_look_and_the_thread_it_is_of() -> None:
    async with post_office() as server:
        boss = channel(server)
        await boss.send(notice())
        await boss.send(notice(What.RESOLVED, 2))
    (to, first), (_, second) = server.took
    one, other = read(first), read(second)
    assert (to, one["To"], one["From"]) == ((ANN, BOB), f"{ANN}, {BOB}", "gal-friday@example.com")
    assert one["Subject"] == "[critical] main: BTC in spot: book 1.5, exchange 1.25 (critical)"
    assert other["Subject"].strip().startswith("[critical] main: no longer: ")
    assert one["Message-ID"] == "<alr_53b1f1c1d1e0a9c2.2.1@example.com>" == other["References"]
    assert one.get_content_type() == "text/plain"
    assert "https://gal-friday.example/discrepancies/dis_0123456789abcdef" in one.get_content()


@pytest.mark.parametrize("text", HOSTILE, ids=["header", "control", "long", "template"])
async def test_a_text_adds_no_header_no_recipient_and_no_line(text: str) -> None:
    async with post_office() as server:
        await channel(server).send(notice(title=text, lines=(text,), account=text, by=text))
    (to, data), got = server.took[0], read(server.took[0][1])
    known = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Gal-Friday-Key", "MIME-Version"}
    assert set(got.keys()) - known == {"Content-Type", "Content-Transfer-Encoding"}
    assert (to, len(str(got["Subject"])) <= 300, got.get_content_type()) == ((ANN, BOB), True, "text/plain")
    assert max(map(len, data.split(b"\r\n"))) <= 998  # RFC 5322, 2.1.1
    assert all(line.isprintable() for line in got.get_content().splitlines())


async def test_whom_the_server_refuses_is_tried_again_and_nobody_else_is_sent_it_twice() -> None:
    async with post_office(refuses={BOB}) as server:
        boss = channel(server)
        for _ in range(2):
            with pytest.raises(Undelivered, match=r"boss \(127.0.0.1\) refused|did not take the mail") as refused:
                await boss.send(notice())
            assert "hunter2" not in "".join(format_exception(refused.value))
        server.refuses.clear()
        await boss.send(notice())
    assert [to for to, _ in server.took] == [(ANN,), (BOB,)]


async def test_a_server_that_refuses_everybody_has_not_taken_it() -> None:
    async with post_office(refuses={ANN, BOB}) as server:
        with pytest.raises(Undelivered, match="SMTPRecipientsRefused"):
            await channel(server).send(notice())
    assert server.took == []


@pytest.mark.parametrize("word", ["EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("does", ["drops_at", "hangs_at"])
async def test_what_breaks_before_the_server_has_it_is_not_taken(
    word: str, does: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gal_friday.adapters.alerts.email.SECONDS", 0.05)
    async with post_office(**{does: word}) as server:
        with pytest.raises(Undelivered, match="did not take the mail"):
            await channel(server).send(notice())
    assert server.took == []


@pytest.mark.parametrize("does", ["drops_at", "hangs_at"])
async def test_what_breaks_after_the_server_has_it_undoes_nothing(does: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gal_friday.adapters.alerts.email.SECONDS", 0.05)
    async with post_office(**{does: "QUIT"}) as server:
        await channel(server).send(notice())
    assert len(server.took) == 1


async def test_what_a_slow_server_took_after_the_deadline_is_not_sent_again() -> None:
    async with post_office(hangs_at="QUIT") as server:
        boss = channel(server)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await boss.send(notice())
        server.hangs_at = ""
        assert boss._thread._running is not None
        async with asyncio.timeout(5):
            while len(server.took) < 1:  # noqa: ASYNC110 - a thread does it
                await asyncio.sleep(0.01)
        with pytest.raises(Undelivered, match="still hangs"):
            await boss.send(notice())
    # The server is gone, and with it what hung.
    await asyncio.to_thread(boss._thread._running.join, 5)
    await boss.send(notice())
    assert len(server.took) == 1


async def test_a_password_never_goes_over_a_connection_that_was_to_be_kept_from_being_read() -> None:
    async with post_office() as server:  # it offers no STARTTLS, as somebody between could make it look
        boss = channel(server, security="starttls", user="gal-friday", password="hunter2")
        with pytest.raises(Undelivered, match="SMTPNotSupportedError"):
            await boss.send(notice())
    assert {line.split()[0].upper() for line in server.heard} <= {"EHLO", "QUIT"}


async def test_a_password_that_cannot_be_sent_is_said_so_and_not_shown() -> None:
    async with post_office(offers=("AUTH LOGIN PLAIN",)) as server:
        boss = channel(server, user="gal-friday", password="hunter2ä")
        with pytest.raises(Undelivered, match=r"\(UnicodeEncodeError\)") as refused:
            await boss.send(notice())
    assert "hunter2" not in "".join(format_exception(refused.value))
