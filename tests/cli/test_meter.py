"""Progress belongs to a terminal's stderr; a log file or a pipe never sees it."""

import io
import sys

import pytest

from gal_friday.cli.meter import Meter


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_without_a_terminal_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    meter = Meter()
    meter("ledger", 50, None)
    meter.clear()
    assert stream.getvalue() == ""


def test_on_a_terminal_what_is_read_is_shown_and_taken_off_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    meter = Meter()
    meter("ledger\x1b[2J", 50, None)
    meter.clear()
    assert r"ledger\x1b[2J" in stream.getvalue()
    assert stream.getvalue().rstrip().endswith("\x1b[2K")


def test_a_wait_is_one_line_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    meter = Meter()
    meter("seconds of waiting for Kraken's call budget", 6, None)
    meter("seconds of waiting for Kraken's call budget", 348, None)
    meter.clear()
    assert "waiting for Kraken's call budget 348" in stream.getvalue()
