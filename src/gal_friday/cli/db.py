"""``gal-friday db``: the tables of reports and books, brought up to date."""

import asyncio

from gal_friday.bootstrap.database import upgrade_database
from gal_friday.bootstrap.settings import load
from gal_friday.cli.exit_status import RECONCILED
from gal_friday.cli.options import AsJson, ConfigFile
from gal_friday.cli.output import out, write_json


def upgrade(*, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """Bring the tables up to date; doing it again changes nothing."""
    done = asyncio.run(upgrade_database(load(config)))
    if as_json:
        write_json(done)
    elif done.before == done.after:
        out().print(f"up to date: revision {done.after}")
    else:
        out().print(f"upgraded from {done.before or 'nothing'} to revision {done.after}")
    return RECONCILED
