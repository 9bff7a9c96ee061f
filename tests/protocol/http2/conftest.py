"""Every test that waits runs on each loop that a service may run on."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Mapping

import pytest


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Name the loops that pytest-asyncio runs a test on."""
    uvloop = importlib.import_module("uvloop")
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
