"""Signing in and out, proving it again, and one's own passkeys: for browsers, from a page of ours."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gal_friday.api.browser import check_own_page, forget_session, keep_session, session_of
from gal_friday.api.problem import Problem
from gal_friday.api.reception import Reception
from gal_friday.api.security import Caller, address_of, caller, signed_in, stale
from gal_friday.domain.access import Grant, Permission, allows
from gal_friday.domain.credentials import Passkey
from gal_friday.domain.instants import exact_instant
from gal_friday.flows import sign_in
from gal_friday.flows.door import NotAdmitted, form_token
from gal_friday.flows.sign_in import Attempt, SignedIn
from gal_friday.ports.passkeys import Site

router = APIRouter(tags=["sign-in"], include_in_schema=False)

Name = Annotated[str, Field(min_length=1, max_length=200)]
Secret = Annotated[str, Field(min_length=1, max_length=4_000)]
Person = Annotated[Caller, Depends(signed_in)]
Anybody = Annotated[Caller, Depends(caller(None))]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class ByPassword(_Body):
    """Who it is, and what only they know."""

    name: Name
    password: Secret


class ByLink(_Body):
    """What stood in the link."""

    link: Secret


class ByPasskey(_Body):
    """What the browser answered to the options: PublicKeyCredential.toJSON()."""

    answer: dict[str, Any]


class Again(_Body):
    """A proof of who is signed in: one of the two."""

    password: Secret | None = None
    answer: dict[str, Any] | None = None


class NewPasskey(_Body):
    """What the browser made of the options, under a name for people."""

    name: Name
    answer: dict[str, Any]


class Me(BaseModel):
    """Who calls, and what they may."""

    name: str
    known_by: str
    role: str
    accounts: list[str] | None = Field(description="null is every account")
    permissions: list[str]
    fresh: bool = Field(description="whether approving asks for no further proof now")
    form_token: str | None = Field(description="to be sent in X-Form-Token with every call that changes something")


class KnownPasskey(BaseModel):
    """A passkey of one's own."""

    id: str
    name: str
    added: str
    last_used: str | None


class Passkeys(BaseModel):
    """One's own passkeys."""

    passkeys: list[KnownPasskey]
    count: int


@router.post("/api/session", summary="Sign in with a password")
async def by_password(request: Request, response: Response, body: ByPassword) -> Me:
    """Begin a session. What was wrong is not said, and too many attempts are refused for a while."""
    attempt = _attempt(request)
    return _kept(request, response, await sign_in.with_password(_at(request).entry, body.name, body.password, attempt))


@router.post("/api/session/link", summary="Sign in with a link that is good once")
async def by_link(request: Request, response: Response, body: ByLink) -> Me:
    """Begin a session."""
    return _kept(request, response, await sign_in.with_link(_at(request).entry, body.link, _attempt(request)))


@router.post("/api/session/passkey/options", summary="What the browser needs to ask for a passkey")
async def passkey_options(request: Request) -> dict[str, Any]:
    """Return the options of navigator.credentials.get, good for five minutes and once."""
    attempt = _attempt(request)
    return _parsed(await sign_in.passkey_options(_at(request).entry, _site(request), attempt))


@router.post("/api/session/passkey", summary="Sign in with a passkey")
async def by_passkey(request: Request, response: Response, body: ByPasskey) -> Me:
    """Begin a session for whoever holds the device."""
    attempt = _attempt(request)
    done = await sign_in.with_passkey(_at(request).entry, _site(request), body.answer, attempt)
    return _kept(request, response, done)


@router.post("/api/session/step-up", summary="Prove again that it is you")
async def step_up(request: Request, response: Response, body: Again, who: Person) -> Me:
    """Give the session a fresh proof, and another id: approving and administering ask for one."""
    entry, attempt = _at(request).entry, _attempt(request)
    match body:
        case Again(password=str(password), answer=None):
            done = await sign_in.again_with_password(entry, who, password, attempt)
        case Again(password=None, answer=dict(answer)):
            done = await sign_in.again_with_passkey(entry, _site(request), who, answer, attempt)
        case _:
            raise Problem(422, "bad-parameter", "One proof is asked for", "send either password or answer")
    return _kept(request, response, done)


