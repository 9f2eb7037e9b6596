"""An application with everything behind its door in memory, and browsers and programs that call it."""

from datetime import timedelta
from typing import Annotated, Any

import httpx2
from argon2 import PasswordHasher
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from gal_friday.adapters.access import MemoryAccess, MemoryThrottle, SystemChance
from gal_friday.adapters.access.passkeys import WebAuthnPasskeys
from gal_friday.adapters.access.passwords import Argon2Passwords
from gal_friday.adapters.clock import SteppedClock
from gal_friday.api.reception import Front, Reception
from gal_friday.api.security import Caller, caller, check, secure
from gal_friday.domain.access import ALL, Accounts, Permission, Role
from gal_friday.domain.credentials import User
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.facts import Actor, Fact, KnownBy
from gal_friday.flows import users
from gal_friday.flows.door import Door
from gal_friday.flows.sign_in import Entry
from gal_friday.flows.tokens import Mint, Wanted, issue
from gal_friday.flows.users import Register
from gal_friday.ports.access import Access

ROOT = Actor("root", KnownBy.SELF_DECLARED)
PASSWORD = "correct horse battery staple"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class House:
    """Routes, and everything behind their door."""

    def __init__(
        self,
        access: Access | None = None,
        *,
        front: Front = Front(),  # noqa: B008 - a frozen value
        passwords: Argon2Passwords | None = None,
        peer: str = "127.0.0.1",
        scheme: str = "http",
        host: str = "localhost:8321",
    ) -> None:
        self.facts: list[Fact] = []
        self.clock = SteppedClock()
        self.access = access or MemoryAccess(self.facts.extend)
        self.passwords = passwords or Argon2Passwords(QUICK)
        self.throttle = MemoryThrottle()
        door = Door(self.access, self.clock)
        self.mint = Mint(self.access, SystemChance(), self.clock)
        self.entry = Entry(door, SystemChance(), self.passwords, WebAuthnPasskeys(), self.throttle)
        self.register = Register(self.access, self.passwords, self.clock)
        self.app = FastAPI()
        self.app.get("/read")(self.read)
        self.app.post("/touch")(self.touch)
        self.app.post("/approve/{account}")(self.approve)
        self.app.get("/where")(self.where)
        self.app.add_exception_handler(GalFridayError, _refused)
        self.app.add_exception_handler(RequestValidationError, _refused)
        secure(self.app, door, Reception(door=door, entry=self.entry, mint=self.mint, front=front))
        self._base, self._host, self._peer = f"{scheme}://{host}", host, peer
        self.programs = self.client()

    async def read(self, who: Annotated[Caller, Depends(caller(Permission.READ))]) -> dict[str, Any]:
        return {"name": who.actor.name, "known_by": who.actor.known_by}

    async def touch(self, who: Annotated[Caller, Depends(caller(Permission.READ))]) -> str:
        return who.actor.name

    async def approve(self, account: str, who: Annotated[Caller, Depends(caller(Permission.APPROVE))]) -> str:
        check(who, Permission.APPROVE, account)
        return who.actor.name

    async def where(self, request: Request) -> dict[str, str]:
        return {"address": request.state.address, "scheme": request.url.scheme, "id": request.state.request_id}

    def client(self, peer: str | None = None, **headers: str) -> httpx2.AsyncClient:
        """Return a program, or with the headers of one a browser."""
        transport = httpx2.ASGITransport(self.app, raise_app_exceptions=False, client=(peer or self._peer, 1))
        return httpx2.AsyncClient(transport=transport, base_url=self._base, headers=headers)

    def browser(self, peer: str | None = None) -> "Browser":
        """Return a browser that shows a page of ours."""
        return Browser(self.client(peer, Origin=self._base, **{"Sec-Fetch-Site": "same-origin"}))

    async def token(self, role: Role = Role.VIEWER, accounts: Accounts = ALL, owner: str = "bot", **more: Any) -> str:
        """Make a token, as somebody with the database in their hands."""
        wanted = Wanted(name="test", owner=owner, role=role, accounts=accounts, **more)
        return (await issue(self.mint, wanted, ROOT)).text

    async def user(self, name: str = "alice", role: Role = Role.APPROVER, accounts: Accounts = ALL) -> User:
        """Make a user with the password of this file."""
        return await users.add(self.register, name, role, accounts, PASSWORD, ROOT)

    async def get(self, token: str | None, path: str = "/read") -> httpx2.Response:
        """Ask as a program."""
        return await self.programs.get(path, headers=bearer(token))

    def kinds(self) -> list[str]:
        """Return the kinds of all facts."""
        return [fact.kind for fact in self.facts]


class Browser:
    """A browser: it keeps cookies, says which page it calls from, and sends the page's token."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client

    async def sign_in(self, name: str = "alice", password: str = PASSWORD) -> httpx2.Response:
        return self._took(await self.client.post("/api/session", json={"name": name, "password": password}))

    async def post(self, path: str, json: Any = None) -> httpx2.Response:
        return self._took(await self.client.post(path, json=json))

    async def get(self, path: str) -> httpx2.Response:
        return await self.client.get(path)

    async def delete(self, path: str) -> httpx2.Response:
        return await self.client.delete(path)

    def cookie(self) -> str:
        """Return the secret of the session."""
        (cookie,) = self.client.cookies.jar
        assert cookie.value is not None
        return cookie.value

    def _took(self, answer: httpx2.Response) -> httpx2.Response:
        if answer.status_code == 200 and isinstance(body := answer.json(), dict) and body.get("form_token"):
            self.client.headers["X-Form-Token"] = body["form_token"]
        return answer


def bearer(token: str | None) -> dict[str, str]:
    """Return the header that a token is sent in."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def code(answer: httpx2.Response) -> tuple[int, str]:
    """Return the status of a refusal, and what it is called."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["type"].removeprefix("urn:gal-friday:problem:")


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    detail = str(error) if isinstance(error, GalFridayError) else "a parameter is not what it has to be"
    return JSONResponse({"detail": detail}, 422)


DAY = timedelta(days=1)
