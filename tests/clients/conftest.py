"""Fixtures of the clients' tests: a pair with two users who have keys, and no one else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from maim_router.auth.credentials.api_keys import ApiKeys
from tests.clients.pair import Pair, running


@dataclass(frozen=True, slots=True)
class Keys:
    """The key file of a router and the keys in it."""

    file: Path
    alice: str
    bob: str

    @property
    def flags(self) -> dict[str, Any]:
        return {"api-keys-file": self.file}


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    file = ApiKeys(tmp_path / "api_keys.toml", create=True)
    return Keys(tmp_path / "api_keys.toml", file.add("alice").key, file.add("bob").key)


@pytest.fixture
async def pair(keys: Keys) -> AsyncIterator[Pair]:
    async with running(keys.flags) as pair:
        yield pair
