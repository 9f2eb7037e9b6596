"""What is told together: conditions of one account as one group, and groups of many accounts as one, whole."""

from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.alert import Alert, AlertKind, Condition, Group, Phase, alert_id, worst_of
from gal_friday.domain.alert_groups import MANY, cut, grouped
from gal_friday.domain.alert_mass import MASS_IDS, TOGETHER, Holding, massed
from gal_friday.domain.alerting import look
from gal_friday.domain.materiality import Severity
from tests.domain.alerts import RULES, T0, at, condition, group

HIGH, CRITICAL, MEDIUM = Severity.HIGH, Severity.CRITICAL, Severity.MEDIUM

ID = "alr_6f5140c75a01d880"
WHOLE = Group(
    id=ID,
    kind=AlertKind.DISCREPANCIES,
    account="main",
    exchange="kraken",
    severity=CRITICAL,
    title="dis_1 is off",
    lines=("because",),
    path="/discrepancies/dis_1",
    since=T0,
    newest=T0,
    magnitude=1,
    subjects=("dis_1",),
)


def test_names_do_not_change_between_versions() -> None:
    # Receivers and people know an alert by its id for ever.
    assert alert_id("discrepancies", "main", "kraken") == ID
    assert condition().fingerprint == "bfdcec5d88dc3b8e3e4678751c3db77291a842ad623dee0d8fe0ceb6e8c0c48b"


def test_of_one_condition_all_is_told() -> None:
    assert grouped([condition()]) == grouped([condition(), condition()]) == (WHOLE,)
    assert grouped([condition(dated=False)]) == (replace(WHOLE, newest=None),)
    assert grouped([]) == ()


def test_of_several_the_gravest_is_named_first_then_what_is_worth_the_most_then_the_oldest() -> None:
    conditions = [
        condition("dis_8", severity=HIGH, value=None, since=-9),
        condition("dis_7", value="1", since=3, magnitude=4),
        condition("dis_6", value="1", since=3),
        condition("dis_5", value="1", since=2, dated=False),
        condition("dis_4", value="7", since=9, dated=False),
        condition("dis_3", value=None, since=8),
    ]
    assert grouped(conditions) == (
        replace(
            WHOLE,
            title="6 discrepancies are open",
            lines=("dis_3 is off", "dis_4 is off", "dis_5 is off", "dis_6 is off", "dis_7 is off", "and 1 more"),
            path="/discrepancies?account=main",
            since=at(-9),
            newest=at(8),
            magnitude=9,
            subjects=("dis_3", "dis_4", "dis_5", "dis_6", "dis_7"),
        ),
    )
    assert grouped(conditions[1:])[0].lines[-1] == "dis_7 is off"
    assert grouped([replace(one, dated=False) for one in conditions])[0].newest is None


@pytest.mark.parametrize(
    "kind, path",
    [
        (AlertKind.DISCREPANCIES, "/discrepancies?account=main"),
        (AlertKind.REVIEW_OVERDUE, "/review?account=main"),
        (AlertKind.CHANNEL_FAILING, "/discrepancies/a"),
    ],
)
def test_several_are_looked_at_where_all_of_them_stand(kind: AlertKind, path: str) -> None:
    one = group(condition("b", kind=kind), condition("a", kind=kind))
    assert one is not None
    assert one.path == path


def test_what_is_said_of_several() -> None:
    assert {kind.value: said for kind, said in MANY.items()} == {
        "run_failed": "runs failed",
        "run_missed": "runs did not happen",
        "stale": "accounts were not seen whole for too long",
        "outage": "exchanges give no usable answer",
        "discrepancies": "discrepancies are open",
        "review_overdue": "discrepancies wait for a person for too long",
        "breaker_tripped": "reasons stop corrections",
        "adjustment_unsettled": "adjustments need to be looked at",
        "key_expiring": "keys end soon",
        "journal_unverified": "things are wrong with the journal",
        "channel_failing": "channels do not take what they are given",
        "evaluation_failing": "reasons keep conditions from being read",
        "test": "tests",
    }


