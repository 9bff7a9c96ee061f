"""Fixtures of the SDK's tests: an edge, and the proof that clients leave no task behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from tests.sdk.edge import Edge, running_edge


@pytest_asyncio.fixture(autouse=True)
async def no_task_is_left() -> AsyncIterator[None]:
    """Every test stops its clients; whatever still runs then has no owner."""
    before = asyncio.all_tasks()
    yield
    assert asyncio.all_tasks() - before == {asyncio.current_task()} - before


@pytest_asyncio.fixture
async def edge(no_task_is_left: None) -> AsyncIterator[Edge]:
    async with running_edge() as edge:
        yield edge
