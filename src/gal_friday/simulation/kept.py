"""Worlds that were counted, one to a line of a file: a run that was stopped goes on, and parts add up.

A line counts only for worlds of the same size and the same program: of another one it says nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from gal_friday.simulation.measure import Counted
from gal_friday.simulation.world import Settings

_BEGINS = b'{"program":'
"""How every line begins: a rest that begins otherwise is of another file, and stays there."""


class _Line(Struct, frozen=True, kw_only=True):
    program: str
    settings: Settings
    world: Counted


def known(path: Path, settings: Settings, program: str) -> dict[int, Counted]:
    """Return the worlds of this size that *program* has counted, by seed; none where there is no such file.

    Raises:
        OSError, msgspec.MsgspecError: it cannot be read, or is no such file.
    """
    if not path.exists():
        return {}
    data = path.read_bytes()
    kept = (msgspec.json.decode(line, type=_Line) for line in data[: len(data) - _torn(data)].splitlines())
    return {one.world.seed: one.world for one in kept if one.settings == settings and one.program == program}


def counted_once(
    path: Path | None, seeds: Sequence[int], settings: Settings, program: str,
    count: Callable[[Sequence[int]], Iterable[Counted]],
) -> Iterator[Counted]:  # fmt: skip
    """Yield the world of every seed, in no order; those that the file does not have are counted and added to it."""
    had = known(path, settings, program) if path is not None else {}
    yield from (had[seed] for seed in seeds if seed in had)
    if path is not None and path.exists():
        _mend(path)
    for world in count([seed for seed in seeds if seed not in had]):
        if path is not None:
            _add(path, _Line(program=program, settings=settings, world=world))
        yield world


def _add(path: Path, line: _Line) -> None:
    with path.open("ab") as file:
        file.write(msgspec.json.encode(line) + b"\n")


def _mend(path: Path) -> None:
    """Take away what a run that was killed has left of a last line, and end a whole one; all before it stays there."""
    with path.open("r+b") as file:
        data = file.read()
        if torn := _torn(data):
            file.truncate(len(data) - torn)
        elif data and not data.endswith(b"\n"):
            file.write(b"\n")


def _torn(data: bytes) -> int:
    """Return how many bytes at the end are no line: one without its end may be whole, as editors leave it.

    Raises:
        msgspec.MsgspecError: nothing that was written here begins so.
    """
    last = data[data.rfind(b"\n") + 1 :]
    if not last:
        return 0
    try:
        msgspec.json.decode(last, type=_Line)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        if not last.startswith(_BEGINS[: len(last)]):
            raise
        return len(last)
    return 0
