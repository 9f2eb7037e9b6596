"""A notice as tests of channels send it, and texts that somebody wrote to do harm."""

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from gal_friday.domain.alert import AlertKind, Notice, What
from gal_friday.domain.materiality import Severity

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "s3cr3t-of-the-channel"
PUBLIC = "https://gal-friday.example/"
HOSTILE = (
    "BTC\r\nBcc: everybody@example.com\r\n\r\n<script>alert(1)</script>",
    "\x00\x1b[31mred\x07\u202egnihton\u2028line",
    "x" * 10_000,
    'quote " back \\ {{ .Labels }} %s ${HOME}',
)


def notice(what: What = What.FIRING, number: int = 1, **fields: Any) -> Notice:
    made = Notice(
        alert_id="alr_53b1f1c1d1e0a9c2",
        episode=2,
        number=number,
        what=what,
        at=T0,
        kind=AlertKind.DISCREPANCIES,
        account="main",
        exchange="kraken",
        severity=Severity.CRITICAL,
        title="BTC in spot: book 1.5, exchange 1.25 (critical)",
        lines=("seen in 1 runs",),
        path="/discrepancies/dis_0123456789abcdef",
        since=datetime(2026, 3, 1, 11, 58, tzinfo=UTC),
        magnitude=3,
        subjects=("dis_0123456789abcdef",),
    )
    return replace(made, **fields)
