"""What the pages list is what there is: settings, fields, types, keys, commands, exit statuses, rights, tables."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec import NODEFAULT, Struct
from msgspec.structs import fields

import gal_friday
from gal_friday.adapters.kraken import preflight, session
from gal_friday.adapters.kraken.endpoints import FORBIDDEN_RIGHTS, NEEDED_RIGHTS, STREAM_RIGHT
from gal_friday.adapters.kraken.nonce import LOCKOUT
from gal_friday.adapters.kraken.patience import Patience
from gal_friday.adapters.kraken.rate import TIERS
from gal_friday.adapters.sql import engine, failures
from gal_friday.adapters.sql.schema import METADATA
from gal_friday.bootstrap.alert_settings import (
    AlertmanagerChannelSettings,
    AlertSettings,
    AppriseChannelSettings,
    EmailChannelSettings,
    LogChannelSettings,
    MaintenanceSettings,
    PagerDutyChannelSettings,
    WebhookChannelSettings,
)
from gal_friday.bootstrap.settings import (
    AccessSettings,
    AccountSettings,
    AliasSettings,
    ApiSettings,
    BookInFile,
    Database,
    EmbeddedBook,
    HttpWriter,
    PriceSettings,
    Reconciliation,
    Recordings,
    ServiceSettings,
    Settings,
    TableWriter,
)
from gal_friday.cli import exit_status, main, setting_list
from gal_friday.domain import snapshot_json
from gal_friday.domain.assets import Wallet
from gal_friday.domain.discrepancy import BalanceDiscrepancy, PositionDiscrepancy, RecordDiscrepancy, State
from gal_friday.domain.finding import DiscrepancyType
from gal_friday.domain.materiality import Severity
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import MOVEMENT_KINDS, ORDER_STATUSES, RECORD_KINDS, PositionMode
from gal_friday.domain.report import ReconciliationReport, ReviewItem
from gal_friday.domain.root import RootCause
from gal_friday.domain.snapshot import Coverage
from gal_friday.domain.verdict import ReconciliationStatus, Verdict
from tests.docs.pages import ROOT, pages

DOCS = ROOT / "docs"


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(name: str, heading: str) -> str:
    """Return what stands below a heading of a page, up to the next one of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{level}}} |\Z)", text(name), re.MULTILINE | re.DOTALL)
    assert found, f"{name} has no {heading}"
    return found[1]


