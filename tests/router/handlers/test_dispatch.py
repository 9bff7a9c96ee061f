"""Messages and comings and goings become calls of the application's handlers."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from maim_protocol.errors import ConfigError, ErrorCode
from maim_protocol.message.model import APIMessageBase
from maim_router import events as ev
from maim_router.handlers.dispatch import Ack, Dispatch
from maim_router.handlers.runner import HandlerRunner
from maim_router.hooks.callbacks import Hooks, custom_type
from tests.router.builders import inbound, session

STANDARD = json.dumps(
    {
        "message_info": {"platform": "qq", "message_id": "1", "time": 1.0},
        "message_segment": {"type": "text", "data": "你好"},
        "message_dim": {"api_key": "bob", "platform": "wx"},
    }
).encode()


def dispatch(message: ev.Inbound) -> ev.Dispatch:
    """The hub's order to hand a message to its handler."""
    return ev.Dispatch(session(), message)


class Desk:
    """A dispatch whose reports are kept."""

    def __init__(self, ack: Ack = "handled", limit: int = 1000, **hooks: Any) -> None:
        self.reports: list[ev.Settled | ev.Failed] = []
        self.handlers = HandlerRunner(limit)
        self.dispatch = Dispatch(Hooks(**hooks), self.handlers, ack, self.reports.append)

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)


async def test_on_message_gets_the_message_and_where_it_came_from() -> None:
    calls: list[tuple[APIMessageBase, dict[str, Any]]] = []
    desk = Desk(on_message=lambda message, metadata: calls.append((message, metadata)))
    message = inbound(1, payload=STANDARD)
    desk.dispatch.message(dispatch(message))
    await desk.settle()
    ((decoded, metadata),) = calls
    assert decoded.message_segment.data == "你好"
    assert (metadata["user_id"], metadata["platform"]) == ("alice", "qq")
    assert (metadata["uuid"], metadata["msg_id"], metadata["type"]) == ("uuid-1", "m", "sys_std")
    assert desk.reports == [ev.Settled([dispatch(message)])]


async def test_messages_whose_handlers_return_together_are_settled_together() -> None:
    desk = Desk(on_message=lambda message, metadata: None)
    messages = [inbound(ordinal, str(ordinal), payload=STANDARD) for ordinal in (1, 2, 3)]
    for message in messages:
        desk.dispatch.message(dispatch(message))
    await desk.settle()
    assert desk.reports == [ev.Settled([dispatch(message) for message in messages])]


async def test_what_returned_can_be_settled_without_waiting_for_more() -> None:
    desk = Desk(on_message=lambda message, metadata: desk.dispatch.settle())
    desk.dispatch.message(dispatch(inbound(1, "a", payload=STANDARD)))
    await desk.handlers.finish(10)
    desk.dispatch.settle()
    desk.dispatch.settle()
    assert len(desk.reports) == 1


async def test_a_custom_handler_gets_the_payload() -> None:
    calls: list[Any] = []

    async def handler(payload: Any, metadata: dict[str, Any]) -> None:
        calls.append((payload, metadata["type"]))

    desk = Desk(custom_handlers={"custom_x": handler})
    desk.dispatch.message(dispatch(inbound(1, type="custom_x", payload=b'{"a": [1]}')))
    await desk.settle()
    assert calls == [({"a": [1]}, "custom_x")]


@pytest.mark.parametrize("error", [SystemExit(1), asyncio.CancelledError(), GeneratorExit()])
async def test_a_handler_that_would_end_more_than_itself_fails_its_message(
    error: BaseException,
) -> None:
    def on_message(message: APIMessageBase, metadata: dict[str, Any]) -> None:
        raise error

    desk = Desk(on_message=on_message)
    desk.dispatch.message(dispatch(inbound(1, payload=STANDARD)))
    await desk.settle()
    assert isinstance(desk.reports[0], ev.Failed)


async def test_an_async_handler_that_exits_fails_its_message() -> None:
    async def on_message(message: APIMessageBase, metadata: dict[str, Any]) -> None:
        raise SystemExit(1)

    desk = Desk(on_message=on_message)
    desk.dispatch.message(dispatch(inbound(1, payload=STANDARD)))
    await desk.settle()
    assert isinstance(desk.reports[0], ev.Failed)


async def test_a_handler_that_raises_fails_its_message() -> None:
    desk = Desk(on_message=lambda message, metadata: 1 / 0)
    desk.dispatch.message(dispatch(inbound(1, payload=STANDARD)))
    await desk.settle()
    (failed,) = desk.reports
    assert isinstance(failed, ev.Failed)
    assert failed.code is ErrorCode.INTERNAL
    assert desk.handlers.errors == 1


