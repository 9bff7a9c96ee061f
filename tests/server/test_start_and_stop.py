"""Starting and stopping a `WebSocketServer`: from callbacks, cut off, and several at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from maim_message.server import WebSocketServer, create_server_config
from maim_protocol.errors import ConfigError
from tests.server.test_websocket_server import Person, message

SECONDS = 20


def made(**settings: Any) -> WebSocketServer:
    return WebSocketServer(create_server_config(port=0, **settings))


async def turn(times: int = 10) -> None:
    """Let what was begun go on for a while, but not to its end."""
    for _ in range(times):
        await asyncio.sleep(0)


async def answers(url: str) -> bool:
    host, _, port = url.removeprefix("ws://").partition("/")[0].partition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@pytest.fixture(autouse=True)
async def _no_task_is_left() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    # A task that has ended is still listed until its callbacks have run.
    async with asyncio.timeout(SECONDS):
        await asyncio.gather(*left, return_exceptions=True)


Settings = Callable[[Callable[..., Any]], dict[str, Any]]
# What lets a callback be called, by a client that comes, sends and goes, or by itself.
CALLBACKS: dict[str, Settings] = {
    "on_message": lambda callback: {"on_message": callback},
    "on_connect": lambda callback: {"on_connect": callback},
    "on_disconnect": lambda callback: {"on_disconnect": callback},
    "custom": lambda callback: {"custom_handlers": {"poke": callback}},
    "stats": lambda callback: {"stats_callback": callback, "stats_interval": 0.01},
}


async def visit(server: WebSocketServer) -> None:
    async with Person(server, "bob") as bob:
        await bob.client.send_message(message("x"))
        await bob.client.send_custom_message("poke", {})


@pytest.mark.parametrize("name", CALLBACKS)
async def test_a_callback_may_stop_its_server_and_goes_on(name: str) -> None:
    gone_on = asyncio.Event()

    async def callback(*_: object) -> None:
        await server.stop()
        gone_on.set()

    server = made(**CALLBACKS[name](callback))
    await server.start()
    url = server.url
    async with asyncio.timeout(SECONDS):
        await visit(server)
        await gone_on.wait()
        assert not server.is_running()
        await server.stop()
    assert not await answers(url)
    assert server.get_stats()["active_handler_tasks"] <= 1, "it may have to end itself"


@pytest.mark.parametrize("name", ["on_message", "stats"])
async def test_a_callback_may_start_its_server_again(name: str) -> None:
    started = asyncio.Event()

    async def callback(*_: object) -> None:
        server.update_config(on_message=None, stats_callback=None)
        await server.stop()
        await server.start()
        started.set()

    server = made(**CALLBACKS[name](callback))
    await server.start()
    async with asyncio.timeout(SECONDS):
        await visit(server)
        await started.wait()
        async with Person(server, "alice") as alice:
            assert alice.connected
        await server.stop()


@pytest.mark.parametrize("name", ["on_message", "stats"])
async def test_a_callback_that_is_cut_off_may_wait_for_the_end(name: str) -> None:
    begun = asyncio.Event()
    told: list[str] = []

    async def callback(*_: object) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await server.stop()
            told.append("callback")

    server = made(**CALLBACKS[name](callback))
    await server.start()
    async with Person(server, "bob") as bob, asyncio.timeout(SECONDS):
        await bob.client.send_message(message("x"))
        await begun.wait()
        await server.stop()
        await turn()
    assert told == ["callback"]


async def test_the_auth_callback_may_stop_its_server() -> None:
    async def on_auth(_: dict[str, Any]) -> bool:
        await server.stop()
        return True

    server = made(on_auth=on_auth)
    await server.start()
    url = server.url
    async with asyncio.timeout(SECONDS):
        await visit(server)
        await server.stop()
    assert not await answers(url)


async def test_a_stop_that_was_cut_off_goes_on_and_the_next_waits_for_it() -> None:
    begun = asyncio.Event()
    told: list[str] = []

    async def on_message(*_: object) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            told.append("cut off")

    server = made(on_message=on_message)
    await server.start()
    url = server.url
    async with Person(server, "bob") as bob, asyncio.timeout(SECONDS):
        await bob.client.send_message(message("x"))
        await begun.wait()
        stopping = asyncio.create_task(server.stop())
        await turn()
        stopping.cancel()
        await asyncio.wait([stopping])
        assert (stopping.cancelled(), told, server.is_running()) == (True, [], False)
        await server.stop()
    assert told == ["cut off"]
    assert not await answers(url)


async def test_a_start_during_a_stop_begins_when_all_has_ended() -> None:
    server = made()
    await server.start()
    stopping = asyncio.create_task(server.stop())
    await turn()
    async with asyncio.timeout(SECONDS):
        await server.start()
        assert stopping.done()
        async with Person(server, "bob") as bob:
            assert bob.connected
        await server.stop()
    await stopping


async def test_a_stop_during_a_start_ends_what_was_started() -> None:
    server = made()
    starting = asyncio.create_task(server.start())
    await turn(1)
    async with asyncio.timeout(SECONDS):
        await server.stop()
    assert (starting.done(), server.is_running(), server.url) == (True, False, "")


async def test_the_second_of_two_starts_is_told_that_it_is_the_second() -> None:
    server = made()
    first, second = await asyncio.gather(server.start(), server.start(), return_exceptions=True)
    assert first is None
    assert isinstance(second, ConfigError)
    async with Person(server, "bob") as bob:
        assert bob.connected
    await server.stop()


@pytest.mark.parametrize("turns", [0, 1, 2, 4])
async def test_a_start_that_was_cut_off_leaves_nothing(turns: int) -> None:
    server = made()
    starting = asyncio.create_task(server.start())
    await turn(turns)
    starting.cancel()
    await asyncio.wait([starting])
    assert (starting.cancelled(), server.is_running(), server.url) == (True, False, "")
    async with server, Person(server, "bob") as bob:
        assert bob.connected
