"""Who calls, and whether they may: the dependency that every route begins with.

    @router.get("/api/reports")
    async def reports(who: Annotated[Caller, Depends(caller(Permission.READ))]) -> …

What is returned has ``actor`` for the journal, ``sees(account)`` for lists, and ``check(who, permission, account)``
for what concerns one account. An account that the caller may not see is answered as one that does not exist.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from gal_friday.api.problem import Problem, answer_problems
from gal_friday.domain.access import Permission
from gal_friday.domain.credentials import Refusal
from gal_friday.flows.door import Caller, Door, NotAdmitted, by_token

__all__ = ["Caller", "caller", "check", "secure"]

_BEARER = HTTPBearer(auto_error=False, scheme_name="token", description="An API token: gf_<id>_<secret>")
_REALM = 'Bearer realm="gal-friday"'


def secure(app: FastAPI, door: Door) -> None:
    """Give *app* the door that its routes ask, and its answers to who is not let in."""
    app.state.door = door
    answer_problems(app)


def caller(permission: Permission) -> Callable[..., Awaitable[Caller]]:
    """Return a dependency that lets in who may do this, for some account at least, and says who it is."""

    async def who(request: Request, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> Caller:
        door: Door = request.app.state.door
        if bearer is None:
            raise _unauthorized(NotAdmitted(Refusal.NO_PROOF, "send an API token: Authorization: Bearer gf_…"))
        try:
            found = await by_token(door, bearer.credentials)
        except NotAdmitted as refused:
            raise _unauthorized(refused) from None
        if not found.allows(permission):
            raise _forbidden(f"{found.actor.name} may not {permission}; an admin can allow it")
        return found

    return who


def check(who: Caller, permission: Permission, account: str) -> None:
    """Check that this may be done with this account; "" is the installation as a whole.

    Raises:
        Problem: 404 where the caller may not see the account, 403 where it may not do this.
    """
    if not who.grant.accounts.holds(account):
        if account:
            raise Problem(404, "unknown-account", "No such account", f"no account {account!r}")
        raise _forbidden("this concerns every account, and not all of them are yours")
    if not who.allows(permission):
        raise _forbidden(f"{who.actor.name} may not {permission}; an admin can allow it")


def _unauthorized(refused: NotAdmitted) -> Problem:
    challenge = _REALM if refused.refusal is Refusal.NO_PROOF else f'{_REALM}, error="invalid_token"'
    return Problem(
        401, refused.refusal.replace("_", "-"), "Not signed in", str(refused), headers={"WWW-Authenticate": challenge}
    )


def _forbidden(detail: str) -> Problem:
    return Problem(403, "forbidden", "Not allowed", detail)
