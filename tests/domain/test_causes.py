"""Recognisers: both sides of every boundary, and that they neither fail nor contradict each other.

What each cause looks like in a story is in tests/scenarios.
"""

import importlib
from pathlib import Path
from weakref import ref

import pytest
from hypothesis import given

from gal_friday.domain import causes
from gal_friday.domain.case import Case, Lead
from gal_friday.domain.cause import Cause
from gal_friday.domain.causes import RECOGNISERS, RECORD_RECOGNISERS, REST_RECOGNISERS, cause_of_record, causes_of
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.explain import explain
from gal_friday.domain.leads import leads_about
from gal_friday.domain.policy import Policy
from gal_friday.domain.scenario import read_scenario
from gal_friday.domain.scenario_check import check
from tests.domain.worlds import Pair, pairs

STORIES = sorted((Path(__file__).parents[1] / "scenarios").glob("*.txt"))
TIES = {"transfer_or_airdrop_is_a_tie"}
READ = "internal 2026-03-01T00:00:00Z USD 5\nexchange 2026-03-01T00:00:00Z USD 5\n"


def held(text: str) -> list[str]:
    """Return what was found instead, line by line, where this text does not hold."""
    return [answer.found for answer in check(read_scenario(f"A boundary.\n\n{READ}{text}")) if not answer.held]


def leads(case: Case) -> list[Lead]:
    """Return every lead of a case."""
    return [lead for finding in case.unlike.values() for lead in leads_about(finding, case)]


def told(path: Path) -> Case:
    """Return the case of a story."""
    story = read_scenario(path.read_text(encoding="utf-8"))
    return Case(story.internal, story.exchange, compare_snapshots(story.internal, story.exchange))


def test_what_is_known_of_a_case_goes_when_the_case_goes() -> None:
    for path in STORIES:
        case = told(path)
        explain(case, policy=Policy(), prices={})
        kept = ref(case)
        del case
        assert kept() is None


def modules() -> set[str]:
    """Return the names of the files that have a recogniser."""
    names = {path.stem for path in Path(causes.__file__).parent.glob("*.py")} - {"__init__"}
    loaded = {name: importlib.import_module(f"gal_friday.domain.causes.{name}") for name in names}
    return {name for name, module in loaded.items() if any(entry.startswith("recognise") for entry in dir(module))}


def test_every_cause_but_unexplained_has_its_file() -> None:
    assert modules() == {cause.value for cause in Cause} - {"unexplained"}


@pytest.mark.parametrize("table", [RECOGNISERS, RECORD_RECOGNISERS, REST_RECOGNISERS])
def test_a_recogniser_stands_under_the_cause_of_its_file(table: tuple[tuple[Cause, object], ...]) -> None:
    assert [cause for cause, ask in table if getattr(ask, "__module__", "").rpartition(".")[2] != cause] == []


@pytest.mark.parametrize("path", STORIES, ids=[path.stem for path in STORIES])
def test_one_cause_fits_a_lead_unless_the_story_is_a_tie(path: Path) -> None:
    case = told(path)
    several = [lead.event for lead in leads(case) if len(causes_of(lead, case)) > 1]
    assert bool(several) == (path.stem in TIES)


@given(pairs(covered=True))
def test_no_world_has_two_causes_for_one_lead_or_breaks_a_recogniser(pair: Pair) -> None:
    case = Case(*pair, compare_snapshots(*pair))
    for finding in case.unlike.values():
        cause_of_record(finding, case, ())
    assert [lead for lead in leads(case) if len(causes_of(lead, case)) > 1] == []


@given(pairs())
def test_worlds_seen_in_part_break_no_recogniser(pair: Pair) -> None:
    case = Case(*pair, compare_snapshots(*pair))
    for finding in case.unlike.values():
        cause_of_record(finding, case, ())
    assert all(causes_of(lead, case) is not None for lead in leads(case))


@pytest.mark.parametrize("age, cause", [("90s", "in_flight"), ("91s", "ghost_order")])
def test_an_order_is_young_for_ninety_seconds(age: str, cause: str) -> None:
    assert not held(f"""
order internal O1 buy 1 XRP/USD open price 0.5 at {age} ago
expect order O1 order_missing_exchange because {cause}
""")


