"""Many worlds, on as many processors as one likes; the numbers do not depend on how many."""

import logging
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import structlog

from gal_friday.simulation.measure import Counted, counted
from gal_friday.simulation.world import Outcome, Settings, simulated

T = TypeVar("T")
_LOG = logging.getLogger("gal_friday")


def outcomes(seeds: Sequence[int], settings: Settings, *, jobs: int) -> list[Outcome]:
    """Return what became of the world of each seed, in their order."""
    return list(_each(partial(simulated, settings=settings), seeds, jobs))


def counts(seeds: Sequence[int], settings: Settings, *, jobs: int) -> Iterator[Counted]:
    """Yield what was counted in the world of each seed, in their order."""
    return _each(partial(_counted, settings=settings), seeds, jobs)


def _counted(seed: int, settings: Settings) -> Counted:
    return counted(simulated(seed, settings))


def _each(one: Callable[[int], T], seeds: Sequence[int], jobs: int) -> Iterator[T]:
    if jobs == 1 or len(seeds) == 1:
        with _quiet():
            yield from map(one, seeds)
        return
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_silent) as pool:
        yield from pool.map(one, seeds)


@contextmanager
def _quiet() -> Iterator[None]:
    """Let the services of worlds say nothing while this lasts: they run thousands of times."""
    known, level = structlog.get_config() if structlog.is_configured() else None, _LOG.level
    _silent()
    try:
        yield
    finally:
        structlog.reset_defaults()
        if known is not None:
            structlog.configure(**known)
        _LOG.setLevel(level)


def _silent() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    _LOG.setLevel(logging.CRITICAL)
