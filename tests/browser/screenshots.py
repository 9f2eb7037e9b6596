"""Pictures of every page of the demo, light and dark, as whoever may approve sees them.

    python3 dev.py screenshots [FOLDER]   each page in full, by default into screenshots/
    python3 dev.py screenshots --readme   those of the README, a window wide and high, into docs/pictures/

Two calls give the same pictures but for instants and what is derived from them.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from msgspec import Struct
from playwright.async_api import Page, ViewportSize, expect

from tests.browser.chromium import browsing
from tests.browser.conftest import House, served
from tests.browser.pages import PAGES, Shown, places
from tests.browser.small import smaller

ROOT = Path(__file__).parents[2]
_WINDOW, _PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=844)


class Picture(Struct, frozen=True):
    """One picture that is to be taken."""

    shown: Shown
    theme: Literal["light", "dark"]
    on_phone: bool = False
    in_full: bool = True

    @property
    def file(self) -> str:
        """The name of its file."""
        size = "-phone" if self.on_phone else ""
        return f"{self.shown.name}{size}-{self.theme}.png" if self.in_full else f"{self.shown.name}.png"


def main(arguments: list[str]) -> int:
    """Write the pictures and say where they are."""
    parser = argparse.ArgumentParser(prog="dev.py screenshots", description="Pictures of every page of the demo.")
    parser.add_argument("folder", nargs="?", help="where they are written; screenshots by default")
    parser.add_argument("--readme", action="store_true", help="those of the README, into docs/pictures")
    asked = parser.parse_args(arguments)
    folder = Path(asked.folder or ("docs/pictures" if asked.readme else "screenshots"))
    wanted = list(for_readme() if asked.readme else every_page())
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(wanted, folder))
    sys.stdout.write(f"{len(wanted)} pictures are in {folder}\n")
    return 0


def every_page() -> Iterator[Picture]:
    """Yield a picture of every page in both themes, in a window and on a phone."""
    for shown in PAGES:
        for on_phone in (False, True):
            yield Picture(shown, "light", on_phone)
            yield Picture(shown, "dark", on_phone)


def for_readme() -> Iterator[Picture]:
    """Yield what the README shows: what stands in a window before anybody scrolls."""
    return (Picture(shown, "light", in_full=False) for shown in PAGES if shown.in_readme)


async def take(wanted: list[Picture], folder: Path) -> None:
    """Start the demo, sign in, and take the pictures."""
    async with browsing() as browser, served() as (serving, settings):
        house = House(browser, serving, settings)
        alice = await house.enters("alice")
        where, blank = await places(house), await browser.new_page()
        for one in wanted:
            await alice.page.emulate_media(color_scheme=one.theme, reduced_motion="reduce")
            await alice.page.set_viewport_size(_PHONE if one.on_phone else _WINDOW)
            await alice.goes_to(one.shown.path(where))
            await _settled(alice.page)
            png = await alice.page.screenshot(full_page=one.in_full, animations="disabled", caret="hide")
            (folder / one.file).write_bytes(png if one.in_full else await smaller(png, blank))


async def _settled(page: Page) -> None:
    """Wait for what the page shows only after a moment: its letters, and that it is live."""
    await page.evaluate("document.fonts.ready")
    if await page.locator("#lamp").count():
        await expect(page.locator("#lamp")).to_have_text("live")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
