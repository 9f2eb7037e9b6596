"""Who may do what, as one table: four roles, what each permission asks for, and the accounts that it holds for.

Everything that a person or a program can be allowed is a ``Permission``, and LEAST says which role it takes. Nothing is
allowed that does not stand there. That who proposes may not approve is another rule, and holds for every role (I11, see
``adjusted``). Nothing here knows how somebody proves who they are.
"""

from enum import StrEnum
from functools import cached_property
from typing import Final

from msgspec import Struct


class Role(StrEnum):
    """What somebody is trusted with; each may do what those before it may."""

    __hash__ = str.__hash__

    VIEWER = "viewer"
    """Looks."""
    REVIEWER = "reviewer"
    """Looks into things, and asks for what somebody else approves."""
    APPROVER = "approver"
    """Decides."""
    ADMIN = "admin"
    """Says who may do what."""


class Permission(StrEnum):
    """What can be allowed, one by one."""

    __hash__ = str.__hash__

    READ = "read"
    """Reports, discrepancies, adjustments, the journal, events, and the gate."""
    METRICS = "metrics"
    """The numbers that a monitor collects."""
    RUN = "run"
    """Ask for a run."""
    REVIEW = "review"
    """Assign, comment, propose, dispute, snooze, reopen."""
    APPROVE = "approve"
    """Approve and reject adjustments, take them back, accept a difference."""
    OPERATE = "operate"
    """Pause and resume an account, reset a breaker, silence an alert."""
    ADMINISTER = "administer"
    """Tokens and users."""
    FEED = "feed"
    """Write the trading system's records into the book. No role has it: a token is given it by name."""


LEAST: Final[dict[Permission, Role | None]] = {
    Permission.READ: Role.VIEWER,
    Permission.METRICS: Role.VIEWER,
    Permission.RUN: Role.REVIEWER,
    Permission.REVIEW: Role.REVIEWER,
    Permission.APPROVE: Role.APPROVER,
    Permission.OPERATE: Role.APPROVER,
    Permission.ADMINISTER: Role.ADMIN,
    # Whoever could write fills by hand could make the book say anything, and nobody would have to approve it.
    Permission.FEED: None,
}
"""The least role that a permission takes; None is given by name only."""

FRESH: Final = frozenset({Permission.APPROVE, Permission.ADMINISTER})
"""What a browser may only do shortly after the person has proven again that it is they."""

_RANK: Final = {role: rank for rank, role in enumerate(Role)}


class Accounts(Struct, frozen=True, dict=True):
    """The accounts that somebody may see and touch."""

    names: tuple[str, ...] | None = None
    """None is every account, those of later on included; no name is no account."""

    def holds(self, account: str) -> bool:
        """Say whether this account is among them. What concerns no single account ("") is for those who have all."""
        return self.names is None or (bool(account) and account in self._set)

    @cached_property
    def _set(self) -> frozenset[str]:
        return frozenset(self.names or ())


ALL = Accounts()


class Grant(Struct, frozen=True, kw_only=True):
    """What one person or program is allowed."""

    role: Role
    accounts: Accounts = ALL
    scopes: frozenset[Permission] | None = None
    """Only these, of what the role may, and FEED where it is among them; None is all that the role may."""


def allows(grant: Grant, permission: Permission) -> bool:
    """Say whether this may be done at all; for which accounts is another question."""
    least = LEAST[permission]
    named = grant.scopes is not None and permission in grant.scopes
    if least is None:
        return named
    return _RANK[grant.role] >= _RANK[least] and (named or grant.scopes is None)


def may(grant: Grant, permission: Permission, account: str) -> bool:
    """Say whether this may be done with this account; "" is the installation as a whole."""
    return allows(grant, permission) and grant.accounts.holds(account)


def at_least(role: Role, least: Role) -> bool:
    """Say whether *role* may all that *least* may."""
    return _RANK[role] >= _RANK[least]


def covers(grant: Grant, wanted: Grant) -> bool:
    """Say whether somebody with *grant* can hand out *wanted*: nothing that they may not do themselves."""
    mine, theirs = grant.accounts.names, wanted.accounts.names
    accounts = mine is None or (theirs is not None and set(theirs) <= set(mine))
    scopes = grant.scopes is None or (wanted.scopes is not None and wanted.scopes <= grant.scopes)
    return at_least(grant.role, wanted.role) and accounts and scopes
