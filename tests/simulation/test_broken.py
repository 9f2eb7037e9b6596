"""A product with a mistake is caught: what these measures do not notice they cannot promise to be absent."""

import pytest

from gal_friday.simulation.many import outcomes
from gal_friday.simulation.measure import measured
from gal_friday.simulation.world import Settings
from tests.simulation.broken import BROKEN

SHORT = Settings(hours=2, errors=0.03)
CAUGHT_BY = {
    "a failed read is taken for an empty account": 4,
    "the side of a fill is ignored": 9,
    "the state of an order is ignored": 1,
    "what is listed twice is taken for once": 19,
    "what is young is judged at once": 3,
    "a discrepancy is cleared by silence": 7,
    "all copies of a duplicate are taken back": 33,
    "positions are reckoned by their average": 5,
}
"""The first seed that catches it; the world of seed 0 catches the others."""


@pytest.mark.parametrize("mistake", BROKEN)
def test_it_is_caught(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = [CAUGHT_BY.get(mistake, 0)]
    assert measured(outcomes(seeds, SHORT, jobs=1)).holds
    BROKEN[mistake](monkeypatch)
    assert not measured(outcomes(seeds, SHORT, jobs=1)).holds
