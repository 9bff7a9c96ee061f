"""What the commands print: tables for people, JSON for scripts, never a terminal escape.

Texts of other people reach the terminal here; their control characters would steer it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

MAX_SHOWN_CHARS = 10_000
# A pipe and a file have no edge at which a table had to be folded.
WIDTH_OF_FILES = 240


def console() -> Console:
    """Return a console on stdout that takes texts as they are; wide where it is no terminal."""
    plain = Console(highlight=False, markup=False, emoji=False)
    if not plain.is_terminal and "COLUMNS" not in os.environ:
        plain.width = WIDTH_OF_FILES
    return plain


def print_json(value: object) -> None:
    """Print one value as one line of JSON."""
    print(json.dumps(value, ensure_ascii=False, default=str), flush=True)


def harmless(value: object) -> str:
    """Return a text without control characters, cut when it is very long."""
    text = str(value)
    if len(text) > MAX_SHOWN_CHARS:
        text = f"{text[:MAX_SHOWN_CHARS]}… ({len(text)} characters)"
    return "".join(mark if mark.isprintable() or mark == "\n" else "�" for mark in text)


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Table:
    """Return a table with one column a name, in the order of `columns`."""
    found = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        found.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        found.add_row(*(Text(_cell(column, row.get(column))) for column in columns))
    return found


def _cell(column: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        # By the API's names, a float is a moment in Unix seconds or a number of them.
        moment = column.endswith("_at")
        return (
            f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%SZ}" if moment else f"{value:.1f}"
        )
    if isinstance(value, list | tuple | set | frozenset):
        return harmless(", ".join(str(item) for item in value))
    return harmless(value)
