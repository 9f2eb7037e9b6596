"""Ids that were told already, so that nothing is told twice: not in one connection, not in the next."""

SEEN_MAX = 20_000


class Seen:
    """The last ids of one kind, oldest forgotten first."""

    def __init__(self, most: int = SEEN_MAX) -> None:
        """Remember *most* of them: far more than an exchange tells again."""
        self._most = most
        self._ids: dict[str, None] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._ids

    def add(self, name: str) -> None:
        """Remember this one."""
        self._ids[name] = None
        if len(self._ids) > self._most:
            del self._ids[next(iter(self._ids))]
