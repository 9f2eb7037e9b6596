"""Which seed is the first to catch each planted mistake: ``python -m tests.simulation.caught [PAGE]``.

The mistakes are planted into the code of the product by ``tests/simulation/broken.py``, one at a time; a seed that
catches one is a world that is judged whole without it and not with it. With a PAGE, what was found is written at its
end; the seeds that are printed are those of ``CAUGHT_BY`` in ``tests/simulation/test_broken.py``.
"""

import multiprocessing
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path

import pytest

from gal_friday.simulation.many import outcomes
from gal_friday.simulation.measure import Measures, measured
from gal_friday.simulation.world import Settings
from tests.simulation.broken import BROKEN

SHORT = Settings(hours=2, errors=0.03)
WITHIN = 50
HEADING = "## Mistakes planted into the program"


def lived(seed: int) -> Measures:
    return measured(outcomes([seed], SHORT, jobs=1))


def first_seed(mistake: str) -> tuple[int, str] | None:
    """Return the first seed that catches it, and what it says of it; None where none of the first fifty does."""
    return next(islice(_seeds(mistake), 1), None)


def _seeds(mistake: str) -> Iterator[tuple[int, str]]:
    for seed in range(WITHIN):
        with pytest.MonkeyPatch.context() as patch:
            BROKEN[mistake](patch)
            broken = lived(seed)
        if not broken.holds and lived(seed).holds:
            yield seed, _said(broken)


def _said(found: Measures) -> str:
    counts = {
        "missed": found.missed, "false": found.false, "wrongly corrected": found.wrong,
        "told twice": found.told_twice, "never told": found.never_told,
    }  # fmt: skip
    return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)


def page(found: dict[str, tuple[int, str] | None]) -> Iterable[str]:
    """Yield the lines of a section about them."""
    yield HEADING
    yield ""
    yield (
        f"Each is put into the program's own code, alone, and worlds of {SHORT.hours:g} hours with --errors "
        f"{SHORT.errors:g} live with it, seed after seed, until one is not judged whole that is whole without the "
        "mistake. `python3 dev.py fire` finds them again, when it has written this page."
    )
    yield ""
    yield "| The mistake | Caught by seed | In that world |"
    yield "| --- | --- | --- |"
    for mistake, caught in found.items():
        seed, said = caught or (f"none of the first {WITHIN}", "")
        yield f"| {mistake} | {seed} | {said} |"


def main(arguments: list[str]) -> int:
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        found = dict(zip(BROKEN, pool.map(first_seed, BROKEN), strict=True))
    for mistake, caught in found.items():
        sys.stdout.write(f"{mistake}: {caught and caught[0]}\n")
    for path in map(Path, arguments):
        before = path.read_text(encoding="utf-8").split(HEADING)[0].rstrip()
        path.write_text("\n".join([before, "", *page(found), ""]), encoding="utf-8")
    return 0 if all(found.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
