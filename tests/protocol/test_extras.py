"""What a plain install leaves out is named by the extra that brings it."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from maim_protocol.extras import need


@pytest.mark.parametrize(("extra", "package"), [("server", "fastapi"), ("cli", "typer")])
def test_an_extra_that_lacks_is_named(
    extra: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"it needs the extra \"{extra}\": pip install"):
        need(extra, "it")


@pytest.mark.parametrize("extra", ["server", "cli"])
def test_an_extra_that_is_there_is_not_asked_for(extra: str) -> None:
    need(extra, "it")


def test_a_bot_installs_a_websocket_and_a_json_library_and_nothing_else(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    names = {requirement.partition(">")[0] for requirement in project["dependencies"]}
    assert names == {"msgspec", "websockets"}
    assert set(project["optional-dependencies"]) == {"server", "cli", "all"}
