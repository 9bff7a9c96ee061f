"""The tables of settings name every setting, none besides, with its default."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maim_edge.settings import EdgeSettings
from maim_router.settings import RouterSettings
from maim_runtime.settings.model import ServiceSettings, prefix_of
from tests.docs import markdown, settings_tables

SERVICES = (EdgeSettings, RouterSettings)
SETTING = re.compile(r"`(?P<name>[A-Z_]+)(?:=(?P<default>[^`]*))?`")


@pytest.mark.parametrize("cls", SERVICES)
def test_the_operator_s_page_has_the_table_of_each_service(
    repository: Path, cls: type[ServiceSettings]
) -> None:
    text = markdown.read(repository / "docs" / "operations.md")
    assert settings_tables.table(cls) in text, "python -m tests.docs.settings_tables prints it"


def test_the_operator_s_page_has_the_table_of_what_both_have(repository: Path) -> None:
    assert settings_tables.shared_table() in markdown.read(repository / "docs" / "operations.md")


@pytest.mark.parametrize("document", ["docs/settings.md", "docs/settings.zh-CN.md"])
@pytest.mark.parametrize("cls", SERVICES)
def test_the_overview_names_every_setting_with_its_default(
    repository: Path, document: str, cls: type[ServiceSettings]
) -> None:
    text = markdown.read(repository / document)
    assert _in_table(text, prefix_of(cls)) == settings_tables.defaults(cls)


@pytest.mark.parametrize("document", ["docs/settings.md", "docs/settings.zh-CN.md"])
def test_the_overview_names_what_both_services_have(repository: Path, document: str) -> None:
    text = markdown.read(repository / document)
    named = {found["name"]: found["default"] or "" for found in SETTING.finditer(text)}
    shared = settings_tables.shared_defaults()
    assert {name: named.get(name) for name in shared} == shared


def _in_table(text: str, prefix: str) -> dict[str, str]:
    """Read the settings of the table whose head names a prefix: the second column of its rows."""
    table = text.split(f"| `{prefix}…` |")[1].split("\n\n")[0]
    cells = [row.split(" | ")[1] for row in table.splitlines()[2:]]
    named = [found for cell in cells for found in SETTING.finditer(cell)]
    return {found["name"]: found["default"] or "" for found in named}
