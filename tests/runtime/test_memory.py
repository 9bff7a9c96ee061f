"""How much memory a process may take."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maim_runtime.memory import available_bytes, bytes_of, parse_share

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_bytes_are_bytes_and_a_share_is_of_what_there_is() -> None:
    assert bytes_of("1000") == 1000
    assert bytes_of("50%") == available_bytes() // 2
    assert parse_share(" 7 % ".strip()) == 0.07


@pytest.mark.parametrize("text", ["", "0", "0%", "101%", "-1", "1.5%", "many", "%", "1e9", "٣"])
def test_anything_else_is_an_error_that_says_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="bytes, or a share"):
        parse_share(text)


def test_the_least_limit_of_all_groups_above_counts(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "memory.max").write_text("5000000\n")
    (tmp_path / "a" / "b" / "memory.max").write_text("max\n")
    membership = tmp_path / "membership"
    membership.write_text("0::/a/b\n")
    assert available_bytes(tmp_path, membership) == 5_000_000


def test_the_older_control_groups_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "memory" / "box").mkdir(parents=True)
    (tmp_path / "memory" / "box" / "memory.limit_in_bytes").write_text("7000000\n")
    membership = tmp_path / "membership"
    membership.write_text("3:cpu:/\n2:memory:/box\n")
    assert available_bytes(tmp_path, membership) == 7_000_000


def test_without_control_groups_it_is_the_machine(tmp_path: Path) -> None:
    assert available_bytes(tmp_path, tmp_path / "nothing") == MACHINE
