"""When people are told: each wait on both sides of its boundary, and any sequence of looks (I14)."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gal_friday.domain.alert import LINES_MAX, Alert, AlertKind, Notice, Phase, What
from gal_friday.domain.alert_groups import MANY, grouped
from gal_friday.domain.alerting import (
    STEPS,
    Event,
    NothingToAcknowledge,
    Rules,
    acknowledged,
    look,
    next_look,
    quiet_time,
)
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.materiality import Severity
from tests.domain.alerts import Life, at, condition, group

ALICE = Actor("alice", KnownBy.SELF_DECLARED)
MINUTE, HOUR = 60, 3600


def firing(rules: Rules | None = None, *, severity: Severity = Severity.CRITICAL, magnitude: int = 1) -> Life:
    life = Life(rules or Rules())
    assert life.look(0, condition(severity=severity, magnitude=magnitude)) == []
    assert life.look(1, condition(severity=severity, magnitude=magnitude)) == ["firing"]
    return life


def test_ten_thousand_discrepancies_are_one_alert_with_the_worst_named() -> None:
    every = [condition(f"dis_{number:05}", value=str(number)) for number in range(10_000)]
    (one,) = grouped(every)
    assert one.title == "10000 discrepancies are open"
    assert one.lines == (*(f"dis_{number:05} is off" for number in range(9999, 9994, -1)), "and 9995 more")
    life = Life()
    assert life.look(0, *every) + life.look(1, *every) + life.look(2, *every) == ["firing"]


def test_the_order_in_which_conditions_are_found_changes_nothing() -> None:
    every = [condition(f"dis_{n}", value=None if n % 3 else str(n % 4), account=f"a{n % 2}") for n in range(40)]
    shuffled = sorted(every, key=lambda one: one.fingerprint)
    assert shuffled != every
    assert grouped(every) == grouped(shuffled)


def test_what_has_no_price_is_named_before_what_has_one() -> None:
    one = group(*(condition(f"dis_{n}", value=str(n)) for n in range(9)), condition("dis_x", value=None))
    assert one is not None
    assert one.lines[0] == "dis_x is off"
    assert len(one.lines) == LINES_MAX + 1


def test_accounts_and_kinds_are_told_apart() -> None:
    every = [condition(), condition(account="other"), condition(kind=AlertKind.STALE), condition("dis_2")]
    assert {(one.account, one.kind.value, one.magnitude) for one in grouped(every)} == {
        ("main", "discrepancies", 2),
        ("other", "discrepancies", 1),
        ("main", "stale", 1),
    }


def test_every_kind_has_its_word_for_several() -> None:
    assert set(MANY) == set(AlertKind)


@pytest.mark.parametrize("seconds, told", [(0.999, []), (1, ["firing"])])
def test_the_first_notice_waits_for_what_belongs_to_it(seconds: float, told: list[str]) -> None:
    life = Life()
    assert life.look(0, condition()) == []
    assert life.look(seconds, condition()) == told


def test_what_goes_before_its_wait_is_over_is_told_to_nobody() -> None:
    life = Life()
    life.look(0, condition())
    assert life.look(0.5) == []
    assert life.look(HOUR) == []
    assert life.alert is not None
    assert (life.alert.phase, life.notices) == (Phase.RESOLVED, [])


@pytest.mark.parametrize("magnitude, told", [(3, []), (4, ["grew"])])
def test_it_is_told_again_at_once_when_there_is_twice_as_much_of_it(magnitude: int, told: list[str]) -> None:
    life = firing(magnitude=2)
    assert life.look(2, condition(magnitude=magnitude)) == told


def test_it_is_told_again_at_once_when_it_is_graver() -> None:
    life = firing(severity=Severity.HIGH)
    assert life.look(2, condition(severity=Severity.CRITICAL)) == ["grew"]
    assert life.look(3, condition(severity=Severity.CRITICAL)) == []


@pytest.mark.parametrize("seconds, told", [(300.9, []), (301, ["renewed"])])
def test_another_one_in_the_place_of_the_first_is_told(seconds: float, told: list[str]) -> None:
    life = firing()
    assert life.look(seconds, condition("dis_2", since=200)) == told


def test_what_has_no_beginning_is_never_something_new() -> None:
    rules = Rules(escalate_from=Severity.CRITICAL)
    life = Life(rules)
    for seconds in range(0, 2 * HOUR, 50):
        life.look(seconds, condition(since=seconds, dated=False, severity=Severity.HIGH))
    assert [one.what.value for one in life.notices] == ["firing"]
    assert life.alert is not None
    assert life.alert.since == at(0)


@pytest.mark.parametrize("seconds, told", [(4 * HOUR + 0.9, []), (4 * HOUR + 1, ["repeated"])])
def test_without_news_it_is_repeated_after_hours(seconds: float, told: list[str]) -> None:
    life = firing(Rules(escalate_after=timedelta(days=9)))
    assert life.look(seconds, condition()) == told


@pytest.mark.parametrize("seconds, told", [(30 * MINUTE + 0.9, []), (30 * MINUTE + 1, ["escalated"])])
def test_what_nobody_takes_on_escalates(seconds: float, told: list[str]) -> None:
    life = firing()
    assert life.look(seconds, condition()) == told


def test_it_escalates_once() -> None:
    life = firing()
    told = [what for minute in range(2, 200) for what in life.look(minute * MINUTE, condition())]
    assert told == ["escalated"]


def test_what_is_not_grave_never_escalates() -> None:
    life = firing(severity=Severity.MEDIUM)
    assert life.look(HOUR, condition(severity=Severity.MEDIUM)) == []


def test_what_somebody_has_taken_on_neither_escalates_nor_repeats() -> None:
    life = firing()
    assert life.alert is not None
    moved = acknowledged(life.alert, ALICE, at(10))
    assert moved.notice is not None
    assert (moved.notice.what, moved.notice.by) == (What.ACKNOWLEDGED, "alice")
    life.alert = moved.alert
    assert [what for hour in range(1, 24) for what in life.look(hour * HOUR, condition())] == []
    assert life.look(24 * HOUR + 10, condition()) == ["repeated"]
    assert life.alert.phase is Phase.FIRING
    assert life.look(24 * HOUR + 10 + 30 * MINUTE, condition()) == ["escalated"]


def test_what_gets_worse_is_nobodys_any_more() -> None:
    life = firing()
    assert life.alert is not None
    life.alert = acknowledged(life.alert, ALICE, at(10)).alert
    assert life.look(20, condition(magnitude=2)) == ["grew"]
    assert life.alert is not None
    assert (life.alert.phase, life.alert.acknowledged_by) == (Phase.FIRING, None)


def test_there_is_nothing_to_take_on_where_nobody_was_told_or_it_is_over_or_taken() -> None:
    life = firing()
    taken = acknowledged(life.alert, ALICE, at(10)).alert  # type: ignore[arg-type]
    quiet = Life()
    quiet.look(0, condition(), muted="sil_1")
    quiet.look(1, condition(), muted="sil_1")
    life.look(100)
    life.look(200)
    for alert in (taken, quiet.alert, life.alert):
        assert alert is not None
        with pytest.raises(NothingToAcknowledge, match="there is nothing to take on"):
            acknowledged(alert, ALICE, at(300))


@pytest.mark.parametrize("seconds, told", [(69.9, []), (70, ["resolved"])])
def test_it_is_over_after_it_was_gone_for_a_while(seconds: float, told: list[str]) -> None:
    life = firing()
    assert life.look(10) == []
    assert life.look(seconds) == told
    assert len(life.look(seconds + HOUR)) == 1 - len(told)


def test_what_comes_back_before_it_is_over_was_never_gone() -> None:
    life = firing()
    assert life.look(10) + life.look(60, condition()) + life.look(80) + life.look(139) == []


def test_what_flaps_is_told_ever_less_often_and_says_so() -> None:
    life, told = Life(), []
    # On for thirty seconds, off for ninety, for a day.
    for second in range(0, 24 * HOUR, 10):
        told += life.look(second, *([condition()] if second % 120 < 30 else []))
    assert len(told) <= 16
    assert any("came back" in line for notice in life.notices for line in notice.lines)


def test_silence_is_kept_and_what_still_holds_is_told_exactly_when_it_ends() -> None:
    life = Life()
    for second in range(100):
        assert life.look(second, condition(), muted="sil_1") == []
    assert life.alert is not None
    assert (life.alert.phase, life.alert.muted, life.alert.raised) == (Phase.FIRING, "sil_1", True)
    assert life.look(100, condition()) == ["firing"]
    assert life.look(101, condition()) == []


def test_what_was_silenced_to_its_end_is_told_to_nobody() -> None:
    life = Life()
    life.look(0, condition(), muted="sil_1")
    life.look(1, condition(), muted="sil_1")
    assert life.look(10) + life.look(100) + life.look(1000) == []


def test_that_it_is_over_is_told_to_who_knew_of_it_even_in_a_silence() -> None:
    life = firing()
    assert life.look(5, condition(), muted="sil_1") + life.look(10) + life.look(70) == ["resolved"]


def test_a_second_episode_is_another_incident() -> None:
    life = firing()
    life.look(10)
    life.look(70)
    life.look(7 * HOUR, condition())
    life.look(7 * HOUR + 1, condition())
    assert [one.key.partition(".")[2] for one in life.notices] == ["1.1", "1.2", "2.1"]
    assert life.notices[0].incident == life.notices[1].incident != life.notices[2].incident


def test_an_alert_and_a_notice_are_read_back_equal() -> None:
    life = firing()
    assert life.alert is not None
    taken = acknowledged(life.alert, ALICE, at(9)).alert
    assert Alert.from_json(taken.to_json()) == taken
    assert Notice.from_json(life.notices[0].to_json()) == life.notices[0]


def test_the_table_leads_from_every_phase_out_again_and_tells_whenever_it_fires() -> None:
    assert {row.before for row in STEPS} == set(Phase)
    assert [row for row in STEPS if row.before is row.after and row.tells is None] == []
    assert {row.event for row in STEPS} == set(Event)
    assert {row.tells for row in STEPS} - {None} == set(What) - {What.TEST}


looks = st.lists(
    st.tuples(
        st.floats(min_value=0.1, max_value=4000),
        st.sampled_from(["none", "one", "other", "many", "worse"]),
        st.sampled_from(["", "", "", "sil_1"]),
        st.booleans(),
    ),
    max_size=40,
)
HOLDS = {
    "none": (),
    "one": (condition(severity=Severity.HIGH),),
    "other": (condition("dis_2", severity=Severity.HIGH, since=50),),
    "many": tuple(condition(f"dis_{n}", severity=Severity.HIGH) for n in range(7)),
    "worse": (condition(severity=Severity.CRITICAL),),
}


@given(looks)
def test_any_sequence_of_looks_tells_each_state_once_and_leaves_none_untold(
    steps: list[tuple[float, str, str, bool]],
) -> None:
    life, second = Life(), 0.0
    for wait, holds, muted, takes in steps:
        second += wait
        before = len(life.notices)
        life.look(second, *HOLDS[holds], muted=muted)
        told = len(life.notices) - before
        assert told <= 1
        # The same look again tells nothing: never two notices for one state.
        assert life.look(second, *HOLDS[holds], muted=muted) == []
        alert = life.alert
        if alert is None:
            continue
        # Never a firing that nobody knows of, unless it is muted or gone.
        if alert.phase is Phase.FIRING and not alert.muted and alert.gone_since is None:
            assert alert.told is not None
        assert not (muted and told and life.notices[-1].what is not What.RESOLVED)
        if takes and alert.told is not None and alert.phase in (Phase.FIRING, Phase.ESCALATED):
            moved = acknowledged(alert, ALICE, at(second))
            life.alert = moved.alert
            assert moved.notice is not None
            life.notices.append(moved.notice)
    keys = [one.key for one in life.notices]
    assert len(set(keys)) == len(keys)
    by_incident: dict[str, list[str]] = {}
    for one in life.notices:
        by_incident.setdefault(one.incident, []).append(one.what.value)
    for told_of in by_incident.values():
        assert told_of[0] == "firing"
        assert told_of.count("firing") == 1
        assert told_of.count("resolved") <= 1
        assert "resolved" not in told_of[:-1]
    for earlier in list(by_incident.values())[:-1]:
        assert earlier[-1] == "resolved"


@given(looks)
def test_nothing_is_missed_between_two_looks_that_time_asks_for(steps: list[tuple[float, str, str, bool]]) -> None:
    """Looking only when something changes or time has come tells what looking all the time tells."""
    seldom, second = Life(), 0.0
    for wait, holds, muted, _ in steps:
        end = second + wait
        seldom.look(second, *HOLDS[holds], muted=muted)
        while seldom.alert is not None and (due := next_look(seldom.alert, seldom.rules)) is not None:
            then = (due - at(0)).total_seconds()
            if at(end) < due:  # as instants: seconds in floats are finer than these
                # One moment before, there is nothing to tell.
                just = replace(seldom.alert)
                assert look(just, group(*HOLDS[holds]), at(end), seldom.rules, muted=muted) is None
                break
            moves = len(seldom.moves)
            seldom.look(then, *HOLDS[holds], muted=muted)
            assert len(seldom.moves) > moves, "time asked for a look that moved nothing"
        second = end


def test_the_wait_before_it_is_over_doubles_with_every_return_up_to_a_limit() -> None:
    life = firing()
    assert life.alert is not None
    waits = [quiet_time(replace(life.alert, flaps=flaps), Rules()).total_seconds() for flaps in (0, 1, 2, 5, 6, 99)]
    assert waits == [60, 120, 240, 1920, 3600, 3600]
