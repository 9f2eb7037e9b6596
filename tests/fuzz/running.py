"""The one event loop in which everything runs that is tried, and what stays open in it until ``close``."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

Found = TypeVar("Found")

OPENED = AsyncExitStack()
_RUNNER = asyncio.Runner()


def run(work: Coroutine[Any, Any, Found]) -> Found:
    """Return what this comes to."""
    return _RUNNER.run(work)


def close() -> None:
    """End everything that was opened; nothing can be tried after it."""
    run(OPENED.aclose())
    _RUNNER.close()
