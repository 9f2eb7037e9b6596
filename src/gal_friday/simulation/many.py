"""Many worlds, on as many processors as one likes; the numbers do not depend on how many."""

import logging
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial

import structlog

from gal_friday.simulation.world import Outcome, Settings, simulated

_LOG = logging.getLogger("gal_friday")


def outcomes(
    seeds: Sequence[int], settings: Settings, *, jobs: int, done: Callable[[Outcome], object] | None = None
) -> list[Outcome]:
    """Return what became of the world of each seed, in their order; *done* is told of each as it ends."""
    one = partial(simulated, settings=settings)
    found = []
    for outcome in _each(one, seeds, jobs):
        found.append(outcome)
        if done is not None:
            done(outcome)
    return found


def _each(one: Callable[[int], Outcome], seeds: Sequence[int], jobs: int) -> Iterator[Outcome]:
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
