"""What somebody proves who they are with: good up to its end and not after it, and never more than its person."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from gal_friday.domain.access import Accounts, Grant, Permission, Role
from gal_friday.domain.credentials import (
    USED_EVERY,
    HeldToken,
    Passkey,
    Refusal,
    SessionRules,
    Token,
    User,
    both,
    grant_of,
)
from tests.domain.build import T0
from tests.domain.test_whole_facts import BOB, SESSION, TOKEN

TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    "token, after, refusal",
    [
        (TOKEN, HOUR - TICK, None),
        (TOKEN, HOUR, Refusal.EXPIRED),
        (replace(TOKEN, revoked=T0), -HOUR, Refusal.REVOKED),
        (replace(TOKEN, revoked=T0), 2 * HOUR, Refusal.REVOKED),
    ],
)
def test_a_token_is_good_up_to_its_end_unless_somebody_revoked_it(
    token: Token, after: timedelta, refusal: Refusal | None
) -> None:
    assert token.refusal(T0 + after) is refusal


def test_how_long_a_session_lasts_unless_it_is_said_otherwise() -> None:
    assert SessionRules() == SessionRules(
        idle=timedelta(hours=1), lasts=timedelta(hours=12), fresh=timedelta(minutes=10)
    )
    assert timedelta(minutes=1) == USED_EVERY


@pytest.mark.parametrize(
    "seen, now, over",
    [
        (timedelta(), HOUR - TICK, False),
        (timedelta(), HOUR, True),
        (11.5 * HOUR, 12 * HOUR - TICK, False),
        (11.5 * HOUR, 12 * HOUR, True),
    ],
)
def test_a_session_ends_when_it_was_not_used_for_an_hour_and_after_twelve(
    seen: timedelta, now: timedelta, over: bool
) -> None:
    assert SessionRules().ended(replace(SESSION, seen=T0 + seen), T0 + now) is over


@pytest.mark.parametrize("now, fresh", [(timedelta(minutes=10) - TICK, True), (timedelta(minutes=10), False)])
def test_a_proof_is_fresh_for_ten_minutes(now: timedelta, fresh: bool) -> None:
    proven = replace(SESSION, began=T0 - HOUR, seen=T0 - HOUR)
    assert SessionRules().is_fresh(proven, T0 + now) is fresh


def test_a_session_is_called_by_so_little_that_nobody_can_use_it() -> None:
    assert SESSION.name == "ses_0123456789ab"


def test_what_a_person_is_allowed_follows_from_role_and_accounts() -> None:
    assert BOB.grant == Grant(role=Role.REVIEWER, accounts=Accounts(None), scopes=None)
    bare = User(name="bob", role=Role.REVIEWER, accounts=Accounts(None), password=None, created=T0)
    assert (bare.disabled, bare.revision) == (None, 0)
    new = Passkey(id="p", user="bob", name="phone", public_key=b"k", sign_count=0, added=T0)
    assert (new.last_used, TOKEN.last_used, TOKEN.revoked) == (None, None, None)


SOME = frozenset({Permission.READ, Permission.METRICS})


@pytest.mark.parametrize(
    "owner, allowed",
    [
        (None, Grant(role=Role.APPROVER, accounts=Accounts(("two", "one")), scopes=SOME)),
        (BOB, Grant(role=Role.REVIEWER, accounts=Accounts(("two", "one")), scopes=SOME)),
        (
            replace(BOB, role=Role.ADMIN, accounts=Accounts(("one", "other"))),
            Grant(role=Role.APPROVER, accounts=Accounts(("one",)), scopes=SOME),
        ),
        (
            replace(BOB, role=Role.APPROVER, accounts=Accounts(())),
            Grant(role=Role.APPROVER, accounts=Accounts(()), scopes=SOME),
        ),
    ],
    ids=["a program of nobody here", "a person who may less", "a person of other accounts", "a person of none"],
)
def test_a_token_is_never_allowed_more_than_its_person(owner: User | None, allowed: Grant) -> None:
    assert grant_of(HeldToken(TOKEN, owner)) == allowed


@pytest.mark.parametrize(
    "one, other, common",
    [
        (None, None, None),
        (None, ("a",), ("a",)),
        (("a",), None, ("a",)),
        (("b", "a"), ("a", "b", "c"), ("b", "a")),
        (("a",), ("b",), ()),
    ],
)
def test_accounts_of_both(
    one: tuple[str, ...] | None, other: tuple[str, ...] | None, common: tuple[str, ...] | None
) -> None:
    assert both(Accounts(one), Accounts(other)) == Accounts(common)


def test_the_words_under_which_a_refusal_is_kept() -> None:
    assert [one.value for one in Refusal] == [
        *("no_proof", "malformed", "unknown", "expired", "revoked", "disabled", "throttled"),
    ]
