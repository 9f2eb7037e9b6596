"""Every channel there is, for whoever puts them together."""

from gal_friday.adapters.alerts.alertmanager import AlertmanagerChannel
from gal_friday.adapters.alerts.email import EmailChannel, Mailbox
from gal_friday.adapters.alerts.log import LogChannel
from gal_friday.adapters.alerts.many import AppriseChannel
from gal_friday.adapters.alerts.pagerduty import PagerDutyChannel
from gal_friday.adapters.alerts.webhook import WebhookChannel

__all__ = [
    "AlertmanagerChannel",
    "AppriseChannel",
    "EmailChannel",
    "LogChannel",
    "Mailbox",
    "PagerDutyChannel",
    "WebhookChannel",
]
