"""What parses and makes no sense about alerts, and how its short texts are read."""

import re
from collections.abc import Iterator
from datetime import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec.structs import asdict

from gal_friday.bootstrap.alert_settings import AlertSettings, AppriseChannelSettings, ChannelSettings
from gal_friday.bootstrap.problems import Path, Problem
from gal_friday.bootstrap.secrets import FORMS, is_reference

if TYPE_CHECKING:
    from gal_friday.bootstrap.settings import Settings

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_SECRETS = ("secret", "routing_key", "password")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)
_MAIL = re.compile(r"[^\s@,<>]+@[^\s@,<>]+", re.ASCII)
_PORTS = 65535
_LONGEST = 100_000
"""Of any wait, in its unit."""


def hours_in(text: str) -> tuple[time, time] | None:
    """Return the two hours that ``22:00-07:00`` names; None where it names none."""
    found = _HOURS.fullmatch(text.replace(" ", ""))
    if found is None:
        return None
    return time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))


def words_in(text: str) -> tuple[str, ...]:
    """Return the words of a text with commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def nonsense_in_alerts(settings: "Settings") -> Iterator[Problem]:
    """Yield every value about alerts that parses and makes no sense."""
    alerts = settings.alerts
    yield from _of_waits(alerts)
    for name, channel in alerts.channels.items():
        path = ("alerts", "channels", name)
        if not _NAME.fullmatch(name):
            yield Problem(path, "is no name of a channel; write letters, digits, _ and -")
        yield from _of_secrets(path, channel)
        yield from _of_addresses(path, channel)
        if channel.quiet_hours and hours_in(channel.quiet_hours) is None:
            yield Problem((*path, "quiet_hours"), _NO_HOURS, channel.quiet_hours)
        yield from _of_accounts(settings, path, channel.accounts)
    for name, window in alerts.maintenance.items():
        path = ("alerts", "maintenance", name)
        if hours_in(window.hours) is None:
            yield Problem((*path, "hours"), _NO_HOURS, window.hours)
        if not words_in(window.days) or set(words_in(window.days)) - set(DAYS):
            yield Problem((*path, "days"), f"must be some of {', '.join(DAYS)}, with commas", window.days)
        yield from _of_accounts(settings, path, window.accounts)


_NO_HOURS = "must be two hours in UTC, such as 22:00-07:00"


def _of_waits(alerts: AlertSettings) -> Iterator[Problem]:
    for name, value in asdict(alerts).items():
        least = 2 if name == "growth" else 1
        if isinstance(value, int) and not least <= value <= _LONGEST:
            yield Problem(("alerts", name), f"must be from {least} to {_LONGEST}", value)


def _of_secrets(path: Path, channel: ChannelSettings) -> Iterator[Problem]:
    for name, value in asdict(channel).items():
        if name in _SECRETS and value and not is_reference(value):
            yield Problem((*path, name), f"a secret must not stand here; refer to it as {FORMS}")
    if isinstance(channel, AppriseChannelSettings) and not is_reference(channel.url):
        yield Problem((*path, "url"), f"holds tokens, so it must not stand here; refer to it as {FORMS}")


def _of_addresses(path: Path, channel: ChannelSettings) -> Iterator[Problem]:
    values = asdict(channel)
    url = values.get("url")
    if url is not None and not is_reference(url) and not _is_address(url):
        yield Problem((*path, "url"), "is no address; write http:// or https:// and a name")
    for name in ("sender", "to"):
        if name in values and (not words_in(values[name]) or not all(map(_MAIL.fullmatch, words_in(values[name])))):
            yield Problem((*path, name), "is no e-mail address; write name@domain", values[name])
    if "port" in values and not 0 < values["port"] <= _PORTS:
        yield Problem((*path, "port"), f"must be from 1 to {_PORTS}", values["port"])


def _of_accounts(settings: "Settings", path: Path, accounts: str) -> Iterator[Problem]:
    if unknown := [name for name in words_in(accounts) if name not in settings.accounts]:
        known = ", ".join(sorted(settings.accounts)) or "none"
        what = f"names {unknown[0]!r}, which is no account; configured are: {known}"
        yield Problem((*path, "accounts"), what, accounts)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and text.isprintable() and " " not in text
    except ValueError:
        return False
