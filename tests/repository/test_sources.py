"""The house rules that no linter knows."""

from __future__ import annotations

import re
import tomllib

from tests.repository import tree

MOST_LINES = 300
PROGRAMS = (".py", ".js", ".mjs", ".go", ".java", ".html", ".sh")
IGNORED_IN_PLACE = re.compile(
    r"#\s*noqa\b(?P<rules>:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?(?P<reason>.*)"
)
IGNORED_IN_CONFIG = re.compile(r'^\s*"[A-Z]+\d+"', re.MULTILINE)


def test_no_source_file_is_longer_than_300_lines() -> None:
    lengths = {tree.named(p): len(p.read_text().splitlines()) for p in tree.sources(*PROGRAMS)}
    assert {name: n for name, n in lengths.items() if n > MOST_LINES} == {}


def test_every_rule_ignored_in_place_is_named_and_has_its_reason() -> None:
    bare = [
        tree.named(path, number)
        for path in tree.sources(".py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if (found := IGNORED_IN_PLACE.search(line)) and path.name != "test_sources.py"
        if not found["rules"] or len(found["reason"].strip(" #-:")) < len("why")
    ]
    assert bare == []


def test_every_rule_ignored_in_the_configuration_has_its_reason() -> None:
    text = (tree.ROOT / "pyproject.toml").read_text()
    lint = tomllib.loads(text)["tool"]["ruff"]["lint"]
    ignored = [lint.get("ignore", []), *lint.get("per-file-ignores", {}).values()]
    lines = [line for line in text.splitlines() if IGNORED_IN_CONFIG.match(line)]
    assert len(lines) == sum(map(len, ignored)), "one ignored rule a line"
    assert [line for line in lines if "#" not in line] == []


def test_every_package_is_typed() -> None:
    packages = ["proto/maim_protocol", "edge/maim_edge", "router/maim_router"]
    packages.append("client_sdk/maim_message")
    assert [p for p in packages if not (tree.ROOT / p / "py.typed").is_file()] == []