@pytest.mark.parametrize(
    "text, line",
    [
        ("as it is", "as it is"),
        ("  two\n\tlines\x00here\u200b ", "two lines here"),
        ("x" * 300, "x" * 300),
        ("x" * 301, "x" * 299 + "…"),
        ("", ""),
    ],
)
def test_a_text_is_one_line_of_at_most_three_hundred_characters(text: str, line: str) -> None:
    assert cut(text) == line
    alone = group(replace(condition(), title=text, lines=(text, "b")))
    assert alone is not None
    assert (alone.title, alone.lines) == (line, (line, "b"))


def test_the_worst_of_them_is_the_gravest() -> None:
    assert worst_of([condition(severity=Severity.LOW), condition(severity=HIGH), condition(severity=MEDIUM)]) is HIGH


def test_what_is_not_said_of_a_condition_an_alert_or_a_notice() -> None:
    bare = Condition(kind=AlertKind.STALE, severity=HIGH, title="t", since=T0)
    whole: dict[str, Any] = {"account": "", "exchange": "", "subject": "", "lines": (), "path": "", "value": None}
    assert bare == Condition(kind=AlertKind.STALE, severity=HIGH, title="t", since=T0, dated=True, magnitude=1, **whole)
    assert not WHOLE.few


MISSED = AlertKind.RUN_MISSED
MASS = MASS_IDS[MISSED]


def of(account: str, severity: Severity = HIGH, since: float = 0, kind: AlertKind = MISSED) -> Group:
    one = group(condition(kind=kind, account=account, severity=severity, since=since))
    assert one is not None
    return one


def holding(*groups: Group, **muted: str) -> Holding:
    """Return that these hold; *muted* says why nobody is told of an account."""
    return Holding({one.id: one for one in groups}, {one.id: muted.get(one.account, "") for one in groups})


def standing(one: Group, muted: str = "", phase: Phase = Phase.FIRING) -> Alert:
    moved = look(None, one, T0, RULES)
    assert moved is not None
    return replace(moved.alert, muted=muted, phase=phase)


def of_many(count: int, *names: str, **more: Any) -> Group:
    """Return the alert about so many accounts of which the worst are named."""
    rest = (f"and {count - len(names)} more",) if count > len(names) else ()
    accounts = "accounts" if count > 1 else "account"
    fields: dict[str, Any] = {
        "id": MASS,
        "kind": MISSED,
        "account": "",
        "exchange": "",
        "severity": HIGH,
        "title": f"{count} {accounts}: a run was due and did not happen",
        "lines": (*(f"{name}: dis_1 is off: because" for name in names), *rest),
        "path": "/accounts",
        "since": T0,
        "newest": None,
        "magnitude": count,
        "few": False,
        "subjects": names,
    }
    return Group(**fields | more)


def test_in_which_words_many_accounts_are_told_as_one() -> None:
    assert {kind.value: said for kind, said in TOGETHER.items()} == {
        "run_failed": ("the last run failed", "/accounts"),
        "run_missed": ("a run was due and did not happen", "/accounts"),
        "stale": ("not seen whole for too long", "/accounts"),
        "review_overdue": ("discrepancies wait for a person for too long", "/review"),
        "breaker_tripped": ("corrections stopped", "/accounts"),
        "key_expiring": ("the key ends soon, or has ended", "/accounts"),
    }
    assert {kind: alert_id(kind, "", "") for kind in TOGETHER} == MASS_IDS


