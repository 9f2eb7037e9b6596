"""What a service logs: one JSON object a line, and no secret in any of them."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

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


def test_nothing_is_logged_to_a_place_whose_time_is_over() -> None:
    made = io.StringIO()
    with logging_to(made):
        pass
    made.close()
    logging.getLogger("somebody").error("said later")
    assert logging.getLogger().handlers
    assert not structlog.is_configured()
