"""`maim.v1.Router`: the control API over a node, for operators, backends and grpcurl."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

import grpc

from maim_protocol.v1 import delivery_pb2, router_pb2_grpc
from maim_protocol.v1 import router_pb2 as pb
from maim_router.auth import Denial
from maim_router.bridge import DeliveryReport
from maim_router.connection_map import Entry
from maim_router.control import conversion as convert
from maim_router.control import payloads, watching
from maim_router.control.errors import (
    answering,
    bad_field,
    streaming,
    unknown_connection,
    unknown_edge,
    with_reason,
)
from maim_router.control.idempotency import IdempotentCalls
from maim_router.node import Node

log = logging.getLogger(__name__)


class ControlService(router_pb2_grpc.RouterServicer):
    """Answers calls from one node; what a caller may do was checked before."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._idempotent = IdempotentCalls(node.options.dedup_window, time.monotonic)

    async def stop(self) -> None:
        """Cancel what idempotent calls still wait for."""
        await self._idempotent.stop()

    @answering
    async def SendMessage(self, request: pb.SendMessageRequest) -> delivery_pb2.DeliveryReport:
        """Send a standard message to a user's connections on one platform."""
        standard = payloads.standard_payload(
            request.message if request.HasField("message") else None,
            request.message_json,
            user=request.target_user,
            platform=request.target_platform,
        )
        platform = request.target_platform or standard.platform
        _check_receiver(request.target_user or standard.api_key, platform, standard.field)
        wait_for = convert.wait_for(request.wait_for)
        timeout = convert.timeout_seconds(request.timeout)
        ttl = convert.ttl_seconds(request.ttl)

        async def send() -> DeliveryReport:
            user = request.target_user or await self._resolve(standard.api_key, platform)
            return await self._node.messenger.send(
                standard.payload,
                user_id=user,
                api_key=standard.api_key,
                platform=platform,
                wait_for=wait_for,
                timeout=timeout,
                ttl=ttl,
            )

        key = convert.idempotency_key(request.idempotency_key)
        return convert.report_message(await self._idempotent.run(key, send))

    @answering
    async def SendCustomMessage(
        self, request: pb.SendCustomMessageRequest
    ) -> delivery_pb2.DeliveryReport:
        """Send a message of the application's own type."""
        type = payloads.checked_type(request.type)
        payload = request.payload if request.HasField("payload") else None
        report = await self._node.messenger.send_custom(
            type,
            payloads.custom_payload(payload, request.payload_json),
            user_id=request.target_user,
            platform=request.target_platform,
            connection_uuid=convert.connection_uuid(request.connection_uuid),
            wait_for=convert.wait_for(request.wait_for),
            timeout=convert.timeout_seconds(request.timeout),
            ttl=convert.ttl_seconds(request.ttl),
        )
        return convert.report_message(report)

    @answering
    async def Broadcast(self, request: pb.BroadcastRequest) -> pb.BroadcastResponse:
        """Send a standard message to every connection, or to those of one platform."""
        message = request.message if request.HasField("message") else None
        standard = payloads.standard_payload(
            message, request.message_json, platform=request.platform
        )
        report = await self._node.messenger.broadcast(
            standard.payload,
            platform=request.platform,
            wait_for=convert.wait_for(request.wait_for),
            timeout=convert.timeout_seconds(request.timeout),
        )
        return convert.broadcast_message(report)

    @answering
    async def ListConnections(
        self, request: pb.ListConnectionsRequest
    ) -> pb.ListConnectionsResponse:
        """List connections, oldest first, a page a call."""
        size = convert.page_size(request.page_size)
        found = [
            entry
            for entry in self._node.connections.select(
                user_id=request.user_id, platform=request.platform
            )
            if request.edge_id in ("", entry.address.edge.edge_id)
        ]
        page, token = convert.page(found, size, request.page_token)
        return pb.ListConnectionsResponse(
            connections=self._connections(page),
            next_page_token=token,
            total=len(found),
        )

    @answering
    async def GetConnection(self, request: pb.GetConnectionRequest) -> pb.GetConnectionResponse:
        """Show one connection."""
        uuid = convert.connection_uuid(request.connection_uuid, required=True)
        entry = self._node.connections.get(uuid)
        if entry is None:
            raise unknown_connection(uuid)
        [connection] = self._connections([entry])
        return pb.GetConnectionResponse(connection=connection)

    @answering
    async def ListUsers(self, request: pb.ListUsersRequest) -> pb.ListUsersResponse:
        """List users with their platforms."""
        return pb.ListUsersResponse(users=convert.user_messages(self._node.connections.users()))

    @answering
    async def ListEdges(self, request: pb.ListEdgesRequest) -> pb.ListEdgesResponse:
        """List the attached edges."""
        return pb.ListEdgesResponse(edges=self._edges())

    @answering
    async def Disconnect(self, request: pb.DisconnectRequest) -> pb.DisconnectResponse:
        """Close connections, and refuse new ones of the same kind when asked."""
        uuid = convert.connection_uuid(request.connection_uuid)
        if not (uuid or request.user_id or request.platform or request.api_key):
            raise bad_field(
                "connection_uuid", "connection_uuid, user_id, platform or api_key", "none of them"
            )
        code = convert.close_code(request.code)
        reason = convert.close_reason(request.reason)
        entries = self._selected(uuid, request)
        if request.refuse:
            # First, so that nobody is back before it holds.
            self._refuse(uuid, request, entries)
        return pb.DisconnectResponse(disconnected=self._node.disconnect(entries, code, reason))

    @answering
    async def DrainEdge(self, request: pb.DrainEdgeRequest) -> pb.DrainEdgeResponse:
        """Have an edge send its clients away and end."""
        window = convert.drain_window(request.window)
        links = {link.key.edge_id: link for link in self._node.links}
        link = links.get(request.edge_id)
        if link is None:
            raise unknown_edge(request.edge_id, list(links))
        link.drain(window)
        [edge] = convert.edge_messages([link], self._node.connections.select())
        return pb.DrainEdgeResponse(connections=edge.connections)

    @answering
    async def GetStats(self, request: pb.GetStatsRequest) -> pb.GetStatsResponse:
        """Show the numbers of the router and of each edge."""
        node = self._node
        counters = node.hub.counters
        return pb.GetStatsResponse(
            current_users=node.connections.user_count(),
            current_connections=len(node.connections),
            total_auth_requests=counters.total_auth_requests,
            successful_auths=counters.successful_auths,
            failed_auths=counters.failed_auths,
            messages_processed=counters.messages_processed,
            custom_messages_processed=counters.custom_messages_processed,
            duplicate_messages_ignored=counters.duplicate_messages_ignored,
            active_handler_tasks=node.handlers.active,
            handler_errors=node.handlers.errors,
            messages_relayed=counters.messages_relayed,
            messages_rejected=counters.messages_rejected,
            deliveries=node.deliveries,
            uptime_seconds=time.monotonic() - node.started_at,
            edges=self._edges(),
        )

    # grpc.aio takes a coroutine that writes by itself too; the stubs know the generator only.
    @streaming
    async def WatchConnections(  # type: ignore[override]
        self, request: pb.WatchConnectionsRequest, context: Any
    ) -> None:
        """Tell what comes and goes, from an event on that the caller names."""
        await watching.watch(self._node.lifecycle, request, context)

    async def _resolve(self, api_key: str, platform: str) -> str:
        try:
            return await self._node.resolver.resolve(api_key, platform)
        except Exception as error:
            # The text of the error may hold the key, so only its type is logged.
            log.warning("receiver not resolved: %s", type(error).__name__)
        text = "the application could not say whose api_key message_dim names"
        raise with_reason(grpc.StatusCode.ABORTED, "RECEIVER_NOT_RESOLVED", text)

    def _connections(self, entries: Sequence[Entry]) -> list[pb.Connection]:
        pending = {link.key: link.status.pending for link in self._node.links}
        return [
            convert.connection_message(
                entry,
                standby=self._node.connections.standby(entry),
                pending_bytes=pending.get(entry.address.edge, {}).get(entry.address.conn, 0),
            )
            for entry in entries
        ]

    def _edges(self) -> list[pb.Edge]:
        return convert.edge_messages(self._node.links, self._node.connections.select())

    def _selected(self, uuid: str, request: pb.DisconnectRequest) -> Sequence[Entry]:
        api_key = request.api_key
        return [
            entry
            for entry in self._node.connections.select(
                user_id=request.user_id, platform=request.platform
            )
            if uuid in ("", entry.uuid) and api_key in ("", entry.open.api_key)
        ]

    def _refuse(self, uuid: str, request: pb.DisconnectRequest, entries: Sequence[Entry]) -> None:
        denials = self._node.admission.denials
        if not uuid:
            denials.add(Denial(request.user_id, request.platform, request.api_key))
        for entry in entries if uuid else ():
            key = entry.open.api_key
            denials.add(Denial(entry.user_id, entry.platform, key))


def _check_receiver(receiver: str, platform: str, field: str) -> None:
    """Without a receiver the message is for nobody."""
    if not receiver:
        expected = "the api_key of the receiver, or target_user beside the message"
        raise bad_field(f"{field}.message_dim.api_key", expected)
    if not platform:
        expected = "the platform of the receiver, or target_platform beside the message"
        raise bad_field(f"{field}.message_dim.platform", expected)