def table(body: str) -> list[list[str]]:
    """Return the rows of all tables in a text, headings left out."""
    lines = [line for line in body.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    rules = {number for number, row in enumerate(rows) if set("".join(row)) <= set("-: ") and row}
    return [row for number, row in enumerate(rows) if number not in rules and number + 1 not in rules]


def coded(body: str) -> list[str]:
    """Return everything that stands in code type."""
    return re.findall(r"`([^`\n]+)`", body)


SECTIONS: dict[str, type[Struct]] = {
    "### At the top of the file": Settings,
    "### `[reconciliation]`": Reconciliation,
    "### `[database]`": Database,
    "### `[accounts.NAME]`": AccountSettings,
    '### `[accounts.NAME.book]`, `type = "embedded"`': EmbeddedBook,
    '### `[accounts.NAME.book]`, `type = "file"`': BookInFile,
    '### `[accounts.NAME.book.writer]`, `type = "http"`': HttpWriter,
    '### `[accounts.NAME.book.writer]`, `type = "table"`': TableWriter,
    "### `[prices]`": PriceSettings,
    "### `[recordings]`": Recordings,
    "### `[service]`": ServiceSettings,
    "### `[api]`": ApiSettings,
    "### `[access]`": AccessSettings,
    "### `[alerts]`": AlertSettings,
    '### `[alerts.channels.NAME]`, `type = "log"`': LogChannelSettings,
    '### `[alerts.channels.NAME]`, `type = "webhook"`': WebhookChannelSettings,
    '### `[alerts.channels.NAME]`, `type = "pagerduty"`': PagerDutyChannelSettings,
    '### `[alerts.channels.NAME]`, `type = "alertmanager"`': AlertmanagerChannelSettings,
    '### `[alerts.channels.NAME]`, `type = "email"`': EmailChannelSettings,
    '### `[alerts.channels.NAME]`, `type = "apprise"`': AppriseChannelSettings,
    "### `[alerts.maintenance.NAME]`": MaintenanceSettings,
    "### `[aliases]`": AliasSettings,
}


def settings_of(kind: type[Struct]) -> Iterator[tuple[str, str]]:
    for field in fields(kind):
        if setting_list._sections(field.type):
            continue
        default = setting_list._default(field)
        needed = field.default is NODEFAULT and field.default_factory is NODEFAULT
        yield field.name, "●" if needed else "" if default == "…" else f"`{default}`"


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_page_has_every_setting_with_its_default(heading: str) -> None:
    told = [(row[0].strip("`"), row[1]) for row in table(section("configuration.md", heading))]
    assert [setting for setting in told if setting[0] != "type"] == list(settings_of(SECTIONS[heading]))


def test_every_section_of_settings_is_on_the_page() -> None:
    headings = re.findall(r"^### .*$", section("configuration.md", "## Every setting"), re.MULTILINE)
    assert headings == list(SECTIONS)


def fields_told(heading: str) -> dict[str, bool]:
    """Return the fields that a section lists, and whether each is required."""
    found = {}
    for row in table(section("snapshot-file.md", heading)):
        for name, mark in re.findall(r"`(\w+)`( ●)?", row[0]):
            found[name] = bool(mark)
    return found


@pytest.mark.parametrize("kind", RECORD_KINDS)
def test_the_page_has_every_field_of_a_record(kind: str) -> None:
    known = snapshot_json._TABLES[kind].fields
    assert fields_told(f"### {kind}") == {name: field.required for name, field in known.items()}


def test_the_page_has_every_field_of_the_file() -> None:
    head = {name: field.required for name, field in snapshot_json._HEAD.fields.items()}
    records = dict.fromkeys(snapshot_json._TABLES, False)
    assert fields_told("### The file itself") == {"format": True} | head | records


def test_the_page_has_every_word_that_a_field_may_hold() -> None:
    def words(heading: str, field: str) -> set[str]:
        (row,) = [row for row in table(section("snapshot-file.md", heading)) if f"`{field}`" in row[0]]
        return set(coded(row[-1]))

    assert words("### balances", "wallet") == set(Wallet)
    assert words("### positions", "mode") == {*PositionMode, "position_id"}
    assert words("### orders", "status") == ORDER_STATUSES
    assert words("### movements", "kind") == MOVEMENT_KINDS
    told = [
        row[0].strip("`") for row in table(section("snapshot-file.md", "## Coverage: may absence be read as zero?"))
    ]
    assert told == list(Coverage)


def test_the_page_has_every_type_of_discrepancy() -> None:
    told = [row[0].strip("`") for row in table(section("report.md", "## What can differ"))]
    assert told == [kind.value for kind in DiscrepancyType]


def test_the_page_has_every_verdict_with_its_exit_status() -> None:
    told = {row[0].strip("`"): int(row[2]) for row in table(section("report.md", "## Verdict and status"))}
    assert told == {verdict.value: status_with(verdict) for verdict in Verdict}
    assert set(ReconciliationStatus) <= set(coded(section("report.md", "## Verdict and status")))


def status_with(verdict: Verdict) -> int:
    class Report:
        status = ReconciliationStatus.PARTIAL

    report: Any = Report()
    report.verdict = verdict
    return exit_status.exit_status(report)


def test_the_page_has_the_thresholds_of_severity() -> None:
    body, policy = section("report.md", "## Severity"), Policy()
    (heading,) = re.findall(r"^\| \| (.*) \|$", body, re.MULTILINE)
    assert heading.split(" | ") == list(Severity)
    share, value = (re.findall(r"≥ (\d+)", line) for line in body.splitlines() if "≥" in line)
    assert [f"{int(percent) / 100:.2f}" for percent in share] == [
        str(policy.medium_threshold),
        str(policy.high_threshold),
        str(policy.critical_threshold),
    ]
    assert value == [str(policy.medium_value), str(policy.high_value), str(policy.critical_value)]
    assert f"A difference worth less than {policy.trivial_value} is low" in body


def test_the_page_has_every_key_of_the_report() -> None:
    rows = table(section("report.md", "## The report as JSON"))
    assert sorted(key for row in rows for key in coded(row[0])) == sorted(ReconciliationReport.__struct_fields__)


def test_the_page_has_every_key_of_a_discrepancy() -> None:
    body = section("report.md", "## The report as JSON")
    assert set(RootCause.__struct_fields__) <= set(coded(body))
    shared = set(coded(body.partition("Every discrepancy has")[2]))
    rows = {row[0]: set(coded(row[1])) for row in table(body)}
    for kind, key in (
        (PositionDiscrepancy, "`position_discrepancies`"),
        (BalanceDiscrepancy, "`balance_discrepancies`"),
        (
            RecordDiscrepancy,
            "`order_discrepancies`, `fill_discrepancies`, `movement_discrepancies`, `source_discrepancies`",
        ),
    ):
        assert set(kind.__struct_fields__) - shared - rows[key] == set()
        assert rows[key] - set(kind.__struct_fields__) == set()
    assert rows["`manual_review_required`"] == set(ReviewItem.__struct_fields__)


def commands_there() -> Iterator[str]:
    """Yield every command that there is, as it is typed."""
    from gal_friday.cli.app import _COMMANDS, _GROUPS

    yield from (name for _, name, _ in _COMMANDS)
    for _, group, _, commands in _GROUPS:
        yield from (f"{group} {command}" for command in commands)


def commands_told() -> dict[str, set[str]]:
    """Return the commands of the page, without their arguments, each with its options."""
    rows = table(section("command-line.md", "## Commands"))
    return {
        re.sub(r" \[?[A-Z].*", "", row[0].strip("`")): {word for word in coded(row[2]) if word.startswith("--")}
        for row in rows
    }


def test_the_page_has_every_command() -> None:
    assert sorted(commands_told()) == sorted(commands_there())


@pytest.mark.parametrize("command", sorted(commands_there()))
def test_the_page_has_every_option_of_a_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "--help"]) == 0
    shown = re.findall(r"^│ \*? *(?:[A-Z_]+ )?(--[a-z-]+)", capsys.readouterr().out, re.MULTILINE)
    assert commands_told()[command] == {option for option in shown if not option.startswith("--no-")}


