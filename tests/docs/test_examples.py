"""Every example of every page is run, from top to bottom, in an empty folder of its own with a simulated exchange."""

import ast
import asyncio
import inspect
import json
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gal_friday.adapters.alerts.words import as_json
from gal_friday.adapters.clock import SystemClock
from gal_friday.bootstrap.alerts import trial
from gal_friday.bootstrap.settings import load
from gal_friday.cli import main
from gal_friday.domain.facts import PROGRAM
from gal_friday.domain.handover import Took, answer_in, handover_of
from gal_friday.domain.snapshot_json import FORMAT, read_snapshot
from tests.contracts.handing import MADE
from tests.docs.conftest import Kraken
from tests.docs.pages import README, ROOT, Block, Command, agrees, blocks, commands, pages

LANGUAGES = {"console", "json", "mermaid", "toml", "python", "sql", "text", ""}
_ID = re.compile(r"\b[a-z]{3}_…")
WITH_BLOCKS = [page for page in pages() if blocks(page)]

Output = pytest.CaptureFixture[str]


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=[page.name for page in WITH_BLOCKS])
def test_the_examples_of_a_page_do_what_the_page_shows(
    page: Path, place: Path, with_kraken: Kraken, capsys: Output
) -> None:
    names: dict[str, Any] = {"__name__": page.stem}
    printed: list[str] = []
    if page == README:
        _readers_own(place, names)
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{block}: nobody runs {block.language}"
        if block.file:
            (place / block.file).write_text(block.text)
        check = _checks(names, printed, capsys).get(block.language)
        if check is not None:
            check(block)


def _readers_own(place: Path, names: dict[str, Any]) -> None:
    """Put there what the front page takes for granted: the reader's two snapshots, in memory and as files."""
    shown = [block for block in blocks(ROOT / "docs" / "report.md") if block.file.endswith(".json")]
    for name, block in zip(("internal", "exchange"), shown, strict=False):
        (place / f"{name}.json").write_text(block.text)
        names[name] = block.text.encode()
    (place / "book.json").write_text(shown[0].text)


def _checks(names: dict[str, Any], printed: list[str], capsys: Output) -> dict[str, Callable[[Block], None]]:
    return {
        "console": lambda block: _console(block, printed, capsys),
        "json": _json,
        "toml": _toml,
        "python": lambda block: _python(block, names, capsys),
        "": lambda block: _front_page(block, capsys),
    }


def _console(block: Block, before: list[str], capsys: Output) -> None:
    """Run the commands; an id of which a command shows only the kind, as adj_…, is the first that was printed last."""
    for command in commands(block):
        typed = _ID.sub(lambda found: _last_printed(found[0].rstrip("…"), before), command.typed)
        status, printed = _ran(typed, capsys)
        before.append(printed)
        where = f"{block}: $ {typed}"
        if status != command.status or (command.shown.strip() and not agrees(command.shown, printed)):
            pytest.fail(f"{where}\nexited with {status} and printed\n{printed}", pytrace=False)


def _last_printed(kind: str, before: list[str]) -> str:
    found = (re.search(rf"\b{kind}[0-9a-f]+", printed) for printed in reversed(before))
    return next(one[0] for one in found if one is not None)


def _ran(typed: str, capsys: Output) -> tuple[int, str]:
    """Return the exit status, and what a terminal would show; stdout alone where stderr is sent away."""
    program, *arguments = shlex.split(typed)
    assert program == "gal-friday", typed
    quiet = "2>/dev/null" in arguments
    capsys.readouterr()
    status = main([word for word in arguments if word != "2>/dev/null"])
    out, err = capsys.readouterr()
    return status, out if quiet else out + err


def _json(block: Block) -> None:
    value = json.loads(block.text)
    match value:
        case {"format": "gal-friday/answer/1", "adjustment_id": str() as name}:
            assert isinstance(answer_in(block.text.encode(), name), Took)
        case {"format": "gal-friday/handover/1"}:
            said = handover_of(MADE, token=1).body
            assert list(value) == list(json.loads(said))
        case {"format": "gal-friday/alert/1"}:
            told = as_json(trial(SystemClock().now(), PROGRAM), "https://gal-friday.example")
            assert (list(value), list(value["alert"])) == (list(told), list(told["alert"]))
        case {"format": name}:
            assert name == FORMAT
            read_snapshot(block.text.encode(), source=str(block))


def _toml(block: Block) -> None:
    path = Path(block.file or "example.toml")
    path.write_text(block.text)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GAL_FRIDAY_")}
    load(path, environment=plain)


def _python(block: Block, names: dict[str, Any], capsys: Output) -> None:
    code = compile(block.text, str(block), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    capsys.readouterr()
    result = eval(code, names)
    if inspect.iscoroutine(result):
        asyncio.run(result)
    shown = "\n".join(re.findall(r"^print\(.*\)  # (.*)$", block.text, re.MULTILINE))
    printed = capsys.readouterr().out
    if not agrees(shown, printed):
        pytest.fail(f"{block}: printed\n{printed}", pytrace=False)


def _front_page(block: Block, capsys: Output) -> None:
    """Run what a block of no language calls through dev.py; a reader may be told that something is amiss."""
    for line in block.text.splitlines():
        if line.startswith("python3 dev.py run "):
            typed = line.removeprefix("python3 dev.py run ").partition("  #")[0]
            status, printed = _ran(f"gal-friday {typed}", capsys)
            assert status in (0, 1, 3) or "the book has no account" in printed, f"{block}: {line}\n{printed}"


def test_a_page_that_shows_something_else_than_what_is_printed_is_found_out() -> None:
    assert agrees("one\n…\nthree … four\n", "one\ntwo\ntwo and a half\nthree and four\n")
    assert agrees("one\n…\nthree\n", "one\nthree\n")
    assert not agrees("one\nthree\n", "one\ntwo\nthree\n")
    assert not agrees("one\n", "one\ntwo\n")


def test_a_status_that_is_not_shown_must_be_good() -> None:
    block = Block(README, 1, "console", "", "$ gal-friday a\nsaid\n$ echo $?\n3\n$ gal-friday b  # why\n")
    assert list(commands(block)) == [Command("gal-friday a", 3, "said\n"), Command("gal-friday b", 0, "")]


@pytest.mark.parametrize("page", pages(), ids=[page.name for page in pages()])
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_can_be_found_from_the_front_page() -> None:
    text = README.read_text(encoding="utf-8")
    assert [page.name for page in pages() if page != README and f"docs/{page.name}" not in text] == []
