"""``compare --store``: what differs between two tables lives on in the store of the service."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from gal_friday.bulk import source
from tests.cli.conftest import Outcome, Run

HEAD = "account,asset,quantity,price"
OURS = (HEAD, "a,BTC,1.5,60000", "a,ETH,2,3000", "b,BTC,-0.25,60000", "b,USD,100,1")
THEIRS = (HEAD, "a,BTC,1.5,60000", "a,ETH,2.5,3000", "b,BTC,-0.25,60000", "c,XRP,40,0.5")

Compared = Callable[..., Outcome]


@pytest.fixture
def compared(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compared:
    """Return what compares two tables as of a day, and records what differs in the store of all other commands."""
    monkeypatch.setenv("GAL_FRIDAY_DATABASE__URL", f"sqlite+aiosqlite:///{tmp_path}/store.db")

    def recorded(
        day: int, ours: Sequence[str], theirs: Sequence[str], *options: str, store: str = "", as_of: str = ""
    ) -> Outcome:
        files = [tmp_path / f"{name}.csv" for name in ("ours", "theirs")]
        for file, lines in zip(files, (ours, theirs), strict=True):
            file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        at = as_of or f"2026-03-{day:02}T00:00Z"
        where = store or str(tmp_path / "store.db")
        return run("compare", *map(str, files), "--price", "price", "--as-of", at, "--store", where, *options)

    return recorded


def followed(run: Run) -> dict[str, tuple[Any, ...]]:
    """Return what became of every discrepancy, by account."""
    told = run("discrepancies", "--all", "--json").json()["discrepancies"]
    return {one["account"]: (one["id"], one["state"], one["occurrences"], one["since"]) for one in told}


def test_what_differs_is_followed_from_day_to_day_under_the_id_that_it_has_in_the_findings(
    run: Run, compared: Compared
) -> None:
    told = compared(1, OURS, THEIRS, "--json").json()
    assert told["recorded"]["accounts"] == told["recorded"]["opened"] == 3
    ids, first = {one["account"]: one["id"] for one in told["discrepancies"]}, "2026-03-01T00:00:00Z"
    assert followed(run) == {name: (found, "suspected", 1, first) for name, found in ids.items()}
    # c is closed on both sides, of b nothing differs any more, and of a still the same.
    outcome = compared(2, (*OURS[:4], "c,BTC,1,"), (*THEIRS[:4], "c,BTC,1,"))
    assert outcome.out.splitlines()[-2:] == ["accounts recorded: 3", "of their discrepancies 1 confirmed, 2 cleared"]
    assert followed(run) == {
        "a": (ids["a"], "confirmed", 2, first),
        "b": (ids["b"], "cleared", 1, first),
        "c": (ids["c"], "cleared", 1, first),
    }
    reports = run("reports", "--days", "36500", "--json").json()["reports"]
    verdicts = {one["account"]: one["verdict"] for one in reports if one["timestamp"].startswith("2026-03-02")}
    assert verdicts == {"a": "discrepancies", "b": "reconciled", "c": "reconciled"}
    assert run("journal", "verify").status == 0


def test_the_same_tables_once_more_change_nothing(run: Run, compared: Compared) -> None:
    compared(1, OURS, THEIRS)
    compared(2, OURS, (*THEIRS[:2], "a,ETH,2,3000", *THEIRS[3:]))
    before, reports = followed(run), run("reports", "--days", "36500", "--json").out
    for day, theirs in ((2, (*THEIRS[:2], "a,ETH,2,3000", *THEIRS[3:])), (1, THEIRS)):
        outcome = compared(day, OURS, theirs, "--json")
        assert (outcome.json()["recorded"]["accounts"], outcome.json()["recorded"]["failed"]) == (0, [])
        assert (followed(run), run("reports", "--days", "36500", "--json").out) == (before, reports)


def test_what_people_decided_ends_where_a_later_day_agrees(run: Run, compared: Compared) -> None:
    compared(1, OURS, THEIRS)
    name = followed(run)["b"][0]
    assert run("review", "accept", name, "--reason", "timing", "--note", "settles late", "--until", "2w").status == 0
    compared(2, OURS, (*THEIRS, "b,USD,100,1"))
    told = run("discrepancy", name, "--json").json()
    assert (told["state"], told["review"]["state"]) == ("cleared", "closed")


def test_what_the_tables_are_not_about_stays_as_it_was(run: Run, compared: Compared) -> None:
    compared(1, OURS, THEIRS, "--exchange", "other")
    before = followed(run)
    both = (HEAD, "a,ETH,2,", "d,BTC,1,")
    assert compared(2, both, both).status == 0  # of another exchange
    assert followed(run) == before
    assert compared(3, both[::2], both[::2], "--exchange", "other").status == 0  # of another account
    assert followed(run) == before
    assert compared(4, both, (*both, "a,BTC"), "--exchange", "other").status == 3
    assert (followed(run)["a"][1], followed(run)["b"]) == ("cleared", before["b"])


def test_nothing_is_recorded_of_tables_that_were_not_read_to_their_end(
    run: Run, compared: Compared, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps = iter(range(100))
    monkeypatch.setattr(source.Source, "stamp", lambda _: ((next(stamps), 0),))
    assert compared(1, OURS, THEIRS).status == 4
    assert followed(run) == {}


def test_a_configuration_names_the_store_and_the_files_say_when_it_was(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "service.toml"
    config.write_text(f'[database]\nurl = "sqlite+aiosqlite:///{tmp_path}/its.db"\n', encoding="utf-8")
    files = [tmp_path / f"{name}.csv" for name in ("ours", "theirs")]
    for file, lines in zip(files, (OURS, THEIRS), strict=True):
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert run("compare", *map(str, files), "--store", str(config)).out.splitlines()[-2] == "accounts recorded: 3"
    outcome = run("compare", *map(str, files), "--store", str(config))
    assert outcome.out.splitlines()[-1] == "accounts recorded: 0, 3 before"
    told = run("discrepancies", "--config", str(config), "--json").json()
    assert told["count"] == 3


@pytest.mark.parametrize(
    "wrong, status, words",
    [
        ({"as_of": "yesterday"}, 2, "is no instant of the past with its zone"),
        ({"as_of": "2026-03-01"}, 2, "is no instant of the past with its zone"),
        ({"as_of": "2999-03-01T00:00Z"}, 2, "is no instant of the past with its zone"),
        ({"store": "no-such-folder/store.db"}, 4, "no-such-folder"),
        ({"store": "mysql://host/db"}, 4, "sqlite"),
        ({"store": "gone.toml"}, 2, "cannot read the configuration gone.toml"),
    ],
)
def test_a_store_that_cannot_be_used_is_refused_with_the_way_out(
    compared: Compared, wrong: dict[str, str], status: int, words: str
) -> None:
    outcome = compared(1, OURS, THEIRS, **wrong)
    assert (outcome.status, words in outcome.err) == (status, True), outcome.err
