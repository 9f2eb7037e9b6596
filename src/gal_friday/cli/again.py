"""The next commands as somebody can copy them: with the configuration that was named.

Without it the same command would look at another place. Nothing here says what comes next.
"""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

_COMMAND = re.compile(
    r"gal-friday (?:(?:alerts|book|db|journal|policy|review|token|user) [a-z]+|config (?:check|show)"
    r"|adjustments|discrepancies|discrepancy|preflight|replay|reports?|run|serve|worker)\b(?![^;`\n]* --config)"
)
"""Every command that reads a configuration, where it does not name one already."""


def named(config: Path | None) -> str:
    """Return what has to follow a command, so that it goes by the same configuration; nothing where none was named."""
    return "" if config is None else f" --config {shlex.quote(str(config))}"


def carrying(text: str, config: Path | None) -> str:
    """Return a sentence with this configuration put behind the name of every command in it that reads one."""
    return text if config is None else _COMMAND.sub(lambda found: found[0] + named(config), text)


def config_in(arguments: Sequence[str]) -> Path | None:
    """Return the configuration that these arguments name; None where they name none."""
    for word, following in zip(arguments, (*arguments[1:], ""), strict=True):
        option, equals, value = word.partition("=")
        if option == "--config" and (value or following):
            return Path(value if equals else following)
    return None
