"""The pair of processes that tests share which do it no harm."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from maim_router.auth.credentials.api_keys import ApiKeys
from tests.system.pair import Pair, running_pair

USERS = ("alice", "bob", "carol", "mallory")


@pytest.fixture(params=["grpc", "http2"])
def bridge(request: pytest.FixtureRequest) -> dict[str, str]:
    """What carries frames, as options of either service."""
    return {"bridge": str(request.param)}


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """An API key file, and each user's key."""
    path = tmp_path_factory.mktemp("keys") / "keys.toml"
    keys = ApiKeys(path, create=True)
    return path, {user: keys.add(user).key for user in USERS}


@pytest_asyncio.fixture
async def shared_pair(key_file: tuple[Path, dict[str, str]]) -> AsyncIterator[Pair]:
    """A router with an API key file, and an edge."""
    path, keys = key_file
    async with running_pair({"api-keys-file": path}) as pair:
        pair.keys = keys
        yield pair
