"""Who comes in, put together from the settings and the open database: for the service, and for the command line."""

from datetime import timedelta
from urllib.parse import urlsplit

from gal_friday.adapters.access import MemoryThrottle, SystemChance
from gal_friday.api.reception import LOOPBACK, Front, Reception, host_of
from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.errors import BadConfiguration
from gal_friday.bootstrap.exposure import listed
from gal_friday.bootstrap.settings import ApiSettings, Settings
from gal_friday.bootstrap.wire import OpenStore
from gal_friday.domain.credentials import SessionRules, User
from gal_friday.flows.door import Door
from gal_friday.flows.sign_in import Entry, link_for
from gal_friday.flows.tokens import Mint
from gal_friday.flows.users import Register
from gal_friday.ports.access import Access, Passwords, Throttle


def door_of(settings: Settings, known: Access) -> Door:
    """Return what tells who somebody is."""
    access = settings.access
    rules = SessionRules(
        idle=timedelta(minutes=access.session_idle_minutes),
        lasts=timedelta(hours=access.session_hours),
        fresh=timedelta(minutes=access.fresh_minutes),
    )
    return Door(known, system_clock(), rules)


def reception_of(settings: Settings, known: Access, throttle: Throttle | None = None) -> Reception:
    """Return what lets people in, and programs; one for each process, because it counts attempts."""
    from gal_friday.adapters.access.passkeys import WebAuthnPasskeys  # slow to import, and only a service needs it

    door = door_of(settings, known)
    entry = Entry(door, SystemChance(), _passwords(), WebAuthnPasskeys(), throttle or MemoryThrottle())
    return Reception(
        door=door, entry=entry, mint=Mint(known, SystemChance(), system_clock()), front=front_of(settings.api)
    )


def mint_of(opened: OpenStore) -> Mint:
    """Return where tokens are made."""
    return Mint(opened.access, SystemChance(), system_clock())


def register_of(opened: OpenStore) -> Register:
    """Return where people are kept."""
    return Register(opened.access, _passwords(), system_clock())


async def link_of(settings: Settings, opened: OpenStore, user: User) -> str:
    """Return the address that signs this person in, once; what makes it secret is never sent to a server in it.

    Raises:
        StoreFailed: nothing was kept.
    """
    secret = await link_for(opened.access, SystemChance(), system_clock(), user)
    address = settings.api.public_url or f"http://localhost:{settings.api.port}"
    # Behind the #: browsers send it to nobody, so it is in no log of a proxy.
    return f"{address.rstrip('/')}/sign-in#{secret}"


def front_of(api: ApiSettings) -> Front:
    """Return how the service is reached."""
    names = {*LOOPBACK, *listed(api.allowed_hosts), *_as_in_header(api.host)}
    if api.public_url is not None:
        names.add(urlsplit(api.public_url).netloc)
    return Front(
        hosts=frozenset(host_of(name) for name in names),
        public_url=api.public_url,
        proxies=listed(api.trusted_proxies),
    )


def _as_in_header(host: str) -> tuple[str, ...]:
    if host.strip("[]") in {"0.0.0.0", "::", ""}:  # noqa: S104 - every address is a name of none
        return ()
    return (f"[{host}]" if ":" in host and not host.startswith("[") else host,)


def _passwords() -> Passwords:
    try:
        from gal_friday.adapters.access.passwords import Argon2Passwords
    except ModuleNotFoundError as error:
        raise BadConfiguration("passwords need the extra: pip install 'gal-friday[server]'") from error
    return Argon2Passwords()
