"""The usage guide on messages: routing, sending, forwarding, broadcast, custom types."""

from __future__ import annotations

import pytest

from maim_message.server import WebSocketServer, create_server_config
from tests.guide.person import Person, text
from tests.guide.running import Printed, run

ALICE = "target_user_api_key"


@pytest.mark.parametrize(
    ("name", "api_key"),
    [
        ("message_structure", "your_api_key"),
        ("right_routing", "receiver_api_key"),
        ("wrong_routing", "sender_api_key"),
        ("routing_best_practice", "sender_api_key"),
    ],
)
async def test_a_message_of_the_guide_reaches_the_receiver_that_it_names(
    server: WebSocketServer, name: str, api_key: str
) -> None:
    names = await run(name)
    for message in names.every["message"]:
        key, platform = message.get_api_key(), message.get_platform()
        async with Person(server.url, key, platform) as receiver:
            assert all((await server.send_message(message)).values())
            assert await receiver.text() == message.message_segment.data
    assert key == api_key


async def test_the_checklist_sends_a_message_that_names_its_receiver(
    server: WebSocketServer,
) -> None:
    async with Person(server.url, "target_user_key", "wechat") as receiver:
        names = await run("routing_checklist", server=server)
        assert await receiver.text() == ""
    unnamed = text("hi", "", "wechat")
    assert not names["validate_message_routing"](unnamed)


async def test_the_routing_steps_find_the_user(server: WebSocketServer) -> None:
    message = text("hi", "bob", "qq")
    names = await run("server_routing", self=server, message=message)
    assert (names["target_user"], names["platform"]) == ("bob", "qq")


async def test_forwarding_reaches_the_new_receiver(server: WebSocketServer) -> None:
    names = await run("forward_message", server=server)
    async with Person(server.url, "bob", "wechat") as bob:
        await names["forward_message"](text("original", "alice", "qq"), "bob", "wechat")
        assert await bob.text() == "original"


async def test_the_debugging_steps_print_what_they_promise(
    server: WebSocketServer, printed: Printed
) -> None:
    known = {"server": server, "message": text("hi", "bob", "qq"), "api_key": "bob"}
    async with Person(server.url, "bob", "qq"):
        for name in ("debug_routing", "debug_connections", "debug_user", "debug_stats"):
            await run(name, print=printed, **known)
    assert printed.lines[:2] == ["目标API密钥: bob", "目标平台: qq"]
    assert "'platform': 'qq'" in await printed.line("当前连接: ")
    assert "提取的用户ID: bob" in printed.lines
    assert "'current_users': 1" in printed.lines[-1]


async def test_a_custom_handler_gets_its_messages(printed: Printed) -> None:
    config = create_server_config(port=0)
    await run("custom_handler", config=config, print=printed)
    async with WebSocketServer(config) as server, Person(server.url, "alice", "qq") as alice:
        await alice.client.send_custom_message("ping", {"n": 1})
        await printed.line("收到PING: {'n': 1}")


async def test_a_broadcast_reaches_everybody_and_then_one_platform(
    server: WebSocketServer, printed: Printed
) -> None:
    async with (
        Person(server.url, "alice", "wechat") as alice,
        Person(server.url, "bob", "qq") as bob,
    ):
        names = await run("broadcast", server=server, print=printed)
        assert printed.lines == ["广播结果: 2/2 成功"]
        assert len(names["results"]) == 1
        assert [await alice.text(), await alice.text()] == ["系统广播消息"] * 2
        assert await bob.text() == "系统广播消息"


async def test_the_server_sends_messages_to_each_platform(
    server: WebSocketServer, printed: Printed
) -> None:
    async with Person(server.url, ALICE, "wechat") as wechat, Person(server.url, ALICE, "qq") as qq:
        names = await run("server_messages", server=server, print=printed)
        assert [list(results.values()) for results in names.every["results"]] == [[True], [True]]
        assert await wechat.text() == await qq.text() == "Hello from server!"


async def test_the_server_sends_custom_messages(server: WebSocketServer, printed: Printed) -> None:
    async with (
        Person(server.url, "user_001", "wechat") as alice,
        Person(server.url, "user_002", "wechat"),
    ):
        names = await run("server_custom_messages", server=server, print=printed)
        assert list(names["results"].values()) == [True]
        assert (await alice.notification())["title"] == "系统通知"


async def test_the_client_sends_both_kinds_of_messages(
    server: WebSocketServer, printed: Printed
) -> None:
    async with Person(server.url, "alice", "qq") as alice:
        await run(
            "client_messages", client=alice.client, message=text("x", "bob", "qq"), print=printed
        )
    assert printed.lines == ["消息发送成功", "自定义消息发送成功"]


async def test_connections_are_added_shown_and_removed(
    server: WebSocketServer, printed: Printed
) -> None:
    port = int(server.url.split(":")[2].removesuffix("/ws"))
    async with Person(server.url, "alice", "qq") as alice:
        names = await run("connection_management", port, client=alice.client, print=printed)
        assert len(names["all_connections"]) == len(names["active_connections"]) == 3
        assert not alice.client.is_connected(names["connection1"])
        assert names["connection2"] not in alice.client.get_connections()
    assert "api_key_1" not in "\n".join(printed.lines)


async def test_users_are_counted_and_shown(server: WebSocketServer, printed: Printed) -> None:
    async with Person(server.url, "user_001", "qq"), Person(server.url, "user_001", "wechat"):
        names = await run("users", server=server, print=printed)
    assert printed.lines[0] == "当前在线用户数: 1"
    assert len(names["user_connections"]) == 2
