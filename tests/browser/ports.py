"""A port that nobody has: the address of the dashboard is part of its links, so it has to be known before it begins."""

from socket import create_server


def free_port() -> int:
    """Return a port of this machine that is free now."""
    with create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