@pytest.mark.parametrize("age, cause", [("90s", "in_flight"), ("91s", "foreign_order")])
def test_an_order_of_the_exchange_is_young_as_long(age: str, cause: str) -> None:
    assert not held(f"""
order exchange O1 buy 1 XRP/USD open price 0.5 at {age} ago
expect order O1 order_not_tracked because {cause}
""")


def test_an_order_that_states_an_id_which_the_book_does_not_know_was_not_placed_here() -> None:
    assert not held("""
order exchange O1 buy 1 XRP/USD open price 0.5 client bot-7 at 91s ago
order internal O2 buy 1 XRP/USD open price 0.5 client bot-8 at 91s ago
expect order O1 order_not_tracked because foreign_order
expect order O2 order_missing_exchange because ghost_order
""")


@pytest.mark.parametrize("age, cause", [("86400s", "in_flight"), ("86401s", "failed_withdrawal")])
def test_a_withdrawal_is_on_its_way_for_a_day(age: str, cause: str) -> None:
    assert not held(f"""
internal 2026-03-01T00:00:00Z EUR 1
exchange 2026-03-01T00:00:00Z EUR 9
since both beginning
moved internal W1 withdrawal EUR -8 at {age} ago
expect EUR excess 8 = W1 residual 0 because {cause}
""")


@pytest.mark.parametrize("age, cause", [("86400s", "unexplained"), ("86401s", "phantom_record")])
def test_a_deposit_that_only_the_book_has_may_still_come_for_a_day(age: str, cause: str) -> None:
    assert not held(f"""
internal 2026-03-01T00:00:00Z EUR 9
exchange 2026-03-01T00:00:00Z EUR 1
since both beginning
moved internal D1 deposit EUR 8 at {age} ago
expect EUR shortfall 8 = D1 residual 0 because {cause}
""")


@pytest.mark.parametrize("age, cause", [("60m", "in_flight"), ("61m", "phantom_record")])
def test_an_own_transfer_may_take_an_hour(age: str, cause: str) -> None:
    assert not held(f"""
internal 2026-03-01T00:00:00Z EUR 1
exchange 2026-03-01T00:00:00Z EUR 9
moved internal F1 transfer EUR -8 at {age} ago
expect EUR excess 8 = F1 residual 0 because {cause}
""")


@pytest.mark.parametrize("second, cause", [("7200s", "duplicated_movement"), ("7201s", "phantom_record")])
def test_a_copy_is_of_the_same_second(second: str, cause: str) -> None:
    assert not held(f"""
internal 2026-03-01T00:00:00Z EUR 3
exchange 2026-03-01T00:00:00Z EUR 2
moved both L1 reward EUR 1 at 7200s ago
moved internal X1 reward EUR 1 at {second} ago
expect EUR shortfall 1 = X1 residual 0 because {cause}
""")


@pytest.mark.parametrize("age, cause", [("60m", "in_flight"), ("61m", "earn_transfer")])
def test_the_second_leg_of_an_own_transfer_may_take_an_hour(age: str, cause: str) -> None:
    assert not held(f"""
internal 2026-03-01T00:00:00Z DOT 9
exchange 2026-03-01T00:00:00Z DOT 1
moved exchange L1 earn_transfer DOT -8 at {age} ago
expect DOT shortfall 8 = L1 residual 0 because {cause}
""")


@pytest.mark.parametrize("age, cause", [("90s", "stale_exchange"), ("91s", "phantom_record")])
def test_the_exchange_may_lag_behind_a_fill_by_ninety_seconds(age: str, cause: str) -> None:
    assert not held(f"""
internal 2026-03-01T00:00:00Z XRP 40 EUR 0
exchange 2026-03-01T00:00:00Z XRP 0  EUR 20
fill internal T1 buy 40 XRP/EUR at 0.5 at {age} ago
expect XRP shortfall 40 = T1 residual 0 because {cause}
expect EUR excess 20 = T1 residual 0 because {cause}
""")


