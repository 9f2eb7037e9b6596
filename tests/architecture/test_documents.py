"""What the documents say exists, and what exists is in the documents."""

import ast
import importlib
import re
import tomllib
from enum import StrEnum
from pathlib import Path

import pytest

from tests.architecture.sources import PACKAGE, ROOT, modules, tree

# The lists that other programs rely on; each value has its line in the glossary.
LISTED = ("DiscrepancyType", "Cause", "Severity", "Status", "Verdict")
# The front door's name for the same list counts as well.
ALSO_CALLED = {"Status": "ReconciliationStatus"}


def text(name: str) -> str:
    """Return a document of the project; one that is absent fails the test that asks."""
    path = ROOT / name
    assert path.is_file(), f"{name} is missing"
    return path.read_text(encoding="utf-8")


def explained(word: str) -> bool:
    """Say whether the glossary has this word in code type, as `word`."""
    return re.search(rf"`(?:[\w./]*[./])?{re.escape(word)}(?:\.py|/)?`", text("GLOSSARY.md")) is not None


def values(listed: str) -> list[str]:
    """Return the values of one of the domain's lists, wherever in the domain it is defined."""
    for path in modules("domain"):
        module = importlib.import_module(dotted_name(path))
        for name in {listed, ALSO_CALLED.get(listed, listed)}:
            found = getattr(module, name, None)
            if isinstance(found, type) and issubclass(found, StrEnum):
                return [member.value for member in found]
    raise AssertionError(f"the domain has no list {listed}")


def dotted_name(path: Path) -> str:
    """Return the name under which a module is imported."""
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("listed", LISTED)
def test_the_glossary_explains_every_value_that_other_programs_see(listed: str) -> None:
    assert [value for value in values(listed) if not explained(value)] == []


def test_the_glossary_leads_to_every_module_of_the_domain() -> None:
    names = {dotted_name(path).rpartition(".")[2] for path in modules("domain")} - {"domain"}
    assert sorted(name for name in names if not explained(name)) == []


def test_the_changelog_knows_this_version() -> None:
    version = tomllib.loads(text("pyproject.toml"))["project"]["version"]
    assert re.search(rf"^## .*({re.escape(version)}|Unreleased)", text("CHANGELOG.md"), re.MULTILINE)


def commands() -> set[str]:
    """Return the names that dev.py answers to."""
    for node in tree(ROOT / "dev.py").body:
        match node:
            case ast.AnnAssign(target=ast.Name(id="COMMANDS"), value=ast.Dict(keys=keys)):
                return {str(key.value) for key in keys if isinstance(key, ast.Constant)}
    raise AssertionError("dev.py has no table COMMANDS")


def test_every_command_of_the_readme_is_one_that_dev_knows() -> None:
    named = set(re.findall(r"python3? dev\.py ([a-z]+)", text("README.md")))
    assert {"demo", "test"} <= named
    assert named - commands() == set()


def test_the_help_of_dev_lists_every_command() -> None:
    listed = set(re.findall(r"^    ([a-z]+) ", ast.get_docstring(tree(ROOT / "dev.py")) or "", re.MULTILINE))
    assert listed == commands()


def test_every_decision_says_what_would_change_it() -> None:
    wanted = ("## Context", "## Options", "## Choice", "## What would change our mind")
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert pages
    assert [page.name for page in pages if not all(part in page.read_text(encoding="utf-8") for part in wanted)] == []
