"""Why nobody is told: silences, weekly windows and what explains what, on both sides of each boundary."""

from datetime import UTC, datetime, time, timedelta, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.alert import Alert, AlertKind, Group, Phase
from gal_friday.domain.alerting import look
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.materiality import Severity
from gal_friday.domain.muting import (
    INHIBITIONS,
    Inhibition,
    MalformedSilence,
    Matcher,
    Mutes,
    Silence,
    Window,
    explanations,
    silence,
)
from tests.domain.alerts import RULES, T0, condition, group

ALICE = Actor("alice", KnownBy.SELF_DECLARED)
TICK = timedelta(microseconds=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FAILED, MISSED, STALE, OUTAGE, TRIPPED = (
    AlertKind.RUN_FAILED,
    AlertKind.RUN_MISSED,
    AlertKind.STALE,
    AlertKind.OUTAGE,
    AlertKind.BREAKER_TRIPPED,
)


def holds(kind: AlertKind, account: str = "main", exchange: str = "kraken", **more: Any) -> Group:
    one = group(condition(kind=kind, account=account, exchange=exchange, severity=Severity.HIGH, **more))
    assert one is not None
    return one


def said(*matchers: str, ends: datetime = T0 + DAY, why: str = "the bot moves") -> Silence:
    return silence(matchers, begins=T0, ends=ends, by=ALICE, why=why)


def test_a_silence_is_kept_with_all_that_was_said_in_one_order() -> None:
    whole = Silence(
        id="sil_b5d3d29218636482",
        matchers=(Matcher("account", "main"), Matcher("kind", "run_failed")),
        begins=T0,
        ends=T0 + DAY,
        by=ALICE,
        why="the bot moves",
        ended_by=None,
    )
    assert said("kind=run_failed", "account=main") == said(" account = main ", "kind=run_failed") == whole
    assert said().matchers == ()


@pytest.mark.parametrize("text", ["account=main", "kind=stale", "exchange=kraken", "severity=high", "account=a=b"])
def test_every_field_of_an_alert_that_somebody_would_name_can_be_silenced(text: str) -> None:
    field, _, value = text.partition("=")
    assert said(text).matchers == (Matcher(field, value),)


FORMS = "account=VALUE, kind=VALUE, exchange=VALUE, severity=VALUE"
KINDS = (
    "run_failed, run_missed, stale, outage, discrepancies, review_overdue, breaker_tripped, adjustment_unsettled, "
    "key_expiring, journal_unverified, channel_failing, evaluation_failing, test"
)
TWICE = "a field is named twice; what is to match one of two values needs two silences"
ENDS = "a silence ends after it begins, and within 90 days"


@pytest.mark.parametrize(
    "matchers, terms, why",
    [
        (["account"], {}, f"'account' is none of {FORMS}"),
        (["account="], {}, f"'account=' is none of {FORMS}"),
        (["title=x"], {}, f"'title=x' is none of {FORMS}"),
        (["kind=stail"], {}, f"'stail' is no kind; known are {KINDS}"),
        (["severity=bad"], {}, "'bad' is no severity; known are low, medium, high, critical"),
        (
            ["account=a", "account=b"],
            {},
            "a field is named twice; what is to match one of two values needs two silences",
        ),
        ([], {"ends": T0}, ENDS),
        ([], {"ends": T0 + 90 * DAY + TICK}, ENDS),
        ([], {"why": " "}, "say why: whoever misses an alert will ask"),
    ],
)
def test_a_silence_that_would_match_by_mistake_or_never_end_is_refused(
    matchers: list[str], terms: dict[str, Any], why: str
) -> None:
    with pytest.raises(MalformedSilence) as refused:
        said(*matchers, **terms)
    assert str(refused.value) == why


def test_a_silence_may_last_for_ninety_days() -> None:
    assert said(ends=T0 + 90 * DAY).ends == T0 + 90 * DAY
    assert said(ends=T0 + TICK).ends == T0 + TICK


@pytest.mark.parametrize(
    "now, held", [(T0 - TICK, False), (T0, True), (T0 + DAY - TICK, True), (T0 + DAY, False), (T0 + 2 * DAY, False)]
)
def test_a_silence_holds_from_its_beginning_up_to_its_end(now: datetime, held: bool) -> None:
    one = said("account=main")
    assert one.holds(now) is held
    assert Mutes(silences=(one,)).why(holds(STALE), {}, now) == (one.id if held else "")


@pytest.mark.parametrize(
    "matchers, muted",
    [
        ([], True),
        (["account=main", "kind=stale", "exchange=kraken", "severity=high"], True),
        (["account=other", "kind=stale"], False),
        (["account=main", "kind=run_failed"], False),
        (["exchange=krake"], False),
        (["severity=critical"], False),
    ],
)
def test_a_silence_mutes_what_all_of_its_fields_match(matchers: list[str], muted: bool) -> None:
    one = said(*matchers)
    assert Mutes(silences=(one,)).why(holds(STALE), {}, T0) == (one.id if muted else "")


# 2026-01-31 is a Saturday (5), at noon in T0.
NIGHT = Window(name="move", days=frozenset({5}), begins=time(22), ends=time(4))
MORNING = replace(NIGHT, begins=time(2), ends=time(4))
WHOLE_DAY = replace(NIGHT, begins=time(2), ends=time(2))


def on(day: int, hour: int) -> datetime:
    return datetime(2026, 1 if day > 20 else 2, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    "window, now, ends",
    [
        (MORNING, on(31, 2) - TICK, None),
        (MORNING, on(31, 2), on(31, 4)),
        (MORNING, on(31, 4) - TICK, on(31, 4)),
        (MORNING, on(31, 4), None),
        (MORNING, on(30, 3), None),
        (MORNING, on(1, 3), None),
        (NIGHT, on(31, 22) - TICK, None),
        (NIGHT, on(31, 22), on(1, 4)),
        (NIGHT, on(1, 4) - TICK, on(1, 4)),
        (NIGHT, on(1, 4), None),
        (NIGHT, on(30, 23), None),
        (NIGHT, on(31, 3), None),
        (WHOLE_DAY, on(31, 2), on(1, 2)),
        (WHOLE_DAY, on(1, 2) - TICK, on(1, 2)),
        (WHOLE_DAY, on(1, 2), None),
        (NIGHT, on(31, 22).astimezone(timezone(timedelta(hours=9))), on(1, 4)),
        (NIGHT, on(31, 22).astimezone(timezone(timedelta(hours=-9))), on(1, 4)),
    ],
)
def test_a_window_comes_again_on_its_days_and_ends_on_the_day_after_where_it_has_to(
    window: Window, now: datetime, ends: datetime | None
) -> None:
    assert (window.ending(now), window.holds(now)) == (ends, ends is not None)
    assert Mutes(windows=(window,)).why(holds(STALE), {}, now) == ("" if ends is None else "maintenance move")


@pytest.mark.parametrize(
    "accounts, account, muted",
    [((), "main", True), (("main", "b"), "main", True), (("b",), "main", False), (("b",), "", False)],
)
def test_a_window_is_for_its_accounts_or_for_all(accounts: tuple[str, ...], account: str, muted: bool) -> None:
    mutes = Mutes(windows=(replace(NIGHT, accounts=accounts),))
    assert mutes.why(holds(STALE, account), {}, on(31, 23)) == ("maintenance move" if muted else "")


def test_a_silence_is_named_before_a_window_and_a_window_before_an_explanation() -> None:
    quiet = said("kind=stale", ends=on(1, 12))
    explaining = {(FAILED, "account", "main"): "alr_why"}
    now, group = on(31, 23), holds(STALE)
    others = (said("kind=outage", ends=on(1, 12)), quiet)
    closed = (replace(NIGHT, name="not now", begins=time(5), ends=time(6)), NIGHT)
    assert Mutes(silences=others, windows=closed).why(group, explaining, now) == quiet.id
    assert Mutes(silences=others[:1], windows=closed).why(group, explaining, now) == "maintenance move"
    assert Mutes().why(group, explaining, now) == "alr_why"
    assert Mutes().why(group, {}, now) == ""


def test_what_follows_from_what_is_written_here() -> None:
    assert [(one.by, one.mutes, one.same) for one in INHIBITIONS] == [
        (OUTAGE, FAILED, "exchange"),
        (OUTAGE, MISSED, "exchange"),
        (OUTAGE, STALE, "exchange"),
        (FAILED, STALE, "account"),
        (FAILED, MISSED, "account"),
        (MISSED, STALE, "account"),
        (FAILED, TRIPPED, "account"),
    ]


@pytest.mark.parametrize("rule", INHIBITIONS)
def test_what_explains_an_alert_does_so_in_its_own_scope_alone(rule: Inhibition) -> None:
    scope, other = ("main", "kraken") if rule.same == "account" else ("kraken", "main")
    one = holds(rule.mutes)
    assert Mutes().why(one, {(rule.by, rule.same, scope): "alr_why"}, T0) == "alr_why"
    assert Mutes().why(one, {(rule.by, rule.same, other): "alr_why"}, T0) == ""
    assert Mutes().why(holds(AlertKind.DISCREPANCIES), {(rule.by, rule.same, scope): "alr_why"}, T0) == ""


def test_the_first_of_several_that_explain_an_alert_is_named() -> None:
    explaining = {(FAILED, "account", "main"): "alr_run", (OUTAGE, "exchange", "kraken"): "alr_out"}
    assert Mutes().why(holds(STALE), explaining, T0) == "alr_out"
    assert Mutes().why(holds(STALE), explaining | {(OUTAGE, "exchange", "kraken"): ""}, T0) == "alr_run"


@pytest.mark.parametrize(
    "silences, windows, now, ends",
    [
        ((), (), T0, None),
        ((DAY, HOUR), (), T0, T0 + HOUR),
        ((DAY, HOUR), (), T0 + HOUR, T0 + DAY),
        ((DAY,), (NIGHT,), on(31, 23), on(1, 4)),
        ((12 * HOUR,), (NIGHT,), on(31, 23), on(1, 0)),
        ((), (NIGHT,), T0, None),
        ((), (MORNING, NIGHT), on(31, 23), on(1, 4)),
    ],
)
def test_the_first_of_those_that_hold_to_end_says_when_to_look_again(
    silences: tuple[timedelta, ...], windows: tuple[Window, ...], now: datetime, ends: datetime | None
) -> None:
    mutes = Mutes(silences=tuple(said(ends=T0 + one) for one in silences), windows=windows)
    assert mutes.next_end(now) == ends


def standing(one: Group, phase: Phase) -> Alert:
    moved = look(None, one, T0, RULES)
    assert moved is not None
    return replace(moved.alert, phase=phase)


def test_what_holds_may_explain_what_else_holds_in_its_account_and_its_exchange() -> None:
    failed, out, other = holds(FAILED), holds(OUTAGE, account=""), holds(AlertKind.DISCREPANCIES)
    assert explanations([other, failed, out, holds(STALE)], []) == {
        (FAILED, "account", "main"): failed.id,
        (FAILED, "exchange", "kraken"): failed.id,
        (OUTAGE, "exchange", "kraken"): out.id,
    }


def test_of_two_of_one_kind_the_first_by_account_explains_for_the_exchange() -> None:
    one, two = holds(MISSED, "a"), holds(MISSED, "b")
    assert explanations([two, one], []) == {
        (MISSED, "account", "a"): one.id,
        (MISSED, "account", "b"): two.id,
        (MISSED, "exchange", "kraken"): one.id,
    }


@pytest.mark.parametrize(
    "phase, explains",
    [
        (Phase.PENDING, False),
        (Phase.FIRING, True),
        (Phase.ESCALATED, True),
        (Phase.ACKNOWLEDGED, True),
        (Phase.RESOLVED, False),
    ],
)
def test_what_has_just_gone_explains_until_it_is_over(phase: Phase, explains: bool) -> None:
    one = holds(FAILED)
    expected = {(FAILED, "account", "main"): one.id, (FAILED, "exchange", "kraken"): one.id}
    assert explanations([], [standing(one, phase), standing(holds(STALE), phase)]) == (expected if explains else {})
