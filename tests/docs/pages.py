"""The documents for users, taken apart into the blocks that can be run. It runs nothing itself.

In a block of the language ``console`` a line that begins with ``$`` is a command; what follows is what it prints.
A lone ``…`` stands for any lines, and ``…`` within a line for any text. ``$ echo $?`` shows the exit status of the
command before it; a command whose status is not shown must succeed.

A second word behind the language names the file that holds the block: ```` ```json book.json ````.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "README.md"

_FENCE = re.compile(r"^```(\w*)[ ]*(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ANYTHING = "…"


class Block(Struct, frozen=True):
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    file: str
    text: str

    def __str__(self) -> str:
        """Return the place, as an editor finds it."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


class Command(Struct, frozen=True):
    """One command of a console block, with what it has to print; None where nothing is shown."""

    typed: str
    status: int
    shown: str


def pages() -> list[Path]:
    """Return the pages for users, the front page first."""
    return [page for page in (README, *sorted((ROOT / "docs").glob("*.md"))) if page.is_file()]


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, found.start()) + 1, found[1], found[2], found[3])
        for found in _FENCE.finditer(text)
    ]


def commands(block: Block) -> Iterator[Command]:
    """Yield the commands of a console block, each with its status and what it prints."""
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    assert not parts[0].strip(), f"{block}: begins with something else than a command"
    typed = [part.partition("\n") for part in parts[1:]]
    for number, (command, _, shown) in enumerate(typed):
        if command == "echo $?":
            continue
        after = typed[number + 1] if number + 1 < len(typed) else ("", "", "")
        status = int(after[2]) if after[0] == "echo $?" else 0
        yield Command(command.partition("  #")[0].strip(), status, shown)


def agrees(shown: str, printed: str) -> bool:
    """Say whether what a page shows is what was printed; white space at line ends does not count."""
    pattern = "".join(_pattern(line) for line in shown.rstrip().splitlines())
    text = "".join(f"{line.rstrip()}\n" for line in printed.rstrip().splitlines())
    return re.fullmatch(pattern, text) is not None


def _pattern(line: str) -> str:
    if line.strip() == _ANYTHING:
        return r"(?:.*\n)*?"
    return ".*".join(re.escape(part) for part in line.rstrip().split(_ANYTHING)) + r"\n"
