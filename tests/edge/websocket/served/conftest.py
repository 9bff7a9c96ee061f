"""Each test here runs with both protocol classes, on the event loop of Python and on uvloop."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Callable, Mapping

import pytest

from tests.edge.websocket.served.site import CLASSES, ProtocolClass


@pytest.fixture(params=CLASSES)
def ws(request: pytest.FixtureRequest) -> ProtocolClass:
    """A protocol class for uvicorn."""
    return CLASSES[request.param]


@pytest.fixture
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give peers next to no time to answer a close frame."""
    for name in ("picows.socket", "sansio.socket", "sansio.protocol"):
        monkeypatch.setattr(f"maim_edge.websocket.{name}.CLOSE_SECONDS", 0.05)


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Name the event loops to run each test on."""
    factories: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
        "asyncio": asyncio.new_event_loop
    }
    if sys.platform != "win32":
        factories["uvloop"] = importlib.import_module("uvloop").new_event_loop
    return factories
