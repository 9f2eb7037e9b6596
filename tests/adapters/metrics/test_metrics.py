"""What a monitor collects: bounded labels, states as they are, and events as they happened."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from gal_friday.adapters.metrics import Metrics, Standing, Waiting
from gal_friday.domain.materiality import Severity
from gal_friday.domain.schedule import Planned
from gal_friday.ports.exchange import Call
from gal_friday.ports.store import OpenCount
from tests.cli.samples import missed_fill, report

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
LABELS = {
    *("account", "status", "verdict", "kind", "finding", "exchange", "endpoint", "outcome", "type", "severity"),
    *("state", "version", "le"),
}


def values(text: bytes) -> dict[str, float]:
    """Return every sample by its name and labels."""
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def standing() -> Standing:
    planned = Planned(
        account="main",
        due=T0 - timedelta(seconds=90),
        last_run=T0 - timedelta(minutes=5),
        last_complete=T0 - timedelta(minutes=10),
        failures=2,
    )
    return Standing(
        at=T0,
        planned=[planned, Planned(account="gone", due=T0)],
        intervals={"main": 3600.0},
        open=[OpenCount("main", "fill_missing_internal", Severity.CRITICAL, 3)],
        oldest={"main": T0 - timedelta(hours=1)},
        queue=[Waiting("critical", 3, 1)],
        journal_head=T0 - timedelta(seconds=7),
        outbox={"waiting": 2, "delivered": 5},
        streams={"main": True},
    )


def test_the_state_of_things_is_what_it_is_when_it_is_asked_for() -> None:
    found = values(Metrics("1").text(standing()))
    main = "[('account', 'main')]"
    assert found[f"gal_friday_last_success_timestamp_seconds{main}"] == (T0 - timedelta(minutes=10)).timestamp()
    assert found[f"gal_friday_consecutive_failures{main}"] == 2
    assert found[f"gal_friday_run_overdue_seconds{main}"] == 90
    assert found[f"gal_friday_oldest_discrepancy_seconds{main}"] == 3600
    assert found["gal_friday_journal_head_age_seconds[]"] == 7
    assert found["gal_friday_review_queue[('severity', 'critical')]"] == 3
    assert found["gal_friday_review_overdue[('severity', 'critical')]"] == 1
    assert found["gal_friday_review_queue[('severity', 'low')]"] == 0
    assert found["gal_friday_alert_outbox[('state', 'waiting')]"] == 2
    assert found[f"gal_friday_stream_connected{main}"] == 1
    assert not any("gone" in name for name in found), "an account that is not configured any more"


def test_accounts_that_are_not_configured_are_told_together() -> None:
    open_ones = [OpenCount(f"table-{number}", "balance_mismatch", Severity.HIGH, 2) for number in range(3)]
    oldest = {f"table-{number}": T0 - timedelta(hours=number) for number in range(3)}
    found = values(Metrics("1").text(replace(standing(), open=open_ones, oldest=oldest)))
    of = "[('account', 'others'), ('severity', 'high'), ('type', 'balance_mismatch')]"
    assert {name: value for name, value in found.items() if "discrepanc" in name and "queue" not in name} == {
        f"gal_friday_discrepancies_open{of}": 6,
        "gal_friday_oldest_discrepancy_seconds[('account', 'others')]": 7200,
    }


def test_what_is_over_is_not_said_any_more() -> None:
    metrics = Metrics("1")
    metrics.text(standing())
    later = values(metrics.text(Standing(at=T0)))
    assert not any(name.startswith("gal_friday_discrepancies_open") for name in later)


def test_a_run_is_counted_with_what_it_found() -> None:
    metrics = Metrics("1")
    one = report(*missed_fill(), BTC="60000")
    metrics.ran(one)
    found = values(metrics.text())
    run = [("account", one.account), ("status", one.status.value), ("verdict", one.verdict.value)]
    assert found[f"gal_friday_runs_total{run}"] == 1
    counted = [value for name, value in found.items() if name.startswith("gal_friday_findings_total")]
    assert sum(counted) == len(one.findings)


def test_calls_and_lives_are_counted() -> None:
    metrics = Metrics("1")
    metrics.called("main", "kraken", Call(endpoint="Balance", outcome="ok", seconds=0.2, cost=1, left=14.0))
    metrics.resolved(T0, T0 + timedelta(seconds=30))
    found = values(metrics.text())
    call = "[('endpoint', 'Balance'), ('exchange', 'kraken'), ('outcome', 'ok')]"
    assert found[f"gal_friday_exchange_calls_total{call}"] == 1
    assert found["gal_friday_rate_budget_left[('account', 'main')]"] == 14
    assert found["gal_friday_resolve_seconds_sum[]"] == 30


def test_no_label_grows_with_what_is_traded() -> None:
    metrics = Metrics("1")
    metrics.ran(report(*missed_fill(), BTC="60000"))
    metrics.called("main", "kraken", Call(endpoint="Balance", outcome="ok", seconds=0.2, cost=1))
    families = text_string_to_metric_families(metrics.text(standing()).decode())
    assert {label for family in families for sample in family.samples for label in sample.labels} <= LABELS
