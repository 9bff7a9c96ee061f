"""Receivers' keys to users."""

from __future__ import annotations

import asyncio

import pytest

from maim_router.auth import resolver as module
from maim_router.auth.resolver import Resolver


class Directory:
    """Answers when the gate is open, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.now = 0.0
        self.error: Exception | None = None
        self.resolver = Resolver(self._ask, 60.0, lambda: self.now)

    async def _ask(self, api_key: str, platform: str) -> str:
        self.asked.append((api_key, platform))
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return api_key.upper()


async def test_a_key_is_asked_about_once_and_remembered_for_a_while() -> None:
    directory = Directory()
    assert directory.resolver.known("k", "qq", directory.now) is None
    assert await directory.resolver.resolve("k", "qq") == "K"
    directory.now = 59.9
    assert directory.resolver.known("k", "qq", directory.now) == "K"
    assert await directory.resolver.resolve("k", "qq") == "K"
    directory.now = 60.0
    assert directory.resolver.known("k", "qq", directory.now) is None
    await directory.resolver.resolve("k", "qq")
    assert directory.asked == [("k", "qq")] * 2


async def test_the_platform_is_part_of_the_question() -> None:
    directory = Directory()
    await directory.resolver.resolve("k", "qq")
    assert directory.resolver.known("k", "wx", directory.now) is None


async def test_many_who_ask_at_once_make_one_question() -> None:
    directory = Directory()
    directory.gate.clear()
    many = [asyncio.ensure_future(directory.resolver.resolve("k", "qq")) for _ in range(5)]
    await asyncio.sleep(0)
    directory.gate.set()
    assert await asyncio.gather(*many) == ["K"] * 5
    assert len(directory.asked) == 1


async def test_whoever_gives_up_does_not_take_the_answer_from_the_others() -> None:
    directory = Directory()
    directory.gate.clear()
    first = asyncio.ensure_future(directory.resolver.resolve("k", "qq"))
    second = asyncio.ensure_future(directory.resolver.resolve("k", "qq"))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    directory.gate.set()
    assert await second == "K"


async def test_an_error_is_raised_and_not_remembered() -> None:
    directory = Directory()
    directory.error = LookupError("down")
    with pytest.raises(LookupError):
        await directory.resolver.resolve("k", "qq")
    directory.error = None
    assert await directory.resolver.resolve("k", "qq") == "K"


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT", 2)
    directory = Directory()
    for key in ("a", "b", "a", "c"):
        await directory.resolver.resolve(key, "qq")
    known = [directory.resolver.known(key, "qq", directory.now) for key in "abc"]
    assert known == [None, "B", "C"]


async def test_stopping_ends_what_is_being_asked() -> None:
    directory = Directory()
    directory.gate.clear()
    waiting = asyncio.ensure_future(directory.resolver.resolve("k", "qq"))
    await asyncio.sleep(0)
    await directory.resolver.stop()
    with pytest.raises(asyncio.CancelledError):
        await waiting
