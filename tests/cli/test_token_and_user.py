"""``gal-friday token`` and ``gal-friday user``: what they print, what they never print, and what they refuse."""

import io
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gal_friday.domain.token_text import read
from tests.cli.conftest import Run

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _settings() -> None:
    account = 'api_key = "env:K"\napi_secret = "env:S"\n'
    Path("gal-friday.toml").write_text(
        f'[database]\nurl = "sqlite+aiosqlite:///db.sqlite"\n[accounts.main]\n{account}[accounts.spare]\n{account}'
    )


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\nmore\n"))


def test_a_token_is_on_stdout_alone_and_once(run: Run) -> None:
    made = run("token", "create", "the bot", "--scopes", "read,feed", "--accounts", "main")
    assert made.status == 0
    shown = read(made.out.strip())
    assert shown.id in made.err
    assert made.out.strip() not in made.err
    listed = run("token", "list")
    assert "the bot" in listed.out
    assert made.out.strip()[14:] not in listed.out + run("token", "list", "--json").out
    (row,) = run("token", "list", "--json").json()["tokens"]
    assert (row["accounts"], row["scopes"], row["owner"]) == (["main"], ["feed", "read"], "the bot")


def test_a_revoked_token_is_listed_only_with_all(run: Run) -> None:
    made = run("token", "create", "bot", "--json").json()
    assert run("token", "revoke", made["id"]).status == 0
    assert run("token", "list", "--json").json()["count"] == 0
    assert run("token", "list", "--all", "--json").json()["tokens"][0]["revoked"]
    again = run("token", "revoke", made["id"])
    assert (again.status, "no token" in again.err) == (2, True)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("--role", "boss"), "'boss' is no role; known are viewer, reviewer, approver, admin"),
        (("--scopes", "write"), "'write' is no scope"),
        (("--accounts", "nope"), "no account 'nope'; configured are: main, spare"),
        (("--accounts", ","), "names none"),
        (("--days", "0"), "--days goes from 1 to 366"),
        (("--days", "367"), "--days goes from 1 to 366"),
        (("--role", "admin"), "`gal-friday user add bot` first"),
        (("--owner", "policy"), "kept for what this program does by itself"),
    ],
)
def test_what_makes_no_token_says_what_would(run: Run, arguments: tuple[str, ...], said: str) -> None:
    refused = run("token", "create", "bot", *arguments)
    assert refused.status != 0
    assert said in refused.err
    assert refused.out == ""
    assert run("token", "list", "--json").json()["count"] == 0


@pytest.mark.usefixtures("typed")
def test_somebody_who_was_added_is_listed_and_the_password_is_nowhere(run: Run) -> None:
    made = run("user", "add", "Alice", "--role", "approver", "--accounts", "main", "--password-stdin")
    assert (made.status, made.out) == (0, "Alice: approver, accounts: main, with a password\n")
    assert "Alice" in run("user", "list").out
    (row,) = run("user", "list", "--json").json()["users"]
    assert (row["role"], row["accounts"], row["password"]) == ("approver", ["main"], True)
    with closing(sqlite3.connect("db.sqlite")) as database:
        everything = "\n".join(database.iterdump())
    assert PASSWORD not in everything
    assert "$argon2id$v=19$m=65536,t=3,p=4$" in everything


def test_a_password_is_taken_from_stdin_or_a_terminal_and_from_no_argument(run: Run, typed: None) -> None:
    assert "--password-stdin" in run("user", "add", "bob").err
    assert run("user", "add", "bob", "--password", PASSWORD).status == 2
    assert run("user", "list", "--json").json()["count"] == 0


def test_on_a_terminal_it_is_asked_for_twice(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    answers = iter([PASSWORD, "something else entirely", PASSWORD, PASSWORD])
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: next(answers))
    refused = run("user", "add", "bob")
    assert (refused.status, "not the same" in refused.err) == (2, True)
    assert run("user", "add", "bob").status == 0


@pytest.mark.parametrize("text", ["short\n", "", "x" * 10_000])
def test_a_password_that_will_not_do_is_refused_and_not_shown(
    run: Run, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    refused = run("user", "add", "bob", "--password-stdin")
    assert (refused.status, "the password has" in refused.err) == (2, True)
    assert "short" not in refused.err.replace("a shorter", "")


def test_a_name_that_looks_like_another_is_refused(run: Run) -> None:
    run("user", "add", "alice", "--without-password")
    refused = run("user", "add", "Аlice", "--without-password")
    assert "looks like it; take a name that nobody mistakes for it" in refused.err
    assert refused.status == 2


@pytest.mark.usefixtures("typed")
def test_what_somebody_may_is_changed_by_name(run: Run) -> None:
    run("user", "add", "alice", "--without-password", "--accounts", "main")
    assert run("user", "role", "ALICE", "admin", "--json").json()["accounts"] == ["main"]
    assert run("user", "role", "alice", "admin", "--all-accounts", "--json").json()["accounts"] is None
    assert run("user", "password", "alice", "--password-stdin", "--json").json()["password"] is True
    assert run("user", "disable", "alice", "--json").json()["disabled"]
    assert run("user", "enable", "alice", "--json").json()["disabled"] is None
    assert "nobody has the name 'bob'" in run("user", "disable", "bob").err
    kinds = [one["kind"] for one in run("journal", "show", "--json").json()["entries"]]
    assert [kind for kind in kinds if kind.startswith(("user", "role", "password"))] == [
        *("user_enabled", "user_disabled", "password_changed", "role_changed", "role_changed", "user_created"),
    ]


def test_a_link_holds_its_secret_where_no_server_sees_it(run: Run) -> None:
    run("user", "add", "alice", "--without-password")
    address = run("user", "link", "alice").out.strip()
    assert address.startswith("http://localhost:8321/sign-in#")
    secret = address.partition("#")[2]
    assert len(secret) == 64
    with closing(sqlite3.connect("db.sqlite")) as database:
        assert secret not in "\n".join(database.iterdump())


def test_whoever_has_no_password_is_given_a_link_by_a_command_that_can_be_copied(run: Run) -> None:
    added = run("user", "add", "bob the first", "--without-password", "--config", "gal-friday.toml")
    assert "gal-friday user link --config gal-friday.toml 'bob the first'" in added.err
    linked = run("user", "link", "--config", "gal-friday.toml", "bob the first")
    assert (linked.status, "/sign-in#" in linked.out) == (0, True)
