"""Which accounts a caller may see, and which one is meant: the second question of every route, after who it is."""

from collections.abc import Collection
from typing import Annotated

from fastapi import Query, Request

from gal_friday.api.backend import Backend
from gal_friday.api.problem import Problem
from gal_friday.api.security import check, unknown_account
from gal_friday.domain.access import Permission
from gal_friday.domain.adjusted import Kept
from gal_friday.domain.followed import Followed
from gal_friday.flows.door import Caller
from gal_friday.flows.standing import AccountInfo

Account = Annotated[
    str | None,
    Query(min_length=1, max_length=100, description="One account; by default all that you may see."),
]


async def only_known(request: Request) -> None:
    """Check that the address has only parameters that the route knows, each as often as it may stand there.

    Raises:
        Problem: 422: a misspelt limit that is silently ignored is worse than none.
    """
    if not request.url.query:
        return
    known = _parameters(request)
    for name in request.query_params:
        if name not in known:
            told = ", ".join(sorted(known)) or "it takes none"
            detail = f"no parameter {name[:60]!r} here; there are: {told}"
            raise Problem(422, "unknown-parameter", "No such parameter", detail)
        if not known[name] and len(request.query_params.getlist(name)) > 1:
            raise Problem(422, "repeated-parameter", "Said twice", f"{name} stands there more than once; write it once")


def _parameters(request: Request) -> dict[str, bool]:
    """Return the parameters that the route describes, and whether each may stand there more than once."""
    route = request.scope["route"].path_format
    described = request.app.openapi()["paths"][route][request.method.lower()].get("parameters", ())
    return {one["name"]: one["schema"].get("type") == "array" for one in described if one["in"] == "query"}


def backend_of(request: Request) -> Backend:
    """Return what the application stands on."""
    backend: Backend = request.app.state.backend
    return backend


def seen_by(who: Caller, account: str | None) -> Collection[str] | None:
    """Return the accounts that a list is about: the one that is named, or all that the caller may see (None: all).

    Raises:
        Problem: 404 where the named one is not the caller's to see.
    """
    if account is None:
        return who.grant.accounts.names
    check(who, Permission.READ, account)
    return (account,)


def meant(backend: Backend, who: Caller, permission: Permission, account: str | None) -> AccountInfo:
    """Return the account that is named, or the only one that the caller may see.

    Raises:
        Problem: 404 where there is none of this name, 422 where several could be meant.
    """
    if account is None:
        names = [name for name in backend.accounts if who.grant.accounts.holds(name)]
        if len(names) != 1:
            told = ", ".join(sorted(names)) or "none is configured that you may see"
            raise Problem(422, "which-account", "Which account?", f"name one with account=: {told}")
        account = names[0]
    check(who, permission, account)
    if account not in backend.accounts:
        raise unknown_account(account)
    return backend.accounts[account]


def unknown(what: str, name: str, where: str) -> Problem:
    """Return the answer to an id that nothing has."""
    return Problem(404, f"unknown-{what}", f"No such {what}", f"no {what} {name[:80]!r}; {where} lists them")


async def known_adjustment(backend: Backend, who: Caller, adjustment_id: str) -> Kept:
    """Return the adjustment with this id, or the only one whose id begins so.

    Raises:
        Problem: 404 where there is none that the caller may see.
    """
    missing = unknown("adjustment", adjustment_id, "GET /api/adjustments")
    kept = await backend.repairs.adjustments.adjustment(adjustment_id, accounts=who.grant.accounts.names)
    if kept is None or not who.sees(kept.adjustment.account):
        raise missing
    return kept


async def known_discrepancy(backend: Backend, who: Caller, discrepancy_id: str) -> Followed:
    """Return the discrepancy with this id, or the only one whose id begins so.

    Raises:
        Problem: 404 where there is none that the caller may see.
    """
    missing = unknown("discrepancy", discrepancy_id, "GET /api/discrepancies")
    followed = await backend.desk.store.discrepancy(discrepancy_id, accounts=who.grant.accounts.names)
    if followed is None or not who.sees(followed.account):
        raise missing
    return followed
