"""``gal-friday init``: write a configuration to fill in. It never overwrites unasked and never holds a secret."""

import os
import shlex
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gal_friday.cli.options import AsJson, BadUsage
from gal_friday.cli.output import say, write, write_json
from gal_friday.cli.template import NEXT_STEPS, TEMPLATE

FILE_NAME = "gal-friday.toml"
OWNER_ONLY = 0o600

Target = Annotated[Path, Parameter(help="The file to write, or the folder to write it to.")]
Force = Annotated[bool, Parameter(help="Replace a file that is there.")]


def init(path: Target = Path(FILE_NAME), /, *, force: Force = False, as_json: AsJson = False) -> int:
    """Write a commented configuration, readable by its owner alone, and say how to get a read-only key."""
    target = path / FILE_NAME if path.is_dir() else path
    try:
        _written(target, force=force)
    except FileExistsError:
        raise BadUsage(f"{target} is there already; --force replaces it, or name another file") from None
    except OSError as error:
        raise BadUsage(f"cannot write {target}: {error.strerror}; name a file in a folder that is yours") from error
    if as_json:
        write_json({"written": str(target)})
        return 0
    write(f"wrote {target}\n".encode())
    say(NEXT_STEPS.format(config="" if target == Path(FILE_NAME) else f" --config {shlex.quote(str(target))}"))
    return 0


def _written(target: Path, *, force: bool) -> None:
    """Write beside the target and move into place: whoever reads it sees the old file or the new one, whole."""
    if not force and (target.exists() or target.is_symlink()):
        raise FileExistsError(target)
    if target.is_dir():
        raise IsADirectoryError(21, "it is a folder", str(target))
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(TEMPLATE)
        beside.replace(target)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
