"""What tests of the edge share."""

from __future__ import annotations

import pytest

from tests.edge.service import edge_peer


@pytest.fixture(params=["picows", "websockets-sansio"])
def each_ws(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the test once on each WebSocket protocol class."""
    name: str = request.param
    monkeypatch.setitem(edge_peer.COMMON, "ws", name)
    return name