def test_the_page_has_every_exit_status() -> None:
    told = [int(row[0]) for row in table(section("command-line.md", "## Exit status"))]
    assert told == sorted(value for name, value in vars(exit_status).items() if name.isupper() and type(value) is int)


def test_the_pages_name_no_type_verdict_or_status_that_does_not_exist() -> None:
    known = {*DiscrepancyType, *Verdict, *ReconciliationStatus}
    endings = r"(?:_mismatch|_duplicated|_missing_internal|_missing_exchange|_not_tracked|_conflict|_inconsistent|_gap)"
    named = {
        (page.name, word)
        for page in pages()
        for word in re.findall(rf"`([a-z_]+{endings})`", page.read_text(encoding="utf-8"))
    }
    assert named
    assert [place for place in named if place[1] not in known] == []


def test_every_option_that_a_page_names_exists() -> None:
    known = {option for options in commands_told().values() for option in options}
    known |= {"--help", "--version", "--debug"}
    named = {
        (page.name, option)
        for page in pages()
        for option in re.findall(r"`(--[a-z-]+)", page.read_text(encoding="utf-8"))
    }
    assert [place for place in named if place[1] not in known] == []


def test_the_page_has_the_rights_of_a_key() -> None:
    needed = [row[1].strip("`") for row in table(section("kraken-key.md", "## Make the key"))]
    assert sorted(needed) == list(NEEDED_RIGHTS)
    assert STREAM_RIGHT in coded(section("kraken-key.md", "## The private stream"))
    refused = table(section("kraken-key.md", "## What is refused"))[0][0]
    assert tuple(coded(refused)) == FORBIDDEN_RIGHTS


