"""Rows of who is known, out to values and back."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import RowMapping

from gal_friday.domain.access import Accounts, Grant, Permission, Role
from gal_friday.domain.credentials import Passkey, Session, Token, User
from gal_friday.domain.person import looks
from gal_friday.ports.errors import StoreFailed


def of_token(token: Token) -> dict[str, Any]:
    """Return the row of a token."""
    accounts, scopes = token.grant.accounts.names, token.grant.scopes
    return {
        "token_id": token.id,
        "name": token.name,
        "owner": token.owner,
        "owner_key": looks(token.owner),
        "role": token.grant.role.value,
        "accounts": _listed(accounts),
        "scopes": _listed(None if scopes is None else sorted(scopes)),
        "digest": token.digest,
        "created": token.created,
        "created_by": token.created_by,
        "expires": token.expires,
        "last_used": token.last_used,
        "revoked": token.revoked,
    }


def token(row: RowMapping) -> Token:
    """Return the token of a row."""
    return Token(
        id=row["token_id"],
        name=row["name"],
        owner=row["owner"],
        grant=Grant(role=_role(row["role"]), accounts=_accounts(row["accounts"]), scopes=_scopes(row["scopes"])),
        digest=row["digest"],
        created=row["created"],
        created_by=row["created_by"],
        expires=row["expires"],
        last_used=row["last_used"],
        revoked=row["revoked"],
    )


def of_user(user: User) -> dict[str, Any]:
    """Return the row of a user."""
    return {
        "name_key": looks(user.name),
        "name": user.name,
        "role": user.role.value,
        "accounts": _listed(user.accounts.names),
        "password": user.password,
        "created": user.created,
        "disabled": user.disabled,
        "revision": user.revision,
    }


def user(row: RowMapping) -> User:
    """Return the user of a row."""
    return User(
        name=row["name"],
        role=_role(row["role"]),
        accounts=_accounts(row["accounts"]),
        password=row["password"],
        created=row["created"],
        disabled=row["disabled"],
        revision=row["revision"],
    )


def of_passkey(passkey: Passkey) -> dict[str, Any]:
    """Return the row of a passkey."""
    return {
        "passkey_id": passkey.id,
        "name_key": looks(passkey.user),
        "name": passkey.name,
        "public_key": passkey.public_key,
        "sign_count": passkey.sign_count,
        "added": passkey.added,
        "last_used": passkey.last_used,
    }


def passkey(row: RowMapping, user: str) -> Passkey:
    """Return the passkey of a row, which is this user's."""
    return Passkey(
        id=row["passkey_id"],
        user=user,
        name=row["name"],
        public_key=row["public_key"],
        sign_count=row["sign_count"],
        added=row["added"],
        last_used=row["last_used"],
    )


def session(row: RowMapping, user: str) -> Session:
    """Return the session of a row, which is this user's."""
    return Session(digest=row["digest"], user=user, began=row["began"], seen=row["seen"], proven=row["proven"])


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        # Neither more nor less than nobody knows what: a guess would let somebody in.
        raise StoreFailed(f"the role {text!r} is of a newer version of this program; use that one") from None


def _listed(names: Iterable[str] | None) -> str | None:
    return None if names is None else msgspec.json.encode(list(names)).decode()


def _accounts(text: str | None) -> Accounts:
    return Accounts(None if text is None else tuple(msgspec.json.decode(text, type=list[str])))


def _scopes(text: str | None) -> frozenset[Permission] | None:
    if text is None:
        return None
    known = set(Permission)
    # One of a later version allows nothing here.
    return frozenset(Permission(word) for word in msgspec.json.decode(text, type=list[str]) if word in known)
