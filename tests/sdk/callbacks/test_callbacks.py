from __future__ import annotations

import asyncio
from typing import Any

import pytest

from maim_message.client import WebSocketClient, create_client_config
from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg
from tests.sdk.edge import MESSAGE, Edge, send, soon


def config(edge: Edge, **settings: Any) -> Any:
    return create_client_config(edge.url, "secret-key", "qq", **settings)


def message(text: str = "hello", api_key: str = "k", platform: str = "qq") -> APIMessageBase:
    return APIMessageBase(
        BaseMessageInfo("qq", "m", 1.5), Seg("text", text), MessageDim(api_key, platform)
    )


async def test_a_message_is_delivered_with_verified_meta_and_acknowledged(edge: Edge) -> None:
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    settings = config(edge, on_message=lambda *arguments: inbox.put_nowait(arguments))
    async with WebSocketClient(settings) as client:
        link = await edge.next_link()
        await send(link, "sys_std", MESSAGE, {"sender_user": "u"}, "id-1")
        received, metadata = await soon(inbox.get())
        assert received == message("你好")
        assert metadata == {
            "sender_user": "u",
            "msg_id": "id-1",
            "type": "sys_std",
            "connection_uuid": client.get_connection_uuid(),
        }
        assert (await edge.next_ack())["meta"]["acked_msg_id"] == "id-1"


async def test_a_message_received_twice_is_delivered_once_and_acknowledged_twice(
    edge: Edge,
) -> None:
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    settings = config(edge, on_message=lambda message, metadata: inbox.put_nowait(metadata))
    async with WebSocketClient(settings) as client:
        link = await edge.next_link()
        for _ in range(2):
            await send(link, "sys_std", MESSAGE, {"sender_user": "u"}, "same")
        for _ in range(2):
            assert (await edge.next_ack())["meta"]["acked_msg_id"] == "same"
        assert inbox.qsize() == 1
        assert client.get_stats()["duplicate_messages_ignored"] == 1


async def test_a_message_without_an_id_is_delivered_and_not_acknowledged(edge: Edge) -> None:
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    settings = config(edge, on_message=lambda message, metadata: inbox.put_nowait(metadata))
    async with WebSocketClient(settings):
        link = await edge.next_link()
        await send(link, "sys_std", MESSAGE)
        await send(link, "sys_std", MESSAGE, msg_id="last")
        assert (await soon(inbox.get()))["msg_id"] is None
        assert (await edge.next_ack())["meta"]["acked_msg_id"] == "last"


@pytest.mark.parametrize(
    "payload",
    ["1e999", "[" + "7" * 5000 + "]", '{"n": -1e400}'],
    ids=["float", "integer", "negative"],
)
async def test_what_cannot_be_decoded_is_acknowledged_and_told_with_its_bytes(
    edge: Edge, payload: str
) -> None:
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    settings = config(edge, on_decode_error=lambda *arguments: inbox.put_nowait(arguments))
    async with WebSocketClient(settings) as client:
        client.register_custom_handler("number", lambda payload, metadata: None)
        link = await edge.next_link()
        await link.send(
            f'{{"ver":1,"msg_id":"m","type":"custom_number","meta":{{}},"payload":{payload}}}'
        )
        data, metadata, error = await soon(inbox.get())
        assert data == payload.encode()
        assert metadata["msg_id"] == "m"
        assert "out of range" in str(error)
        assert (await edge.next_ack())["meta"]["acked_msg_id"] == "m"


async def test_without_a_callback_the_log_says_what_was_lost(
    edge: Edge, caplog: pytest.LogCaptureFixture
) -> None:
    async with WebSocketClient(config(edge)) as client:
        client.register_custom_handler("number", lambda payload, metadata: None)
        link = await edge.next_link()
        await link.send('{"ver":1,"msg_id":"m","type":"custom_number","meta":{},"payload":1e999}')
        await edge.next_ack()
        assert client.get_stats()["handler_errors"] == 1
    assert "acknowledged and lost, its payload is no use: Number out of range" in caplog.text


@pytest.mark.parametrize("name", ["ping", "custom_ping"])
async def test_a_custom_message_reaches_its_handler(edge: Edge, name: str) -> None:
    inbox: asyncio.Queue[Any] = asyncio.Queue()

    async def handler(payload: Any, metadata: Any) -> bool:
        inbox.put_nowait((payload, metadata["type"]))
        return True

    async with WebSocketClient(config(edge)) as client:
        client.register_custom_handler(name, handler)
        await send(await edge.next_link(), "custom_ping", {"n": 1}, msg_id="1")
        assert await soon(inbox.get()) == ({"n": 1}, "custom_ping")


async def test_a_custom_handler_of_one_parameter_gets_the_payload(edge: Edge) -> None:
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    settings = config(edge, custom_handlers={"custom_ping": lambda data: inbox.put_nowait(data)})
    async with WebSocketClient(settings):
        await send(await edge.next_link(), "custom_ping", {"n": 1})
        assert await soon(inbox.get()) == {"n": 1}


