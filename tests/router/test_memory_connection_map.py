"""The connection map of one process keeps the contract."""

from __future__ import annotations

import pytest

from maim_router.connection_map import ConnectionMap, MemoryConnectionMap
from tests.router.connection_map_contract import ConnectionMapContract, entry


class TestMemoryConnectionMap(ConnectionMapContract):
    """In dictionaries."""

    @pytest.fixture
    def connections(self) -> ConnectionMap:
        return MemoryConnectionMap()


def test_no_credential_shows_in_the_repr_of_an_entry() -> None:
    one = entry(1)
    one.metadata["api_key"] = "s3cret"
    assert "s3cret" not in repr(one)
