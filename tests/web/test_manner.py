"""Times and numbers as somebody chose to read them: the same instants and digits, said otherwise."""

import csv
import io
import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gal_friday.domain import quantity
from gal_friday.web.amounts import figure, parts_of, worth
from gal_friday.web.manner import AS_RECORDED, NUMBERS, Manner, manner_of, sample, zones
from gal_friday.web.times import ago, when
from tests.api.world import World
from tests.web.conftest import SignIn

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BERLIN = Manner("Europe/Berlin", "point-comma")


@pytest.mark.parametrize(
    "cookie, read",
    [
        (None, AS_RECORDED),
        ("", AS_RECORDED),
        ("Europe/Berlin:point-comma", BERLIN),
        ("UTC:comma-point", Manner("UTC", "comma-point")),
        ("Europe/Berlin", Manner("Europe/Berlin")),
        ("../../etc/passwd:point-comma", Manner("UTC", "point-comma")),
        ("<script>:<script>", AS_RECORDED),
        ("Mars/Olympus:plain-point", Manner("UTC", "plain-point")),
    ],
)
def test_what_is_no_choice_of_ours_counts_as_nothing_said(cookie: str | None, read: Manner) -> None:
    assert manner_of(cookie) == read


def test_an_instant_is_said_in_the_zone_with_its_name_and_keeps_utc() -> None:
    assert BERLIN.instant(NOON) == "2026-03-01 13:00:00 CET"
    assert BERLIN.instant(NOON.replace(month=7)) == "2026-07-01 14:00:00 CEST"
    said = when(NOON, manner=BERLIN)
    assert 'datetime="2026-03-01T12:00:00.000Z" title="2026-03-01 12:00:00 UTC"' in said
    assert "title" not in when(NOON)
    assert 'title="2026-03-01 13:00:00 CET"' in ago(NOON, NOON, manner=BERLIN)


def test_every_zone_that_can_be_chosen_says_an_instant() -> None:
    assert len(zones()) > 300
    for zone in zones():
        assert Manner(zone).instant(NOON)


@given(some.decimals("-1e12", "1e12", places=8, allow_nan=False), some.sampled_from(sorted(NUMBERS)))
def test_no_style_loses_or_moves_a_digit(value: Decimal, style: str) -> None:
    manner = Manner(style=style)
    parts = parts_of(value, manner=manner)
    whole = parts.whole.replace("−", "-")
    if manner.numbers.group:
        whole = whole.replace(manner.numbers.group, "")
    assert f"{whole}.{parts.rest[1:]}" == quantity.text(value)
    assert parts.rest[0] == manner.numbers.point
    assert 'value="' + quantity.text(value) + '"' in worth(value, "USD", manner=manner)


def test_a_whole_number_has_no_point_and_cents_have_two_places() -> None:
    assert figure(Decimal(1234), True, manner=BERLIN) == "+1.234"
    assert ">1.234,50 " in worth(Decimal("1234.5"), "USD", manner=BERLIN)
    assert ">2,00 " in worth(Decimal(2), "USD", manner=BERLIN)
    assert "0,01" in worth(Decimal("0.0004"), "USD", manner=BERLIN)
    assert sample("apostrophe-point") == "1’234’567.89"


async def test_every_page_says_what_was_chosen_and_a_table_taken_away_does_not(browsers: SignIn, here: World) -> None:
    browser = await browsers()
    one = next(
        one for one in await here.service.opened.store.open_discrepancies("main") if getattr(one.latest, "bridge", None)
    )
    plain = (await browser.get("/discrepancies.csv")).text
    browser.cookies.set("reads", "Asia/Kathmandu:point-comma")
    page = (await browser.get(f"/discrepancies/{one.id}")).text
    told = {path: (await browser.get(path)).text for path in ("/runs", "/journal")}
    for path, page_of in ({"the discrepancy": page} | told).items():
        assert re.search(r">\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0545</time>", page_of), path
        assert not re.search(r"UTC</time>", page_of), path
    assert f'value="{one.latest.difference}"' in page
    assert re.search(r'<span class="rest p\d+">,\d+</span>', page)
    assert not re.search(r'<span class="rest p\d+">\.\d+</span>', page)
    assert (await browser.get("/discrepancies.csv")).text == plain
    assert next(csv.DictReader(io.StringIO(plain)))["since"].endswith("Z")
    assert "<option selected>Asia/Kathmandu</option>" in (await browser.get("/you")).text
