"""Runs the released client of PyPI: commands come on stdin, events go to stdout, as JSON lines.

It runs with maim-message 0.6.8, never with this repository's package; its logs go nowhere.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import uuid
from typing import Any

from maim_message.client import WebSocketClient, create_client_config
from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg


def tell(event: str, **what: Any) -> None:
    print(json.dumps({"event": event, **what}), flush=True)


class TellingClient(WebSocketClient):
    """The released client, telling what happens to it."""

    async def _handle_connect_event(self, event: Any) -> None:
        await super()._handle_connect_event(event)
        tell("connected")

    async def _handle_disconnect_event(self, event: Any) -> None:
        await super()._handle_disconnect_event(event)
        tell("disconnected", error=event.error)

    async def _handle_message_event(self, event: Any) -> None:
        await super()._handle_message_event(event)
        tell("frame", type=event.payload["type"], meta=event.payload["meta"])


async def on_message(message: APIMessageBase, metadata: dict[str, Any]) -> None:
    tell("message", text=message.message_segment.data, meta=metadata)


async def on_sum(payload: dict[str, Any]) -> None:
    tell("sum", payload=payload)


async def obey(client: TellingClient, command: dict[str, Any]) -> None:
    match command.pop("do"):
        case "send":
            message = APIMessageBase(
                message_info=BaseMessageInfo("demo", str(uuid.uuid4()), time.time()),
                message_segment=Seg(type="text", data=command["text"]),
                message_dim=MessageDim(command["receiver"], command["platform"]),
            )
            tell("sent", taken=await client.send_message(message))
        case "custom":
            tell("sent", taken=await client.send_custom_message(**renamed(command)))


def renamed(command: dict[str, Any]) -> dict[str, Any]:
    return {"message_type": command["type"], "payload": command["payload"]}


async def main() -> None:
    config = create_client_config(
        url=os.environ["MAIM_URL"],
        api_key=os.environ["MAIM_API_KEY"],
        platform=os.environ["MAIM_PLATFORM"],
        on_message=on_message,
        reconnect_delay=1.0,
    )
    config.register_custom_handler("sum", on_sum)
    client = TellingClient(config)
    await client.start()
    tell("started", connected=await client.connect())
    while line := await asyncio.to_thread(sys.stdin.readline):
        await obey(client, json.loads(line))
    await client.stop()
    tell("stopped")


if __name__ == "__main__":
    asyncio.run(main())
