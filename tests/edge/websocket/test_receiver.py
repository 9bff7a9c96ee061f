"""Between a WebSocket and its listener: order, pauses and the one end."""

from __future__ import annotations

import asyncio

from maim_edge.websocket.receiver import ListenerReceiver


class Listener:
    """Remembers; pauses the receiver after each message when it is asked to."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.pauses: ListenerReceiver | None = None

    def on_message(self, data: bytes) -> None:
        self.heard.append(data)
        if self.pauses is not None:
            self.pauses.pause()

    def pause_writing(self) -> None:
        self.heard.append("pause")

    def resume_writing(self) -> None:
        self.heard.append("resume")

    def on_protocol_error(self, code: int, reason: str) -> bytes | None:
        return b"words"

    def on_ping(self) -> None:
        self.heard.append("ping")

    def on_pong(self) -> None:
        self.heard.append("pong")

    def on_closed(self, code: int, reason: str) -> None:
        self.heard.append((code, reason))


async def turn() -> None:
    await asyncio.sleep(0)


async def test_what_came_before_is_heard_first_and_soon() -> None:
    listener = Listener()
    receiver = ListenerReceiver(listener, [b"1", b"2"])
    receiver.take(b"3")
    assert listener.heard == []
    await turn()
    receiver.take(b"4")
    assert listener.heard == [b"1", b"2", b"3", b"4"]


async def test_a_pause_takes_effect_at_once_and_lasts_until_it_is_lifted() -> None:
    listener = Listener()
    receiver = listener.pauses = ListenerReceiver(listener, [b"1", b"2"])
    await turn()
    receiver.take(b"3")
    receiver.end(1000, "")
    for heard in ([b"1"], [b"1", b"2"], [b"1", b"2", b"3"]):
        assert listener.heard == heard
        receiver.resume(lambda: None)
        await turn()
    assert listener.heard == [b"1", b"2", b"3", (1000, "")]


async def test_a_resume_that_is_taken_back_hands_nothing_over() -> None:
    listener = Listener()
    receiver = ListenerReceiver(listener, [])
    await turn()
    receiver.pause()
    receiver.take(b"1")
    receiver.resume(lambda: None)
    receiver.pause()
    await turn()
    assert listener.heard == []


async def test_the_first_end_counts_and_is_the_last_that_is_heard() -> None:
    listener = Listener()
    receiver = ListenerReceiver(listener, [])
    await turn()
    receiver.end(1001, "first")
    receiver.end(1006, "second")
    receiver.take(b"late")
    receiver.pause_writing()
    receiver.resume_writing()
    assert receiver.protocol_error_message(1002, "") is None
    await turn()
    assert listener.heard == [(1001, "first")]


async def test_what_is_dropped_is_not_heard_but_the_end_is() -> None:
    listener = Listener()
    receiver = ListenerReceiver(listener, [b"1"])
    receiver.pause()
    receiver.take(b"2")
    receiver.end(1000, "")
    receiver.drop()
    receiver.pause()
    assert listener.heard == []
    await turn()
    assert listener.heard == [(1000, "")]


async def test_writing_and_last_words_are_the_listeners_business() -> None:
    listener = Listener()
    receiver = ListenerReceiver(listener, [])
    receiver.pause_writing()
    receiver.resume_writing()
    assert listener.heard == ["pause", "resume"]
    assert receiver.protocol_error_message(1009, "") == b"words"
