"""The example that shows the whole of it: a wrong fill, a discrepancy, an alert, an approval by the API, the proof."""

import pytest

from examples.watch import watch

STEPS = ["fill", "discrepancy", "alert", "proposed", "approved", "verified", "resolved"]


@pytest.mark.slow
async def test_a_missed_fill_is_found_told_approved_and_verified() -> None:
    said: list[str] = []
    reached = await watch(lambda line: said.append(str(line)))
    assert list(reached) == STEPS
    assert sorted(reached.values()) == list(reached.values())
    assert len(said) == len(STEPS)
