"""What stands behind the router in the benchmarks: `maim router --app benchmarks.apps:relay`."""

from __future__ import annotations

from typing import Any

from maim_message.message import APIMessageBase
from maim_message.server import AuthResult, ServerConfig

KEY_PREFIX = "key-of-"


async def on_auth(metadata: dict[str, Any]) -> AuthResult:
    """Let in whoever has a key."""
    key = metadata["api_key"]
    return AuthResult(success=key.startswith(KEY_PREFIX), user_id=key.removeprefix(KEY_PREFIX))


async def user_of(metadata: dict[str, Any]) -> str:
    """Name the user of a key."""
    return str(metadata["api_key"]).removeprefix(KEY_PREFIX)


async def on_message(message: APIMessageBase, metadata: dict[str, Any]) -> None:
    """Touch what an application would."""
    if message.message_segment.type != "text" or not message.message_segment.data:
        raise ValueError(f"a message without text from {metadata['user_id']}")


relay = ServerConfig(on_auth=on_auth, on_auth_extract_user=user_of)
handler = ServerConfig(on_auth=on_auth, on_auth_extract_user=user_of, on_message=on_message)
