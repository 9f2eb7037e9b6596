"""The history: a day is as bad as its worst run, and what nobody looked at is never green."""

import re
from datetime import date, timedelta

import pytest

from gal_friday.domain.access import Accounts, Role
from gal_friday.domain.materiality import Severity
from gal_friday.ports.history import Aged, Runs, Turnover
from gal_friday.ports.pages import Listed
from gal_friday.web import history
from gal_friday.web.history import LANE, LEFT, SPAN, TALL, by_severity, explained, lanes, marked, turned_by_day
from tests.api.world import World
from tests.web.conftest import SignIn

DAY = date(2026, 3, 2)
DAYS = [DAY + timedelta(days=number) for number in range(4)]


def ended(verdict: str, count: int = 1, status: str = "success", full: bool = True) -> Runs:
    return Runs("main", DAY, status, verdict, full, count)


@pytest.mark.parametrize(
    "runs, mark, partly",
    [
        ([ended("reconciled", 24)], "reconciled", False),
        ([ended("reconciled", 23), ended("pending")], "pending", False),
        ([ended("reconciled", 23), ended("incomplete")], "incomplete", True),
        ([ended("discrepancies"), ended("incomplete")], "discrepancies", True),
        ([ended("reconciled", 23), ended("incomplete", status="failed")], "failed", True),
        ([ended("reconciled", 24, full=False)], "incomplete", True),
        ([ended("discrepancies", full=False)], "discrepancies", True),
        ([ended("reconciled", 24, full=False), ended("reconciled")], "reconciled", False),
        ([ended("reconciled", full=False), ended("incomplete", status="failed")], "failed", True),
        ([], "gap", False),
    ],
)
def test_a_day_is_as_bad_as_its_worst_run(runs: list[Runs], mark: str, partly: bool) -> None:
    (cell,) = marked("main", runs, [DAY])
    assert (cell.mark, cell.partly) == (mark, partly)


def test_a_day_says_how_its_runs_ended_the_worst_first() -> None:
    (cell, gap) = marked("main", [ended("reconciled", 23), ended("discrepancies")], DAYS[:2])
    assert cell.words == "Mon 2026-03-02, runs: 1 with discrepancies, 23 reconciled"
    assert gap.words == "Tue 2026-03-03: no run, nothing was checked"
    assert [one.mark for one in marked("spare", [ended("reconciled")], DAYS)] == ["gap"] * 4


def test_bars_stand_on_their_line_at_their_day_and_the_largest_fills_its_lane() -> None:
    turned = [Turnover(DAY, "opened", 3), Turnover(DAY, "reopened", 1), Turnover(DAYS[3], "opened", 2)]
    opened, closed, corrected = lanes([*turned, Turnover(DAYS[1], "confirmed", 9)], DAYS)
    assert [float(bar.height) for bar in opened.bars] == [TALL, TALL / 2]
    assert [float(bar.x) for bar in opened.bars] == [LEFT + 1, LEFT + 1 + SPAN * 3 / 4]
    assert all(float(bar.y) + float(bar.height) == opened.base for bar in opened.bars)
    assert (opened.most, opened.total, closed.bars, corrected.base) == (4, 6, (), 3 * LANE - 6)


def test_the_table_has_every_day_on_which_something_happened() -> None:
    turned = [Turnover(DAY, "opened", 3), Turnover(DAYS[2], "cleared", 2), Turnover(DAYS[2], "corrected", 1)]
    found = turned_by_day([*turned, Turnover(DAYS[1], "confirmed", 9)])
    assert [(one.day, one.counts) for one in found] == [(DAYS[2], (0, 2, 1)), (DAY, (3, 0, 0))]


def test_every_severity_has_its_row_the_gravest_first() -> None:
    rows = by_severity([Aged(Severity.HIGH, 3, 5), Aged(Severity.HIGH, 0, 1)])
    assert [(row.severity.value, row.counts, row.total) for row in rows][:2] == [
        ("critical", (0, 0, 0, 0), 0),
        ("high", (1, 0, 0, 5), 6),
    ]


@pytest.mark.parametrize(
    "told, said", [(b'{"explained_share": "0.9825"}', "98.25\u202f%"), (b'{"explained_share": null}', "")]
)
def test_the_share_that_is_explained_is_that_of_the_newest_run(told: bytes, said: str) -> None:
    assert explained([Listed("rec_1", "main", None, told)]) == said  # type: ignore[arg-type]
    assert explained([]) == ""


async def test_the_page_shows_today_s_verdict_and_the_gaps_before_it(browsers: SignIn, here: World) -> None:
    page = (await (await browsers()).get("/history?account=main")).text
    days = re.findall(r'<td class="c ([a-z ]+)"><i>([^<]*)</i>', page)
    assert len(days) == 56
    assert days[-1][0] == "discrepancies partly"
    assert {mark for mark, _ in days[:-2]} == {"gap"}
    assert re.search(r'<svg class="turned"', page)
    assert "What became of discrepancies, by day</caption>" in page
    found = await here.service.opened.store.open_discrepancies("main")
    aged = page.split("Open discrepancies by severity")[1]
    assert sum(map(int, re.findall(r'<td class="num">(\d+)</td></tr>', aged))) == len(found)


async def test_a_week_that_is_too_short_for_its_date_has_no_heading(
    browsers: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "DAYS", 1)
    page = (await (await browsers()).get("/history?account=main")).text
    assert len(re.findall(r'<td class="c ', page)) == 1
    assert '<td colspan="1"></td>' in page
    assert not re.search(r"<th[^>]*></th>", page)


async def test_the_history_of_another_account_does_not_exist(browsers: SignIn) -> None:
    theirs = await browsers("eve", Role.ADMIN, Accounts(("spare",)))
    assert (await theirs.get("/history?account=main")).status_code == 404
    page = (await theirs.get("/history")).text
    assert "main</a>" not in page
    assert "Nothing was opened, closed or corrected" in page
