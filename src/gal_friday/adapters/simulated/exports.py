"""The export endpoints: a report is made when it is asked for, ready a while later, fetched as ZIP bytes.

RetrieveExport answers raw ZIP, but JSON with HTTP 200 when it fails: a client must look at the first bytes
(Kraken REST documentation, Retrieve Data Export).
"""

import io
import zipfile
from typing import Any

import msgspec

from gal_friday.adapters.simulated.clock import TICKS_PER_SECOND, ticks_in, ticks_of
from gal_friday.adapters.simulated.records import Export
from gal_friday.adapters.simulated.refusal import NOT_READY, UNKNOWN_REPORT, Refused, invalid
from gal_friday.adapters.simulated.request import FOREVER, Request
from gal_friday.adapters.simulated.wire import WireExport

KEPT_TICKS = 14 * 86_400 * TICKS_PER_SECOND
REPORTS = ("ledgers", "trades")
# Midnight of 1980: a ZIP entry needs a date, and a report must not depend on the day it is packed.
_STABLE = (1980, 1, 1, 0, 0, 0)


class Binary(msgspec.Struct, frozen=True):
    """An answer that is bytes, not JSON."""

    body: bytes
    content_type: str = "application/octet-stream"


def add_export(request: Request) -> Any:
    """Make a report and return its id."""
    report, kind = request.text("report"), request.text("format", "CSV").upper()
    if report not in REPORTS:
        raise invalid("report")
    if not request.text("description"):
        raise invalid("description")
    now = ticks_of(request.exchange.now())
    after, until = _window(request, now)
    export = Export(
        id=request.exchange.reading_ids.export(),
        report=report,
        description=request.text("description"),
        format=kind,
        fields=request.text("fields", "all"),
        created=now,
        data_from=max(0, after),
        data_until=min(until, now),
        packed=_packed(report, kind, _text(request, report, after, until, kind)),
    )
    request.account.exports[export.id] = export
    return {"id": export.id}


def export_status(request: Request) -> Any:
    """Return the reports of one kind with their state."""
    report = request.text("report")
    if report not in REPORTS:
        raise invalid("report")
    return [_status(request, each) for each in request.account.exports.values() if each.report == report]


def retrieve_export(request: Request) -> Any:
    """Return the ZIP file of a finished report."""
    export = _find(request)
    if not _ready(request, export):
        raise Refused(NOT_READY)
    return Binary(export.packed)


def remove_export(request: Request) -> Any:
    """Delete a finished report, or cancel one that is still being made."""
    kind = request.text("type")
    if kind not in ("cancel", "delete"):
        raise invalid("type")
    del request.account.exports[_find(request).id]
    return {kind: True}


def _window(request: Request, now: int) -> tuple[int, int]:
    start, end = request.text("starttm", "0"), request.text("endtm", "0")
    if not (start.isdecimal() and end.isdecimal()):
        raise invalid("starttm")
    until = int(end) * TICKS_PER_SECOND if int(end) else FOREVER
    return request.clipped(int(start) * TICKS_PER_SECOND - 1, min(until, max(now, request.ledger_until)))


def _text(request: Request, report: str, after: int, until: int, kind: str) -> str:
    exchange, name = request.exchange, request.account.name
    make = exchange.ledgers_csv if report == "ledgers" else exchange.trades_csv
    text = make(name, after=after, until=until)
    return text.replace('","', '"\t"') if kind == "TSV" else text


def _packed(report: str, kind: str, text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(f"{report}.{kind.lower()}", _STABLE), text)
    return file.getvalue()


def _find(request: Request) -> Export:
    export = request.account.exports.get(request.text("id"))
    if export is None:
        raise Refused(UNKNOWN_REPORT)
    return export


def _ready(request: Request, export: Export) -> bool:
    delay = ticks_in(request.exchange.quirks.export_delay)
    return ticks_of(request.exchange.now()) >= export.created + delay


def _status(request: Request, export: Export) -> WireExport:
    created = str(export.created // TICKS_PER_SECOND)
    ready = _ready(request, export)
    return WireExport(
        id=export.id,
        descr=export.description,
        format=export.format,
        report=export.report,
        subtype="all",
        status="Processed" if ready else "Queued",
        flags="0",
        fields=export.fields,
        createdtm=created,
        expiretm=str((export.created + KEPT_TICKS) // TICKS_PER_SECOND),
        starttm=created if ready else "0",
        completedtm=created if ready else "0",
        datastarttm=str(export.data_from // TICKS_PER_SECOND),
        dataendtm=str(export.data_until // TICKS_PER_SECOND),
        aclass="forex",
        asset="all",
    )
