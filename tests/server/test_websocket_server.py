"""`WebSocketServer` with real clients of the SDK, in this process and with edge processes."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from maim_message.client import WebSocketClient, create_client_config
from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg
from maim_message.server import AuthResult, Outcome, WebSocketServer, create_server_config
from maim_message.server.websocket_server import NotRunning
from maim_protocol.errors import ConfigError


def message(text: str, api_key: str = "bob", platform: str = "qq") -> APIMessageBase:
    return APIMessageBase(
        BaseMessageInfo(platform=platform, message_id=text, time=1.0),
        Seg("text", text),
        MessageDim(api_key, platform),
    )


@asynccontextmanager
async def serving(
    edge_workers: int | None = None, **settings: Any
) -> AsyncIterator[WebSocketServer]:
    config = create_server_config(port=0, **settings)
    with tempfile.TemporaryDirectory() as folder:
        server = WebSocketServer(
            config, edge_workers=edge_workers, bridge_address=f"unix:{folder}/router"
        )
        async with server:
            yield server


class Person:
    """A client that keeps what it gets."""

    def __init__(self, server: WebSocketServer, api_key: str, platform: str = "qq") -> None:
        self.messages: asyncio.Queue[tuple[APIMessageBase, dict[str, Any]]] = asyncio.Queue()
        self.custom: asyncio.Queue[Any] = asyncio.Queue()
        config = create_client_config(
            server.url,
            api_key,
            platform,
            auto_reconnect=False,
            on_message=lambda *args: self.messages.put_nowait(args),
            custom_handlers={"news": lambda payload, _: self.custom.put_nowait(payload)},
        )
        self.client = WebSocketClient(config)
        self.connected = False

    async def __aenter__(self) -> Person:
        await self.client.start()
        self.connected = await self.client.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.stop()

    async def text(self) -> str:
        async with asyncio.timeout(10):
            got, _ = await self.messages.get()
        return str(got.message_segment.data)


@pytest.mark.parametrize("edge_workers", [None, 2])
async def test_a_message_reaches_its_user_and_says_so(edge_workers: int | None) -> None:
    async with serving(edge_workers) as server, Person(server, "bob") as bob:
        result = await server.send_message(message("hello"), wait_for="acked")
        assert await bob.text() == "hello"
        (uuid,) = result
        assert result == {uuid: True}
        assert result.report.outcomes == {uuid: Outcome.ACKED}
        assert server.get_user_connections("bob") == {uuid}


async def test_nobody_there_is_an_empty_result_that_says_why() -> None:
    async with serving() as server:
        result = await server.send_message(message("hello"))
        assert result == {}
        assert result.report.outcome is Outcome.QUEUED
        assert result.report.expires_at > time.time()


async def test_a_broadcast_reaches_everybody_or_one_platform() -> None:
    async with serving() as server, Person(server, "a") as a, Person(server, "b", "wx") as b:
        assert len(await server.broadcast_message(message("all"))) == 2
        assert [await a.text(), await b.text()] == ["all", "all"]
        assert len(await server.broadcast_message(message("wx only"), platform="wx")) == 1
        assert await b.text() == "wx only"
        assert a.messages.empty()


async def test_a_custom_message_goes_to_the_targets_that_are_given() -> None:
    async with serving() as server, Person(server, "a") as a, Person(server, "b") as b:
        assert len(await server.send_custom_message("news", {"n": 1}, target_user="a")) == 1
        assert await a.custom.get() == {"n": 1}
        assert len(await server.send_custom_message("custom_news", {"n": 2})) == 2
        assert [await a.custom.get(), await b.custom.get()] == [{"n": 2}, {"n": 2}]
        (uuid,) = server.get_user_connections("b")
        await server.send_custom_message("news", {"n": 3}, connection_uuid=uuid)
        assert await b.custom.get() == {"n": 3}
        assert await server.send_custom_message("news", {}, target_user="nobody") == {}


async def test_handlers_are_told_who_sent_and_may_answer() -> None:
    seen: list[dict[str, Any]] = []

    async def on_message(got: APIMessageBase, metadata: dict[str, Any]) -> None:
        seen.append(metadata)
        got.set_message_dim(metadata["api_key"], metadata["platform"])
        await server.send_message(got)

    async with serving(on_message=on_message) as server, Person(server, "bob") as bob:
        assert await bob.client.send_message(message("echo"), wait_ack=True, timeout=10)
        assert await bob.text() == "echo"
        assert seen[0]["user_id"] == "bob"
        assert {"uuid", "api_key", "platform", "headers", "client_ip", "connected_at"} <= set(
            seen[0]
        )


async def test_a_refused_key_reaches_nothing() -> None:
    seen: list[object] = []

    async def on_auth(metadata: dict[str, Any]) -> AuthResult:
        good = metadata["api_key"] == "good"
        return AuthResult(good, user_id="alice" if good else None, error_message="not you")

    settings: dict[str, Any] = {
        "on_auth": on_auth,
        "on_message": lambda *args: seen.append(args),
        "on_connect": lambda *args: seen.append(args),
    }
    async with serving(**settings) as server, Person(server, "bad") as bad:
        assert not bad.connected
        assert "not you" in str(bad.client.get_last_error())
        assert server.get_connection_count() == 0
        async with Person(server, "good") as good:
            assert good.connected
            assert set(server.get_connections()) == server.get_user_connections("alice")
            assert server.get_user_count() == 1
            assert "good" not in str(server.get_connections())
        stats = server.get_stats()
    assert (stats["total_auth_requests"], stats["failed_auths"]) == (2, 1)
    assert [args[1]["user_id"] for args in seen] == ["alice"]  # type: ignore[index]


async def test_the_user_of_a_key_comes_from_the_callback() -> None:
    names = {"key-a": "alice", "key-b": "bob"}
    async with serving(on_auth_extract_user=lambda metadata: names[metadata["api_key"]]) as server:
        assert server.extract_user("key-a") == "alice"
        assert await server.extract_user_async("key-b") == "bob"
        async with Person(server, "key-a") as alice, Person(server, "unknown") as unknown:
            assert (alice.connected, unknown.connected) == (True, False)
            await server.send_message(message("to alice", "key-a"))
            assert await alice.text() == "to alice"


async def test_an_async_callback_asks_for_the_async_method() -> None:
    async def extract(metadata: dict[str, Any]) -> str:
        return "alice"

    async with serving(on_auth_extract_user=extract) as server:
        with pytest.raises(TypeError, match="extract_user_async"):
            server.extract_user("key")
        assert await server.extract_user_async("key") == "alice"


async def test_coming_and_going_is_told_and_a_raising_callback_harms_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gone: asyncio.Queue[str] = asyncio.Queue()

    def on_connect(uuid: str, metadata: dict[str, Any]) -> None:
        raise RuntimeError("a bug of the application")

    settings: dict[str, Any] = {
        "on_connect": on_connect,
        "on_disconnect": lambda uuid, _: gone.put_nowait(uuid),
    }
    async with serving(**settings) as server:
        async with Person(server, "bob"):
            (uuid,) = server.get_connections()
        async with asyncio.timeout(10):
            assert await gone.get() == uuid
        assert server.get_connection_info(uuid) is None
    assert "a bug of the application" in caplog.text


async def test_handlers_and_settings_may_change_while_it_runs() -> None:
    got: asyncio.Queue[Any] = asyncio.Queue()
    async with serving() as server, Person(server, "bob") as bob:
        server.register_custom_handler("poke", lambda payload, _: got.put_nowait(payload))
        assert await bob.client.send_custom_message("poke", {"n": 1})
        async with asyncio.timeout(10):
            assert await got.get() == {"n": 1}
        server.update_config(on_message=lambda m, _: got.put_nowait(m.get_message_id()))
        assert await bob.client.send_message(message("now handled"))
        async with asyncio.timeout(10):
            assert await got.get() == "now handled"
        with pytest.raises(ConfigError):
            server.update_config(on_mesage=None)


async def test_what_was_not_started_says_so() -> None:
    server = WebSocketServer()
    assert not server.is_running()
    assert server.get_stats()["current_users"] == 0
    assert server.get_connections() == {}
    with pytest.raises(NotRunning, match="start"):
        await server.send_message(message("x"))
    await server.stop()


async def test_a_port_in_use_is_told_by_start() -> None:
    async with serving() as server:
        port = int(server.url.rpartition(":")[2].partition("/")[0])
        second = WebSocketServer(create_server_config(port=port))
        with pytest.raises(OSError, match=f"{port}.*in use"):
            await second.start()
        assert not second.is_running()


async def test_an_open_address_needs_somebody_who_says_who_may_come_in() -> None:
    server = WebSocketServer(create_server_config(host="0.0.0.0", port=0))  # noqa: S104 - refused
    with pytest.raises(ConfigError, match="on_auth"):
        await server.start()


async def test_stats_are_told_to_the_callback() -> None:
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    async with serving(stats_callback=told.put_nowait, stats_interval=0.01):
        async with asyncio.timeout(10):
            stats = await told.get()
    wanted = {
        "current_users",
        "current_connections",
        "total_auth_requests",
        "successful_auths",
        "failed_auths",
        "messages_processed",
        "custom_messages_processed",
        "duplicate_messages_ignored",
        "active_handler_tasks",
    }
    assert wanted <= set(stats)


async def test_an_unserialisable_field_is_named_and_harms_nothing() -> None:
    async with serving() as server, Person(server, "bob") as bob:
        broken = message("x")
        broken.message_segment.data = object()  # type: ignore[assignment]
        with pytest.raises(TypeError, match=r"message_segment\.data"):
            await server.send_message(broken)
        await server.send_message(message("fine"))
        assert await bob.text() == "fine"


async def test_no_task_is_left_after_stop() -> None:
    before = asyncio.all_tasks()
    async with serving() as server, Person(server, "bob"):
        await server.send_message(message("x"))
    left = asyncio.all_tasks() - before
    # A task that has ended is still listed until its callbacks have run.
    await asyncio.wait_for(asyncio.gather(*left), 10)
