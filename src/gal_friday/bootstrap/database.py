"""The database as an operator looks after it: at which revision it is, and brought to the newest."""

from msgspec import Struct
from platformdirs import user_data_path

from gal_friday.adapters.sql.engine import open_engine, with_password
from gal_friday.adapters.sql.migration import current_revision, newest_revision, upgrade
from gal_friday.bootstrap.secrets import resolve
from gal_friday.bootstrap.settings import Settings
from gal_friday.ports.errors import StoreFailed


class Upgraded(Struct, frozen=True):
    """What bringing the tables up to date did."""

    before: str | None
    """The revision it was at; None where there was no table of ours."""
    after: str


def ready_url(settings: Settings) -> str:
    """Return the address of the configured database, with its password. The folder of the default one is made.

    Raises:
        BadConfiguration: the password's reference points to nothing.
        StoreFailed: the folder cannot be made, or the address cannot be read.
    """
    if settings.database.url is None:
        folder = user_data_path("gal-friday")
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreFailed(f"cannot make the folder {folder}: {error.strerror}; set database.url") from error
    if settings.database.password is None:
        return settings.database.located()
    password = resolve(settings.database.password, setting="database.password")
    return with_password(settings.database.located(), password.reveal())


async def upgrade_database(settings: Settings) -> Upgraded:
    """Bring the configured database up to date. Doing it again changes nothing.

    Raises:
        StoreFailed: it cannot be opened or written, or belongs to a newer program.
    """
    engine = open_engine(ready_url(settings))
    try:
        before = await current_revision(engine)
        await upgrade(engine)
    finally:
        await engine.dispose()
    return Upgraded(before, newest_revision())
