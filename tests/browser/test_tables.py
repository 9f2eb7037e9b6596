"""The page of two tables in a real browser: it needs nothing beside it, runs nothing, and can be read by everybody."""

import os
from pathlib import Path

import pytest

from gal_friday.cli import main
from tests.browser.chromium import WITHOUT, browsing
from tests.browser.test_dashboard import AXE, VIOLATIONS

EVIL = "<script>document.title = 'taken over'</script>"
OURS = ("alpha,ETH,2,3000", "beta,USD,100,1", f"alpha,{EVIL},5,1", "alpha,BTC")
THEIRS = ("alpha,ETH,2.5,3000", f"{EVIL},XRP,40,")


def made(folder: Path) -> Path:
    """Return the page of two small tables."""
    for name, lines in {"ours": OURS, "theirs": THEIRS}.items():
        table = "\n".join(("account,asset,quantity,price", *lines)) + "\n"
        (folder / f"{name}.csv").write_text(table, encoding="utf-8")
    page = folder / "page.html"
    files = [str(folder / f"{name}.csv") for name in ("ours", "theirs")]
    assert main(["compare", *files, "--price", "price", "--html", str(page)]) == 3
    return page


async def test_the_page_of_two_tables_stands_alone_and_runs_nothing(tmp_path: Path) -> None:
    if os.environ.get(WITHOUT):
        pytest.skip(f"{WITHOUT} is set: nothing was tested in a browser")
    made(tmp_path)
    async with browsing() as browser:
        page, asked, complaints = await browser.new_page(color_scheme="light"), list[str](), list[str]()
        page.on("request", lambda one: asked.append(one.url))
        page.on("console", lambda said: complaints.append(said.text))
        await page.goto((tmp_path / "page.html").as_uri())
        assert await page.title() == f"{tmp_path}/ours.csv and {tmp_path}/theirs.csv · Gal-Friday"
        assert await page.locator("td", has_text=EVIL).count() > 0
        assert (asked, complaints) == ([page.url], [])
        await page.evaluate(AXE)
        assert await page.evaluate(VIOLATIONS) == []
        await page.emulate_media(color_scheme="dark")
        assert await page.evaluate(VIOLATIONS) == []
