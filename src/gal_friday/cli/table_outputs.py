"""Files that ``compare`` writes of tables: each of its own, and none in place of a table that is read."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from gal_friday.bulk.postgres import is_database
from gal_friday.bulk.source import is_remote, source_of
from gal_friday.cli.options import BadUsage
from gal_friday.cli.table_options import Tables
from gal_friday.domain.snapshot import Side


def check_outputs(places: Mapping[Side, str], tables: Tables) -> None:
    """Raise where two files that are written are one, one is a table that is read, or a page is called something else.

    Raises:
        BadUsage: a file would be lost, or nobody would know what is in it.
    """
    outputs = {"--findings": tables.findings, "--rejected": tables.rejected, "--html": tables.html}
    written = {flag: target.resolve() for flag, target in outputs.items() if target is not None}
    if not written:
        return
    read, taken = set(_read(places, tables)), dict[Path, str]()
    for flag, target in written.items():
        if target in read:
            raise BadUsage(f"{flag}: {target} is a table that is compared, which would be lost; name another file")
        if other := taken.get(target):
            raise BadUsage(f"{other} and {flag} name the same file, {target}; give each its own")
        taken[target] = flag
    if tables.html is not None and tables.html.suffix.lower() not in ("", ".html", ".htm"):
        raise BadUsage(f"--html: {tables.html} would hold a page for a browser; let its name end in .html")


def _read(places: Mapping[Side, str], tables: Tables) -> Iterator[Path]:
    for name in (*places.values(), *(one for pair in tables.records.values() for one in pair)):
        if not is_database(name):
            yield from (Path(file).resolve() for file in source_of(name).files if not is_remote(file))
