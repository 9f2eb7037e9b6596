"""The metrics of one process, by the names of docs/metrics.md, as text that Prometheus reads.

Events are counted as they happen; states are read anew at every collection. No label has more values than there are
accounts, endpoints, kinds, types and severities: no asset, no instrument, no id.
"""

from collections.abc import Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from gal_friday.adapters.metrics.state import Standing
from gal_friday.domain.decided import turned_down
from gal_friday.domain.discrepancy import Discrepancy
from gal_friday.domain.materiality import Severity
from gal_friday.domain.records import RECORD_KINDS, Kind
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.verdict import Verdict
from gal_friday.ports.exchange import Call

_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_STATEMENTS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 15)
_LIVES = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600, 7 * 24 * 3600)
_PREFIX = "gal_friday"


class Metrics:
    """What one process counted, and what it can say of the state of things."""

    def __init__(self, version: str) -> None:
        """Begin with nothing counted."""
        self.registry = CollectorRegistry()
        self._state = CollectorRegistry()
        self._gauges: dict[str, Gauge] = {}
        self._gauge("build_info", "Which version runs.", "version", registry=self.registry).labels(version).set(1)
        self._runs = self._counter("runs", "Runs that ended.", "account", "status", "verdict")
        self._duration = self._histogram("run_seconds", "How long runs took.", _SECONDS)
        self._findings = self._counter("findings", "What comparing came to, key by key.", "kind", "finding")
        self._corrections = self._counter("corrections", "Repairs posted without a person.", "account")
        self._refused = self._counter("corrections_refused", "Repairs that were decided and not posted.", "account")
        self._detect = self._histogram("detect_seconds", "From when it was wrong until a run saw it.", _LIVES)
        self._explain = self._histogram("explain_seconds", "From when it was wrong until its cause was found.", _LIVES)
        self._resolve = self._histogram("resolve_seconds", "From when it was wrong until both sides agreed.", _LIVES)
        self._calls = self._counter("exchange_calls", "Calls to an exchange.", "exchange", "endpoint", "outcome")
        self._answers = self._histogram("exchange_call_seconds", "How long calls took.", _SECONDS, "exchange")
        self._statements = self._histogram(
            "database_statement_seconds", "How long the database took for a statement.", _STATEMENTS, "kind"
        )
        self._left = self._gauge(
            "rate_budget_left", "Points left of a key's call budget.", "account", registry=self.registry
        )
        self._explained = self._gauge(
            "explained_ratio", "Of the value that differs, the part explained.", "account", registry=self.registry
        )
        self._accuracy = self._gauge(
            "accuracy_ratio", "Of the keys that could be judged, those that agree.", "account", "kind",
            registry=self.registry,
        )  # fmt: skip

    def ran(self, report: ReconciliationReport) -> None:
        """Count a run."""
        account = report.account
        self._runs.labels(account, report.status.value, report.verdict.value).inc()
        self._duration.observe(report.duration_seconds)
        for finding in report.findings:
            self._findings.labels(finding.key.kind.value, type(finding).__name__).inc()
        self._corrections.labels(account).inc(len({one.adjustment_id for one in report.auto_corrections}))
        self._refused.labels(account).inc(turned_down(report))
        for one in report.discrepancies:
            if one.occurrences == 1 and one.age_seconds is not None:
                self._detect.observe(one.age_seconds)
                if one.cause not in (None, "unexplained"):
                    self._explain.observe(one.age_seconds)
        if report.explained_share is not None:
            # A share for a graph, and no amount: a float will do.
            self._explained.labels(account).set(float(str(report.explained_share)))
        for kind, differing in _differing(report).items():
            checked = getattr(report, f"{kind}_checked")
            if checked:
                self._accuracy.labels(account, kind.value).set(max(0, checked - differing) / checked)

    def resolved(self, since: datetime, cleared: datetime) -> None:
        """Count a discrepancy that a run saw to agree."""
        self._resolve.observe(max(0.0, (cleared - since).total_seconds()))

    def called(self, account: str, exchange: str, call: Call) -> None:
        """Count a call to an exchange."""
        self._calls.labels(exchange, call.endpoint, call.outcome).inc()
        self._answers.labels(exchange).observe(call.seconds)
        if call.left is not None:
            self._left.labels(account).set(call.left)

    def asked(self, kind: str, seconds: float) -> None:
        """Count a statement that the database carried out; *kind* is ``read`` or ``write``."""
        self._statements.labels(kind).observe(seconds)

    def text(self, standing: Standing | None = None) -> bytes:
        """Return everything as Prometheus reads it; without *standing* only what this process has counted."""
        counted = bytes(generate_latest(self.registry))
        if standing is None:
            return counted
        self._state, self._gauges = CollectorRegistry(), {}
        self._set(standing)
        return counted + bytes(generate_latest(self._state))

    def _set(self, now: Standing) -> None:
        at = now.at
        self._set_schedule(now)
        for counted in now.open_together():
            self._say("discrepancies_open", "Open discrepancies.", counted.count,
                      account=counted.account, type=counted.type, severity=counted.severity.value)  # fmt: skip
        for account, since in now.oldest_together().items():
            age = (at - since).total_seconds()
            self._say("oldest_discrepancy_seconds", "How long the oldest open one is wrong.", age, account=account)
        told = {one.severity: one for one in now.queue}
        for severity in Severity:
            one = told.get(severity.value)
            waiting, overdue = (one.waiting, one.overdue) if one is not None else (0, 0)
            self._say("review_queue", "Discrepancies that need a person.", waiting, severity=severity.value)
            self._say("review_overdue", "Those for which it is late.", overdue, severity=severity.value)
        if now.journal_head is not None:
            age = (at - now.journal_head).total_seconds()
            self._say("journal_head_age_seconds", "Since the newest signed head of the journal.", age)
        for state, count in now.outbox.items():
            self._say("alert_outbox", "Notices by what became of them.", count, state=state)
        for account, connected in now.streams.items():
            self._say("stream_connected", "Whether the stream tells anything.", int(connected), account=account)

    def _set_schedule(self, now: Standing) -> None:
        for one in now.planned:
            if one.account not in now.intervals:
                continue
            name = {"account": one.account}
            self._say("interval_seconds", "Between two runs, as in effect.", now.intervals[one.account], **name)
            self._say("consecutive_failures", "Runs that failed one after the other.", one.failures, **name)
            self._say("paused", "Whether somebody stopped the runs.", int(one.is_paused), **name)
            late = 0.0 if one.begun is not None or one.is_paused else max(0.0, (now.at - one.due).total_seconds())
            self._say("run_overdue_seconds", "How long a run is due and was not begun.", late, **name)
            for what, said, at in (
                ("last_run", "When the last run ended.", one.last_run),
                ("last_success", "The cut of the last run that saw everything.", one.last_complete),
            ):
                if at is not None:
                    self._say(f"{what}_timestamp_seconds", said, at.timestamp(), **name)

    def _say(self, name: str, about: str, value: float, **labels: str) -> None:
        gauge = self._gauges.get(name)
        if gauge is None:
            gauge = self._gauges[name] = self._gauge(name, about, *labels, registry=self._state)
        (gauge.labels(**labels) if labels else gauge).set(value)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"{_PREFIX}_{name}", about, labels, registry=self.registry)

    def _histogram(self, name: str, about: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"{_PREFIX}_{name}", about, labels, buckets=buckets, registry=self.registry)

    def _gauge(self, name: str, about: str, *labels: str, registry: CollectorRegistry) -> Gauge:
        return Gauge(f"{_PREFIX}_{name}", about, labels, registry=registry)


def _differing(report: ReconciliationReport) -> dict[Kind, int]:
    """Return how many keys of each kind differ; nothing where a run saw too little to tell."""
    if report.verdict is Verdict.INCOMPLETE:
        return {}
    lists: dict[Kind, Sequence[Discrepancy]] = {
        Kind.POSITIONS: report.position_discrepancies,
        Kind.BALANCES: report.balance_discrepancies,
        Kind.ORDERS: report.order_discrepancies,
        Kind.FILLS: report.fill_discrepancies,
        Kind.MOVEMENTS: report.movement_discrepancies,
    }
    return {kind: len({one.key for one in lists[kind]}) for kind in RECORD_KINDS if kind in lists}
