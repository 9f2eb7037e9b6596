"""The containers as a whole: what one asks of another, the other gives, under the name and with the secrets it has.

Docker itself is not needed: the shipped configuration is loaded, a service with it answers over TLS on this machine,
and is asked what compose and Prometheus would ask it.
"""

import asyncio
import re
import shlex
import shutil
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
import yaml
from msgspec.structs import replace

from gal_friday.adapters.metrics import Metrics
from gal_friday.bootstrap.access import mint_of
from gal_friday.bootstrap.api import answering
from gal_friday.bootstrap.exposure import listed
from gal_friday.bootstrap.metrics import rendered
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import Database, Settings, load
from gal_friday.cli import main
from gal_friday.domain.access import Permission, Role
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.flows.tokens import Wanted, issue

ROOT = Path(__file__).parent.parent.parent
HERE = ROOT / "deploy" / "container"
SECRETS = "/run/secrets"
OPENSSL = re.search(r"^openssl req .+$", (ROOT / "docs" / "operating.md").read_text(), re.MULTILINE)


def read(name: str) -> Any:
    return yaml.safe_load((HERE / name).read_text())


SERVICES = read("compose.yaml")["services"]
JOBS = read("prometheus.yml")["scrape_configs"]
(JOB, OF_WORKERS) = JOBS
WORKERS = [name for name in SERVICES if name.startswith("worker-")]


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """Make every secret of compose as the page says, and give the folder that holds them."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: the certificate of the page was not made")
    for name in read("compose.yaml")["secrets"]:
        (tmp_path / name).write_text("c2VjcmV0")
    assert OPENSSL is not None
    subprocess.run(shlex.split(OPENSSL[0]), cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


@pytest.fixture
def configuration(secrets: Path) -> Path:
    """Give the shipped configuration, with the secrets where they are here."""
    file = secrets / "gal-friday.toml"
    file.write_text((HERE / "gal-friday.toml").read_text().replace(SECRETS, str(secrets)))
    return file


def test_the_shipped_configuration_has_no_problem(configuration: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check", "--config", str(configuration)]) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    "name, file", [*((name, "gal-friday.toml") for name in ("gal-friday", *WORKERS)), ("prometheus", "prometheus.yml")]
)
def test_a_container_is_given_every_secret_that_it_reads(name: str, file: str) -> None:
    wanted = set(re.findall(SECRETS + r"/([a-z-]+)", (HERE / file).read_text()))
    assert wanted
    assert wanted - set(SERVICES[name]["secrets"]) == set()
    assert wanted - set(read("compose.yaml")["secrets"]) == set()


@asynccontextmanager
async def answering_service(configuration: Path) -> AsyncIterator[tuple[ReconciliationService, int]]:
    """Give a service as the containers configure it, but for its database and the address it listens on."""
    shipped = load(configuration, environment={})
    local = Database(url=f"sqlite+aiosqlite:///{configuration.with_name('gal-friday.db')}")
    settings = replace(
        shipped,
        state_folder=str(configuration.parent),
        database=local,
        api=replace(shipped.api, host="127.0.0.1", port=0),
    )
    async with ReconciliationService(settings) as service:
        text = rendered(Metrics("1"), service.opened, dict, dict)
        called = answering(service, schedules=service.opened.schedules, run=_never, metrics=text)
        async with called as (_, address):
            yield service, int(address.rpartition(":")[2])


async def _never(*_: object) -> Any:
    raise AssertionError("nobody asked for a run")


async def monitor_token(service: ReconciliationService) -> str:
    wanted = Wanted(name="prometheus", owner="prometheus", role=Role.VIEWER, scopes=frozenset({Permission.METRICS}))
    return (await issue(mint_of(service.opened), wanted, Actor("root", KnownBy.SELF_DECLARED))).text


async def test_prometheus_is_given_the_metrics_under_the_name_it_asks_for(configuration: Path) -> None:
    trusted = JOB["tls_config"]["ca_file"].replace(SECRETS, str(configuration.parent))
    (target,) = JOB["static_configs"][0]["targets"]
    name = target.partition(":")[0]
    async with (
        answering_service(configuration) as (service, port),
        httpx2.AsyncClient(verify=_trusting(trusted)) as client,
    ):
        answer = await client.get(
            f"{JOB['scheme']}://127.0.0.1:{port}/metrics",
            headers={"Host": target, "Authorization": f"{JOB['authorization']['type']} {await monitor_token(service)}"},
            extensions={"sni_hostname": name},
        )
    assert (answer.status_code, answer.text[:30]) == (200, "# HELP gal_friday_build_info W")


def _trusting(certificate: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate)


@pytest.mark.parametrize("name", [name for name, one in SERVICES.items() if "build" in one])
async def test_the_health_check_sees_a_service_that_answers_and_one_that_does_not(
    name: str, configuration: Path
) -> None:
    kind, program, *rest, url = SERVICES[name]["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "python")

    async def status(port: int) -> int:
        asked = urlsplit(url)._replace(netloc=f"127.0.0.1:{port}").geturl()
        process = await asyncio.create_subprocess_exec(sys.executable, *rest, asked, stderr=asyncio.subprocess.DEVNULL)
        return await asyncio.wait_for(process.wait(), 10)

    async with answering_service(configuration) as (_, port):
        assert await status(port) == 0
    assert await status(port) == 1


def test_the_health_check_asks_where_the_service_listens(configuration: Path) -> None:
    settings = load(configuration, environment={})
    assert urlsplit(SERVICES["gal-friday"]["healthcheck"]["test"][-1]).port == settings.api.port
    for name in WORKERS:
        assert urlsplit(SERVICES[name]["healthcheck"]["test"][-1]).port == settings.service.metrics_port
    assert _names(settings) >= {target.partition(":")[0] for target in JOB["static_configs"][0]["targets"]}


def test_prometheus_asks_the_workers_where_they_answer(configuration: Path) -> None:
    settings, (found,) = load(configuration, environment={}), OF_WORKERS["dns_sd_configs"]
    assert set(found["names"]) == set(WORKERS) <= _names(settings)
    assert found["port"] == settings.service.metrics_port
    for name in WORKERS:
        assert f"DNS:{name}," in (OPENSSL or "")[0]
    for setting in ("scheme", "tls_config", "authorization"):
        assert OF_WORKERS[setting] == JOB[setting]


def _names(settings: Settings) -> set[str]:
    return set(listed(settings.api.allowed_hosts))


def test_the_image_holds_what_a_worker_a_channel_and_traces_need() -> None:
    (lock,) = set(re.findall(r"requirements/[a-z]+\.lock", (HERE / "Dockerfile").read_text()))
    pinned = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / lock).read_text(), re.MULTILINE))
    assert {"apprise", "asyncpg", "opentelemetry-sdk", "procrastinate", "psycopg", "uvicorn"} - pinned == set()


@pytest.mark.parametrize("file", ["container/Dockerfile", "container/compose.yaml", "systemd/gal-friday.service"])
def test_nothing_overrides_the_configuration(file: str) -> None:
    told = re.findall(r"GAL_FRIDAY_[A-Z_]+", (ROOT / "deploy" / file).read_text())
    assert set(told) - {"GAL_FRIDAY_CONFIG"} == set()
