"""Every table of the project, so that a migration can be held against all of them.

A new module of tables gets its line here: a table that is not imported is one that nobody looks for.
"""

from gal_friday.adapters.sql import access_tables, alert_tables, service_tables, tables
from gal_friday.adapters.sql.metadata import METADATA

__all__ = ["METADATA", "access_tables", "alert_tables", "service_tables", "tables"]
