"""Who can reach the service, and whether that is safe: what is wrong with the settings of its address.

An address that other machines reach is refused without TLS, its own or a proxy's: passwords and tokens would travel
in the open. That everybody has to sign in or show a token cannot be switched off.
"""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gal_friday.bootstrap.problems import Problem

if TYPE_CHECKING:
    from gal_friday.bootstrap.settings import ApiSettings

PORT_MAX = 65535
_NAME_CHARS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-_:[]")


def listed(text: str) -> tuple[str, ...]:
    """Return the parts between commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches an address; a name that is not known to be so is not."""
    plain = host.strip("[]").lower()
    if plain == "localhost":
        return True
    try:
        return ip_address(plain).is_loopback
    except ValueError:
        return False


def nonsense_in_api(api: "ApiSettings") -> Iterator[Problem]:
    """Yield everything that is wrong with where the service answers."""
    if not 0 <= api.port <= PORT_MAX:
        yield Problem(("api", "port"), f"must be from 0 to {PORT_MAX}", api.port)
    if (api.tls_cert is None) != (api.tls_key is None):
        missing = "tls_key" if api.tls_key is None else "tls_cert"
        yield Problem(("api", missing), "is missing: TLS takes both tls_cert and tls_key")
    yield from _of_proxies(api.trusted_proxies)
    yield from _of_names(api)
    if not is_loopback(api.host) and api.tls_cert is None and not listed(api.trusted_proxies):
        yield Problem(
            ("api", "host"),
            "can be reached from other machines, and passwords and tokens would travel in the open; set tls_cert and "
            "tls_key, or trusted_proxies where a proxy has TLS, or keep it on this machine with 127.0.0.1",
            api.host,
        )


def _of_proxies(text: str) -> Iterator[Problem]:
    for proxy in listed(text):
        try:
            network = ip_network(proxy, strict=False)
        except ValueError:
            yield Problem(
                ("api", "trusted_proxies"), "must be addresses or networks, such as 10.0.0.5, 10.0.1.0/24", proxy
            )
            continue
        if network.prefixlen == 0:
            yield Problem(("api", "trusted_proxies"), "must not be everybody: name the proxies", proxy)


def _of_names(api: "ApiSettings") -> Iterator[Problem]:
    for name in listed(api.allowed_hosts):
        if not set(name.lower()) <= _NAME_CHARS:
            yield Problem(("api", "allowed_hosts"), "must be plain names, such as books.example.org", name)
    if api.public_url is None:
        return
    path, parts = ("api", "public_url"), urlsplit(api.public_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"} or parts.query:
        yield Problem(path, "must be https://name, without a path")
    elif parts.scheme == "http" and not is_loopback(parts.hostname):
        yield Problem(path, "must begin with https://: browsers keep no session for another machine without TLS")
