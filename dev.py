#!/usr/bin/env python3
"""The two commands of this project on a bare machine: ``python3 dev.py demo`` and ``python3 dev.py test``.

Only the standard library, so that it runs before anything is installed. Every environment is made from
a lock with hashes and lies inside this folder; nothing outside it is touched, but that root on Debian may be given
the package chromium (tests/browser/provision.py). What set-up has to say goes to stderr: stdout belongs to the
program that was asked for.

    demo [ARGS]    the demo (for example --once --json), from the runtime lock alone
    run ARGS       any gal-friday command, from the runtime lock alone
    test [ARGS]    every check, then pytest with these arguments, in two processes; -n 0 for one
    crash [ARGS]   kill the program at every write, on both databases; for example --rounds 1000 --seed 1 --engine both
    fuzz [TARGET...] [--seconds N]   every parser against bytes that nobody thought of, guided by what they reach
    mutate [MODULE...] [--sample N] [--seed S]   how many mutants of the domain the tests kill
    fire [ARGS]    simulated worlds in which much goes wrong, a thousand days of them; writes docs/quality.md
    spark [ARGS]   tables on Apache Spark, one process and a cluster of three; pytest takes these arguments
    lint           the checks without pytest
    format         rewrite what ruff can rewrite
    bench [ARGS]   the benchmarks, or those named; for example tables, beside what others compare tables with
    soak [ARGS]    load and a failing database for ten minutes; for example --minutes 1 --accounts 20 --fills 100
    screenshots [FOLDER]   pictures of every page of the demo, light and dark; --readme for those of the README
    lock [ARGS]    bring the locks in step with pyproject.toml (needs uv); --upgrade takes newer versions
    clean          remove environments and caches
"""

from __future__ import annotations  # an older Python must get as far as the message in main

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 11)
# Not sys.executable: called from inside an environment, that would be the one to be replaced.
BASE_PYTHON = getattr(sys, "_base_executable", sys.executable)
CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache", ".hypothesis")
FINDINGS = (".fuzz", ".mutation", "browser-failures")


class Environment(NamedTuple):
    """One folder of installed packages and the lock it is made from."""

    folder: str
    lock: str
    installs_project: bool = True

    @property
    def path(self) -> Path:
        """The folder, inside this project."""
        return ROOT / self.folder

    @property
    def stamp(self) -> Path:
        """The file that says what the folder was made from; the last thing written."""
        return self.path / "made-from"

    def program(self, name: str) -> str:
        """Return the path of a program installed there."""
        folder, suffix = ("Scripts", ".exe") if os.name == "nt" else ("bin", "")
        return str(self.path / folder / f"{name}{suffix}")


# The demo has its own, a third of the size: it is what a newcomer waits for.
DEMO = Environment(".venv-demo", "requirements/runtime.lock")
FULL = Environment(".venv", "requirements/dev.lock")
CCXT = Environment(".venv-ccxt", "requirements/ccxt.lock", installs_project=False)
# Made only where no Chromium is found: node and npm, and what tests/browser/provision.py fetches with them.
BROWSER = Environment(".venv-browser", "requirements/browser.lock", installs_project=False)
# Made by the commands of these names alone: no other test needs what is in them.
FUZZ = Environment(".venv-fuzz", "requirements/fuzz.lock", installs_project=False)
MUTATE = Environment(".venv-mutate", "requirements/mutate.lock", installs_project=False)
SPARK = Environment(".venv-spark", "requirements/spark.lock")
# Made by benchmarks/bulk/tables.py, beside which it measures what is in it.
PEERS = Environment(".venv-peers", "requirements/peers.lock", installs_project=False)
ENVIRONMENTS = (DEMO, FULL, CCXT, BROWSER, FUZZ, MUTATE, SPARK, PEERS)

# What deploy/ installs: the service with its fleet, every channel and traces. No environment of this folder.
SERVICE_LOCK = "requirements/service.lock"
SERVICE = ("pyproject.toml", "--extra", "fleet", "--extra", "alerts", "--extra", "otel", "--extra", "bulk")

