"""Lies of which each world has some: what they do is found, named and told from what is in order."""

from gal_friday.simulation.many import outcomes
from gal_friday.simulation.measure import Kind, Measures, measured
from gal_friday.simulation.world import Settings

SHORT = Settings(hours=3)


def lived(seed: int, lie: str) -> Measures:
    (one,) = outcomes([seed], SHORT, jobs=1)
    assert lie in one.lies
    return measured([one])


def kind(found: Measures, lie: str) -> Kind:
    return next(one for one in found.kinds if one.lie == lie)


def test_what_the_exchange_adjusts_silently_is_found_named_and_booked_without_a_person() -> None:
    found = lived(7, "silent_adjustments")
    adjusted = kind(found, "silent_adjustment")
    assert found.failures == []
    assert adjusted.planted == adjusted.found == adjusted.named == adjusted.by["policy"] > 1


def test_what_a_person_takes_back_is_seen_again_and_never_posted_by_the_policy() -> None:
    found = lived(3, "people_differ")
    assert found.failures == []
    assert set(kind(found, "taken_back").by) <= {"person", "nobody"}


def test_another_machine_with_the_same_key_leaves_runs_incomplete_and_nothing_false_or_missed() -> None:
    found = lived(0, "nonce_races")
    assert found.failures == []
    assert found.verdicts["incomplete"]


def test_a_pair_that_is_listed_under_other_ids_is_no_discrepancy() -> None:
    assert lived(8, "renames").failures == []
