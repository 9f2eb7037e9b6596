"""Who calls, and whether they may: the dependency that every route begins with.

    @router.get("/api/reports")
    async def reports(who: Annotated[Caller, Depends(caller(Permission.READ))]) -> …

What is returned has ``actor`` for the journal, ``sees(account)`` for lists, and ``check(who, permission, account)``
for what concerns one account. An account that the caller may not see is answered as one that does not exist.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from gal_friday.api.browser import SAFE, SECURE_COOKIE, check_form, check_own_page, session_of
from gal_friday.api.problem import Problem, answer, answer_problems
from gal_friday.api.reception import Front, Reception, counted
from gal_friday.domain.access import Permission
from gal_friday.domain.credentials import Refusal
from gal_friday.domain.throttle import Tried
from gal_friday.flows.door import Caller, Door, NotAdmitted, by_session, by_token

__all__ = ["Caller", "address_of", "caller", "check", "secure", "signed_in"]

_BEARER = HTTPBearer(auto_error=False, scheme_name="token", description="An API token: gf_<id>_<secret>")
_COOKIE = APIKeyCookie(
    name=SECURE_COOKIE, auto_error=False, scheme_name="session", description="A browser in which somebody signed in"
)
_REALM = 'Bearer realm="gal-friday"'

Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
Cookie = Annotated[str | None, Depends(_COOKIE)]
"""Told to the API's description; what the browser shows is read by ``browser``, which knows both names."""


def secure(app: FastAPI, door: Door, reception: Reception | None = None, *, people: bool = True) -> None:
    """Give *app* the door that its routes ask, and its answers to who is not let in.

    With *reception* people can sign in, where *people* is not denied, and every call goes through the shield.
    """
    app.state.door, app.state.reception = door, reception
    answer_problems(app)
    app.add_exception_handler(NotAdmitted, _not_admitted)
    if reception is not None:
        from gal_friday.api import sign_in, tokens  # they ask ``caller`` of this module
        from gal_friday.api.shield import Shield

        for router in (sign_in.router, tokens.router) if people else ():
            app.include_router(router)
        app.add_middleware(Shield, front=reception.front, new_id=lambda: reception.entry.chance.bytes(8).hex())


def caller(permission: Permission | None) -> Callable[..., Awaitable[Caller]]:
    """Return a dependency that lets in who may do this, for some account at least, and says who it is.

    None asks for no permission: whoever is known is let in.
    """

    async def who(request: Request, bearer: Bearer, _cookie: Cookie) -> Caller:
        found = await _known(request, bearer)
        request.state.known = True
        if permission is not None and not found.allows(permission):
            raise _may_not(found, permission)
        if permission is not None and found.has_to_prove(permission):
            raise stale()
        return found

    return who


async def signed_in(request: Request, _cookie: Cookie) -> Caller:
    """Let in people, and no programs: for what concerns their own session, password and passkeys."""
    if "authorization" in request.headers:
        raise _forbidden("this is for people who signed in; a token has no session")
    found = await _known(request, None)
    request.state.known = True
    return found


def stale() -> Problem:
    """Return the answer to somebody who has to prove again who they are."""
    detail = "prove again that it is you: POST /api/session/step-up, then do it again"
    return Problem(403, "prove-again", "A fresh proof is asked for", detail)


def check(who: Caller, permission: Permission, account: str) -> None:
    """Check that this may be done with this account; "" is the installation as a whole.

    Raises:
        Problem: 404 where the caller may not see the account, 403 where it may not do this.
    """
    if not who.grant.accounts.holds(account):
        if account:
            raise unknown_account(account)
        raise _forbidden("this concerns every account, and not all of them are yours")
    if not who.allows(permission):
        raise _may_not(who, permission)


def unknown_account(account: str) -> Problem:
    """Return the answer to somebody who asks for an account that does not exist, or that they may not see."""
    detail = f"no account {account!r}; GET /api/accounts lists yours"
    return Problem(404, "unknown-account", "No such account", detail)


def address_of(request: Request) -> str:
    """Return where a call comes from, as attempts are counted."""
    return counted(str(getattr(request.state, "address", "")))


async def _known(request: Request, bearer: HTTPAuthorizationCredentials | None) -> Caller:
    door: Door = request.app.state.door
    if "authorization" in request.headers:
        return await _by_token(request, door, bearer)
    secret = session_of(request)
    if secret is None:
        raise NotAdmitted(Refusal.NO_PROOF, "send an API token (Authorization: Bearer gf_…), or sign in")
    found = await by_session(door, secret)
    if request.method not in SAFE:
        reception: Reception | None = request.app.state.reception
        check_own_page(request, Front() if reception is None else reception.front)
        check_form(request, secret)
    return found


async def _by_token(request: Request, door: Door, bearer: HTTPAuthorizationCredentials | None) -> Caller:
    if bearer is None or len(request.headers.getlist("authorization")) > 1:
        raise NotAdmitted(Refusal.MALFORMED, "send one header Authorization: Bearer gf_…")
    try:
        return await by_token(door, bearer.credentials)
    except NotAdmitted as refused:
        reception: Reception | None = request.app.state.reception
        tried = ((Tried.TOKEN, address_of(request)),)
        if reception and (wait := reception.entry.throttle.charge(tried, door.clock.now())):
            words = f"too many tokens that are not good; try again in {wait} seconds"
            raise NotAdmitted(Refusal.THROTTLED, words, retry_after=wait) from None
        raise refused from None


async def _not_admitted(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, NotAdmitted)
    code = error.refusal.replace("_", "-")
    if error.refusal is Refusal.THROTTLED:
        headers = {"Retry-After": str(error.retry_after or 1)}
        return answer(Problem(429, code, "Too many attempts", str(error), headers=headers))
    challenge = _REALM if error.refusal is Refusal.NO_PROOF else f'{_REALM}, error="invalid_token"'
    return answer(Problem(401, code, "Not signed in", str(error), headers={"WWW-Authenticate": challenge}))


def _may_not(who: Caller, permission: Permission) -> Problem:
    name = who.actor.name
    if who.by == "token":  # What a token may never changes.
        return _forbidden(f"this token of {name} may not {permission}; ask for one that may: gal-friday token create")
    return _forbidden(f"{name} may not {permission}; an admin can allow it")


def _forbidden(detail: str) -> Problem:
    return Problem(403, "forbidden", "Not allowed", detail)
