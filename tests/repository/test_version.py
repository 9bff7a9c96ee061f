"""The version is stated once, in pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version

from tests.repository import tree

PROJECT = tomllib.loads((tree.ROOT / "pyproject.toml").read_text())["project"]


def test_the_installed_version_is_the_stated_one() -> None:
    assert version("maim-message") == PROJECT["version"]


def test_no_source_states_the_version_again() -> None:
    stated = re.compile(rf"\b{re.escape(PROJECT['version'])}\b|__version__ = ['\"]\d")
    again = [tree.named(p) for p in tree.sources(".py") if stated.search(p.read_text())]
    assert again == []


def test_the_changelog_tells_of_the_version() -> None:
    assert f"## [{PROJECT['version']}]" in (tree.ROOT / "CHANGELOG.md").read_text()
