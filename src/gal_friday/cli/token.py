"""``gal-friday token``: API tokens made, listed and ended. A token itself is printed once, and kept nowhere."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Annotated, Any

from cyclopts import Parameter

from gal_friday.bootstrap.access import mint_of
from gal_friday.bootstrap.settings import Settings
from gal_friday.bootstrap.wire import OpenStore
from gal_friday.cli.columns import padded, table
from gal_friday.cli.exit_status import RECONCILED
from gal_friday.cli.granting import AccountNames, RoleName, accounts_in, opened, role_in, scopes_in, told
from gal_friday.cli.options import AsJson, BadUsage, ConfigFile
from gal_friday.cli.output import out, printable, say, write_json
from gal_friday.cli.review import who
from gal_friday.domain.access import Permission
from gal_friday.domain.credentials import Token
from gal_friday.flows import tokens
from gal_friday.flows.tokens import LASTS, Issued, Wanted

Name = Annotated[str, Parameter(help="What the token is for, such as the name of the bot.")]
TokenId = Annotated[str, Parameter(help="The ten digits between gf_ and the next _.")]
Owner = Annotated[str | None, Parameter(help="In whose name it acts: a user, or a program. Without it, the name.")]
Scopes = Annotated[
    str | None,
    Parameter(help=f"Only these, with commas between them: {', '.join(Permission)}. feed has to be named."),
]
Days = Annotated[int, Parameter(help="How long it is good for.")]
All = Annotated[bool, Parameter(name="--all", help="Those that are not good any more as well.")]


def create(
    name: Name,
    /,
    *,
    owner: Owner = None,
    role: RoleName = "viewer",
    accounts: AccountNames = None,
    scopes: Scopes = None,
    days: Days = LASTS.days,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Make a token, and print it on stdout: the only time that anybody sees it."""
    if not 0 < days <= tokens.LASTS_MAX.days:
        raise BadUsage(f"--days goes from 1 to {tokens.LASTS_MAX.days}")

    async def make(settings: Settings, store: OpenStore) -> Issued:
        wanted = Wanted(
            name=name,
            owner=name if owner is None else owner,
            role=role_in(role),
            accounts=accounts_in(accounts, settings),
            scopes=scopes_in(scopes),
            lasts=timedelta(days=days),
        )
        return await tokens.issue(mint_of(store), wanted, who(None))

    issued = opened(config, make)
    if as_json:
        write_json(_json(issued.token) | {"token": issued.text})
        return RECONCILED
    say(f"{_line(issued.token)}; keep it where only the program reads it: it is shown this once")
    out().print(issued.text)
    return RECONCILED


def listed(*, all_: All = False, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """List tokens, oldest first, without their secrets."""

    async def read(_settings: Settings, store: OpenStore) -> tuple[Token, ...]:
        mint = mint_of(store)
        now = mint.clock.now()
        return tuple(one for one in await tokens.listed(mint) if all_ or one.refusal(now) is None)

    found = opened(config, read)
    if as_json:
        write_json({"tokens": [_json(one) for one in found], "count": len(found)})
    elif found:
        for line in table(padded([printable(cell) for cell in column]) for column in _columns(found)):
            out().print(line)
    else:
        say("there is no token; `gal-friday token create NAME` makes one")
    return RECONCILED


def revoke(token_id: TokenId, /, *, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """End a token; whoever shows it from now on is refused."""

    async def end(_settings: Settings, store: OpenStore) -> bool:
        return await tokens.revoke(mint_of(store), token_id, who(None))

    if not opened(config, end):
        raise BadUsage(f"no token {token_id[:80]!r} is good; `gal-friday token list --all` shows every one")
    if as_json:
        write_json({"id": token_id, "revoked": True})
    else:
        say(f"revoked {token_id}")
    return RECONCILED


def _columns(found: Sequence[Token]) -> Iterator[Sequence[str]]:
    yield "token", *(one.id for one in found)
    yield "name", *(one.name for one in found)
    yield "acts as", *(one.owner for one in found)
    yield "role", *(one.grant.role for one in found)
    yield "accounts", *(told(one.grant.accounts) for one in found)
    yield "scopes", *(_scopes(one) for one in found)
    yield "expires", *(f"{one.expires:%Y-%m-%d}" for one in found)
    yield "last used", *(f"{one.last_used:%Y-%m-%d %H:%M} UTC" if one.last_used else "never" for one in found)
    yield "", *("revoked" if one.revoked else "" for one in found)


def _scopes(token: Token) -> str:
    scopes = token.grant.scopes
    return "all" if scopes is None else ", ".join(sorted(scopes))


def _line(token: Token) -> str:
    allowed = f"{token.grant.role}, accounts: {told(token.grant.accounts)}, scopes: {_scopes(token)}"
    return f"token {token.id} for {token.name!r} acts as {token.owner!r} ({allowed}) until {token.expires:%Y-%m-%d}"


def _json(token: Token) -> dict[str, Any]:
    grant = token.grant
    return {
        "id": token.id,
        "name": token.name,
        "owner": token.owner,
        "role": grant.role,
        "accounts": grant.accounts.names,
        "scopes": None if grant.scopes is None else sorted(grant.scopes),
        "created": token.created,
        "created_by": token.created_by,
        "expires": token.expires,
        "last_used": token.last_used,
        "revoked": token.revoked,
    }
