"""The table of pages lists all of them, and the README shows what it says."""

import re
from pathlib import Path

from tests.browser.pages import PAGES

ROOT = Path(__file__).parents[2]
_ROUTE = re.compile(r'@router\.get\("([^"]+)"')
_PICTURE = re.compile(r"docs/pictures/([\w-]+)\.png")


def test_every_page_of_the_dashboard_is_in_the_table() -> None:
    written = [path.read_text(encoding="utf-8") for path in (ROOT / "src/gal_friday/web").rglob("*.py")]
    declared = {route for text in written for route in _ROUTE.findall(text)}
    files = {route for route in declared if "." in route}
    assert {shown.route for shown in PAGES} == declared - files


def test_no_two_pictures_have_one_name() -> None:
    assert len({shown.name for shown in PAGES}) == len(PAGES)


def test_the_readme_shows_the_pictures_that_are_made_for_it_and_they_are_small() -> None:
    shown = {one.name for one in PAGES if one.in_readme}
    kept = {path.stem: path.stat().st_size for path in (ROOT / "docs/pictures").glob("*.png")}
    assert set(_PICTURE.findall((ROOT / "README.md").read_text(encoding="utf-8"))) == shown == set(kept)
    assert {name: size for name, size in kept.items() if size > 150_000} == {}
