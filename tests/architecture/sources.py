"""The files of the project as the architecture tests read them.

Nothing is imported and git is not asked: a bare machine has none, and a broken module must still be read.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "gal_friday"

# Made by tools and not kept: everything .gitignore names that can hold text.
_NOT_KEPT = {".git", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache"}
_NOT_KEPT |= {".hypothesis", ".fuzz", ".mutation", "build", "dist", "htmlcov"}


def kept_files() -> Iterator[Path]:
    """Yield every file of the project that is kept under version control or could be, sorted by path."""
    for path in sorted(ROOT.rglob("*")):
        folders = path.relative_to(ROOT).parts
        if path.is_file() and not any(part in _NOT_KEPT or part.startswith(".venv") for part in folders):
            yield path


def python_files(*folders: str) -> list[Path]:
    """Return the Python files below these folders of the project, sorted; all that exist if none is named."""
    wanted = folders or ("src", "tests", "benchmarks", "dev.py")
    return [path for path in kept_files() if path.suffix == ".py" and place(path).split("/")[0] in wanted]


def modules(part: str = "") -> list[Path]:
    """Return the modules of the package, or of one part of it such as ``domain``."""
    return [path for path in python_files("src") if (PACKAGE / part) in path.parents]


def place(path: Path) -> str:
    """Return where a file lies, from the top of the project, with forward slashes."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a Python file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported_names(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of everything a module imports: ``from a import b`` is ``a.b``."""
    for node in ast.walk(tree(path)):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield from ((node.lineno, f"{module}.{alias.name}") for alias in names)


def dotted(node: ast.expr) -> str:
    """Return ``a.b.c`` for such an expression, and nothing for any other."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attribute) if dotted(value):
            return f"{dotted(value)}.{attribute}"
        case _:
            return ""