# What is resolved into each lock. Each is held to the pins of the one before it: tests see what users get.
LOCKS = {
    DEMO.lock: ("pyproject.toml", "--extra", "server", "--extra", "postgres", "--group", "build"),
    SERVICE_LOCK: (*SERVICE, "--group", "build", "--constraints", DEMO.lock),
    FULL.lock: (*SERVICE, "--group", "build", "--group", "test", "--group", "lint", "--constraints", SERVICE_LOCK),
    CCXT.lock: ("--group", "ccxt"),
    BROWSER.lock: ("--group", "browser"),
    FUZZ.lock: ("requirements/fuzz.in",),
    SPARK.lock: ("pyproject.toml", "--extra", "spark", "--group", "build", "--group", "test", "-c", FULL.lock),
    MUTATE.lock: ("requirements/mutate.in", "--constraints", FULL.lock),
    PEERS.lock: ("requirements/peers.in", "--constraints", FULL.lock),
}


def main(arguments: Sequence[str]) -> int:
    """Run the command named by the first argument and return its exit status."""
    if sys.version_info < OLDEST:
        say(f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed; this is {sys.version.split()[0]}.")
        return 2
    command = COMMANDS.get(arguments[0]) if arguments else None
    if command is None:
        say(__doc__)
        return 0 if arguments and arguments[0] in ("help", "-h", "--help") else 2
    try:
        return command(arguments[1:])
    except SetUpFailed as failure:
        say(str(failure))
        return 2
    except KeyboardInterrupt:
        return 130


def demo(arguments: Sequence[str]) -> int:
    """Run the demo in the small environment."""
    return run(["demo", *arguments])


def run(arguments: Sequence[str]) -> int:
    """Run any gal-friday command in the small environment; its stdout is untouched."""
    return become(ready(DEMO).program("gal-friday"), arguments)


def test(arguments: Sequence[str]) -> int:
    """Run every check and then pytest; pytest's closing line comes last when all is well."""
    failed = checks()
    os.environ["GAL_FRIDAY_CCXT_PYTHON"] = ready(CCXT).program("python")
    provide_a_browser()  # where that fails, every browser test does
    if passed([FULL.program("python"), "-m", "pytest", *processes(arguments), *arguments]) and not failed:
        return 0
    if failed:
        say(f"failed besides pytest: {', '.join(failed)}")
    return 1


def module(name: str, environment: Environment = FULL) -> Callable[[Sequence[str]], int]:
    """Return the command that runs this module, in the full environment unless in another."""

    def started(arguments: Sequence[str]) -> int:
        os.environ["PYTHONPATH"] = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
        return become(ready(environment).program("python"), ["-m", name, *arguments])

    return started


def fire(arguments: Sequence[str]) -> int:
    """Measure what is found and corrected in simulated worlds, and write the page; what was stopped goes on.

    Nobody has looked at these worlds before they are counted: mistakes were mended on some of those below 21000.
    What catches the mistakes that are planted into the program comes last, and is written at the end of the page.
    """
    kept, page = ROOT / "build", str(ROOT / "docs" / "quality.md")
    kept.mkdir(exist_ok=True)
    fixed = ["--about", commit(), "--worlds", str(kept / "worlds.jsonl"), "--report", page]
    wanted = arguments or ["--hours", "24", "--seeds", "30000:31000", "--baselines"]
    simulate = [ready(FULL).program("gal-friday"), "simulate", *fixed, "--report", str(kept / "quality.html"), *wanted]
    held = subprocess.run(simulate, check=False).returncode
    if held not in (0, 1):
        return held
    return held if passed([FULL.program("python"), "-m", "tests.simulation.caught", page]) else 1


def commit() -> str:
    """Return which commit this is, where that can be told."""
    git = shutil.which("git")
    asked = [git or "", "rev-parse", "--short", "HEAD"]
    told = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False) if git else None
    return f"Commit {told.stdout.strip()}" if told and told.returncode == 0 else "A copy without its history"


def lint(_arguments: Sequence[str]) -> int:
    """Run the checks without pytest."""
    return 1 if checks() else 0


