"""What a service logs: one JSON object a line, and no secret in any of them."""

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog

from gal_friday.bootstrap.lines import LINES_MAX
from gal_friday.bootstrap.logs import logging_to

TOKEN = "gf_abcdefgh_0123456789ABCDEFabcdef"


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    made = io.StringIO()
    with logging_to(made):
        yield made


def lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_an_event_is_one_line_with_its_name_and_keys(out: io.StringIO) -> None:
    structlog.get_logger("gal_friday.test").info("run_finished", account="main", seconds=1.5)
    (line,) = lines(out)
    assert (line["event"], line["account"], line["seconds"], line["level"]) == ("run_finished", "main", 1.5, "info")


def test_what_other_libraries_log_has_the_same_form(out: io.StringIO) -> None:
    logging.getLogger("somebody").warning("went %s", "wrong")
    (line,) = lines(out)
    assert (line["event"], line["logger"], line["level"]) == ("went wrong", "somebody", "warning")


@pytest.mark.parametrize("text", [TOKEN, f"Bearer {TOKEN} was shown", "postgresql://me:hunter2@db/books"])
def test_what_looks_like_a_secret_is_taken_out(out: io.StringIO, text: str) -> None:
    structlog.get_logger("gal_friday.test").info(text, because=text, api_key=text)
    logging.getLogger("somebody").error("said %s", text)
    assert len(lines(out)) == 2
    assert "hunter2" not in out.getvalue()
    assert "0123456789ABCDEF" not in out.getvalue()


def test_a_mistake_is_logged_with_its_place(out: io.StringIO) -> None:
    try:
        raise ValueError(f"refused {TOKEN}")
    except ValueError:
        structlog.get_logger("gal_friday.test").exception("run_broke_off", account="main")
    (line,) = lines(out)
    assert "ValueError" in str(line["exception"])
    assert "0123456789ABCDEF" not in out.getvalue()


def test_who_logs_into_a_pipe_that_nobody_reads_goes_on_and_what_was_dropped_is_counted() -> None:
    reading, writing = os.pipe()
    log, more = logging.getLogger("somebody"), 500
    with open(writing, "w", encoding="utf-8") as out, logging_to(out) as tell:
        for number in range(LINES_MAX + more):
            log.info("%05d %s", number, "x" * 100)
        read = open(reading, encoding="utf-8")  # noqa: SIM115 - the pipe ends after the log
        told = [json.loads(next(read)) for _ in range(LINES_MAX)]
        while told[-1]["event"] != "log_lines_dropped":
            told.append(json.loads(next(read)))
        tell("Stopped.")
    with read:
        assert list(read) == ["Stopped.\n"]
    numbers = [int(one["event"][:5]) for one in told[:-1]]
    assert numbers == sorted(numbers)
    assert numbers[0] == 0
    assert 0 < told[-1]["lines"] == LINES_MAX + more - len(numbers)


def test_a_log_that_nobody_reads_does_not_keep_the_program_from_ending() -> None:
    code = (
        "import logging, sys; from gal_friday.bootstrap.logs import logging_to\n"
        "with logging_to(sys.stderr) as tell:\n"
        "    for number in range(3000): logging.getLogger('somebody').error('x' * 100)\n"
        "    tell('Stopped.')"
    )
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) as process:
        assert process.wait(timeout=30) == 0


def test_nothing_is_logged_to_a_place_whose_time_is_over() -> None:
    made = io.StringIO()
    with logging_to(made):
        pass
    made.close()
    logging.getLogger("somebody").error("said later")
    assert logging.getLogger().handlers
    assert not structlog.is_configured()
