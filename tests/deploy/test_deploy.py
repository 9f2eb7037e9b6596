"""What is deployed beside the program: alert rules with their cases, a dashboard on metrics that there are, units."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gal_friday.adapters.metrics import Metrics
from gal_friday.cli import main
from gal_friday.ports.exchange import Call
from tests.adapters.metrics.test_metrics import T0, standing
from tests.cli.samples import missed_fill, report

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
RULES = DEPLOY / "prometheus" / "rules.yml"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
DASHBOARD = DEPLOY / "grafana" / "gal-friday.json"


def there() -> set[str]:
    """Return the name of every sample that a service gives."""
    metrics = Metrics("1")
    metrics.ran(report(*missed_fill(), BTC="60000"))
    metrics.resolved(T0, T0)
    metrics.asked("read", 0.001)
    metrics.called("main", "kraken", Call(endpoint="Balance", outcome="ok", seconds=0.2, cost=1, left=1.0))
    families = text_string_to_metric_families(metrics.text(standing()).decode())
    return {sample.name for family in families for sample in family.samples}


def asked_for(text: str) -> set[str]:
    return set(re.findall(r"\bgal_friday_[a-z_]+\b", text))


def queries() -> Iterator[str]:
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def test_every_metric_of_the_rules_is_one_that_there_is() -> None:
    assert asked_for(RULES.read_text()) - there() == set()


def test_every_metric_of_the_dashboard_is_one_that_there_is() -> None:
    assert asked_for(" ".join(queries())) - there() == set()


def test_every_metric_is_on_its_page() -> None:
    page = (DEPLOY.parent / "docs" / "metrics.md").read_text()
    told = set(re.findall(r"^\| `(gal_friday_[a-z_]+)`", page, re.MULTILINE))
    names = {re.sub(r"_(total|bucket|sum|count|created)$", "", name) for name in there()}
    assert told == names


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed (Debian: prometheus): rules and queries were not tried")
    return found


def test_the_rules_do_what_their_cases_say(promtool: str) -> None:
    done = subprocess.run(
        [promtool, "test", "rules", str(RULES.with_name("rules_test.yml"))], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_query_of_the_dashboard_can_be_read(promtool: str, tmp_path: Path) -> None:
    rules = [{"record": f"q{number}", "expr": query} for number, query in enumerate(queries())]
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))  # JSON is YAML
    done = subprocess.run([promtool, "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_can_read_its_units(unit: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: the units were not read")
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    told = [line for line in done.stderr.splitlines() if "is not executable" not in line and unit.stem in line]
    assert told == []


def test_the_units_run_as_one_user_that_is_made_for_them() -> None:
    users = {re.search(r"^User=(.+)$", unit.read_text(), re.MULTILINE)[1] for unit in UNITS}  # type: ignore[index]
    kind, made, *_, home = (DEPLOY / "systemd" / "gal-friday.sysusers").read_text().splitlines()[-1].split()
    assert (kind, {made}, home) == ("u", users, "/var/lib/gal-friday")


def test_what_the_units_hand_over_is_all_that_their_configuration_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    handed = {frozenset(re.findall(r"^LoadCredential=([a-z-]+):", unit.read_text(), re.MULTILINE)) for unit in UNITS}
    (names,) = handed
    for name in names:
        (tmp_path / name).write_text("c2VjcmV0")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    shipped = str(DEPLOY / "systemd" / "gal-friday.toml")
    assert main(["config", "check", "--config", shipped]) == 0, capsys.readouterr().err
