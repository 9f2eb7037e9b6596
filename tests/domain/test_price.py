"""A price, and why a run may not rest on it: on both sides of every boundary."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from gal_friday.domain.errors import MalformedAmount
from gal_friday.domain.policy import Policy
from gal_friday.domain.price import Price, PriceSource, doubt
from tests.domain.build import T0, D

LIMIT = Policy(max_price_age_minutes=90)


@pytest.mark.parametrize(
    "wrong, said",
    [
        (D("0.00"), "'0.00' is not an amount: a price is above zero"),
        (D("-1E-8"), "'-0.00000001' is not an amount: a price is above zero"),
        (D("NaN"), "'NaN' is not an amount: NaN and infinity are not amounts"),
        (1.5, "'1.5' is not an amount: it is no Decimal; make one from text, as in Decimal('0.25')"),
    ],
)
def test_what_is_no_price_is_refused(wrong: Any, said: str) -> None:
    with pytest.raises(MalformedAmount) as refused:
        Price(wrong, "kraken")
    assert str(refused.value) == said


def test_a_price_says_who_says_it_and_when_it_was_so() -> None:
    assert Price(D("1E-30"), "kraken", T0).origin == PriceSource("kraken", T0)
    assert Price(D("1"), "fixed").origin == PriceSource("fixed", None)


@pytest.mark.parametrize(
    "at, said",
    [
        (None, ""),
        (T0 + timedelta(seconds=60), ""),
        (T0 + timedelta(seconds=60, microseconds=1), "is dated 1 min in the future"),
        (T0 + timedelta(hours=25), "is dated 1 d in the future"),
        (T0 - timedelta(minutes=90), ""),
        (T0 - timedelta(minutes=90, microseconds=1), "is 1 h old"),
        (T0 - timedelta(hours=23, minutes=59), "is 23 h old"),
        (T0 - timedelta(hours=24), "is 1 d old"),
    ],
)
def test_a_price_is_doubted_where_it_is_too_old_or_of_no_time_at_all(at: datetime | None, said: str) -> None:
    assert doubt(Price(D("1"), "kraken", at), now=T0, policy=LIMIT) == said


@pytest.mark.parametrize("minutes, said", [(59, "is 59 min old"), (60, "is 1 h old")])
def test_an_age_is_told_in_its_largest_whole_unit(minutes: int, said: str) -> None:
    price = Price(D("1"), "kraken", T0 - timedelta(minutes=minutes))
    assert doubt(price, now=T0, policy=Policy(max_price_age_minutes=1)) == said
