"""The folder for what survives a service."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from maim_protocol.errors import ConfigError
from maim_runtime.state import state_dir


def test_what_is_given_counts_before_systemds_and_that_before_xdgs(tmp_path: Path) -> None:
    env = {
        "STATE_DIRECTORY": f"{tmp_path}/unit:{tmp_path}/other",
        "XDG_STATE_HOME": f"{tmp_path}/x",
    }
    assert state_dir(tmp_path / "given", env) == tmp_path / "given"
    assert state_dir(None, env) == tmp_path / "unit"
    del env["STATE_DIRECTORY"]
    assert state_dir(None, env) == tmp_path / "x" / "maim"


def test_it_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    made = state_dir(tmp_path / "a" / "b", {})
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert state_dir(made, {}) == made


def test_without_any_it_is_below_the_home_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    expected = tmp_path / ".local" / "state" / "maim"
    assert state_dir(None, {"XDG_STATE_HOME": "relative"}) == expected


def test_one_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"state_dir: .*/file/x: cannot be made"):
        state_dir(tmp_path / "file" / "x", {})
