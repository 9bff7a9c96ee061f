"""The client that users have installed today, against the real pair."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from maim_message.client import WebSocketClient, create_client_config
from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg
from tests.clients.conftest import Keys
from tests.clients.friend import Friend
from tests.clients.pair import Pair, control, running
from tests.clients.released import ReleasedClient, environment

# The environment is made once, from the package index.
pytestmark = pytest.mark.timeout(600)

APPLICATION = {"app": "tests.clients.application:server"}


@pytest.fixture(scope="session")
def interpreter(request: pytest.FixtureRequest) -> Path:
    assert request.config.cache is not None
    return environment(request.config.cache)


@pytest.fixture
async def alice(interpreter: Path, pair: Pair, keys: Keys) -> AsyncIterator[ReleasedClient]:
    async with ReleasedClient(interpreter, pair.url, keys.alice) as client:
        await client.event("started")
        yield client


@pytest.fixture
async def bob(pair: Pair, keys: Keys) -> AsyncIterator[Friend]:
    async with Friend(pair.url, keys.bob) as friend:
        yield friend


async def test_it_talks_to_a_plain_client(alice: ReleasedClient, bob: Friend) -> None:
    alice.send("你好")
    came = await bob.receive()
    assert came["payload"]["message_segment"] == {"type": "text", "data": "你好"}
    assert came["meta"]["sender_user"] == "alice"
    ack = await alice.event("frame")
    assert ack["type"] == "sys_ack"
    assert ack["meta"]["acked_msg_id"] == came["msg_id"]

    await bob.send("alice", "再见")
    heard = await alice.event("message")
    assert heard["text"] == "再见"
    assert heard["meta"]["sender_user"] == "bob"


async def test_it_talks_to_our_sdk(alice: ReleasedClient, pair: Pair, keys: Keys) -> None:
    came: asyncio.Queue[tuple[APIMessageBase, dict[str, Any]]] = asyncio.Queue()
    config = create_client_config(
        pair.url, keys.bob, "demo", on_message=lambda *args: came.put_nowait(args)
    )
    async with WebSocketClient(config) as bob:
        alice.send("from 0.6.8")
        message, metadata = await asyncio.wait_for(came.get(), 10)
        assert message.message_segment.data == "from 0.6.8"
        assert metadata["sender_user"] == "alice"
        answer = APIMessageBase(
            BaseMessageInfo("demo", "m1", 1.0), Seg("text", "from 1.0"), MessageDim("alice", "demo")
        )
        assert await bob.send_message(answer, wait_ack=True)
    assert (await alice.event("message"))["text"] == "from 1.0"


async def test_it_acknowledges_what_it_receives(alice: ReleasedClient, pair: Pair) -> None:
    async with control(pair) as operator:
        sent = await operator.send_message(
            user="alice", platform="demo", text="hello", wait_for="acked"
        )
    assert sent["outcome"].endswith("ACKED")


async def test_it_exchanges_custom_types_with_an_application(interpreter: Path) -> None:
    async with (
        running(APPLICATION) as pair,
        ReleasedClient(interpreter, pair.url, "key-of-alice") as alice,
    ):
        assert (await alice.event("started"))["connected"]
        alice.send_custom("add", {"numbers": [20, 1, 21]})
        assert (await alice.event("sum"))["payload"] == {"total": 42}
        alice.send("hello", receiver="key-of-alice")
        assert (await alice.event("message"))["text"] == "alice said hello"


async def test_a_refused_key_never_connects(interpreter: Path, pair: Pair) -> None:
    async with ReleasedClient(interpreter, pair.url, "maim_wrong_key") as mallory:
        refused = await mallory.event("disconnected")
        assert "401" in refused["error"]
        assert mallory.events("connected") == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_it_comes_back_after_the_edge_was_restarted(
    alice: ReleasedClient, pair: Pair, keys: Keys, number: signal.Signals
) -> None:
    await pair.edge.end(number)
    await pair.start_edge()
    await alice.event("connected", 2)
    await talk(alice, pair, keys)


async def test_what_it_sent_while_the_edge_was_away_arrives(interpreter: Path) -> None:
    async with (
        running(APPLICATION) as pair,
        ReleasedClient(interpreter, pair.url, "key-of-alice") as alice,
    ):
        await alice.event("started")
        await pair.edge.end()
        alice.send("kept for later", receiver="key-of-alice")
        assert not (await alice.event("sent"))["taken"]
        await pair.start_edge()
        assert (await alice.event("message"))["text"] == "alice said kept for later"


@pytest.mark.parametrize("code", [1000, 4001])
async def test_it_comes_back_after_a_kick(
    alice: ReleasedClient, pair: Pair, keys: Keys, code: int
) -> None:
    async with control(pair) as operator:
        kicked = await operator.disconnect(user="alice", code=code, reason="out")
    assert kicked["disconnected"] == 1
    await alice.event("connected", 2)
    await talk(alice, pair, keys)


async def test_a_restart_of_the_router_keeps_it_connected(
    alice: ReleasedClient, pair: Pair, keys: Keys
) -> None:
    since = len(pair.edge.lines)
    await pair.router.end()
    await pair.start_router()
    await pair.edge.logged("attached to", since=since)
    await talk(alice, pair, keys)
    assert len(alice.events("connected")) == 1


async def talk(alice: ReleasedClient, pair: Pair, keys: Keys) -> None:
    """Exchange a message each way."""
    async with Friend(pair.url, keys.bob) as bob:
        alice.send("here again")
        assert await bob.receive_text() == "here again"
        await bob.send("alice", "welcome back")
        assert (await alice.event("message"))["text"] == "welcome back"
