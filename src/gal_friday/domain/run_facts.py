"""The facts of one run: that it began, what it read, what became of each discrepancy, how it ended.

A run in which everything agrees leaves its facts as well: that a control ran, over what, is another promise than
that its record is genuine. What was not checked is part of it. Nothing here decides or writes anything.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from msgspec.structs import asdict

from gal_friday.domain.discrepancy import Discrepancy, RecordDiscrepancy
from gal_friday.domain.facts import Fact, FactKind
from gal_friday.domain.followed import Change, Followed
from gal_friday.domain.following import Carried
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.snapshot import Side

NO_CAUSE = ("unexplained", "incomplete_source")
_RECORD_IDS_MAX = 20
"""Ids of records that an explanation rests on, in the fact; the report has all of them."""


def facts_of_run(report: ReconciliationReport, carried: Carried, written: bytes) -> tuple[Fact, ...]:
    """Return the facts of a run in the order in which they happened.

    *written* is the report as it is stored: its digest ties the report to the journal.
    """
    return (
        _started(report),
        _read(report, "internal"),
        _read(report, "exchange"),
        *(fact for one in carried.written for fact in _of_discrepancy(one, carried, report)),
        _finished(report, written),
    )


def report_digest(written: bytes) -> str:
    """Return what the fact of a finished run says of its report: SHA-256 over its bytes as they are stored."""
    return sha256(written).hexdigest()


def change_kind(what: str) -> str:
    """Return the kind of the fact that a change of a discrepancy has."""
    return FactKind(f"discrepancy_{what}")


def _started(report: ReconciliationReport) -> Fact:
    at = min(report.cut.internal, report.cut.exchange, report.timestamp)
    return _fact(report, FactKind.RUN_STARTED, at, {"exchange": report.exchange, "mode": report.mode.value})


def _read(report: ReconciliationReport, side: Side) -> Fact:
    read = [asdict(one) for one in report.evidence if one.side == side]
    version = report.internal_version if side == "internal" else report.exchange_version
    body = {
        "side": side,
        "version": version,
        "evidence": [{name: one[name] for name in ("source", "digest", "pages", "rows")} for one in read],
    }
    return _fact(report, FactKind.SNAPSHOT_TAKEN, getattr(report.cut, side), body)


def _finished(report: ReconciliationReport, written: bytes) -> Fact:
    counts = ("positions_checked", "balances_checked", "orders_checked", "fills_checked", "movements_checked")
    body = {
        "status": report.status.value,
        "verdict": report.verdict.value,
        "discrepancies": report.total_discrepancies,
        "auto_corrections": len(report.auto_corrections),
        "not_checked": [
            {"kind": gap.kind.value, "side": gap.side or "", "reason": gap.reason} for gap in report.not_checked
        ],
        "errors": list(report.error_messages),
        "report_sha256": report_digest(written),
        **{name: getattr(report, name) for name in counts},
    }
    return _fact(report, FactKind.RUN_FINISHED, report.timestamp, body)


def _fact(report: ReconciliationReport, kind: str, at: Any, body: dict[str, Any]) -> Fact:
    return Fact(kind=kind, at=at, account=report.account, subject=report.reconciliation_id, body=body)


def _of_discrepancy(one: Followed, carried: Carried, report: ReconciliationReport) -> Iterator[Fact]:
    changes = carried.changes_of(one)
    for change in changes:
        yield _changed(one, change, report)
    # A look that changed nothing explains nothing new.
    if changes and one.is_open and one.latest.cause not in (None, *NO_CAUSE):
        at, body = changes[-1].at, _explanation(one.latest) | {"run": report.reconciliation_id}
        yield Fact(kind=FactKind.DISCREPANCY_EXPLAINED, at=at, account=one.account, subject=one.id, body=body)


def _changed(one: Followed, change: Change, report: ReconciliationReport) -> Fact:
    latest = one.latest
    body = {
        "run": report.reconciliation_id,
        "change": change.number,
        "state": change.state,
        "note": change.note,
        "key": str(one.key),
        "type": one.type.value,
        "severity": one.severity.value,
        **_stated(value=latest.value, internal=latest.internal, exchange=latest.exchange, difference=latest.difference),
    }
    kind = change_kind(change.what)
    return Fact(kind=kind, at=change.at, account=one.account, subject=one.id, body=body)


def _explanation(latest: Discrepancy) -> dict[str, Any]:
    said = _stated(cause=latest.cause, explanation=latest.explanation)
    if isinstance(latest, RecordDiscrepancy) or latest.bridge is None:
        return said
    items = [
        {"cause": item.cause.value, "effect": item.effect, "records": list(item.record_ids[:_RECORD_IDS_MAX])}
        for item in latest.bridge.items
    ]
    return said | {"items": items, "residual": latest.bridge.residual, "proven": latest.bridge.proven}


def _stated(**fields: Any) -> dict[str, Any]:
    """Return what is known of these."""
    return {name: value for name, value in fields.items() if value is not None}
