"""Who may do what: every role against every permission, and what scopes and accounts take away."""

from itertools import product

import pytest

from gal_friday.domain.access import (
    ALL,
    FRESH,
    LEAST,
    Accounts,
    Grant,
    Permission,
    Role,
    allows,
    at_least,
    covers,
    may,
)

# Spelled out a second time, on purpose: a permission that moved in the table has to be moved here as well.
ALLOWED = {
    Role.VIEWER: {"read", "metrics"},
    Role.REVIEWER: {"read", "metrics", "run", "review"},
    Role.APPROVER: {"read", "metrics", "run", "review", "approve", "operate"},
    Role.ADMIN: {"read", "metrics", "run", "review", "approve", "operate", "administer"},
}


@pytest.mark.parametrize("role, permission", list(product(Role, Permission)))
def test_a_role_may_what_is_written_here_and_nothing_else(role: Role, permission: Permission) -> None:
    assert allows(Grant(role=role), permission) is (permission in ALLOWED[role])


def test_every_permission_is_in_the_table() -> None:
    assert set(LEAST) == set(Permission)


@pytest.mark.parametrize("role, permission", list(product(Role, Permission)))
def test_a_scope_takes_away_and_adds_nothing_but_the_feed(role: Role, permission: Permission) -> None:
    for scope in Permission:
        narrowed = Grant(role=role, scopes=frozenset({scope}))
        expected = scope is permission and (permission is Permission.FEED or permission in ALLOWED[role])
        assert allows(narrowed, permission) is expected


def test_no_scope_at_all_is_nothing_at_all() -> None:
    assert not any(allows(Grant(role=Role.ADMIN, scopes=frozenset()), one) for one in Permission)


def test_accounts_hold_those_that_are_named_and_no_others() -> None:
    some = Grant(role=Role.ADMIN, accounts=Accounts(("main", "spare")))
    assert may(some, Permission.READ, "main")
    assert not may(some, Permission.READ, "Main")
    assert not may(some, Permission.READ, "mai")


def test_what_concerns_no_single_account_is_for_those_who_have_all() -> None:
    assert may(Grant(role=Role.VIEWER), Permission.READ, "")
    assert not may(Grant(role=Role.ADMIN, accounts=Accounts(("main", ""))), Permission.READ, "")


def test_no_name_is_no_account_and_none_is_every_one() -> None:
    assert not Accounts(()).holds("main")
    assert Accounts().holds("main")


def test_roles_are_in_their_order() -> None:
    assert [role.value for role in Role] == ["viewer", "reviewer", "approver", "admin"]
    assert at_least(Role.ADMIN, Role.APPROVER)
    assert at_least(Role.APPROVER, Role.APPROVER)
    assert not at_least(Role.REVIEWER, Role.APPROVER)


def grant(role: Role, accounts: tuple[str, ...] | None = None, *scopes: Permission) -> Grant:
    return Grant(role=role, accounts=Accounts(accounts), scopes=frozenset(scopes) or None)


MINE = grant(Role.APPROVER, ("a", "b"), Permission.READ, Permission.RUN)


@pytest.mark.parametrize(
    "wanted, covered",
    [
        (MINE, True),
        (grant(Role.VIEWER, ("a",), Permission.READ), True),
        (grant(Role.ADMIN, ("a",), Permission.READ), False),
        (grant(Role.VIEWER, ("a", "c"), Permission.READ), False),
        (grant(Role.VIEWER, None, Permission.READ), False),
        (grant(Role.VIEWER, ("a",), Permission.METRICS), False),
        (grant(Role.VIEWER, ("a",)), False),
        (grant(Role.VIEWER, (), Permission.READ), True),
    ],
)
def test_nobody_hands_out_what_they_may_not_do_themselves(wanted: Grant, covered: bool) -> None:
    assert covers(MINE, wanted) is covered


def test_whoever_may_everything_in_their_accounts_hands_out_anything_there() -> None:
    mine = grant(Role.APPROVER, ("a",))
    assert covers(mine, grant(Role.VIEWER, ("a",)))
    assert covers(mine, grant(Role.APPROVER, ("a",), Permission.FEED))
    assert not covers(mine, grant(Role.VIEWER))
    assert covers(grant(Role.ADMIN), grant(Role.ADMIN))
    assert covers(grant(Role.ADMIN), MINE)


@pytest.mark.parametrize("permission, kept", [(Permission.READ, True), (Permission.FEED, False)])
def test_what_a_role_may_is_allowed_without_a_scope_and_the_feed_is_not(permission: Permission, kept: bool) -> None:
    assert may(grant(Role.ADMIN), permission, "a") is kept
    assert may(grant(Role.ADMIN, ("a",)), permission, "b") is False


def test_what_a_browser_asks_a_fresh_proof_for() -> None:
    assert frozenset({Permission.APPROVE, Permission.ADMINISTER}) == FRESH
    assert Grant(role=Role.VIEWER) == Grant(role=Role.VIEWER, accounts=ALL, scopes=None)
    assert Accounts(None) == ALL
