"""Mutants of modules: what mutmut's operators make of them, all counted, and a seeded sample written out in full.

    python mutants.py SAMPLE SEED PATH...

Run by the Python of .venv-mutate, and by nothing else; it imports nothing of this project. Each line that it prints is
one JSON object: first the number of mutants of every path, then the sampled ones. The sample is drawn from each module
in proportion to its mutants, so that it stands for all of them.

Left alone is what states something to a reader or to the type checker and does nothing: annotations and names for
them, docstrings, imports, ``assert`` and ``assert_never``, type variables, and how a class is made (``frozen``,
``kw_only``). As mutmut does, calls of ``len`` and ``isinstance`` are too.
"""

# mypy: ignore-errors
# What it imports is not installed where the checks run.

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random  # noqa: TID251 - seeded
from typing import Any, NamedTuple

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

_STATED = (cst.Annotation, cst.Import, cst.ImportFrom, cst.Assert, cst.TypeAlias)
_NOT_CALLED = {"len", "isinstance", "assert_never", "TypeVar", "ParamSpec", "NewType", "cast"}


class Mutant(NamedTuple):
    """One change of one module."""

    operator: str
    line: int
    span: tuple[int, int] | None
    """The lines of the function that it is in; None at the level of the module or of a class."""
    old: cst.CSTNode
    new: cst.CSTNode


class Finder(cst.CSTVisitor):
    """Collects the mutants of one module."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Mutant] = []
        self._spans: list[tuple[int, int]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Take the mutants of a node, and say whether to look inside it."""
        if isinstance(node, _STATED) or (isinstance(node, cst.Call) and _name(node.func) in _NOT_CALLED):
            return False
        if isinstance(node, cst.Assign) and not self._spans and _names_a_type(node.value):
            return False
        if isinstance(node, cst.ClassDef):
            node.body.visit(self)
            return False
        if isinstance(node, cst.FunctionDef):
            self._spans.append(self._lines(node))
        span = self._spans[-1] if self._spans else None
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                for new in operator(node):
                    self.found.append(Mutant(operator.__name__, self._lines(node)[0], span, node, new))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        """Leave a function."""
        if isinstance(original_node, cst.FunctionDef):
            self._spans.pop()

    def _lines(self, node: cst.CSTNode) -> tuple[int, int]:
        place: Any = self.get_metadata(PositionProvider, node)
        return place.start.line, place.end.line


def _names_a_type(value: cst.BaseExpression) -> bool:
    """Say whether this is ``dict[str, int]``, ``A | B`` or the like: annotations under a name."""
    union = isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.BitOr)
    return union or (isinstance(value, cst.Subscript) and isinstance(value.value, cst.Name))


def _name(function: cst.BaseExpression) -> str:
    return function.value if isinstance(function, cst.Name) else ""


def mutants_of(path: Path) -> tuple[cst.Module, list[Mutant]]:
    """Return a module and its mutants, in their order."""
    wrapper = MetadataWrapper(cst.parse_module(path.read_text(encoding="utf-8")))
    finder = Finder()
    wrapper.visit(finder)
    return wrapper.module, finder.found


def shares(counts: list[int], wanted: int) -> list[int]:
    """Return how many of each are taken: in proportion, the largest remainders first."""
    whole = sum(counts)
    wanted = min(wanted, whole)
    exact = [count * wanted / whole for count in counts]
    taken = [int(one) for one in exact]
    most = sorted(range(len(counts)), key=lambda each: taken[each] - exact[each])
    for each in most[: wanted - sum(taken)]:
        taken[each] += 1
    return taken


def lines(sample: int, seed: int, paths: list[Path]) -> Iterator[dict[str, Any]]:
    """Yield the counts, then the sampled mutants."""
    every = [mutants_of(path) for path in paths]
    yield {"counts": {str(path): len(found) for path, (_, found) in zip(paths, every, strict=True)}}
    for path, (module, found), share in zip(
        paths, every, shares([len(found) for _, found in every], sample), strict=True
    ):
        for number in sorted(Random(f"{seed} {path}").sample(range(len(found)), share)):
            one = found[number]
            changed: Any = module.deep_replace(one.old, one.new)
            yield {
                "path": str(path),
                "number": number,
                "operator": one.operator.removeprefix("operator_"),
                "line": one.line,
                "span": one.span,
                "source": changed.code,
            }


if __name__ == "__main__":
    for line in lines(int(sys.argv[1]), int(sys.argv[2]), [Path(word) for word in sys.argv[3:]]):
        sys.stdout.write(json.dumps(line) + "\n")
