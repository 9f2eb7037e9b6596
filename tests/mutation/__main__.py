"""How many mutants of the domain the tests kill: ``python3 dev.py mutate [MODULE...] [--sample N] [--seed S]``.

MODULE        below src/gal_friday/domain, as compare/fills or compare; without any, all of it
--sample N    so many mutants, drawn from every module in proportion to its own; 300 unless told
--seed S      which ones
--keep-reach  do not measure anew which tests reach which line, though something has changed

Ctrl-C ends it early and says what was found so far. Survivors are written as changes of the source to
.mutation/survivors.diff; docs/mutation.md explains those that change nothing. Needs a system that can fork.
"""

import argparse
import difflib
import importlib
import math
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from random import Random  # noqa: TID251 - only random.Random(seed)
from signal import SIG_IGN, SIGINT, signal
from typing import Any

import msgspec
from msgspec import Struct

from dev import MUTATE, ready
from tests.mutation.reach import DOMAIN, KEPT, ROOT, Reach, measured
from tests.mutation.trial import Outcome, outcome_of

SAID = KEPT.with_name("said")
SURVIVORS = KEPT.with_name("survivors.diff")
_ALIVE: tuple[Outcome, ...] = ("survived", "unreached")
_Z = 1.959964  # Two-sided 95 %.
# Loaded before the mutants part ways; nothing of this project may be among them, and no plugin of pytest.
_LOADED = ("sqlalchemy.ext.asyncio", "msgspec", "cryptography")


class Mutant(Struct, frozen=True):
    """One sampled mutant, as ``mutants.py`` writes it."""

    path: str
    number: int
    operator: str
    line: int
    span: tuple[int, int] | None
    source: str


def main(words: list[str]) -> int:
    """Try a sample, and say what survived."""
    parser = argparse.ArgumentParser(prog="dev.py mutate", description=__doc__.partition("\n")[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--sample", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep-reach", action="store_true")
    asked = parser.parse_args(words)
    counts, sample = _drawn(_paths(asked.modules), asked.sample, asked.seed)
    os.environ["HYPOTHESIS_PROFILE"] = "unshrunk"
    reach = measured(keep=asked.keep_reach)
    for name in _LOADED:
        importlib.import_module(name)
    _must_live(sample[0], reach)
    outcomes: dict[str, Counter[Outcome]] = defaultdict(Counter)
    alive: list[str] = []
    # In any order, so that what was tried before somebody stops it is a fair sample too.
    Random(asked.seed).shuffle(sample)
    trials = [(one, reach.to(one.path, one.line, one.span)) for one in sample]
    with get_context("fork").Pool(initializer=signal, initargs=(SIGINT, SIG_IGN)) as pool, suppress(KeyboardInterrupt):
        # In their order: what is quick is mostly killed, and would be too many of what was tried.
        for done, (one, outcome) in enumerate(zip(sample, pool.imap(_tried, trials), strict=True), 1):
            outcomes[one.path][outcome] += 1
            sys.stderr.write(f"{done}/{len(sample)} {outcome} {one.path}:{one.line} {one.operator}\n")
            if outcome in _ALIVE:
                alive.append(_change(one, outcome))
    SURVIVORS.write_text("\n".join(alive))
    sys.stdout.write("".join(f"{line}\n" for line in _told(counts, outcomes)))
    return 0


def _tried(trial: tuple[Mutant, Sequence[str]]) -> Outcome:
    one, tests = trial
    return outcome_of(ROOT / one.path, one.source, tests, SAID.with_name(f"{SAID.name}-{os.getpid()}"))


def _paths(modules: Sequence[str]) -> list[Path]:
    wanted = [DOMAIN / name for name in modules] or [DOMAIN]
    found: set[Path] = set()
    for path in wanted:
        some = set(path.rglob("*.py")) | {one for one in (path.with_suffix(".py"),) if one.is_file()}
        if not some:
            raise SystemExit(f"{path.relative_to(ROOT)} is no module of the domain and no folder of them")
        found |= some
    return sorted(path for path in found if path.stat().st_size)


def _drawn(paths: Sequence[Path], sample: int, seed: int) -> tuple[dict[str, int], list[Mutant]]:
    names = [path.relative_to(ROOT).as_posix() for path in paths]
    lister = [ready(MUTATE).program("python"), str(Path(__file__).with_name("mutants.py")), str(sample), str(seed)]
    listed = subprocess.run([*lister, *names], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout.splitlines()
    counts: dict[str, int] = msgspec.json.decode(listed[0])["counts"]
    return counts, [msgspec.json.decode(line, type=Mutant) for line in listed[1:]]


def _must_live(one: Mutant, reach: Reach) -> None:
    """Refuse to go on where tests fail though nothing is mutated: every mutant would seem to be killed."""
    source = (ROOT / one.path).read_text(encoding="utf-8")
    outcome = outcome_of(ROOT / one.path, source, reach.to(one.path, one.line, one.span), SAID)
    if outcome != "survived":
        raise SystemExit(f"{one.path} is {outcome} without being mutated; see {SAID.relative_to(ROOT)}")


def _change(one: Mutant, outcome: Outcome) -> str:
    before = (ROOT / one.path).read_text(encoding="utf-8").splitlines()
    title = f"{one.path} #{one.number} {one.operator}, {outcome}"
    return "\n".join(difflib.unified_diff(before, one.source.splitlines(), one.path, title, lineterm="", n=2)) + "\n"


def _told(counts: dict[str, int], outcomes: dict[str, Counter[Outcome]]) -> Iterable[str]:
    """Yield a line for each module in which something survived, and the score of the sample."""
    rows = sorted((_score(found), path) for path, found in outcomes.items())
    for score, path in rows:
        if score < 1:
            alive = sum(outcomes[path][one] for one in _ALIVE)
            yield f"{score:7.1%}  {alive:3} of {outcomes[path].total():3} alive  {path}"
    every: Counter[Any] = sum(outcomes.values(), Counter())
    tried, killed = every.total(), every.total() - sum(every[one] for one in _ALIVE)
    low, high = interval(killed, tried)
    yield (
        f"score {killed / tried:.1%} ({killed} of {tried} sampled mutants of {sum(counts.values())} killed; "
        f"95 % interval {low:.1%} to {high:.1%}); survivors: {SURVIVORS.relative_to(ROOT)}"
    )


def _score(found: Counter[Outcome]) -> float:
    return 1 - sum(found[one] for one in _ALIVE) / found.total()


def interval(killed: int, tried: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share.

    Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927.
    """
    share, per = killed / tried, _Z**2 / tried
    middle, half = share + per / 2, _Z * math.sqrt(share * (1 - share) / tried + per / (4 * tried))
    return (middle - half) / (1 + per), (middle + half) / (1 + per)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
