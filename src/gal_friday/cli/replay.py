"""``gal-friday replay``: a report worked out again from what its run was told, byte for byte.

It asks nothing of any network and writes nothing. Its exit status is 0 where the report is the same, 1 where it is
another one, and 3 where what was kept does not suffice to tell.
"""

import asyncio
from collections.abc import Iterator
from typing import Annotated

from cyclopts import Parameter

from gal_friday.bootstrap.recording import replay_told
from gal_friday.bootstrap.settings import load
from gal_friday.cli.exit_status import DISCREPANCIES, INCOMPLETE, RECONCILED
from gal_friday.cli.options import AsJson, BadUsage, ConfigFile
from gal_friday.cli.output import out, printable, say, write_json
from gal_friday.flows.replay import ReplayTold

Id = Annotated[str, Parameter(help="A report's id, or its beginning.")]

_STATUSES = {"equal": RECONCILED, "different": DISCREPANCIES, "incomplete": INCOMPLETE}


def replay(reconciliation_id: Id, /, *, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """Work one recorded report out again, and name the first difference."""
    settings = load(config)
    found = asyncio.run(replay_told(settings, reconciliation_id))
    if found is None:
        raise BadUsage(f"no report {reconciliation_id!r}; `gal-friday reports` lists them")
    if as_json:
        write_json(found)
    else:
        for line in _lines(found):
            out().print(printable(line))
    if found.because:
        say(found.because)
    return _STATUSES[found.outcome]


def _lines(found: ReplayTold) -> Iterator[str]:
    if not found.kept:
        yield f"report {found.reconciliation_id} cannot be worked out again"
        return
    match found.outcome:
        case "equal":
            yield f"equal: report {found.reconciliation_id} was worked out again, byte for byte"
        case "different":
            yield f"DIFFERENT: report {found.reconciliation_id} is another one"
        case _:
            yield f"incomplete: report {found.reconciliation_id} could not be worked out again"
    if found.difference is not None:
        yield f"  at        {found.difference.path}"
        yield f"  recorded  {found.difference.recorded}"
        yield f"  replayed  {found.difference.replayed}"
    if found.missing is not None:
        yield f"  missing   {found.missing}"
    if found.recorded_by != found.replayed_by:
        yield f"  recorded by version {found.recorded_by}, replayed by {found.replayed_by}"
