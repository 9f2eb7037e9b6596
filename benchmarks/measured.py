"""One measured number, and how to take the best of several."""

import gc
from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple


class Measured(NamedTuple):
    """What was measured, the number, its unit, and the bar it is held against."""

    what: str
    number: float
    unit: str
    bar: str = ""

    def __str__(self) -> str:
        """Return one line of the table."""
        held = f"   (bar: {self.bar})" if self.bar else ""
        return f"{self.what:<66} {self.number:>10.3f} {self.unit:<3}{held}"


def best(work: Callable[[], object], *, rounds: int) -> float:
    """Return the seconds of the fastest of *rounds*: the one that nothing else disturbed."""
    seconds = []
    for _ in range(rounds):
        gc.collect()
        began = perf_counter()
        work()
        seconds.append(perf_counter() - began)
    return min(seconds)