def test_more_accounts_than_a_few_are_one_alert_that_mutes_theirs() -> None:
    groups = [
        of("e"),
        of("d", since=-1),
        of("c", CRITICAL, 9),
        of("b"),
        of("a"),
        of("f"),
        of("a", kind=AlertKind.STALE),
    ]
    few = holding(*groups[:5])
    assert massed(few, {}, alone=5) == few
    many = of_many(6, "c", "d", "a", "b", "e", severity=CRITICAL, since=at(-1))
    muted = {one.id: MASS for one in groups[:6]} | {groups[6].id: "", MASS: ""}
    assert massed(holding(*groups), {}, alone=5) == Holding({one.id: one for one in [*groups, many]}, muted)
    two = massed(holding(groups[3], groups[4]), {}, alone=1)
    assert two.groups[MASS] == of_many(2, "a", "b")


def test_what_differs_and_what_concerns_no_account_is_never_covered() -> None:
    every = [of(name, kind=AlertKind.DISCREPANCIES) for name in "abc"]
    assert massed(holding(*every), {}, alone=2) == holding(*every)
    some = holding(of("a"), of("b"), of(""))
    assert massed(some, {}, alone=2) == some


def test_a_text_of_many_accounts_is_cut_to_a_line() -> None:
    long = replace(of("a"), title="x" * 298, lines=("y",))
    bare = replace(of("b"), lines=())
    (named, other) = massed(holding(long, bare), {}, alone=1).groups[MASS].lines
    assert (named, other) == ("a: " + "x" * 296 + "…", "b: dis_1 is off")


def test_what_is_muted_is_not_counted_and_covered_where_it_was_covered_before() -> None:
    groups = [of("a"), of("b"), of("c")]
    assert massed(holding(*groups, a="sil_1"), {}, alone=2) == holding(*groups, a="sil_1")
    told = massed(holding(*groups, a="sil_1"), {}, alone=1)
    assert (told.groups[MASS], told.muted) == (
        of_many(2, "b", "c"),
        {groups[0].id: "sil_1", groups[1].id: MASS, groups[2].id: MASS, MASS: ""},
    )
    before = covering(*groups)
    told = massed(holding(*groups, a="sil_1"), before, alone=1)
    assert told.muted == dict.fromkeys([one.id for one in groups], MASS) | {MASS: ""}
    silent = massed(holding(*groups, a="sil_2", b="sil_1", c="sil_3"), before, alone=1)
    assert silent.groups[MASS] == of_many(3, "a", "b", "c")
    assert silent.muted == dict.fromkeys([one.id for one in groups], MASS) | {MASS: "sil_1"}


def covering(*groups: Group, phase: Phase = Phase.FIRING) -> dict[str, Alert]:
    """Return the alerts that stand where one about many covers these."""
    mass = replace(standing(of_many(len(groups)), phase=phase), id=MASS)
    return {MASS: mass} | {one.id: standing(one, MASS) for one in groups}


def test_who_was_covered_stays_so_and_whoever_comes_up_later_is_told_alone() -> None:
    one, two, new = of("a"), of("b"), of("c")
    before = covering(one, two)
    left = massed(holding(one, new), before, alone=2)
    # Two were covered before, and are few.
    assert (left.groups[MASS], left.muted) == (of_many(1, "a", few=True), {one.id: MASS, new.id: "", MASS: ""})
    assert massed(holding(one, new), before, alone=1).groups[MASS] == of_many(2, "a", "c")
    assert massed(holding(new), before, alone=2) == holding(new)
    assert massed(holding(one), before, alone=1).groups[MASS] == of_many(1, "a")
    assert massed(holding(one), before, alone=2).groups[MASS] == of_many(1, "a", few=True)


def test_nothing_is_covered_by_an_alert_that_is_over_or_not_there() -> None:
    one, other = of("a"), of("b")
    assert massed(holding(one, other), covering(one, phase=Phase.RESOLVED), alone=2) == holding(one, other)
    gone = {name: alert for name, alert in covering(one).items() if name != MASS}
    assert massed(holding(one, other), gone, alone=2) == holding(one, other)
    # An alert that is over, or muted by something else, is none that is covered.
    before = covering() | {one.id: standing(one, MASS, Phase.RESOLVED), other.id: standing(other, "sil_1")}
    assert massed(holding(one, other), before, alone=2) == holding(one, other)
