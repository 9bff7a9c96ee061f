"""A client of `maim.v1.Router` for commands: plain dictionaries, errors of one line."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
import msgspec
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from maim_protocol.errors import ConfigError
from maim_protocol.v1 import delivery_pb2, router_pb2_grpc
from maim_protocol.v1 import router_pb2 as pb
from maim_router.control_client.call_errors import ControlError, control_error
from maim_router.delivery import DEFAULT_TIMEOUT, WaitFor

__all__ = ["ControlClient", "ControlError"]

# What a call may take beside what it waits for.
CALL_SECONDS = 10.0
PAGE_SIZE = 1000
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_WAITS = {"written": delivery_pb2.WAIT_FOR_WRITTEN, "acked": delivery_pb2.WAIT_FOR_ACKED}
_OPTIONS: list[tuple[str, Any]] = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.enable_http_proxy", 0),
]


class ControlClient:
    """Calls one router; an async context manager.

    `address` is `host:port`, `dns:///name:port` or `unix:/path`; with `tls_ca` (PEM) it speaks
    TLS. Every method raises `ControlError`. Enum values come as names without their prefix.
    """

    def __init__(
        self,
        address: str,
        token: str | None = None,
        tls_ca: Path | str | None = None,
        *,
        tls_cert: Path | str | None = None,
        tls_key: Path | str | None = None,
    ) -> None:
        self._address = address
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._files = (tls_ca, tls_key, tls_cert)
        self._channel: grpc.aio.Channel | None = None
        self._stub: Any = None

    async def __aenter__(self) -> Self:
        self._channel = self._open()
        self._stub = router_pb2_grpc.RouterStub(self._channel)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._channel is not None:
            await self._channel.close(None)

    async def send_message(
        self,
        *,
        user: str,
        platform: str,
        text: str,
        wait_for: WaitFor = "written",
        timeout: float = DEFAULT_TIMEOUT,
        ttl: float = 0.0,
    ) -> dict[str, Any]:
        """Send a text; returns `msg_id`, `user_id`, `outcome` and `connections`."""
        request = pb.SendMessageRequest(
            message_json=_text_payload(text, user, platform),
            target_user=user,
            target_platform=platform,
            wait_for=_WAITS[wait_for],
        )
        if ttl:
            request.ttl.FromNanoseconds(round(ttl * 1e9))
        return await self._send("SendMessage", request, timeout)

    async def send_custom_message(
        self,
        type: str,
        payload: Mapping[str, Any],
        *,
        user: str = "",
        platform: str = "",
        connection: str = "",
        wait_for: WaitFor = "written",
        timeout: float = DEFAULT_TIMEOUT,
    ) -> dict[str, Any]:
        """Send a message of an own type; no target at all: to everybody."""
        request = pb.SendCustomMessageRequest(
            type=type,
            payload_json=msgspec.json.encode(payload),
            target_user=user,
            target_platform=platform,
            connection_uuid=connection,
            wait_for=_WAITS[wait_for],
        )
        return await self._send("SendCustomMessage", request, timeout)

    async def broadcast(
        self,
        text: str,
        *,
        platform: str = "",
        wait_for: WaitFor = "written",
        timeout: float = DEFAULT_TIMEOUT,
    ) -> dict[str, Any]:
        """Send a text to everybody; returns `msg_id`, `counts` and `failed`."""
        request = pb.BroadcastRequest(
            message_json=_text_payload(text, "", platform),
            platform=platform,
            wait_for=_WAITS[wait_for],
        )
        return await self._send("Broadcast", request, timeout)

    async def list_connections(
        self, user: str | None = None, platform: str | None = None, edge: str | None = None
    ) -> list[dict[str, Any]]:
        """List all connections that match, oldest first."""
        request = pb.ListConnectionsRequest(
            user_id=user or "", platform=platform or "", edge_id=edge or "", page_size=PAGE_SIZE
        )
        found: list[dict[str, Any]] = []
        while True:
            answer = await self._call("ListConnections", request)
            found += answer["connections"]
            request.page_token = answer["next_page_token"]
            if not request.page_token:
                return found

    async def get_connection(self, connection: str) -> dict[str, Any]:
        """Show one connection."""
        request = pb.GetConnectionRequest(connection_uuid=connection)
        found: dict[str, Any] = (await self._call("GetConnection", request))["connection"]
        return found

    async def list_users(self) -> list[dict[str, Any]]:
        """List users: `user_id`, `platforms`, `connections`."""
        found: list[dict[str, Any]] = (await self._call("ListUsers", pb.ListUsersRequest()))[
            "users"
        ]
        return found

    async def list_edges(self) -> list[dict[str, Any]]:
        """List the attached edges."""
        found: list[dict[str, Any]] = (await self._call("ListEdges", pb.ListEdgesRequest()))[
            "edges"
        ]
        return found

    async def disconnect(
        self,
        *,
        connection: str = "",
        user: str = "",
        platform: str = "",
        api_key: str = "",
        code: int = 0,
        reason: str = "",
        refuse: bool = False,
    ) -> dict[str, Any]:
        """Close what matches every selector; returns `disconnected`."""
        request = pb.DisconnectRequest(
            connection_uuid=connection,
            user_id=user,
            platform=platform,
            api_key=api_key,
            code=code,
            reason=reason,
            refuse=refuse,
        )
        return await self._call("Disconnect", request)

    async def drain_edge(self, edge: str, window: float = 0.0) -> dict[str, Any]:
        """Have an edge send its clients away within seconds; returns its `connections`."""
        request = pb.DrainEdgeRequest(edge_id=edge)
        request.window.FromNanoseconds(round(window * 1e9))
        return await self._call("DrainEdge", request)

    async def get_stats(self) -> dict[str, Any]:
        """Show the numbers of the router and its `edges`."""
        return await self._call("GetStats", pb.GetStatsRequest())

    async def watch_connections(
        self, on_start: Callable[[str, int], None], from_seq: int = 0, log_id: str = ""
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield what comes and goes; `on_start` is told the run and the first number to come."""
        request = pb.WatchConnectionsRequest(from_seq=from_seq, log_id=log_id)
        call = self._stub.WatchConnections(request, metadata=self._metadata)
        try:
            # Pairs, whatever the type is called that this version of grpcio gives.
            about = dict(iter(await call.initial_metadata()))
            if "log_id" in about:
                on_start(about["log_id"], int(about["next_seq"]))
            async for event in call:
                yield _plain(event)
        except grpc.aio.AioRpcError as error:
            raise control_error(self._address, error) from None
        finally:
            call.cancel()

    async def _send(self, method: str, request: Any, timeout: float) -> dict[str, Any]:
        request.timeout.FromNanoseconds(round(timeout * 1e9))
        return await self._call(method, request, timeout + CALL_SECONDS)

    async def _call(
        self, method: str, request: Message, timeout: float = CALL_SECONDS
    ) -> dict[str, Any]:
        call = getattr(self._stub, method)
        try:
            return _plain(await call(request, timeout=timeout, metadata=self._metadata))
        except grpc.aio.AioRpcError as error:
            raise control_error(self._address, error, timeout) from None

    def _open(self) -> grpc.aio.Channel:
        if not any(self._files):
            return grpc.aio.insecure_channel(self._address, options=_OPTIONS)
        try:
            ca, key, cert = (Path(file).read_bytes() if file else None for file in self._files)
        except OSError as error:
            raise ConfigError(f"cannot read {error.filename}: {error.strerror}") from None
        credentials = grpc.ssl_channel_credentials(ca, key, cert)
        return grpc.aio.secure_channel(self._address, credentials, options=_OPTIONS)


def _text_payload(text: str, user: str, platform: str) -> bytes:
    return msgspec.json.encode(
        {
            "message_info": {
                "platform": platform or "router",
                "message_id": uuid.uuid4().hex,
                "time": time.time(),
            },
            "message_segment": {"type": "text", "data": text},
            "message_dim": {"api_key": user, "platform": platform},
        }
    )


def _plain(message: Message) -> dict[str, Any]:
    return {field.name: _value(message, field) for field in message.DESCRIPTOR.fields}


def _value(message: Message, field: Any) -> Any:
    value = getattr(message, field.name)
    if field.is_repeated:
        return [_item(field, item) for item in value]
    return _item(field, value)


def _item(field: Any, value: Any) -> Any:
    """Enums as names: `OUTCOME_WRITTEN` is WRITTEN, as in a `DeliveryReport`."""
    if isinstance(value, Timestamp):
        return value.seconds + value.nanos / 1e9
    if field.message_type is not None:
        return _plain(value)
    if field.enum_type is not None:
        number = field.enum_type.values_by_number.get(value)
        return number.name.partition("_")[2] if number else value
    return value
