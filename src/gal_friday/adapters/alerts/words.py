"""How a notice reads: a headline, a text, and the link. Nothing in it can be more than a line of what it is.

Titles and lines quote names and messages of exchanges, files and people: whatever is not printable was taken out when
the conditions were grouped, and is taken out here once more, because this is what leaves the program.
"""

from typing import Any
from urllib.parse import quote

from gal_friday.domain.alert import Notice, What
from gal_friday.domain.alert_groups import cut
from gal_friday.domain.instants import exact_instant, instant

_SAYS = {
    What.FIRING: "",
    What.GREW: "worse: ",
    What.RENEWED: "more of it: ",
    What.REPEATED: "still: ",
    What.ESCALATED: "nobody has taken it on: ",
    What.ACKNOWLEDGED: "taken on: ",
    What.RESOLVED: "no longer: ",
    What.TEST: "test: ",
}


def headline(notice: Notice) -> str:
    """Return the notice in one line: how grave, where, what."""
    where = notice.account or notice.exchange or "gal-friday"
    return cut(f"[{notice.severity.value}] {where}: {_SAYS[notice.what]}{notice.title}")


def text(notice: Notice, public_url: str) -> str:
    """Return the notice as a few lines, the link last."""
    lines = [headline(notice), *(f"  {cut(line)}" for line in notice.lines)]
    if notice.by:
        lines.append(f"  taken on by {cut(notice.by)}")
    lines.append(f"  since {instant(notice.since)} · {notice.kind.value} · {notice.incident}")
    if address := link(notice, public_url):
        lines.append(f"  {address}")
    return "\n".join(lines)


def link(notice: Notice, public_url: str) -> str:
    """Return where to look; empty where nobody said under which address this program is reached."""
    return f"{public_url.rstrip('/')}{quote(notice.path, safe='/?=&')}" if public_url and notice.path else ""


def as_json(notice: Notice, public_url: str) -> dict[str, Any]:
    """Return the notice for programs. Keys are kept; more may come."""
    return {
        "format": "gal-friday/alert/1",
        "key": notice.key,
        "incident": notice.incident,
        "what": notice.what.value,
        "at": exact_instant(notice.at),
        "alert": {
            "id": notice.alert_id,
            "kind": notice.kind.value,
            "account": notice.account,
            "exchange": notice.exchange,
            "severity": notice.severity.value,
            "title": notice.title,
            "lines": list(notice.lines),
            "since": exact_instant(notice.since),
            "count": notice.magnitude,
            "subjects": list(notice.subjects),
            "escalated": notice.escalated,
            "taken_on_by": notice.by,
        },
        "text": headline(notice),
        "link": link(notice, public_url),
    }