def test_the_page_has_the_limits_of_each_tier() -> None:
    body = section("kraken-key.md", "## Tell Gal-Friday where it lies")
    told = {cells[0].strip("`"): cells[1:] for cells in table(body) if len(cells) == 3}
    assert told == {
        name: [f"{tier.maximum:g}", f"{tier.decay:g} a second"] for name, tier in TIERS.items() if tier is not None
    }
    assert f"costs about {preflight.CYCLE_COST:g} points" in body


def test_the_page_has_every_table_of_the_database() -> None:
    told = {name for row in table(section("database.md", "## What is in it")) for name in coded(row[0])}
    assert told == {*METADATA.tables, "alembic_version"}


def test_the_pages_state_the_times_that_hold() -> None:
    assert f"from {preflight._CLOCK_WARNING.seconds} seconds on it warns" in text("faults.md")
    assert f"from {session.CLOCK_FAR_OFF.seconds} seconds on the check fails" in text("faults.md")
    assert (Patience().attempts, "tried up to five times" in text("faults.md")) == (5, True)
    assert (LOCKOUT, "no call is made for fifteen minutes" in text("faults.md")) == (timedelta(minutes=15), True)
    assert (engine.BUSY_SECONDS, "A write waits five seconds" in text("database.md")) == (5, True)
    assert f"A statement may take {engine.STATEMENT_SECONDS:g} seconds" in text("database.md")
    assert f"a connection {engine.CONNECT_SECONDS:g}." in text("database.md")


def test_the_page_says_when_a_discrepancy_is_confirmed() -> None:
    policy = Policy()
    body = section("report.md", "## From run to run")
    assert f"seen in {policy.confirmations} runs, {policy.grace_seconds} seconds or more apart" in body
    assert f"younger than {policy.grace_seconds} seconds may still be" in section("report.md", "## Not checked")
    assert set(get_args(State)) <= set(coded(body))


def test_the_page_grants_updates_on_no_table_that_refuses_them(place: Path) -> None:
    assert main(["db", "upgrade"]) == 0
    (file,) = place.parent.rglob("gal-friday.db")
    with closing(sqlite3.connect(file)) as database:
        triggers = database.execute("SELECT tbl_name FROM sqlite_schema WHERE name LIKE '%\\_no\\_update' ESCAPE '\\'")
        refusing = {table for (table,) in triggers}
    (granted,) = re.findall(r"GRANT UPDATE ON (.*) TO", text("database.md"))
    assert set(granted.split(", ")) == set(METADATA.tables) - refusing


def test_the_page_has_every_public_name_of_the_library() -> None:
    told = coded(text("library.md").partition("## ")[0])
    assert sorted(told) == sorted(["gal_friday", *gal_friday.__all__])


def test_what_the_page_says_of_a_refusing_database_is_what_it_says() -> None:
    said = "\n".join([*failures._SQLITE.values(), *failures._POSTGRESQL.values()])
    folder = Path(failures.__file__).parent
    said += "".join((folder / name).read_text() for name in ("failures.py", "migration.py", "engine.py"))
    told = [row[0].strip("`") for row in table(section("database.md", "## When it refuses"))]
    assert [phrase for phrase in told if phrase not in said] == []
