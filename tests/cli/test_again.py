"""Every command that a message names goes by the configuration that its own command was given."""

from pathlib import Path

import pytest

from gal_friday.cli.again import carrying, config_in, named

HERE = Path("/etc/a b.toml")


@pytest.mark.parametrize(
    "said, carried",
    [
        (
            "`gal-friday discrepancies --all` lists them",
            "`gal-friday discrepancies --config '/etc/a b.toml' --all` lists",
        ),
        ("look again: gal-friday run main", "look again: gal-friday run --config '/etc/a b.toml' main"),
        ("gal-friday review approve adj_1; or", "gal-friday review approve --config '/etc/a b.toml' adj_1; or"),
        ("gal-friday config check --config x.toml", "gal-friday config check --config x.toml"),
        ("`gal-friday init` writes one", "`gal-friday init` writes one"),
        ("gal-friday runs", "gal-friday runs"),
    ],
)
def test_a_command_in_a_sentence_carries_the_configuration(said: str, carried: str) -> None:
    assert carrying(said, HERE).startswith(carried)
    assert carrying(said, None) == said


@pytest.mark.parametrize(
    "arguments, config",
    [
        (["run", "--config", "x.toml", "main"], Path("x.toml")),
        (["run", "--config=x.toml"], Path("x.toml")),
        (["run", "--config"], None),
        (["run", "main"], None),
    ],
)
def test_the_configuration_is_the_one_that_was_named(arguments: list[str], config: Path | None) -> None:
    assert config_in(arguments) == config


def test_nothing_follows_where_none_was_named() -> None:
    assert (named(None), named(Path("x.toml"))) == ("", " --config x.toml")
