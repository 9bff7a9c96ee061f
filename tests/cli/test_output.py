"""Tables and texts on a terminal."""

from __future__ import annotations

from rich.console import Console

from maim_message.cli import output


def test_a_table_shows_texts_as_they_are_lists_joined_and_moments_as_dates() -> None:
    rows = [{"user_id": "[red]爱\x1b[2J", "scopes": ["a", "b"], "connected_at": 0.0, "x": None}]
    console = Console(width=100, record=True, markup=False)
    console.print(output.table(rows, ("user_id", "scopes", "connected_at", "x")))
    shown = console.export_text()
    assert "user id" in shown
    assert "[red]爱�[2J" in shown
    assert "a, b" in shown
    assert "1970-01-01 00:00:00Z" in shown


def test_a_very_long_text_is_cut_with_its_length() -> None:
    assert output.harmless("x" * 10_001).endswith("… (10001 characters)")
