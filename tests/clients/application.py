"""An application behind `maim router --app`: answers custom types and plain messages."""

from __future__ import annotations

from typing import Any

from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg
from maim_message.server import AuthResult, ServerConfig, WebSocketServer


def allow(metadata: dict[str, Any]) -> AuthResult:
    return AuthResult(success=metadata["api_key"].startswith("key-of-"), user_id=user(metadata))


def user(metadata: dict[str, Any]) -> str:
    return str(metadata["api_key"]).removeprefix("key-of-")


async def echo(message: APIMessageBase, metadata: dict[str, Any]) -> None:
    await server.send_message(
        APIMessageBase(
            BaseMessageInfo(metadata["platform"], "echo", 1.0),
            Seg("text", f"{metadata['user_id']} said {message.message_segment.data}"),
            MessageDim(metadata["api_key"], metadata["platform"]),
        )
    )


async def add(payload: dict[str, Any], metadata: dict[str, Any]) -> None:
    total = {"total": sum(payload["numbers"])}
    await server.send_custom_message("sum", total, connection_uuid=metadata["uuid"])


config = ServerConfig(
    on_auth=allow,
    on_auth_extract_user=user,
    on_message=echo,
    custom_handlers={"add": add},
)
server = WebSocketServer(config)
