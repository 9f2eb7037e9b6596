"""The locks install the same files everywhere and tell nobody where this machine gets its own."""

import re
import tomllib
from collections.abc import Iterable

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.architecture.sources import ROOT, kept_files, place

LOCKS = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "requirements").glob("*.lock"))}
TOOLS = ("fuzz", "mutate", "peers")
"""Each in an environment of its own, from a list beside its lock: what they bring changes no other environment."""
_ENTRY = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?: ; [^\\]+)?(?: --hash=sha256:[0-9a-f]{64})+")


def entries(lock: str) -> list[str]:
    """Return the lock's requirements, each with its continuation lines joined."""
    return [re.sub(r"\s+", " ", entry) for entry in lock.replace("\\\n", " ").splitlines() if entry.strip()]


def pins(name: str) -> dict[str, str]:
    """Return version by package name."""
    found = (_ENTRY.fullmatch(entry.strip()) for entry in entries(LOCKS[name]))
    return {canonicalize_name(pin["name"]): pin["version"] for pin in found if pin}


def test_there_is_a_lock_for_every_environment() -> None:
    assert set(LOCKS) == {
        "runtime.lock",
        "service.lock",
        "dev.lock",
        "ccxt.lock",
        "browser.lock",
        "fuzz.lock",
        "mutate.lock",
        "peers.lock",
        "spark.lock",
    }


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_address_and_no_source(name: str) -> None:
    found = re.findall(r".*(?:(?:https?|file)://|--index|--find-links|--extra-index|--trusted-host).*", LOCKS[name])
    assert found == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_of_a_lock_is_one_version_with_its_hashes(name: str) -> None:
    assert [entry for entry in entries(LOCKS[name]) if not _ENTRY.fullmatch(entry.strip())] == []
    assert pins(name)


def test_tests_see_the_versions_that_users_get() -> None:
    runtime, service, full = pins("runtime.lock"), pins("service.lock"), pins("dev.lock")
    assert {name: service.get(name) for name in runtime} == runtime
    assert {name: full.get(name) for name in service} == service


def test_no_file_of_a_tool_that_writes_addresses_is_kept() -> None:
    writes_addresses = {"uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock"}
    assert [place(path) for path in kept_files() if path.name in writes_addresses] == []


def declared() -> dict[str, list[Requirement]]:
    """Return for each lock the requirements of pyproject.toml that went into it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    core, extras = project["project"]["dependencies"], project["project"]["optional-dependencies"]
    groups = project["dependency-groups"]
    server = [*core, *extras["server"], *extras["postgres"], *groups["build"]]
    service = [*server, *extras["alerts"], *extras["fleet"][1:], *extras["otel"]]
    full = [*service, *groups["test"], *groups["lint"]]

    def read(lines: Iterable[str]) -> list[Requirement]:
        return [Requirement(line) for line in lines]

    return {
        "runtime.lock": read(server),
        "service.lock": read(service),
        "dev.lock": read(full),
        "spark.lock": read([*core, *extras["bulk"], *extras["spark"][1:], *groups["build"], *groups["test"]]),
        "ccxt.lock": read(groups["ccxt"]),
        "browser.lock": read(groups["browser"]),
        **{
            f"{name}.lock": read((ROOT / "requirements" / f"{name}.in").read_text().split("\n")[1:-1]) for name in TOOLS
        },
    }


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_is_in_step_with_the_project(name: str) -> None:
    pinned = pins(name)
    behind = [
        str(wanted)
        for wanted in declared()[name]
        if canonicalize_name(wanted.name) not in pinned
        or not wanted.specifier.contains(Version(pinned[canonicalize_name(wanted.name)]))
    ]
    assert behind == [], f"{name}: run `python3 dev.py lock`"
