"""What people read about each cause: the whole sentence, in small worlds that stand in text files.

In ``told/*.txt`` each world begins with a line ``== what it shows``, then come lines of a scenario file, then what is
told. A line ``KEY CAUSE: SENTENCE`` is a discrepancy; the lines that are set in are what its amount is made of, by its
records.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gal_friday.domain import quantity
from gal_friday.domain.case import Case
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.discrepancy import NOT_KNOWN
from gal_friday.domain.explain import explain
from gal_friday.domain.explanation import Item
from gal_friday.domain.policy import Policy
from gal_friday.domain.scenario import read_scenario

FILES = sorted((Path(__file__).parent / "told").glob("*.txt"))


def worlds(path: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the title of each world, its lines, and what is told of it."""
    for block in path.read_text(encoding="utf-8").split("== ")[1:]:
        title, _, text = block.partition("\n")
        world, _, told = text.partition("\ntells\n")
        yield f"{path.stem}: {title}", world, told.rstrip().splitlines()


def told(world: str) -> Iterator[str]:
    """Yield what is told of a world."""
    scenario = read_scenario(f"A world.\n\n{world}\nexpect verdict discrepancies\n")
    sides = scenario.internal, scenario.exchange
    case = Case(*sides, compare_snapshots(*sides, policy=Policy()))
    explained = explain(case, policy=Policy(), prices=scenario.prices)
    for key in case.unlike:
        why = explained.why(key)
        yield f"{key} nothing is known" if why == NOT_KNOWN else f"{key} {why.cause}: {why.note}"
        if why.bridge is not None:
            yield from (f"  {_item(item)}" for item in why.bridge.items)
            if why.bridge.residual:
                yield f"  {quantity.short(why.bridge.residual)} is left"


def _item(item: Item) -> str:
    event = f" of {item.event}" if item.event else ""
    rests_on = f"records {' '.join(item.record_ids)}" if item.rests_on == "records" else item.rests_on
    return f"{quantity.short(item.effect)} {item.cause} by {rests_on}{event}"


WORLDS = [pytest.param(world, expected, id=title) for path in FILES for title, world, expected in worlds(path)]


@pytest.mark.parametrize("world, expected", WORLDS)
def test_each_cause_is_told_in_whole_sentences(world: str, expected: list[str]) -> None:
    assert list(told(world)) == expected
