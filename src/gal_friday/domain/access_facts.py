"""The facts about who may do what: one for every change, by whom, and never with anything that lets somebody in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gal_friday.domain.access import Grant
from gal_friday.domain.credentials import Passkey, Session, Token, User
from gal_friday.domain.facts import PROGRAM, Actor, Fact, FactKind, KnownBy


def token_created(token: Token, by: Actor) -> Fact:
    """Return the fact of a new token."""
    body = {"name": token.name, "owner": token.owner, **told(token.grant), "expires": token.expires}
    return _fact(FactKind.TOKEN_CREATED, token.created, token.id, by, body)


def token_revoked(token_id: str, at: datetime, by: Actor) -> Fact:
    """Return the fact that a token is not good any more."""
    return _fact(FactKind.TOKEN_REVOKED, at, token_id, by)


def user_created(user: User, by: Actor) -> Fact:
    """Return the fact that somebody can sign in."""
    return _fact(FactKind.USER_CREATED, user.created, user.name, by, told(user.grant))


def user_changed(kind: FactKind, user: User, at: datetime, by: Actor) -> Fact:
    """Return the fact that a user is enabled, disabled, or has another password."""
    return _fact(kind, at, user.name, by)


def role_changed(before: User, after: User, at: datetime, by: Actor) -> Fact:
    """Return the fact that somebody may do more or less."""
    body = {**told(after.grant), "before": told(before.grant)}
    return _fact(FactKind.ROLE_CHANGED, at, after.name, by, body)


def passkey_changed(kind: FactKind, passkey: Passkey, at: datetime, by: Actor) -> Fact:
    """Return the fact that a device lets somebody in, or does not any more."""
    return _fact(kind, at, passkey.user, by, {"name": passkey.name, "passkey": passkey.id[:16]})


def session_fact(kind: FactKind, session: Session, at: datetime, *, how: str = "", address: str = "") -> Fact:
    """Return the fact that somebody signed in or out, or proved again who they are."""
    body = {name: value for name, value in (("how", how), ("address", address)) if value}
    return _fact(kind, at, session.name, person(session.user), body)


def sign_in_refused(name: str, at: datetime, *, how: str, address: str, throttled: bool) -> Fact:
    """Return the fact that somebody was not let in.

    *name* is the user it was tried for; empty where there is none of that name, because what people type there may be
    their password.
    """
    body = {"how": how, "address": address, "throttled": throttled}
    return _fact(FactKind.SIGN_IN_REFUSED, at, name, PROGRAM, body)


def person(name: str) -> Actor:
    """Return a person who signed in, as the journal has them."""
    return Actor(name, KnownBy.SESSION)


def told(grant: Grant) -> dict[str, Any]:
    """Return what somebody is allowed, in words."""
    accounts, scopes = grant.accounts.names, grant.scopes
    return {
        "role": grant.role,
        "accounts": "all" if accounts is None else list(accounts),
        "scopes": "all" if scopes is None else sorted(scopes),
    }


def _fact(kind: FactKind, at: datetime, subject: str, by: Actor, body: Mapping[str, Any] | None = None) -> Fact:
    return Fact(kind=kind, at=at, account="", subject=subject, actor=by, body=body or {})
