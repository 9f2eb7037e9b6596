"""What every table of ours stands on: exact columns, engine settings, migrations, failures in plain words.

The one folder that adapters may share. It knows no record and no rule.
"""

from gal_friday.adapters.sql.engine import close_engine, open_engine
from gal_friday.adapters.sql.migration import current_revision, downgrade, newest_revision, upgrade

__all__ = ["close_engine", "current_revision", "downgrade", "newest_revision", "open_engine", "upgrade"]
