"""What `maim connect` does once its options are read: send lines, show what comes."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from maim_message.cli import output
from maim_message.cli.connect import terminal
from maim_message.client import ClientConfig, WebSocketClient
from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg
from maim_runtime.masking import mask_text
from maim_runtime.settings import EXIT_USAGE, one_line

EXIT_NOT_ACKNOWLEDGED = 1
ACK_TIMEOUT_SECONDS = 10.0
CLEAR_LINE = "\r\x1b[K"


def converse(
    url: str,
    api_key: str,
    platform: str,
    target: MessageDim | None,
    ca: Path | None,
    *,
    proxy: str,
    json: bool,
) -> int:
    """Connect and talk until the input ends; returns the exit code."""
    screen = Screen(json=json, interactive=terminal.is_interactive() and not json)
    config = ClientConfig(
        url=url,
        api_key=api_key,
        platform=platform,
        ssl_ca_certs=ca,
        proxy=proxy,
        enable_connection_log=False,
        on_connect=lambda uuid, config: screen.event("connected", connection_uuid=uuid),
        on_disconnect=lambda uuid, error: screen.event("disconnected", error=error),
        on_message=screen.message,
        custom_handlers={"*": screen.custom},
    )
    with terminal.history() if screen.interactive else contextlib.nullcontext():
        return asyncio.run(_converse(config, target, screen))


@dataclass
class Screen:
    """Where events and messages are shown: a terminal, a pipe, or JSON for a script."""

    json: bool
    interactive: bool
    unacknowledged: int = 0
    closed: bool = False

    def event(self, name: str, **details: Any) -> None:
        """Show that something happened to the connection, our own end of it excepted."""
        if self.closed:
            return
        if self.json:
            output.print_json({"event": name, **details})
            return
        texts = (mask_text(output.harmless(value)) for value in details.values() if value)
        self._print(" ".join((f"[{name}]", *texts)), error=True)

    def message(self, message: APIMessageBase, metadata: dict[str, Any]) -> None:
        """Show a message that came."""
        if self.json:
            output.print_json({"event": "message", "message": message.to_dict()})
            return
        segment = message.message_segment
        kind = "" if segment.type == "text" else f"({segment.type}) "
        self._print(f"{_sender(message, metadata)}: {kind}{segment.data}")

    def custom(self, payload: Any, metadata: dict[str, Any]) -> None:
        """Show a message of a custom type."""
        kind = str(metadata["type"])
        if self.json:
            output.print_json({"event": "custom", "type": kind, "payload": payload})
            return
        text = msgspec.json.encode(payload).decode()
        self._print(f"{metadata.get('sender_user') or '?'}: ({kind}) {text}")

    def close(self) -> None:
        """Leave the terminal's cursor on a line of its own."""
        self.closed = True
        if self.interactive:
            print()

    def _print(self, text: str, *, error: bool = False) -> None:
        text = output.harmless(text)
        if not self.interactive:
            print(text, file=sys.stderr if error else sys.stdout, flush=True)
            return
        # The prompt and what was typed so far move below the new line.
        print(f"{CLEAR_LINE}{text}\n{terminal.PROMPT}{terminal.typed_so_far()}", end="", flush=True)


async def _converse(config: ClientConfig, target: MessageDim | None, screen: Screen) -> int:
    client = WebSocketClient(config)
    await client.start()
    try:
        if not await client.connect():
            reason = one_line(RuntimeError(client.get_last_error() or "no answer"))
            print(f"maim: {reason}", file=sys.stderr)
            return EXIT_USAGE
        async for line in terminal.lines(interactive=screen.interactive):
            if line.strip():
                await _send(client, line, config.platform, target, screen)
    finally:
        screen.close()
        await client.stop()
    return EXIT_NOT_ACKNOWLEDGED if screen.unacknowledged else 0


async def _send(
    client: WebSocketClient, line: str, platform: str, target: MessageDim | None, screen: Screen
) -> None:
    if target is None:
        screen.unacknowledged += 1
        screen.event("not sent", reason="nobody to send to; start again with --to")
        return
    message = _text_message(line, platform, target)
    sent = await client.send_message(message, wait_ack=True, timeout=ACK_TIMEOUT_SECONDS)
    if screen.json:
        message_id = message.message_info.message_id
        screen.event("sent", message_id=message_id, acknowledged=bool(sent))
    if not sent:
        screen.unacknowledged += 1
        reason = client.get_last_error() or f"no answer within {ACK_TIMEOUT_SECONDS:g} s"
        screen.event("not acknowledged", reason=reason)


def _text_message(text: str, platform: str, target: MessageDim) -> APIMessageBase:
    info = BaseMessageInfo(platform=platform, message_id=uuid.uuid4().hex, time=time.time())
    return APIMessageBase(info, Seg(type="text", data=text), target)


def _sender(message: APIMessageBase, metadata: dict[str, Any]) -> str:
    """The verified sender where the router told one, else what the message says of itself."""
    user = metadata.get("sender_user")
    platform = metadata.get("sender_platform") or message.message_info.platform
    return f"{user}@{platform}" if user else str(platform)
