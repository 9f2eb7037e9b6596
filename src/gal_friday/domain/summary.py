"""A report without what grows with the account: for lists, and for whoever asks how the last run went.

What differs, what was repaired and what waits for a person is all there; the finding of every key that agrees, the
digests of raw answers and the workings of every decision are not. The report itself stays what counts: a summary is
made from it and never the other way round.
"""

from collections.abc import Iterator

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain.assets import Instrument, base_and_quote
from gal_friday.domain.finding import Key
from gal_friday.domain.plain import plain
from gal_friday.domain.records import Kind
from gal_friday.domain.report import ReconciliationReport

LEFT_OUT = ("findings", "evidence", "decisions")
"""The fields of a report that its summary lacks."""


class _Seen(Struct):
    assets_checked: frozenset[str] = frozenset()


_SEEN = msgspec.json.Decoder(_Seen)


def summary_of(report: ReconciliationReport) -> bytes:
    """Return the summary as compact JSON: the report's fields, ``keys_checked`` and ``assets_checked``."""
    fields = plain(replace(report, findings=(), evidence=(), decisions=()))
    for name in LEFT_OUT:
        del fields[name]
    seen = sorted(set(_assets(finding.key for finding in report.findings)))
    return msgspec.json.encode(fields | {"keys_checked": len(report.findings), "assets_checked": seen})


def assets_in(summary: bytes) -> frozenset[str]:
    """Return the assets that the run saw on either side."""
    return _SEEN.decode(summary).assets_checked


def _assets(keys: "Iterator[Key]") -> Iterator[str]:
    for key in keys:
        if key.kind in (Kind.BALANCES, Kind.HOLDS):
            yield key.name
        elif key.kind is Kind.POSITIONS:
            yield from base_and_quote(Instrument(key.name)) or ()
