"""What can be set about alerts: from when on people are told, how often, and through which channels.

Lists are text with commas, so that an environment variable can hold them. Hours are in UTC.
"""

from typing import Literal

from msgspec import Struct

SeverityName = Literal["low", "medium", "high", "critical"]


class _Channel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """What every channel has."""

    severity: SeverityName = "low"
    """It hears of alerts from this severity on."""
    accounts: str = ""
    """Only of these accounts, with commas between them, and of what concerns no account; empty for all."""
    only_escalated: bool = False
    """Only of what nobody has taken on in time: for whoever is called next."""
    quiet_hours: str = ""
    """Such as ``22:00-07:00``, in UTC: what is less grave waits until they end."""
    quiet_below: SeverityName = "critical"
    """What is less grave than this waits in quiet hours."""


class LogChannelSettings(_Channel, frozen=True, kw_only=True, tag="log"):
    """The log of the service. It is always there; this changes what it hears of."""


class WebhookChannelSettings(_Channel, frozen=True, kw_only=True, tag="webhook"):
    """A POST of JSON, signed with a secret that both sides know."""

    url: str
    """Where to, or a reference to it where the address itself is secret."""
    secret: str
    """Reference to the secret that signs."""


class PagerDutyChannelSettings(_Channel, frozen=True, kw_only=True, tag="pagerduty"):
    """PagerDuty, Events API v2: one incident for each episode, resolved when it is over."""

    routing_key: str
    """Reference to the integration key of a service."""
    url: str = "https://events.pagerduty.com"
    """Another address of PagerDuty, such as that of its EU region."""


class AlertmanagerChannelSettings(_Channel, frozen=True, kw_only=True, tag="alertmanager"):
    """Prometheus Alertmanager, which tells whomever it knows."""

    url: str
    """Its address, without /api."""
    user: str = ""
    """The user of its basic authentication; empty for none."""
    password: str = ""
    """Reference to the password."""


class EmailChannelSettings(_Channel, frozen=True, kw_only=True, tag="email"):
    """E-mail through a mail server."""

    host: str
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is kept from being read."""
    sender: str
    """The address it comes from."""
    to: str
    """The addresses it goes to, with commas between them."""
    user: str = ""
    """Whom the server knows; empty for nobody."""
    password: str = ""
    """Reference to the password."""


class AppriseChannelSettings(_Channel, frozen=True, kw_only=True, tag="apprise"):
    """Any of the services of apprise: chat, push, text messages. Needs the extra ``alerts``."""

    url: str
    """Reference to the address of apprise, which holds tokens."""


ChannelSettings = (
    LogChannelSettings
    | WebhookChannelSettings
    | PagerDutyChannelSettings
    | AlertmanagerChannelSettings
    | EmailChannelSettings
    | AppriseChannelSettings
)


class MaintenanceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A time that comes again every week, in which nobody is told; what still holds at its end is told then."""

    days: str = "mon,tue,wed,thu,fri,sat,sun"
    """The days on which it begins."""
    hours: str
    """Such as ``02:00-04:00``, in UTC."""
    accounts: str = ""
    """Only these accounts, with commas between them; empty for everything."""


class AlertSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From when on people are told of what is wrong, and how often."""

    severity: SeverityName = "critical"
    """Open discrepancies are told from this severity on."""
    failures: int = 3
    """So many runs of an account that failed one after the other are critical; one is high."""
    stale_hours: int = 6
    """An account that was not seen whole for so long is told."""
    key_ends_days: int = 14
    """A key that ends within so many days is told."""
    journal_unverified_hours: int = 48
    """A journal that nobody has verified for so long is told."""
    accounts_told_alone: int = 5
    """Where more accounts than this have the same at once, one alert is about all of them."""
    group_wait_seconds: int = 1
    """How long the first notice waits for what belongs to it."""
    group_interval_minutes: int = 5
    """Between notices about something new of the same kind in the same account."""
    repeat_hours: int = 4
    """What still holds is told again after so long."""
    escalate_minutes: int = 30
    """What is high or critical and was not taken on by then is told to channels with only_escalated too."""
    acknowledged_hours: int = 24
    """What somebody has taken on is told again after so long."""
    resolve_after_seconds: int = 60
    """How long it must be gone before it is called over; longer for what keeps coming back."""
    growth: int = 2
    """Told again at once when there is so many times as much of it."""
    channels: dict[str, ChannelSettings] = {}
    maintenance: dict[str, MaintenanceSettings] = {}