def reformat(_arguments: Sequence[str]) -> int:
    """Rewrite what ruff can rewrite."""
    ruff = ready(FULL).program("ruff")
    return 0 if passed([ruff, "check", "--fix"]) & passed([ruff, "format"]) else 1


def screenshots(arguments: Sequence[str]) -> int:
    """Take pictures of every page of the demo, with a browser that is fetched where there is none."""
    ready(FULL)
    return become(FULL.program("python"), ["-m", "tests.browser.screenshots", *arguments]) if provide_a_browser() else 1


def lock(arguments: Sequence[str]) -> int:
    """Write the locks: names, versions and hashes for every platform, and no address."""
    uv = shutil.which("uv")
    if uv is None:
        raise SetUpFailed("Locks are written with uv, which is not on PATH.")
    # --no-config and pip compile: nothing of this machine's package sources gets into the file.
    compiled = [uv, "--no-config", "pip", "compile", "--universal", "--python-version", "3.11", "--quiet"]
    plain = ["--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
    for target, sources in LOCKS.items():
        set_up([*compiled, *plain, *sources, *arguments, "--output-file", target])
        say(f"wrote {target}")
    return 0


def clean(_arguments: Sequence[str]) -> int:
    """Remove environments and caches."""
    compiled = [path for folder in ("src", "tests", "benchmarks") for path in (ROOT / folder).rglob("__pycache__")]
    for path in [*(ROOT / name for name in (*(one.folder for one in ENVIRONMENTS), *CACHES, *FINDINGS)), *compiled]:
        shutil.rmtree(path, ignore_errors=True)
    for path in ROOT.glob(".venv*.busy"):
        path.unlink()
    return 0


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "demo": demo,
    "run": run,
    "test": test,
    "crash": module("tests.crash"),
    "fuzz": module("tests.fuzz"),
    "mutate": module("tests.mutation"),
    "fire": fire,
    "spark": module("tests.spark", SPARK),
    "lint": lint,
    "format": reformat,
    "bench": module("benchmarks"),
    "soak": module("benchmarks.soak"),
    "screenshots": screenshots,
    "lock": lock,
    "clean": clean,
}


def checks() -> list[str]:
    """Run every check that is not a test and return the names of those that failed."""
    ready(FULL)
    typed = [folder for folder in ("src", "tests", "benchmarks", "dev.py") if (ROOT / folder).exists()]
    steps = {
        "ruff check": [FULL.program("ruff"), "check"],
        "ruff format": [FULL.program("ruff"), "format", "--check"],
        "mypy": [FULL.program("mypy"), *typed],
        "import-linter": [FULL.program("lint-imports")],
    }
    return [name for name, command in steps.items() if not quiet_when_good(name, command)]


def provide_a_browser() -> bool:
    """Say whether there is a browser, after fetching one where there is none."""
    return passed([FULL.program("python"), "-m", "tests.browser.provision"])


def processes(arguments: Sequence[str]) -> Sequence[str]:
    """Return what makes pytest use two processes, unless it is told how many, or wants a terminal to itself."""
    chosen = ("-n", "--numprocesses", "--dist", "-pno:xdist", "no:xdist", "--pdb", "--trace")
    return () if any(one.startswith(chosen) for one in arguments) else ("-n", "2")


