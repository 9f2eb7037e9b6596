"""Signals for processes that tests start, whatever the tests themselves were started with."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def heard(*numbers: int) -> Iterator[None]:
    """Let processes that are started here hear these signals, also where the tests themselves ignore them."""
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
