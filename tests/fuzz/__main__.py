"""Coverage-guided fuzzing: ``python3 dev.py fuzz [TARGET...] [--seconds N]``; without a target all of them.

--seconds N    how long each target is tried; 60 unless told
--list         the names of the targets, and nothing else

What is found is written to tests/fuzz/found/TARGET, where every test run tries it again; what was learned of a target
stays in .fuzz, so that the next time goes on from there. It needs atheris, which is made for Linux and macOS and
few versions of Python; without it the property tests of tests/fuzz still do a share of the work.
"""

import argparse
import importlib
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dev import FUZZ, SetUpFailed, ready, say
from tests.fuzz.tokens import SHORT

HERE, ROOT = Path(__file__).parent, Path(__file__).resolve().parents[2]
LEARNED = ROOT / ".fuzz"
SLOW_SECONDS = 30
"""An input that takes longer is a find as well."""
_SHOWN_MAX = 4000
_ONE = "--one"
_MISSING = (
    "atheris is not there, so nothing was fuzzed: requirements/fuzz.lock has no build of it for this system and this "
    "Python. Run the command on Linux or macOS with another Python (pip index versions atheris), or let the property "
    "tests do a share of the work: HYPOTHESIS_PROFILE=explore .venv/bin/python -m pytest tests/fuzz"
)


def main(words: list[str]) -> int:
    """Try every target that is named, and return 1 where anything was found."""
    if words[:1] == [_ONE]:
        return _one(words[1], words[2:])
    names = sorted(path.name for path in (HERE / "corpus").iterdir())
    parser = argparse.ArgumentParser(prog="dev.py fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--list", action="store_true")
    asked = parser.parse_args(words)
    if asked.list:
        sys.stdout.write("".join(f"{name}\n" for name in names))
        return 0
    if unknown := set(asked.targets) - set(names):
        parser.error(f"no target {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    if not _atheris_is_there():
        sys.stderr.write(f"{_MISSING}\n")
        return 2
    finds = [name for name in asked.targets or names if not _fuzzed(name, asked.seconds)]
    sys.stdout.write(f"FOUND  {', '.join(finds)}: see tests/fuzz/found\n" if finds else "nothing found\n")
    return 1 if finds else 0


def _atheris_is_there() -> bool:
    """Install it where it is not, and say whether it is there now."""
    try:
        folders = ready(FUZZ).path.glob("lib/python*/site-packages")
    except SetUpFailed as failure:
        say(str(failure))
        return False
    # Behind everything else, and passed on to the processes that do the work.
    sys.path.extend(map(str, folders))
    os.environ["PYTHONPATH"] = os.pathsep.join((os.environ.get("PYTHONPATH", ""), sys.path[-1]))
    return importlib.util.find_spec("atheris") is not None


def _fuzzed(name: str, seconds: int) -> bool:
    """Try one target in a process of its own, and say whether it stood."""
    learned, found = LEARNED / name, HERE / "found" / name
    for folder in (learned, found):
        folder.mkdir(parents=True, exist_ok=True)
    words = LEARNED / "words"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in SHORT))
    options = [
        f"-max_total_time={seconds}",
        f"-timeout={SLOW_SECONDS}",
        f"-artifact_prefix={found}/",
        f"-dict={words}",
        "-print_final_stats=1",
        "-verbosity=1",
        *(str(folder) for folder in (learned, HERE / "corpus" / name, found)),
    ]
    log = LEARNED / f"{name}.log"
    with log.open("wb") as said:
        command = [sys.executable, "-m", "tests.fuzz", _ONE, name, *options]
        done = subprocess.run(command, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT, check=False)
    if not any(found.iterdir()):
        found.rmdir()
    text = log.read_text(errors="replace")
    runs, reached = (re.findall(rf"{word} *([0-9]+)", text) or ["no"] for word in ("executed_units:", " cov:"))
    sys.stdout.write(f"{name:28} {runs[-1]:>9} runs, {reached[-1]:>6} places reached\n")
    sys.stdout.flush()
    if done.returncode:
        sys.stdout.write(text[-_SHOWN_MAX:])
    return done.returncode == 0


def _escaped(word: bytes) -> str:
    return "".join(chr(each) if chr(each).isalnum() and each < 0x80 else f"\\x{each:02X}" for each in word)


def _one(name: str, options: list[str]) -> int:
    """Never return: the fuzzer ends the process."""
    atheris: Any = importlib.import_module("atheris")
    # Only what it needs: to instrument all of the program takes longer than many a run.
    module = {"kraken": "kraken", "api": "calls"}.get(name.partition("-")[0], "files")
    with atheris.instrument_imports(include=["gal_friday"], enable_loader_override=False):
        targets: dict[str, Callable[[bytes], None]] = importlib.import_module(f"tests.fuzz.{module}").TARGETS
    atheris.Setup([sys.argv[0], *options], targets[name])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
