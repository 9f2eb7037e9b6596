"""What a reader can hold in mind, and what must not be left lying about.

Functions are expected under 10 lines and files under 300. The limits here are where a reason is owed: an
entry below names it, and goes when it is no longer needed.
"""

import ast
import re

import pytest

from tests.architecture.sources import PACKAGE, ROOT, kept_files, modules, place, python_files, tree

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50

# "path": "reason" for a file, "path:function": "reason" for a function, "folder/": "reason" for all in it.
LONGER_WITH_REASON: dict[str, str] = {
    "src/gal_friday/adapters/sql/migrations/versions/": "a list of columns, written once and never changed",
    "src/gal_friday/adapters/kraken/adapter.py:__init__": "a list of what may be replaced, a line for each",
}

# Texts that are written by people and kept; binary and vendored files are not read.
TEXTS = {
    ".py",
    ".md",
    ".toml",
    ".ini",
    ".cfg",
    ".html",
    ".css",
    ".sql",
    ".yml",
    ".yaml",
    ".json",
    ".txt",
    ".sh",
    "",
}


def functions() -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Return every function of the project with its name as the list above writes it."""
    return [
        (f"{place(path)}:{node.name}", node)
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def longer_files() -> set[str]:
    """Return the files over the limit."""
    counted = ((place(path), path.read_text(encoding="utf-8").count("\n")) for path in python_files())
    return {name for name, lines in counted if lines > FILE_LINES_MAX}


def longer_functions() -> set[str]:
    """Return the functions over the limit, signature and docstring counted."""
    return {name for name, node in functions() if (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES_MAX}


def lines_matching(pattern: re.Pattern[str]) -> list[str]:
    """Return every kept line of text that matches."""
    return [
        f"{place(path)}:{number}: {line.strip()[:100]}"
        for path in kept_files()
        if path.suffix in TEXTS and "vendor" not in path.parts
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def test_the_package_is_there_to_be_looked_at() -> None:
    assert len(modules("domain")) > 5


def without_reason(longer: set[str]) -> set[str]:
    """Return those that no entry of the list covers."""
    folders = tuple(entry for entry in LONGER_WITH_REASON if entry.endswith("/"))
    return {name for name in longer if name not in LONGER_WITH_REASON and not name.startswith(folders)}


def test_every_file_fits_or_says_why() -> None:
    assert without_reason(longer_files()) == set()


def test_every_function_fits_or_says_why() -> None:
    assert without_reason(longer_functions()) == set()


def test_no_reason_outlives_its_need() -> None:
    longer = longer_files() | longer_functions()
    assert [entry for entry in LONGER_WITH_REASON if not any(name.startswith(entry) for name in longer)] == []


@pytest.mark.parametrize("name", ["src", "tests", "dev.py"])
def test_every_module_says_what_it_is_for(name: str) -> None:
    silent = [place(path) for path in python_files(name) if not ast.get_docstring(tree(path))]
    assert silent == []


def test_nothing_is_left_to_be_done() -> None:
    # Written in two parts, or this line would find itself.
    assert lines_matching(re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b")) == []


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    assert lines_matching(re.compile(r"(?<![\w.~}-])/(root|work|home/\w+|Users/\w+)/|[A-Z]:\\Users\\")) == []


def test_the_package_carries_its_types() -> None:
    assert (PACKAGE / "py.typed").is_file()


def test_the_licence_is_the_one_the_project_states() -> None:
    assert "Apache License\n                           Version 2.0" in (ROOT / "LICENSE").read_text(encoding="utf-8")
