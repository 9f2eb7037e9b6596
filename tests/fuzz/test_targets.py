"""A share of what ``python3 dev.py fuzz`` does, in every test run: good examples, what was found once, and damage."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import running
from tests.fuzz.targets import TARGETS, examples, found
from tests.fuzz.tokens import LONG, SHORT

EDITS_MAX = 3
EXAMPLES = {name: 30 if name.startswith("api-") else 120 for name in TARGETS}
TIMES = settings().max_examples // 100
"""More of them where somebody wants to explore."""
PIECES = st.sampled_from((*SHORT, *LONG)) | st.binary(max_size=6)
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 0, 2**70, "", "x" * 600, "-1", "1e400", "NaN", "\ud800", "\0", [], {}, [[]], [{}], {"": None}, "0"]
)


@pytest.fixture(autouse=True, scope="module")
def _closed() -> Iterator[None]:
    yield
    running.close()


@st.composite
def damaged(draw: st.DrawFn, good: list[bytes]) -> bytes:
    """Return a good example with up to three pieces of it put in, taken out or replaced, the least damaged first."""
    data = draw(st.sampled_from(good))
    for _ in range(draw(st.integers(1, EDITS_MAX))):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(PIECES) + data[at + draw(st.sampled_from((0, 1, 2, 8, len(data)))) :]
    return data


@st.composite
def misshapen(draw: st.DrawFn, good: list[Any]) -> bytes:
    """Return good JSON in which one value is another one, or is not there."""
    value = copy.deepcopy(draw(st.sampled_from(good)))
    around, key = draw(st.sampled_from(list(_places(value))))
    if draw(st.booleans()):
        around[key] = draw(VALUES)
    else:
        del around[key]
    return json.dumps(value).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield what holds a value and under which name, for every value inside this one."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield value, key
        yield from _places(each)


def tried(name: str) -> st.SearchStrategy[bytes]:
    """Return what a target is tried with."""
    good = [path.read_bytes() for path in examples(name)]
    shaped = [value for value in map(_json, good) if value is not None and list(_places(value))]
    return damaged(good) | misshapen(shaped) if shaped else damaged(good)


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_once_is_read_or_refused(name: str) -> None:
    for path in (*examples(name), *found(name)):
        TARGETS[name](path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.timeout(120)
def test_what_is_damaged_is_read_or_refused(name: str) -> None:
    @settings(max_examples=EXAMPLES[name] * TIMES, suppress_health_check=list(HealthCheck))
    @given(tried(name))
    def holds(data: bytes) -> None:
        TARGETS[name](data)

    holds()
