"""``gal-friday init``: write a configuration to fill in. It never overwrites unasked and never holds a secret."""

import shlex
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gal_friday.cli.files import write_new
from gal_friday.cli.options import AsJson
from gal_friday.cli.output import say, write, write_json
from gal_friday.cli.template import NEXT_STEPS, TEMPLATE

FILE_NAME = "gal-friday.toml"

Target = Annotated[Path, Parameter(help="The file to write, or the folder to write it to.")]
Force = Annotated[bool, Parameter(help="Replace a file that is there.")]


def init(path: Target = Path(FILE_NAME), /, *, force: Force = False, as_json: AsJson = False) -> int:
    """Write a commented configuration, readable by its owner alone, and say how to get a read-only key."""
    target = path / FILE_NAME if path.is_dir() else path
    write_new(target, TEMPLATE.encode(), force=force)
    if as_json:
        write_json({"written": str(target)})
        return 0
    write(f"wrote {target}\n".encode())
    say(NEXT_STEPS.format(config="" if target == Path(FILE_NAME) else f" --config {shlex.quote(str(target))}"))
    return 0
