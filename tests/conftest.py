"""What every test starts from."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

import hypothesis
import pytest

# A busy machine is no reason to fail; a failure prints what reproduces it.
hypothesis.settings.register_profile("here", deadline=None, print_blob=True)
hypothesis.settings.load_profile("here")

# For what fixtures start before the first test; each test has one of its own.
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="maim-state-")

# A shell ignores it for what it runs in the background, and programs that tests start would too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the caller's own MAIM_* environment from what the test runs."""
    for name in list(os.environ):
        if name.startswith("MAIM_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_state_of_others(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keep what services leave behind away from the user's own, and from other tests."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root folder of the repository."""
    return Path(__file__).parent.parent
