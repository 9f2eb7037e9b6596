"""A share of the day of faults that ``benchmarks/day.py`` is: nothing is told twice, missed, or left open (I14)."""

import logging

import pytest

from benchmarks.day import day
from gal_friday.domain.alert import What


async def test_an_hour_of_faults_is_told_once_in_order_and_to_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    _, watching, wrong, _, gaps = await day(hours=1, seed=3)
    assert (wrong, gaps) == ([], 0)
    whats = {what for _, _, _, what in watching.heard}
    assert {What.FIRING, What.ESCALATED, What.ACKNOWLEDGED, What.RESOLVED} <= whats
    # What ended an hour ago has left the outbox.
    assert watching.most < 100