@pytest.mark.parametrize("events, cause", [(2, "unbooked_deposit"), (3, "stale_book")])
def test_a_book_has_stopped_when_three_events_are_missing(events: int, cause: str) -> None:
    rows = "\n".join(f"moved exchange L{n} deposit EUR 1 at {n}h ago" for n in range(1, events + 1))
    assert not held(f"""
internal 2026-03-01T00:00:00Z EUR 5
exchange 2026-03-01T00:00:00Z EUR {5 + events}
moved both L9 deposit EUR 5 at 9h ago
{rows}
expect EUR excess {events} = {" ".join(f"L{n}" for n in range(1, events + 1))} residual 0 because {cause}
""")


@pytest.mark.parametrize("total, cause", [("7.00005", "rounding"), ("7.000051", "unexplained")])
def test_rounding_leaves_half_a_unit_for_each_record(total: str, cause: str) -> None:
    left = "0" if cause == "rounding" else "0.000051"
    gap = "0.00005" if cause == "rounding" else left
    assert not held(f"""
internal 2026-03-01T00:00:00Z EUR 7
exchange 2026-03-01T00:00:00Z EUR {total}
covers internal orders fills movements positions none
covers exchange orders fills positions none
scale EUR 4
moved exchange L1 deposit EUR 3.3333
expect EUR excess {gap} = nothing residual {left} because {cause}
""")


@pytest.mark.parametrize("amount, cause", [("1234.5", "renamed_asset"), ("1234", "unexplained")])
def test_a_new_name_needs_five_digits(amount: str, cause: str) -> None:
    left = "0" if cause == "renamed_asset" else amount
    lack = "0" if cause == "renamed_asset" else f"-{amount}"
    assert not held(f"""
internal 2026-03-01T00:00:00Z OLD {amount}
exchange 2026-03-01T00:00:00Z NEW {amount}
covers both orders fills movements positions none
expect OLD shortfall {amount} = nothing residual {lack} because {cause}
expect NEW excess {amount} = nothing residual {left} because {cause}
""")


@pytest.mark.parametrize("price, cause", [("0.99", "dust"), ("1", "unexplained")])
def test_dust_is_worth_less_than_the_trivial_value(price: str, cause: str) -> None:
    assert not held(f"""
internal 2026-03-01T00:00:00Z EUR 7
exchange 2026-03-01T00:00:00Z EUR 8
covers both orders fills movements positions none
price EUR {price}
expect EUR excess 1 = nothing residual 1 because {cause}
""")


def test_one_balance_alone_never_says_that_a_book_stopped() -> None:
    assert not held("""
internal 2026-03-01T00:00:00Z EUR 5
exchange 2026-03-01T00:00:00Z EUR 8
covers internal orders fills movements positions none
covers exchange orders fills positions none
moved exchange L0 deposit EUR 5 at 5h ago
moved exchange L1 deposit EUR 1 at 3h ago
moved exchange L2 deposit EUR 1 at 2h ago
moved exchange L3 deposit EUR 1 at 1h ago
expect EUR excess 3 = nothing residual 3 because unexplained
""")


def test_a_row_whose_id_is_its_event_counts_once() -> None:
    assert not held("""
internal 2026-03-01T00:00:00Z EUR 5
exchange 2026-03-01T00:00:00Z EUR 50
moved internal FT1 deposit EUR 5 of FT1
moved exchange FT1 deposit EUR 50 of FT1
expect EUR excess 45 = FT1 residual 0 because wrong_amount
""")


def test_a_fill_with_another_price_needs_no_second_cause_for_its_fee() -> None:
    assert not held("""
internal 2026-03-01T00:00:00Z XRP 7 EUR 96
exchange 2026-03-01T00:00:00Z XRP 7 EUR 92
order both O1 buy 4 XRP/EUR filled
fill internal T1 buy 4 XRP/EUR at 1 fee 0 EUR order O1
fill exchange T1 buy 4 XRP/EUR at 1.5 fee 2 EUR order O1
expect EUR shortfall 4 = T1 residual 0 because wrong_price
expect fill T1 fill_mismatch because wrong_price
""")