async def test_a_callback_that_raises_is_logged_with_the_msg_id_and_harms_nothing(
    edge: Edge, caplog: pytest.LogCaptureFixture
) -> None:
    inbox: asyncio.Queue[Any] = asyncio.Queue()

    def on_message(message: APIMessageBase, metadata: dict[str, Any]) -> None:
        if metadata["msg_id"] == "bad":
            raise RuntimeError("boom")
        inbox.put_nowait(metadata["msg_id"])

    async with WebSocketClient(config(edge, on_message=on_message)) as client:
        link = await edge.next_link()
        await send(link, "sys_std", MESSAGE, msg_id="bad")
        await send(link, "sys_std", MESSAGE, msg_id="good")
        assert await soon(inbox.get()) == "good"
        assert client.get_stats()["handler_errors"] == 1
        assert client.is_connected()
    assert "callback failed: sys_std bad" in caplog.text
    assert "boom" in caplog.text


async def test_a_callback_that_waits_for_the_next_message_gets_it(edge: Edge) -> None:
    arrived: asyncio.Queue[str] = asyncio.Queue()
    pending_acks: asyncio.Queue[str] = asyncio.Queue()

    async def on_message(message: APIMessageBase, metadata: dict[str, Any]) -> None:
        if metadata["msg_id"] == "question":
            pending_acks.put_nowait(await arrived.get())
        else:
            arrived.put_nowait(metadata["msg_id"])

    async with WebSocketClient(config(edge, on_message=on_message)):
        link = await edge.next_link()
        await send(link, "sys_std", MESSAGE, msg_id="question")
        await send(link, "sys_std", MESSAGE, msg_id="answer")
        assert await soon(pending_acks.get()) == "answer"


async def test_callbacks_start_in_the_order_of_arrival(edge: Edge) -> None:
    started: list[str] = []
    done = asyncio.Event()

    async def on_message(message: APIMessageBase, metadata: dict[str, Any]) -> None:
        started.append(metadata["msg_id"])
        if len(started) == 200:
            done.set()
        await done.wait()

    async with WebSocketClient(config(edge, on_message=on_message)):
        link = await edge.next_link()
        for number in range(200):
            await send(link, "sys_std", MESSAGE, msg_id=str(number))
        await soon(done.wait())
        assert started == [str(number) for number in range(200)]


async def test_no_more_callbacks_run_at_once_than_allowed(edge: Edge) -> None:
    running, most = 0, 0
    done = asyncio.Event()

    async def on_message(message: APIMessageBase, metadata: dict[str, Any]) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        if metadata["msg_id"] == "49":
            done.set()

    async with WebSocketClient(config(edge, on_message=on_message, max_handler_tasks=3)):
        link = await edge.next_link()
        for number in range(50):
            await send(link, "sys_std", MESSAGE, msg_id=str(number))
        await soon(done.wait())
        assert most <= 3


async def test_a_callback_may_wait_for_an_answer_while_others_wait_for_their_turn(
    edge: Edge,
) -> None:
    edge.acknowledging = False
    answered: asyncio.Queue[bool] = asyncio.Queue()

    async def on_message(message: APIMessageBase, metadata: dict[str, Any]) -> None:
        answered.put_nowait(await client.send_message(message, wait_ack=True, timeout=None))

    client = WebSocketClient(config(edge, on_message=on_message, max_handler_tasks=1))
    async with client:
        link = await edge.next_link()
        for number in range(2):
            await send(link, "sys_std", MESSAGE, msg_id=str(number))
        for _ in range(2):
            acked = {"acked_msg_id": (await edge.next_message())["msg_id"]}
            await send(link, "sys_ack", {}, acked, "ack")
            assert await soon(answered.get())


async def test_a_callback_may_stop_the_client(edge: Edge) -> None:
    stopped = asyncio.Event()

    async def on_message(message: APIMessageBase, metadata: dict[str, Any]) -> None:
        await client.stop()
        stopped.set()

    client = WebSocketClient(config(edge, on_message=on_message))
    await client.start()
    assert await client.connect()
    await send(await edge.next_link(), "sys_std", MESSAGE, msg_id="1")
    await soon(stopped.wait())
    assert not client.is_running()


@pytest.mark.parametrize("junk", ["", "nonsense", "[]", '{"type": 3}', '{"a": 1}', "[" * 9999])
async def test_an_unreadable_frame_is_ignored(edge: Edge, junk: str) -> None:
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    settings = config(edge, on_message=lambda message, metadata: inbox.put_nowait(metadata))
    async with WebSocketClient(settings):
        link = await edge.next_link()
        await link.send(junk)
        await send(link, "sys_notice", [])
        await send(link, "sys_unheard_of", {})
        await send(link, "sys_std", {"message_info": {}}, msg_id="ill-formed")
        await send(link, "sys_std", MESSAGE, msg_id="1")
        assert (await soon(inbox.get()))["msg_id"] == "1"
