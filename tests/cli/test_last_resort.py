"""Whatever a command raises becomes a sentence and a status; a traceback is shown only on demand."""

import pytest

from gal_friday.cli import app
from gal_friday.cli.options import BadUsage
from gal_friday.ports.errors import BookFailed, ExchangeUnavailable
from tests.cli.conftest import Run


@pytest.mark.parametrize(
    "error,status,said",
    [
        (BadUsage("that makes no sense"), 2, "gal-friday: that makes no sense\n"),
        (ExchangeUnavailable("no answer; try later"), 4, "gal-friday: no answer; try later\n"),
        (BookFailed("cannot be read"), 4, "gal-friday: cannot be read\n"),
        (OSError(28, "No space left on device"), 4, "gal-friday: No space left on device\n"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 141, ""),
        (SystemExit(3), 3, ""),
    ],
)
def test_each_failure_has_its_status_and_its_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int, said: str
) -> None:
    def fails(_arguments: object) -> int:
        raise error

    monkeypatch.setattr(app, "run", fails)
    outcome = run("reports")
    assert (outcome.status, outcome.out, outcome.err) == (status, "", said)


def test_a_defect_is_called_one_and_does_not_quote_what_it_held(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_arguments: object) -> int:
        raise KeyError("s3cret")

    monkeypatch.setattr(app, "run", fails)
    plain, debug = run("reports"), run("reports", "--debug")
    assert plain.status == debug.status == 4
    assert "this is a defect of gal-friday (KeyError)" in plain.err
    assert "s3cret" not in plain.err
    assert "Traceback" in debug.err


def test_debug_belongs_to_no_command(run: Run) -> None:
    assert run("--debug", "config", "schema").status == 0


def test_a_message_cannot_move_the_cursor(run: Run) -> None:
    assert "\x1b" not in run("compare", "a\x1b[2J", "b").err
