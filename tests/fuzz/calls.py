"""Calls of the API and of its pages, made to the real application in this process, over a database on disk.

Whatever is sent, it is answered, and the answer is not that of a mistake of the program or of a database that cannot.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.adapters.access import SystemChance
from gal_friday.domain.access import ALL, Role
from gal_friday.domain.access_facts import user_created
from gal_friday.domain.credentials import User
from gal_friday.domain.policy import Mode
from gal_friday.flows.sign_in import link_for
from tests.api.world import LIMITS, ROOT, World, template, world
from tests.fuzz.running import OPENED, run

_DISCREPANCY, _ADJUSTMENT = "{discrepancy}", "{adjustment}"
POSTS = (
    "/api/book/fills",
    "/api/book/movements",
    "/api/book/orders",
    "/api/book/snapshots",
    f"/api/discrepancies/{_DISCREPANCY}/assign",
    f"/api/discrepancies/{_DISCREPANCY}/comment",
    f"/api/discrepancies/{_DISCREPANCY}/accept",
    f"/api/discrepancies/{_DISCREPANCY}/dispute",
    f"/api/discrepancies/{_DISCREPANCY}/snooze",
    f"/api/discrepancies/{_DISCREPANCY}/reopen",
    f"/api/discrepancies/{_DISCREPANCY}/propose",
    f"/api/adjustments/{_ADJUSTMENT}/approve",
    f"/api/adjustments/{_ADJUSTMENT}/reject",
    f"/api/adjustments/{_ADJUSTMENT}/undo",
    "/api/session",
    "/api/session/link",
    "/api/session/passkey",
    "/api/session/step-up",
    "/api/me/passkeys",
    "/api/tokens",
)
"""The first byte of what is tried chooses one of them: ``a`` is the first."""
_HEADERS = (
    *("authorization", "cookie", "if-none-match", "idempotency-key", "last-event-id", "accept", "content-type"),
    *("x-form-token", "origin", "sec-fetch-site", "host", "x-forwarded-for"),
)
"""The first byte of what is tried chooses one of them: ``a`` is the first."""
_SECONDS = 20.0


class House(Struct, frozen=True):
    """The running application, who calls it, and what there is to be asked about."""

    world: World
    program: Mapping[str, str]
    """Headers of a program that may do everything."""
    person: Mapping[str, str]
    """Headers of a browser in which somebody has signed in."""
    discrepancy: str
    adjustment: str


@cache
def house() -> House:
    """Return the application, started the first time."""
    return run(_house())


async def _house() -> House:
    folders = [Path(OPENED.enter_context(TemporaryDirectory(prefix="gal-friday-fuzz-"))) for _ in range(2)]
    like = await template(folders[0])
    limits = replace(LIMITS, stream_seconds=0.01, streams_per_caller=50)
    made = await OPENED.enter_async_context(world(folders[1], like, limits=limits))
    await made.reconciled(mode=Mode.PROPOSE)
    program = {"authorization": f"Bearer {await made.token_for_everything()}", "content-type": "application/json"}
    async with made.client(program["authorization"].partition(" ")[2]) as client:
        (discrepancy, *_) = (await client.get("/api/discrepancies")).json()["discrepancies"]
        (adjustment, *_) = (await client.get("/api/adjustments")).json()["adjustments"]
    return House(made, program, await _signed_in(made), discrepancy["id"], adjustment["adjustment_id"])


async def _signed_in(made: World) -> Mapping[str, str]:
    access, clock = made.mint.access, made.mint.clock
    person = User(name="alice", role=Role.ADMIN, accounts=ALL, password=None, created=clock.now())
    await access.save_user(person, user_created(person, ROOT))
    same = {"origin": "http://localhost", "sec-fetch-site": "same-origin"}
    async with made.client(None) as browser:
        link = await link_for(access, SystemChance(), clock, person)
        answer = await browser.post("/api/session/link", json={"link": link}, headers=same)
        cookies = "; ".join(f"{one.name}={one.value}" for one in browser.cookies.jar)
    return {"cookie": cookies, "x-form-token": answer.json()["form_token"], **same}


def bodies(data: bytes) -> None:
    """Send bytes as the body of a call."""
    here = house()
    path = POSTS[(data[:1] or b"a")[0] % len(POSTS) - ord("a") % len(POSTS)]
    path = path.replace(_DISCREPANCY, here.discrepancy).replace(_ADJUSTMENT, here.adjustment)
    who = here.person if path.startswith(("/api/session", "/api/me")) else here.program
    run(_answered("POST", path, {**who, "content-type": "application/json"}, data[1:]))


def addresses(data: bytes) -> None:
    """Ask for an address: with a token where it is one of the API, signed in where it is a page."""
    target = "/" + "".join(chr(each) for each in data if 0x20 < each < 0x7F).lstrip("/").partition("#")[0]
    here = house()
    run(_answered("GET", target, here.program if target.startswith("/api") else here.person, b""))


def headers(data: bytes) -> None:
    """Send bytes as the value of a header, with a call that reads, one that writes, and one for a page."""
    here = house()
    name = _HEADERS[(data[:1] or b"a")[0] % len(_HEADERS) - ord("a") % len(_HEADERS)]
    value = bytes(each for each in data[1:] if each == 0x09 or 0x20 <= each != 0x7F).strip().decode("latin-1")
    for method, path, who in (
        ("GET", "/api/reports", here.program),
        ("POST", f"/api/discrepancies/{here.discrepancy}/comment", here.program),
        ("GET", "/api/events", here.program),
        ("GET", "/discrepancies", here.person),
    ):
        run(_answered(method, path, {**who, name: value}, b'{"note":"seen"}' if method == "POST" else b""))


async def _answered(method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
    path, _, query = target.partition("?")
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (name.encode(), value.encode("latin-1")) for name, value in {"host": "localhost", **headers}.items()
        ],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
        "state": {},
    }
    status: list[int] = []
    said: list[bytes] = []

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])
        said.append(message.get("body", b""))

    # The framework raises what it has answered with 500: that is what was found, with its place.
    async with asyncio.timeout(_SECONDS):
        await house().world.app(scope, _sent(body), send)
    assert status, "no answer"
    assert status[0] < 500, f"{method} {target} is answered with {status[0]}: {b''.join(said)!r}"


def _sent(body: bytes) -> Callable[[], Awaitable[dict[str, Any]]]:
    parts = iter(({"type": "http.request", "body": body, "more_body": False},))
    never = asyncio.Event()

    async def receive() -> dict[str, Any]:
        for part in parts:
            return part
        await never.wait()
        return {"type": "http.disconnect"}

    return receive


TARGETS: dict[str, Callable[[bytes], None]] = {
    "api-bodies": bodies,
    "api-addresses": addresses,
    "api-headers": headers,
}
