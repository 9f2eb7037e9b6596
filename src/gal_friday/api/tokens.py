"""API tokens, for admins: made, listed, ended. The secret is in the answer that makes one, and nowhere else."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from gal_friday.api.problem import Problem
from gal_friday.api.reception import Reception
from gal_friday.api.security import Caller, caller, check
from gal_friday.domain.access import Accounts, Permission, Role
from gal_friday.domain.credentials import Token
from gal_friday.domain.instants import exact_instant
from gal_friday.flows import tokens
from gal_friday.flows.tokens import LASTS, LASTS_MAX, Wanted

router = APIRouter(tags=["tokens"], include_in_schema=False)

Admin = Annotated[Caller, Depends(caller(Permission.ADMINISTER))]
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00]+$")]


class WantedToken(BaseModel):
    """What a new token is to be."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    name: Name = Field(description="what it is for")
    owner: Name = Field(description="in whose name it acts: a program, or yourself")
    role: Annotated[Role, Field(strict=False)]
    accounts: list[Name] | None = Field(None, max_length=10_000, description="null is every account")
    scopes: list[Annotated[Permission, Field(strict=False)]] | None = Field(
        None, max_length=len(Permission), description="null is all that the role may; feed has to be named"
    )
    days: int = Field(LASTS.days, ge=1, le=LASTS_MAX.days)


class ListedToken(BaseModel):
    """A token, without its secret."""

    id: str
    name: str
    owner: str
    role: str
    accounts: list[str] | None
    scopes: list[str] | None
    created: str
    created_by: str
    expires: str
    last_used: str | None
    revoked: str | None


class NewToken(ListedToken):
    """A token, with its secret: the only time that anybody sees it."""

    token: str


class Listed(BaseModel):
    """Every token."""

    tokens: list[ListedToken]
    count: int


@router.get("/api/tokens", summary="Every token, without its secret")
async def listed(request: Request, who: Admin) -> Listed:
    """Return them, oldest first; those that are not good any more as well."""
    check(who, Permission.ADMINISTER, "")
    found = [ListedToken(**_told(one)) for one in await tokens.listed(_at(request).mint)]
    return Listed(tokens=found, count=len(found))


@router.post("/api/tokens", status_code=201, summary="Make a token")
async def create(request: Request, body: WantedToken, who: Admin) -> NewToken:
    """Return the new token: its text is shown this once."""
    check(who, Permission.ADMINISTER, "")
    wanted = Wanted(
        name=body.name,
        owner=body.owner,
        role=body.role,
        accounts=Accounts(None if body.accounts is None else tuple(body.accounts)),
        scopes=None if body.scopes is None else frozenset(body.scopes),
        lasts=timedelta(days=body.days),
    )
    issued = await tokens.issue(_at(request).mint, wanted, who.actor, who.grant)
    return NewToken(**_told(issued.token), token=issued.text)


@router.delete("/api/tokens/{token_id}", status_code=204, summary="End a token")
async def revoke(request: Request, token_id: Annotated[str, Path(max_length=80)], who: Admin) -> None:
    """Have it let nobody in any more, from the next call on."""
    check(who, Permission.ADMINISTER, "")
    if not await tokens.revoke(_at(request).mint, token_id, who.actor):
        raise Problem(404, "unknown-token", "No such token", "no token of this id is good; GET /api/tokens lists all")


def _at(request: Request) -> Reception:
    reception: Reception = request.app.state.reception
    return reception


def _told(token: Token) -> dict[str, Any]:
    grant = token.grant
    return {
        "id": token.id,
        "name": token.name,
        "owner": token.owner,
        "role": grant.role.value,
        "accounts": None if grant.accounts.names is None else list(grant.accounts.names),
        "scopes": None if grant.scopes is None else sorted(grant.scopes),
        "created": exact_instant(token.created),
        "created_by": token.created_by,
        "expires": exact_instant(token.expires),
        "last_used": None if token.last_used is None else exact_instant(token.last_used),
        "revoked": None if token.revoked is None else exact_instant(token.revoked),
    }
