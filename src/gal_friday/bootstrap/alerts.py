"""Alerts put together from the settings and the open database: what is watched, who hears of it, and who tells."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from gal_friday.adapters.alerts import channels as made
from gal_friday.bootstrap.alert_sense import DAYS, hours_in, words_in
from gal_friday.bootstrap.alert_settings import (
    AlertmanagerChannelSettings,
    AlertSettings,
    AppriseChannelSettings,
    ChannelSettings,
    EmailChannelSettings,
    LogChannelSettings,
    PagerDutyChannelSettings,
    WebhookChannelSettings,
)
from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.desk import desk_of
from gal_friday.bootstrap.errors import BadConfiguration
from gal_friday.bootstrap.secrets import is_reference, resolve
from gal_friday.bootstrap.settings import Settings
from gal_friday.bootstrap.tracing import stepping
from gal_friday.bootstrap.wire import OpenStore
from gal_friday.domain.alert import AlertKind, Notice, What
from gal_friday.domain.alerting import Rules
from gal_friday.domain.conditions import JournalSeen, Limits
from gal_friday.domain.facts import Actor
from gal_friday.domain.ids import digest
from gal_friday.domain.materiality import Severity
from gal_friday.domain.muting import Window
from gal_friday.domain.routing import Quiet, Route
from gal_friday.flows.alert import Watch
from gal_friday.ports.alerts import Channel, Undelivered
from gal_friday.ports.clock import Clock
from gal_friday.ports.steps import Steps, unwatched
from gal_friday.service.tell import Teller

LOG = "log"
"""The channel that is always there."""


def teller_of(settings: Settings, opened: OpenStore, *, clock: Clock | None = None, steps: Steps = unwatched) -> Teller:
    """Return who looks and tells, ready to be run; ``wake(account)`` after every run of an account.

    Raises:
        BadConfiguration: a channel cannot be made; the message names it and no secret.
    """
    clock = clock or system_clock()
    channels = stepping(channels_of(settings, clock), steps)
    return Teller(watch_of(settings, opened, clock), channels, verify=verifier_of(opened))


def watch_of(settings: Settings, opened: OpenStore, clock: Clock) -> Watch:
    """Return what is watched, and by which rules people are told."""
    return Watch(
        desk=desk_of(opened),
        adjustments=opened.adjustments,
        schedules=opened.schedules,
        alerts=opened.alerts,
        watched=opened.watched,
        accounts={name: account.exchange for name, account in settings.accounts.items()},
        routes=routes_of(settings.alerts),
        rules=rules_of(settings.alerts),
        limits=limits_of(settings),
        windows=windows_of(settings.alerts),
        begun=clock.now(),
    )


def rules_of(alerts: AlertSettings) -> Rules:
    """Return how long alerts wait, as the domain takes it."""
    return Rules(
        group_wait=timedelta(seconds=alerts.group_wait_seconds),
        group_interval=timedelta(minutes=alerts.group_interval_minutes),
        repeat_interval=timedelta(hours=alerts.repeat_hours),
        escalate_after=timedelta(minutes=alerts.escalate_minutes),
        acknowledged_for=timedelta(hours=alerts.acknowledged_hours),
        resolve_after=timedelta(seconds=alerts.resolve_after_seconds),
        growth=alerts.growth,
    )


def limits_of(settings: Settings) -> Limits:
    """Return from when on something is told, as the domain takes it."""
    alerts = settings.alerts
    return Limits(
        severity=Severity(alerts.severity),
        failures=alerts.failures,
        stale_after=timedelta(hours=alerts.stale_hours),
        key_ends_within=timedelta(days=alerts.key_ends_days),
        journal_unverified_after=timedelta(hours=alerts.journal_unverified_hours),
        accounts_told_alone=alerts.accounts_told_alone,
        late_after=timedelta(minutes=settings.service.late_after_minutes),
        currency=settings.reconciliation.reporting_currency,
    )


def windows_of(alerts: AlertSettings) -> tuple[Window, ...]:
    """Return the maintenance windows, as the domain takes them."""
    windows = []
    for name, one in alerts.maintenance.items():
        hours = hours_in(one.hours)
        assert hours is not None, "the settings were checked"
        days = frozenset(DAYS.index(day) for day in words_in(one.days))
        windows.append(Window(name=name, days=days, begins=hours[0], ends=hours[1], accounts=words_in(one.accounts)))
    return tuple(windows)


def routes_of(alerts: AlertSettings) -> tuple[Route, ...]:
    """Return which channel hears of what; the log is always among them."""
    return tuple(_route(name, one) for name, one in _configured(alerts).items())


def channels_of(settings: Settings, clock: Clock) -> tuple[Channel, ...]:
    """Return every channel, ready to send.

    Raises:
        BadConfiguration: a secret cannot be resolved, or what a channel needs is not installed.
    """
    return tuple(_channel(name, one, settings, clock) for name, one in _configured(settings.alerts).items())


def trial(at: datetime, who: Actor) -> Notice:
    """Return what tries a channel out: another one in every second, and no alert."""
    return Notice(
        alert_id="alr_test" + digest(at.isoformat())[:8],
        episode=1,
        number=1,
        what=What.TEST,
        at=at,
        kind=AlertKind.TEST,
        account="",
        exchange="",
        severity=Severity.LOW,
        title="this is a test, and nothing is wrong",
        lines=(f"asked for by {who.name}",),
        path="/alerts",
        since=at,
        magnitude=1,
    )


def verifier_of(opened: OpenStore) -> Callable[[JournalSeen | None], Awaitable[JournalSeen]]:
    """Return what verifies the entries of the journal since the last look."""
    return opened.verify_journal


def alert_problems(settings: Settings) -> Sequence[str]:
    """Return what keeps channels from being made, one line for each."""
    problems = []
    for name, one in _configured(settings.alerts).items():
        try:
            _channel(name, one, settings, system_clock())
        except BadConfiguration as wrong:
            problems.append(str(wrong))
    return problems


def _configured(alerts: AlertSettings) -> dict[str, ChannelSettings]:
    has_log = any(isinstance(one, LogChannelSettings) for one in alerts.channels.values())
    return {**({} if has_log else {LOG: LogChannelSettings()}), **alerts.channels}


def _route(name: str, one: ChannelSettings) -> Route:
    hours = hours_in(one.quiet_hours)
    return Route(
        channel=name,
        severity=Severity(one.severity),
        accounts=words_in(one.accounts),
        only_escalated=one.only_escalated,
        quiet=None if hours is None else Quiet(*hours, below=Severity(one.quiet_below)),
    )


def _channel(name: str, one: ChannelSettings, settings: Settings, clock: Clock) -> Channel:
    def secret(field: str) -> str:
        given = getattr(one, field)
        return resolve(given, setting=f"alerts.channels.{name}.{field}").reveal() if is_reference(given) else given

    alerts, public_url = settings.alerts, settings.api.public_url or ""
    match one:
        case LogChannelSettings():
            return made.LogChannel(name, public_url=public_url)
        case WebhookChannelSettings():
            return made.WebhookChannel(name, secret("url"), secret("secret"), clock, public_url=public_url)
        case PagerDutyChannelSettings():
            return made.PagerDutyChannel(name, secret("routing_key"), clock, url=one.url, public_url=public_url)
        case AlertmanagerChannelSettings():
            # Longer than anything here stays untold: there it ends when nothing comes.
            holds = timedelta(hours=2 * max(alerts.repeat_hours, alerts.acknowledged_hours))
            login = {"user": one.user, "password": secret("password")}
            return made.AlertmanagerChannel(name, one.url, clock, holds=holds, public_url=public_url, **login)
        case EmailChannelSettings():
            box = made.Mailbox(
                host=one.host,
                port=one.port,
                security=one.security,
                sender=one.sender,
                to=words_in(one.to),
                user=one.user,
                password=secret("password"),
            )
            return made.EmailChannel(name, box, public_url=public_url)
        case AppriseChannelSettings():
            try:
                return made.AppriseChannel(name, secret("url"), public_url=public_url)
            except Undelivered as wrong:
                raise BadConfiguration(f"alerts.channels.{name}: {wrong}") from None
