"""Many worlds, on as many processors as one likes; the numbers do not depend on how many."""

import logging
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import structlog

from gal_friday.simulation.world import Outcome, Settings, simulated


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
        _quiet()
        yield from map(one, seeds)
        return
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_quiet) as pool:
        yield from pool.map(one, seeds)


def _quiet() -> None:
    """Let the service of a world say nothing: it runs thousands of times."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.getLogger("gal_friday").setLevel(logging.CRITICAL)
