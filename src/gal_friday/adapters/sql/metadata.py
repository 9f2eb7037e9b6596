"""The one list that every table of the project stands on, and how a table is declared on it."""

from sqlalchemy import CheckConstraint, MetaData, Table
from sqlalchemy.sql.schema import SchemaItem

from gal_friday.adapters.sql.columns import ExactDecimal

# Every constraint has a name from the first day on: one without cannot be changed by a later migration.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

METADATA = MetaData(naming_convention=NAMING)


def declared(name: str, *items: SchemaItem) -> Table:
    """Return a table of this name, strict where the database can be, with every amount kept exact."""
    table = Table(name, METADATA, *items, sqlite_strict=True)
    for column in table.columns:
        if isinstance(column.type, ExactDecimal):
            # The last line of defence: whatever else writes here, a float in exponent form does not get in.
            digits = CheckConstraint(f"{column.name} NOT GLOB '*[^0-9.-]*'", name=f"{column.name}_is_exact")
            table.append_constraint(digits.ddl_if(dialect="sqlite"))
    return table
