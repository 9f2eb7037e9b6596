"""A cluster of Spark on this machine: one master and two workers, each a process of its own."""

import re
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from os import environ
from pathlib import Path
from threading import Thread

import pyspark
from msgspec import Struct

from gal_friday.bulk.java import java_home

_PROGRAM = Path(pyspark.__file__).parent / "bin" / "spark-class"
_WEB = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
WORKERS = 2


class Running(Struct, frozen=True):
    """A cluster that runs."""

    master: str
    folder: Path
    environment: Mapping[str, str]
    workers: tuple[int, ...]
    """Their processes."""

    def worked(self) -> list[bool]:
        """Say of each worker whether it was given anything to do."""
        return [any((self.folder / f"work-{number}").glob("app-*/*/stderr")) for number in range(WORKERS)]

    def compare(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``gal-friday compare`` on it, in a process of its own."""
        return subprocess.run(
            self._command(arguments), env=self.environment, capture_output=True, text=True, check=False
        )

    def begun(self, *arguments: str) -> "subprocess.Popen[str]":
        """Begin the same."""
        return subprocess.Popen(
            self._command(arguments), env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def _command(self, arguments: Sequence[str]) -> list[str]:
        where = ("--engine", "spark", "--master", self.master, "--memory", "512MB")
        return [sys.executable, "-m", "gal_friday", "compare", *arguments, *where]

    def executors(self) -> set[int]:
        """Return the processes that do the work at the moment: each is a child of its worker."""
        children = (Path(f"/proc/{worker}/task").glob("*/children") for worker in self.workers)
        return {int(pid) for files in children for file in files for pid in file.read_text().split()}


@contextmanager
def cluster(folder: Path) -> Iterator[Running]:
    """Start a cluster, wait until both workers are at the master's, and end it."""
    here = {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m"}
    environment = {**environ, **java_home(folder), **here}
    environment.pop("PYSPARK_SUBMIT_ARGS", None)
    with ExitStack() as stack:

        def started(what: str, *words: str) -> tuple[str, int]:
            process = subprocess.Popen(
                [_PROGRAM, *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
            stack.callback(_end, process)
            return _heard(process, what), process.pid

        master, _ = started(r"Starting Spark master at (spark://\S+)", "org.apache.spark.deploy.master.Master", *_WEB)
        workers = []
        for number in range(WORKERS):
            given = ("--cores", "1", "--memory", "512M", "--work-dir", str(folder / f"work-{number}"))
            worker = ("org.apache.spark.deploy.worker.Worker", *_WEB, *given, master)
            workers.append(started(r"(Successfully registered) with master", *worker)[1])
        yield Running(master, folder, environment, tuple(workers))


def _heard(process: "subprocess.Popen[str]", what: str) -> str:
    """Return what a process says, once it has said it; whatever it says later nobody hears."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if found := re.search(what, line):
            Thread(target=deque, args=(process.stdout, 0), daemon=True).start()
            return found[1]
    raise AssertionError(f"it ended, and never said {what}: {''.join(said)}")


def _end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    process.wait(timeout=60)
    if process.stdout is not None:
        process.stdout.close()
