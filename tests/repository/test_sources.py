"""The house rules that no linter knows."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

from tests.repository import tree

# Beside the entrance; with more there is a room missing.
MOST_FILES = 14
IGNORED_IN_PLACE = re.compile(
    r"#\s*noqa\b(?P<rules>:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?(?P<reason>.*)"
)
IGNORED_IN_CONFIG = re.compile(r'^\s*"[A-Z]+\d+"', re.MULTILINE)


def test_no_room_holds_more_than_fourteen_files() -> None:
    rooms = Counter(str(p.parent.relative_to(tree.ROOT)) for p in tree.sources(".py") if is_room(p))
    assert {name: n for name, n in rooms.items() if n > MOST_FILES} == {}


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
    packages = [
        p.parent for folder in tree.PACKAGES for p in tree.ROOT.glob(f"{folder}/*/__init__.py")
    ]
    assert [p for p in packages if not (p / "py.typed").is_file()] == []


def is_room(path: Path) -> bool:
    """Whether a file is one of a room of the product, its entrance excepted."""
    inside = path.relative_to(tree.ROOT).parts[0] in tree.PACKAGES
    return inside and not path.name.startswith("__")
