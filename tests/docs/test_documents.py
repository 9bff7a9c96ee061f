"""The documents show what is: example files whole, flags and headings that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from maim_edge.settings import EdgeSettings
from maim_message.cli.app import app
from maim_router.settings import RouterSettings
from maim_runtime.settings.sources import flag_name
from tests.docs import markdown
from tests.repository import tree

READMES = ("README.md", "README.zh-CN.md")
TWINS = (
    READMES,
    ("docs/deployment.md", "docs/deployment.zh-CN.md"),
    ("docs/grpcurl.md", "docs/grpcurl.zh-CN.md"),
    ("docs/settings.md", "docs/settings.zh-CN.md"),
    ("docs/troubleshooting.md", "docs/troubleshooting.zh-CN.md"),
)
PROGRAMS = ("python", "js", "go")
SHOWN = (*((name, ["python", "js"]) for name in READMES), ("docs/clients.md", ["go"]))
MOST_LINES = 150  # of a first page
CITED = re.compile(r'docs/(?P<name>\w+\.md)(?:[,)]? "(?P<section>[^"]+)")?')
LINK = re.compile(r"\]\((?P<path>[^)#\s]*)#(?P<anchor>[^)\s]+)\)")
FLAG = re.compile(r"(?<=\s)--[a-z][a-z-]*")
SETTING = re.compile(r"`[A-Z_]+(?:=[^`]*)?`")
COMMAND = re.compile(r"(?:^|\$\(|\s)maim (?P<rest>[a-z].*)")


@pytest.mark.parametrize("document", READMES)
def test_a_first_page_is_short(repository: Path, document: str) -> None:
    assert len(markdown.read(repository / document).splitlines()) <= MOST_LINES


@pytest.mark.parametrize(("document", "programs"), SHOWN)
def test_every_program_of_a_first_message_is_an_example_file_whole(
    repository: Path, document: str, programs: list[str]
) -> None:
    found = [
        block
        for block in markdown.blocks(markdown.read(repository / document))
        if block.language in PROGRAMS
    ]
    assert [block.language for block in found] == programs
    for block in found:
        assert block.example is not None, block.code
        assert block.code == markdown.read(repository / block.example)


@pytest.mark.parametrize("twins", TWINS, ids=lambda twins: twins[0])
def test_both_twins_have_the_same_structure_programs_and_tables(
    repository: Path, twins: tuple[str, str]
) -> None:
    english, chinese = (markdown.read(repository / name) for name in twins)
    depths = [[depth for depth, _ in markdown.headings(text)] for text in (english, chinese)]
    assert depths[0] == depths[1]
    codes = [[block.code for block in markdown.blocks(text)] for text in (english, chinese)]
    assert codes[0] == codes[1]
    spans = [[len(markdown.rows(text)), _names(text)] for text in (english, chinese)]
    assert spans[0] == spans[1]


def test_every_page_and_section_that_the_sources_cite_exists() -> None:
    missing = [
        f"{tree.named(path)}: {found[0]}"
        for path in tree.sources(".py", ".proto")
        for found in CITED.finditer(path.read_text("utf-8"))
        if not _is_there(found["name"], found["section"] or "")
    ]
    assert missing == []


def test_every_anchor_of_the_documents_is_a_heading() -> None:
    missing = [
        f"{tree.named(path)}: {link[0]}"
        for path in tree.files(".md")
        for link in LINK.finditer(path.read_text("utf-8"))
        if "://" not in link["path"]
        and link["anchor"] not in markdown.anchors(_linked(path, link["path"]))
    ]
    assert missing == []


def test_every_flag_of_a_command_of_the_documents_exists() -> None:
    known = _flags()
    unknown = [
        f"{tree.named(path)}: {command['rest']}"
        for path in tree.files(".md")
        for line in markdown.shell_commands(path.read_text("utf-8"))
        for command in COMMAND.finditer(line.split(" #")[0])
        if not set(FLAG.findall(command["rest"])) <= known[command["rest"].split()[0]]
    ]
    assert unknown == []


def _names(text: str) -> list[str]:
    """Return the settings that the tables name."""
    return [name for row in markdown.rows(text) for name in SETTING.findall(row)]


def _is_there(name: str, section: str) -> bool:
    page = tree.ROOT / "docs" / name
    if not page.is_file():
        return False
    return any(title.startswith(section) for _, title in markdown.headings(markdown.read(page)))


def _linked(path: Path, target: str) -> str:
    return markdown.read(path.parent / target if target else path)


def _flags() -> dict[str, set[str]]:
    edge, router = ({flag_name(f) for f in c.model_fields} for c in (EdgeSettings, RouterSettings))
    of_both = {f"--router-{flag[2:]}" for flag in edge & router}
    flags = {
        "edge": edge | {"--config"},
        "router": router | {"--config"},
        "serve": edge | router | of_both | {"--config"},
    }
    return _command_flags(get_command(app).commands) | flags


def _command_flags(commands: dict[str, Any]) -> dict[str, set[str]]:
    return {name: _own_flags(command) for name, command in commands.items()}


def _own_flags(command: Any) -> set[str]:
    found = {option for param in command.params for option in param.opts}
    for inner in getattr(command, "commands", {}).values():
        found |= _own_flags(inner)
    return found