async def test_a_handler_that_awaits_something_cancelled_fails_its_message() -> None:
    async def on_message(message: APIMessageBase, metadata: dict[str, Any]) -> None:
        other = asyncio.ensure_future(asyncio.Event().wait())
        other.cancel()
        await other

    desk = Desk(on_message=on_message)
    desk.dispatch.message(dispatch(inbound(1, payload=STANDARD)))
    await desk.settle()
    assert [type(report) for report in desk.reports] == [ev.Failed]


async def test_received_means_settled_at_the_start_and_only_then() -> None:
    gate = asyncio.Event()

    async def on_message(message: APIMessageBase, metadata: dict[str, Any]) -> None:
        await gate.wait()
        raise ValueError

    desk = Desk("received", limit=1, on_message=on_message)
    first = inbound(1, "a", payload=STANDARD)
    desk.dispatch.message(dispatch(first))
    desk.dispatch.message(dispatch(inbound(2, "b", payload=STANDARD)))
    assert desk.reports == [ev.Settled((dispatch(first),))]
    gate.set()
    await desk.settle()
    assert [type(report) for report in desk.reports] == [ev.Settled, ev.Settled]


@pytest.mark.parametrize(
    "payload",
    [b"{}", b"[]", b"{", b'{"message_info": 1}', b'"\xff"', b"[" * 100_000],
    ids=["empty", "array", "cut off", "ill-typed", "not UTF-8", "too deep"],
)
async def test_a_message_that_is_none_is_rejected_and_reaches_no_handler(payload: bytes) -> None:
    calls: list[Any] = []
    desk = Desk(on_message=lambda message, metadata: calls.append(message))
    desk.dispatch.message(dispatch(inbound(1, payload=payload)))
    (failed,) = desk.reports
    assert isinstance(failed, ev.Failed)
    assert failed.code is ErrorCode.BAD_MESSAGE
    assert len(failed.text) < 500
    assert (calls, desk.handlers.active) == ([], 0)


async def test_a_message_whose_handler_was_taken_away_is_rejected() -> None:
    desk = Desk()
    desk.dispatch.message(dispatch(inbound(1, type="custom_x")))
    (failed,) = desk.reports
    assert isinstance(failed, ev.Failed)
    assert failed.code is ErrorCode.UNKNOWN_TYPE


async def test_each_handler_has_metadata_of_its_own() -> None:
    seen: list[dict[str, Any]] = []

    def on_message(message: APIMessageBase, metadata: dict[str, Any]) -> None:
        seen.append({**metadata, "headers": dict(metadata["headers"])})
        metadata["headers"]["mine"] = metadata.pop("user_id")

    desk = Desk(on_message=on_message)
    for ordinal in (1, 2):
        desk.dispatch.message(dispatch(inbound(ordinal, payload=STANDARD)))
    await desk.settle()
    assert [metadata["user_id"] for metadata in seen] == ["alice", "alice"]
    assert [metadata["headers"] for metadata in seen] == [{}, {}]


async def test_comings_and_goings_are_told() -> None:
    calls: list[tuple[str, str, str]] = []
    desk = Desk(
        on_connect=lambda uuid, metadata: calls.append(("in", uuid, metadata["user_id"])),
        on_disconnect=lambda uuid, metadata: calls.append(("out", uuid, metadata["user_id"])),
    )
    desk.dispatch.connected(session())
    desk.dispatch.disconnected(session())
    await desk.settle()
    assert calls == [("in", "uuid-1", "alice"), ("out", "uuid-1", "alice")]


async def test_without_callbacks_nothing_is_called() -> None:
    desk = Desk()
    desk.dispatch.connected(session())
    desk.dispatch.disconnected(session())
    assert desk.handlers.active == 0


def test_hooks_know_which_types_they_take() -> None:
    hooks = Hooks(on_message=print, custom_handlers={"custom_x": print})
    assert [t in hooks for t in ("sys_std", "custom_x", "custom_y")] == [True, True, False]
    assert "sys_std" not in Hooks()


def test_hooks_are_read_off_a_config_and_types_get_their_prefix() -> None:
    class Config:
        on_message = print
        custom_handlers = {"x": print, "custom_y": print}  # noqa: RUF012 - as users write it

    hooks = Hooks.of(Config())
    assert set(hooks.custom_handlers) == {"custom_x", "custom_y"}
    assert hooks.on_auth is None
    assert custom_type("custom_x") == custom_type("x") == "custom_x"


@pytest.mark.parametrize("wrong", [{"on_message": 5}, {"custom_handlers": {"x": "y"}}])
def test_what_cannot_be_called_is_no_callback(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="expected something to call"):
        Hooks.of(SimpleNamespace(**wrong))
