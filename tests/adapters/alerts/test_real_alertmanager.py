"""A real Alertmanager takes what is pushed: one alert for an episode, another severity in its place, and its end."""

import asyncio
import shutil
import socket
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from gal_friday.adapters.alerts.channels import AlertmanagerChannel
from gal_friday.adapters.clock import SystemClock
from gal_friday.domain.alert import Notice, What
from gal_friday.domain.materiality import Severity
from tests.adapters.alerts.notices import PUBLIC, notice

_NAMES = ("prometheus-alertmanager", "alertmanager", "/usr/bin/prometheus-alertmanager")
_QUIET = "route: {receiver: none}\nreceivers: [{name: none}]\n"


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    program = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(
            "no Alertmanager is installed (Debian: prometheus-alertmanager): pushing to a real one was not tried"
        )
    (tmp_path / "am.yml").write_text(_QUIET)
    address = f"127.0.0.1:{_free_port()}"
    options = {"config.file": tmp_path / "am.yml", "storage.path": tmp_path / "data", "web.listen-address": address}
    command = [program, *(f"--{name}={value}" for name, value in options.items()), "--cluster.listen-address="]
    process = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=DEVNULL)
    try:
        await _until_ready(f"http://{address}")
        yield f"http://{address}"
    finally:
        process.kill()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def _until_ready(url: str) -> None:
    async with httpx2.AsyncClient() as client, asyncio.timeout(15):
        while True:
            try:
                if (await client.get(f"{url}/-/ready")).status_code == 200:
                    return
            except httpx2.HTTPError:
                pass
            await asyncio.sleep(0.05)


async def _there(url: str) -> list[dict[str, Any]]:
    async with httpx2.AsyncClient() as client:
        found = await client.get(f"{url}/api/v2/alerts", params={"active": "true"})
    assert found.status_code == 200
    return list(found.json())


def _now(what: What, number: int, **fields: Any) -> Notice:
    now = SystemClock().now()
    return notice(what, number, at=now, since=now - timedelta(minutes=2), **fields)


async def test_it_holds_one_alert_for_an_episode_until_that_is_over(url: str) -> None:
    channel = AlertmanagerChannel("am", url, SystemClock(), holds=timedelta(hours=8), public_url=PUBLIC)
    firing = _now(What.FIRING, 1, severity=Severity.HIGH)
    await channel.send(firing)
    await channel.send(firing)  # as after a kill between sending it and noting it
    (one,) = await _there(url)
    assert (one["labels"]["severity"], one["status"]["state"] in ("active", "unprocessed")) == ("high", True)
    assert one["generatorURL"] == "https://gal-friday.example/discrepancies/dis_0123456789abcdef"
    await channel.send(_now(What.GREW, 2, severity=Severity.CRITICAL))
    (one,) = await _there(url)
    assert one["labels"]["severity"] == "critical"
    await channel.send(_now(What.RESOLVED, 3, severity=Severity.CRITICAL))
    assert await _there(url) == []
    await channel.close()


async def test_what_was_written_long_ago_is_there_when_it_arrives(url: str) -> None:
    channel = AlertmanagerChannel("am", url, SystemClock(), holds=timedelta(hours=8))
    then = SystemClock().now() - timedelta(hours=20)
    await channel.send(notice(at=then, since=then))
    assert len(await _there(url)) == 1
    await channel.close()


async def test_hostile_texts_are_taken(url: str) -> None:
    channel = AlertmanagerChannel("am", url, SystemClock(), holds=timedelta(hours=8))
    await channel.send(_now(What.FIRING, 1, title="{{ .Labels }}\r\n<b>" + "x" * 10_000, exchange="", account=""))
    (one,) = await _there(url)
    assert "exchange" not in one["labels"]
    await channel.close()
