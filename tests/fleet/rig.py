"""A fleet on this machine: a scheduler in this process, workers as processes that can be killed, and what they did."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path

from msgspec import Struct

import gal_friday
from gal_friday.bootstrap import serve as bootstrap
from gal_friday.bootstrap.settings import Settings, load
from gal_friday.bootstrap.wire import OpenStore

SOURCE = Path(gal_friday.__file__).parent.parent
TESTS = Path(__file__).parent.parent.parent


class Run(Struct, frozen=True):
    """One run as it was witnessed."""

    account: str
    worker: int
    begun: float
    ended: float | None
    """None where its worker was killed, or still runs it."""
    failed: bool = False


class Fleet:
    """The workers, and what was seen of them."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder, self.witness, self._seconds = folder, folder / "witness", seconds
        self.workers: list[subprocess.Popen[str]] = []
        self.serving: bootstrap.Serving | None = None
        self._reading: list[threading.Thread] = []

    @property
    def opened(self) -> OpenStore:
        assert self.serving is not None
        return self.serving.service.opened

    async def start_worker(self) -> subprocess.Popen[str]:
        """Start one more worker, and return it when it waits for runs."""
        return await asyncio.to_thread(self._started)

    def _started(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.fleet.worker", str(self.folder / "gal-friday.toml")]
        worker = subprocess.Popen(
            [*command, str(self.witness), str(self._seconds)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join((str(SOURCE), str(TESTS)))},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.workers.append(worker)
        assert worker.stdout is not None
        said = worker.stdout.readline()
        assert said == "ready\n", said
        # Whoever does not read what a program says brings it to a stop once the pipe is full.
        self._reading.append(threading.Thread(target=worker.stdout.read, daemon=True))
        self._reading[-1].start()
        return worker

    def close(self) -> None:
        """Give back what the workers, which have ended, were read through."""
        for reading, worker in zip(self._reading, self.workers, strict=True):
            reading.join()
            assert worker.stdout is not None
            worker.stdout.close()

    def runs(self) -> list[Run]:
        """Return every run that was begun, in that order."""
        open_ones: dict[tuple[str, int], float] = {}
        done: list[Run] = []
        for line in self.witness.read_text().splitlines() if self.witness.exists() else ():
            what, account, worker, at = line.split()
            key = (account, int(worker))
            if what == "begun":
                if key in open_ones:
                    done.append(Run(account, key[1], open_ones[key], None))
                open_ones[key] = float(at)
            else:
                done.append(Run(account, key[1], open_ones.pop(key), float(at), what == "failed"))
        done += [Run(account, worker, at, None) for (account, worker), at in open_ones.items()]
        return sorted(done, key=lambda run: run.begun)

    def overlapping(self, *, without: frozenset[int] = frozenset()) -> list[tuple[Run, Run]]:
        """Return every two runs of one account that were under way at once; those of some workers left out."""
        by_account = defaultdict(list)
        for run in self.runs():
            if run.worker not in without and run.ended is not None:
                by_account[run.account].append(run)
        pairs = [pair for runs in by_account.values() for pair in pairwise(runs)]
        return [(one, two) for one, two in pairs if one.ended is not None and two.begun < one.ended]


def configured(folder: Path, address: str, *, accounts: int, at_once: int = 8, lease_seconds: int = 60) -> Settings:
    """Write the configuration of so many simulated accounts, and return it."""
    (folder / "key").write_text("x")
    lines = [
        f'state_folder = "{folder}"',
        f'[database]\nurl = "{address}"',
        "[api]\nport = 0",
        "[reconciliation]\ninterval_minutes = 1",
        '[service]\ndispatcher = "queue"\ndrain_seconds = 10',
        f"runs_at_once = {at_once}\nlease_seconds = {lease_seconds}",
        *(
            f'[accounts.a{n}]\napi_key = "file:{folder}/key"\napi_secret = "file:{folder}/key"\ntier = "none"'
            for n in range(accounts)
        ),
    ]
    file = folder / "gal-friday.toml"
    file.write_text("\n".join(lines))
    return load(file, environment={})


@asynccontextmanager
async def fleet(settings: Settings, folder: Path, *, workers: int, seconds: float = 0.0) -> AsyncIterator[Fleet]:
    """Run a scheduler here and so many workers, and stop them all at the end."""
    made, stop, began = Fleet(folder, seconds), asyncio.Event(), asyncio.Event()

    async def ready(serving: bootstrap.Serving) -> None:
        made.serving = serving
        began.set()

    serving = asyncio.create_task(bootstrap.serve(settings, stop, ready=ready))
    try:
        waiting = asyncio.create_task(began.wait())
        await asyncio.wait((waiting, serving), return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            await serving
        await asyncio.gather(*(made.start_worker() for _ in range(workers)))
        yield made
    finally:
        for worker in made.workers:
            with suppress(ProcessLookupError):
                worker.send_signal(signal.SIGCONT)
                worker.send_signal(signal.SIGTERM)
        for worker in made.workers:
            await asyncio.to_thread(worker.wait)
        await asyncio.to_thread(made.close)
        stop.set()
        await serving
