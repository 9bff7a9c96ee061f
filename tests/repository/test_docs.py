"""What the documents point at is there."""

from __future__ import annotations

import re

from tests.repository import tree

LINK = re.compile(r"\]\((?P<target>[^)#\s]+)(?:#[^)]*)?\)")
MAKE = re.compile(r"(?:^|`|\$ )make (?P<targets>[a-z][a-z-]*(?: [a-z][a-z-]*)*)", re.MULTILINE)
TARGET = re.compile(r"^(?P<name>[a-z-]+):.*## ", re.MULTILINE)
OWN_WORDS = ("CHANGELOG.md",)  # tells of targets that were


def test_every_relative_link_of_the_documents_leads_somewhere() -> None:
    broken = [
        f"{tree.named(path)} -> {link['target']}"
        for path in tree.files(".md")
        for link in LINK.finditer(path.read_text())
        if "://" not in link["target"] and not link["target"].startswith("mailto:")
        if not (path.parent / link["target"]).exists()
    ]
    assert broken == []


def test_every_make_target_that_the_documents_name_exists() -> None:
    there = set(TARGET.findall((tree.ROOT / "Makefile").read_text()))
    unknown = [
        f"{tree.named(path)}: make {target}"
        for path in tree.files(".md")
        if path.name not in OWN_WORDS
        for named in MAKE.finditer(path.read_text())
        for target in named["targets"].split()
        if target not in there
    ]
    assert unknown == []
