"""A product with a mistake is caught: what these measures do not notice they cannot promise to be absent."""

import pytest

from tests.simulation.broken import BROKEN
from tests.simulation.caught import lived

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
"""The first seed that catches it (``python -m tests.simulation.caught``); the world of seed 0 catches the others."""


@pytest.mark.parametrize("mistake", BROKEN)
def test_it_is_caught(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = CAUGHT_BY.get(mistake, 0)
    assert lived(seed).holds
    BROKEN[mistake](monkeypatch)
    assert not lived(seed).holds
