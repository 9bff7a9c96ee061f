"""The document of benchmarks/ shows what was measured last, and names every row and system."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.report import results, table
from benchmarks.rows import ROWS
from benchmarks.systems import SYSTEMS

SHOWN = re.compile(r"<!-- from results/latest.json -->\n(?P<text>.*?)<!-- end -->", re.DOTALL)
NAMED = re.compile(r"`([a-z][a-z0-9-]+)`")


@pytest.fixture
def document(repository: Path) -> str:
    return (repository / "benchmarks" / "README.md").read_text("utf-8")


def test_it_shows_the_latest_results(document: str) -> None:
    shown = SHOWN.search(document)
    assert shown is not None
    assert shown["text"] == f"{table.report(results.read(results.LATEST))}\n"


@pytest.mark.parametrize("name", SYSTEMS)
def test_it_explains_every_system(document: str, name: str) -> None:
    assert name in NAMED.findall(document)


def test_it_explains_every_row(document: str) -> None:
    explained = set(NAMED.findall(document)) | {"open1000", "open4000"}  # as "open100 to open8000"
    assert set(ROWS) <= explained