def quiet_when_good(name: str, command: Sequence[str]) -> bool:
    """Run one check, show what it says only if it fails, and say in one line how it went."""
    started = time.perf_counter()
    step = subprocess.run(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if step.returncode:
        sys.stdout.buffer.write(step.stdout)
    outcome = f"FAILED (status {step.returncode})" if step.returncode else "ok"
    print(f"{name:<14} {outcome}  {time.perf_counter() - started:.1f} s", flush=True)
    return step.returncode == 0


def ready(environment: Environment) -> Environment:
    """Return the environment once it holds exactly what its lock says; a second call costs a hash."""
    with one_at_a_time(environment):
        if not environment.stamp.is_file() or environment.stamp.read_text() != fingerprint(environment):
            make(environment)
    return environment


def make(environment: Environment) -> None:
    """Fill the environment from its lock. The stamp comes last: a broken set-up is made again."""
    say(f"setting up {environment.folder} from {environment.lock} (once)")
    started = time.perf_counter()
    environment.stamp.unlink(missing_ok=True)
    installer = with_either(environment)
    if environment.installs_project:
        # hatchling is in the lock, so building the project itself fetches nothing.
        set_up([*installer, "--no-deps", "--no-build-isolation", "--editable", "."])
        # Python may be told not to write bytecode; starting without it takes twice as long.
        set_up([environment.program("python"), "-m", "compileall", "-q", "src"])
    environment.stamp.write_text(fingerprint(environment))
    say(f"set up {environment.folder} in {time.perf_counter() - started:.1f} s")


def with_either(environment: Environment) -> list[str]:
    """Install the lock with uv if it is there and works, else with pip; return how to install more."""
    uv = shutil.which("uv")
    if uv is None:
        return with_pip(environment)
    try:
        return with_uv(environment, uv)
    except SetUpFailed as failure:
        # The usual reason: a network whose certificates the system knows, and pip, but not uv.
        say(f"{failure}; trying again with pip")
        return with_pip(environment)


def with_uv(environment: Environment, uv: str) -> list[str]:
    """Install the lock with uv and return the command that installs more."""
    # --clear: what is there may belong to another Python.
    set_up([uv, "venv", "--quiet", "--clear", "--python", BASE_PYTHON, environment.folder])
    target = ["--quiet", "--python", environment.program("python")]
    # ccxt brings a thousand modules of which a test imports one: not worth compiling.
    compiled = ["--compile-bytecode"] if environment.installs_project else []
    set_up([uv, "pip", "sync", *target, "--require-hashes", *compiled, environment.lock])
    return [uv, "pip", "install", *target]


def with_pip(environment: Environment) -> list[str]:
    """Install the lock with pip and return the command that installs more."""
    missing = [module for module in ("venv", "ensurepip") if importlib.util.find_spec(module) is None]
    if missing:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SetUpFailed(
            f"This Python lacks {' and '.join(missing)}: install the package python3-venv "
            f"(Debian, Ubuntu: apt install python{version}-venv), or uv, and run the command again."
        )
    # --clear: pip leaves behind what a lock no longer names.
    set_up([BASE_PYTHON, "-m", "venv", "--clear", environment.folder])
    pip = [environment.program("python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    compiled = [] if environment.installs_project else ["--no-compile"]
    set_up([*pip, "install", "--require-hashes", "--no-deps", *compiled, "-r", environment.lock])
    return [*pip, "install"]


def fingerprint(environment: Environment) -> str:
    """Return what the environment depends on, as one hash."""
    digest = hashlib.sha256()
    for part in (environment.lock, "pyproject.toml") if environment.installs_project else (environment.lock,):
        digest.update((ROOT / part).read_bytes())
    digest.update(f"{sys.version} {environment.path}".encode())
    return digest.hexdigest()


@contextlib.contextmanager
def one_at_a_time(environment: Environment) -> Iterator[None]:
    """Let two calls at once set up one after the other, where the system can lock a file."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with (ROOT / f"{environment.folder}.busy").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def set_up(command: Sequence[str], **variables: str) -> None:
    """Run one step of setting up, its words on stderr, and stop if it fails."""
    environment = {**os.environ, **variables}
    step = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
    if step.returncode:
        raise SetUpFailed(f"Setting up failed at: {' '.join(command)}")


def passed(command: Sequence[str]) -> bool:
    """Run a command in the project folder, its output as it comes, and say whether it succeeded."""
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def become(program: str, arguments: Sequence[str]) -> int:
    """Turn into the program, so that its output, signals and exit status are its own."""
    if os.name != "nt":
        sys.stdout.flush()
        os.execv(program, [program, *arguments])
    return subprocess.run([program, *arguments], check=False).returncode


def say(text: str) -> None:
    """Write a line to stderr, plainly."""
    print(text, file=sys.stderr, flush=True)


class SetUpFailed(Exception):
    """An environment could not be made; the message says what to do."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