@router.delete("/api/session", status_code=204, summary="Sign out")
async def sign_out(request: Request, response: Response, who: Person) -> None:
    """End the session here and in the browser."""
    assert who.session is not None
    await sign_in.sign_out(_at(request).entry, who.session)
    forget_session(request, response)


@router.get("/api/me", summary="Who calls, and what they may")
async def me(request: Request, who: Anybody) -> Me:
    """Return who this is; for a page also the token that its calls have to carry."""
    secret = session_of(request) if who.by == "session" else None
    return _me(who.actor.name, who.actor.known_by, who.grant, who.fresh, None if secret is None else form_token(secret))


@router.get("/api/me/passkeys", summary="Your passkeys")
async def passkeys(request: Request, who: Person) -> Passkeys:
    """Return them, oldest first."""
    found = [_known(one) for one in await sign_in.passkeys_of(_at(request).entry, who)]
    return Passkeys(passkeys=found, count=len(found))


@router.post("/api/me/passkeys/options", summary="What the browser needs to make a passkey")
async def new_passkey_options(request: Request, who: Person) -> dict[str, Any]:
    """Return the options of navigator.credentials.create, good for five minutes and once."""
    _check_fresh(who)
    return _parsed(await sign_in.new_passkey_options(_at(request).entry, _site(request), who))


@router.post("/api/me/passkeys", status_code=201, summary="Add a passkey")
async def add_passkey(request: Request, body: NewPasskey, who: Person) -> KnownPasskey:
    """Keep what the browser made; it lets you in from here on."""
    _check_fresh(who)
    return _known(await sign_in.add_passkey(_at(request).entry, _site(request), who, body.name, body.answer))


@router.delete("/api/me/passkeys/{passkey_id}", status_code=204, summary="Remove a passkey")
async def remove_passkey(request: Request, passkey_id: Annotated[str, Path(max_length=2_000)], who: Person) -> None:
    """Have it let nobody in any more."""
    _check_fresh(who)
    if not await sign_in.remove_passkey(_at(request).entry, who, passkey_id):
        raise Problem(404, "unknown-passkey", "No such passkey", "you have no passkey of this id")


def _at(request: Request) -> Reception:
    reception: Reception = request.app.state.reception
    return reception


def _site(request: Request) -> Site:
    return _at(request).front.site(request.headers.get("host", "localhost"))


def _attempt(request: Request) -> Attempt:
    """Return where somebody tries from, once it is certain that it is from a page of ours."""
    check_own_page(request, _at(request).front)
    try:
        shown = session_of(request)
    except NotAdmitted:
        shown = None  # Signing in is the way out of two cookies.
    return Attempt(address_of(request), shown)


def _kept(request: Request, response: Response, done: SignedIn) -> Me:
    keep_session(request, response, done.secret)
    return _me(done.user.name, "session", done.user.grant, True, done.form_token)


def _me(name: str, known_by: str, grant: Grant, fresh: bool, token: str | None) -> Me:
    return Me(
        name=name,
        known_by=known_by,
        role=grant.role.value,
        accounts=None if grant.accounts.names is None else list(grant.accounts.names),
        permissions=[one.value for one in Permission if allows(grant, one)],
        fresh=fresh,
        form_token=token,
    )


def _known(passkey: Passkey) -> KnownPasskey:
    used = passkey.last_used
    return KnownPasskey(
        id=passkey.id,
        name=passkey.name,
        added=exact_instant(passkey.added),
        last_used=None if used is None else exact_instant(used),
    )


def _check_fresh(who: Caller) -> None:
    # A session that somebody left open must not become a way in that stays.
    if not who.fresh:
        raise stale()


def _parsed(text: str) -> dict[str, Any]:
    options: dict[str, Any] = json.loads(text)
    return options
