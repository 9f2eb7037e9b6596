"""How the service is reached, and what it takes to let people in: one value that bootstrap fills."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from msgspec import Struct

from gal_friday.flows.door import Door
from gal_friday.flows.sign_in import Entry
from gal_friday.flows.tokens import Mint
from gal_friday.ports.passkeys import Site

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_IPV6_PREFIX = 64  # What one household or machine is given: an address below it is chosen at will.


class Front(Struct, frozen=True, kw_only=True):
    """How the service is reached."""

    hosts: frozenset[str] = frozenset(LOOPBACK)
    """The names in the header Host that are ours, without a port; any other is somebody else's page (DNS rebinding)."""
    public_url: str | None = None
    """Where people open it, as https://books.example.org; None on this machine alone."""
    proxies: tuple[str, ...] = ()
    """Addresses or networks of proxies of ours; what they say of whom they ask for is believed, nobody else's word."""

    def is_proxy(self, address: str) -> bool:
        """Say whether this is a proxy of ours."""
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in networks(self.proxies))

    def site(self, host: str) -> Site:
        """Return for whom passkeys are good, where the page was asked for under *host*, port included."""
        origin = (self.public_url or f"http://{host}").rstrip("/")
        return Site(host_of(origin.partition("://")[2]), origin)


class Reception(Struct, frozen=True, kw_only=True):
    """What lets people in, and programs."""

    door: Door
    entry: Entry
    mint: Mint
    front: Front = Front()


def networks(proxies: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return addresses and networks as they are compared."""
    return tuple(ip_network(one, strict=False) for one in proxies)


def host_of(authority: str) -> str:
    """Return the name in ``name:port``, in small letters."""
    name, colon, port = authority.rpartition(":")
    return (name if colon and port.isdecimal() else authority).lower().rstrip(".")


def counted(address: str) -> str:
    """Return what attempts from an address are counted under: itself, or the network of a sixth-generation one."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network(f"{parsed}/{_IPV6_PREFIX}", strict=False))
    return address


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed
