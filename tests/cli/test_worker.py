"""``gal-friday worker``: what it says where it cannot begin."""

import sys
from pathlib import Path

import pytest

from gal_friday.adapters import dispatch
from tests.cli.conftest import Run


def test_a_worker_without_its_extra_says_how_to_install_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("gal-friday.toml").write_text('[accounts.main]\napi_key = "env:K"\napi_secret = "env:S"\n')
    monkeypatch.delitem(sys.modules, "gal_friday.adapters.dispatch.queue", raising=False)
    monkeypatch.delattr(dispatch, "queue", raising=False)
    monkeypatch.setitem(sys.modules, "procrastinate", None)
    done = run("worker")
    assert (done.status, "a fleet needs the extra: pip install 'gal-friday[fleet]'" in done.err) == (2, True)
