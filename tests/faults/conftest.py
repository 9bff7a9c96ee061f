"""Options and fixtures of the fault suite."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Tell = Callable[[str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let ARGS="--schedules 20" choose how many schedules are played."""
    parser.addoption("--schedules", type=int, default=200, help="random schedules to play")


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Tell:
    """Print what shall be seen whether the test passes or not."""

    def say(text: str) -> None:
        with capsys.disabled():
            print(f"\n{text}", end="", flush=True)

    return say
