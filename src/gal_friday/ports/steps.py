"""The steps of what the program does, told to whoever watches how long each takes and which belongs to which.

Nothing depends on being watched: a step that nobody sees is taken all the same, and costs nothing.
"""

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol

About = str | int | float | bool
"""What may be said of a step: never an amount, never a secret, no text that somebody typed."""


class Step(Protocol):
    """A step that is being taken."""

    def note(self, **about: About) -> None:
        """Say something of it that is known only now."""
        ...

    def context(self) -> str:
        """Return what another process needs to go on below this step (W3C traceparent); empty where nobody watches."""
        ...


class Steps(Protocol):
    """Begins steps; one that is begun inside of another belongs to it."""

    def __call__(self, name: str, *, of: str = "", **about: About) -> AbstractContextManager[Step]:
        """Begin a step, which ends with the block; *of* is the ``context`` of another process that it belongs to."""
        ...


class _Nobody:
    """The step that nobody watches."""

    def __enter__(self) -> Step:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, error, trace

    def note(self, **about: About) -> None:
        del about

    def context(self) -> str:
        return ""


_NOBODY = _Nobody()


def unwatched(name: str, *, of: str = "", **about: About) -> AbstractContextManager[Step]:
    """Begin a step that nobody watches."""
    del name, of, about
    return _NOBODY
