"""``gal-friday replay``: a report worked out again from what its run was told, byte for byte.

It asks nothing of any network and writes nothing. Its exit status is 0 where the report is the same, 1 where it is
another one, and 3 where what was kept does not suffice to tell.
"""

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

from cyclopts import Parameter

from gal_friday.bootstrap.recording import Found, replayed
from gal_friday.bootstrap.settings import Settings, load
from gal_friday.bootstrap.wire import open_store
from gal_friday.cli.exit_status import DISCREPANCIES, INCOMPLETE, RECONCILED
from gal_friday.cli.options import AsJson, BadUsage, ConfigFile
from gal_friday.cli.output import out, printable, say, write_json

Id = Annotated[str, Parameter(help="A report's id, or its beginning.")]

_STATUSES = {"equal": RECONCILED, "different": DISCREPANCIES, "incomplete": INCOMPLETE}


def replay(reconciliation_id: Id, /, *, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """Work one recorded report out again, and name the first difference."""
    settings = load(config)
    found = asyncio.run(_replayed(settings, reconciliation_id))
    if found is None:
        raise BadUsage(f"no report {reconciliation_id!r}; `gal-friday reports` lists them")
    keep_days = settings.recordings.keep_days
    if as_json:
        write_json(_told(found))
    else:
        for line in _lines(found):
            out().print(printable(line))
    if found.replayed is None:
        say(_why_gone(found, keep_days))
    return _STATUSES[_outcome(found)]


async def _replayed(settings: Settings, prefix: str) -> Found | None:
    opened = await open_store(settings)
    try:
        return await replayed(settings, opened, prefix)
    finally:
        await opened.close()


def _outcome(found: Found) -> str:
    return "incomplete" if found.replayed is None else found.replayed.outcome


def _told(found: Found) -> dict[str, Any]:
    done = found.replayed
    return {
        "reconciliation_id": found.reconciliation_id,
        "outcome": _outcome(found),
        "difference": done and done.difference,
        "missing": done and done.missing,
        "recorded_by": done.recorded_by if done else found.kept and found.kept.program,
        "replayed_by": found.program,
        "recording": found.kept,
        "kept": done is not None,
    }


def _lines(found: Found) -> Iterator[str]:
    done = found.replayed
    if done is None:
        yield f"report {found.reconciliation_id} cannot be worked out again"
        return
    match done.outcome:
        case "equal":
            yield f"equal: report {found.reconciliation_id} was worked out again, byte for byte"
        case "different":
            yield f"DIFFERENT: report {found.reconciliation_id} is another one"
        case _:
            yield f"incomplete: report {found.reconciliation_id} could not be worked out again"
    if done.difference is not None:
        yield f"  at        {done.difference.path}"
        yield f"  recorded  {done.difference.recorded}"
        yield f"  replayed  {done.difference.replayed}"
    if done.missing is not None:
        yield f"  missing   {done.missing}"
    if done.recorded_by != found.program:
        yield f"  recorded by version {done.recorded_by}, replayed by {found.program}"


def _why_gone(found: Found, keep_days: int) -> str:
    if found.kept is None:
        return "this run was not recorded; [recordings] keep_days says for how long recordings are kept (0 keeps none)"
    made = f"its recording of {found.kept.at:%Y-%m-%d %H:%M} UTC ({found.kept.kept_size} bytes)"
    if found.removed_in_time:
        return f"{made} is no longer kept: [recordings] keep_days = {keep_days}"
    return (
        f"{made} is gone before its time; look for it in a backup: somebody removed it, or keep_days was shorter then"
    )
