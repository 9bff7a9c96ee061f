"""Requests that the control API refuses: each by the name of the field and what came."""

from __future__ import annotations

import json

import grpc
import pytest

from maim_protocol.v1 import delivery_pb2
from maim_protocol.v1 import router_pb2 as pb
from tests.router.control_peer import PAYLOAD, Served, message, violation


def without(*path: str) -> bytes:
    document = json.loads(json.dumps(PAYLOAD))
    inner = document
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return json.dumps(document).encode()


def replaced(value: object, *path: str) -> bytes:
    document = json.loads(json.dumps(PAYLOAD))
    inner = document
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return json.dumps(document).encode()


def unset(field: str) -> delivery_pb2.Message:
    made = message()
    part, _, name = field.partition(".")
    getattr(made, part).ClearField(name)
    return made


def timeless() -> delivery_pb2.Message:
    made = message()
    made.message_info.time = float("nan")
    return made


Send = pb.SendMessageRequest


@pytest.mark.parametrize(
    ("request_", "field", "description"),
    [
        (Send(), "message", "expected one of message and message_json, got none of them"),
        (Send(message=message(), message_json=b"{}"), "message", "got both"),
        (Send(message_json=b"{"), "message_json", "expected one JSON object in UTF-8"),
        (Send(message_json=b'{"a":"\xff"}'), "message_json", "expected one JSON object in UTF-8"),
        (Send(message_json=b"[" * 100_000), "message_json", "nested too deeply"),
        (Send(message_json=b"[]"), "message_json", "expected one JSON object, got list"),
        (
            Send(message_json=without("message_segment")),
            "message_json.message_segment",
            "expected a value, got nothing",
        ),
        (
            Send(message_json=without("message_info", "time")),
            "message_json.message_info.time",
            "expected a value, got nothing",
        ),
        (
            Send(message_json=replaced(5, "message_info", "platform")),
            "message_json.message_info.platform",
            "expected str, got int",
        ),
        (
            Send(message_json=replaced("", "message_dim", "api_key")),
            "message_json.message_dim.api_key",
            "expected the api_key of the receiver",
        ),
        (
            Send(message=unset("message_info.platform")),
            "message.message_info.platform",
            "expected a value, got nothing",
        ),
        (Send(message=unset("message_info.time")), "message.message_info.time", "got nothing"),
        (Send(message=timeless()), "message.message_info.time", "expected Unix seconds, got NaN"),
        (Send(message=unset("message_segment.data")), "message.message_segment.data", "nothing"),
        (Send(message=unset("message_segment.type")), "message.message_segment.type", "nothing"),
        (Send(message=unset("message_dim.api_key")), "message.message_dim.api_key", "got nothing"),
        (
            Send(message=unset("message_dim.platform"), target_user="anna"),
            "message.message_dim.platform",
            "or target_platform beside the message, got nothing",
        ),
        (Send(message=message(), wait_for=9), "wait_for", "WAIT_FOR_ACKED, got 9"),
        (Send(message=message(), timeout={"seconds": -1}), "timeout", "0 to 60 s, got -1 s"),
        (Send(message=message(), idempotency_key="k" * 129), "idempotency_key", "got 129"),
    ],
)
async def test_a_bad_message_is_refused_by_the_name_of_its_field(
    served: Served, request_: pb.SendMessageRequest, field: str, description: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await served.stub.SendMessage(request_)
    found = violation(caught.value)
    assert found[0] == field
    assert description in found[1]
    assert caught.value.details() == f"{field}: {found[1]}"


Custom = pb.SendCustomMessageRequest


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (Custom(payload_json=b"{}"), "type"),
        (Custom(type="custom_", payload_json=b"{}"), "type"),
        (Custom(type="x" * 122, payload_json=b"{}"), "type"),
        (Custom(type="x"), "payload"),
        (Custom(type="x", payload_json=b"7"), "payload_json"),
        (Custom(type="x", payload={}, payload_json=b"{}"), "payload"),
        (Custom(type="x", payload={"a": float("inf")}), "payload"),
        (Custom(type="x", payload_json=b"{}", connection_uuid="secret"), "connection_uuid"),
    ],
)
async def test_a_bad_custom_message_is_refused_by_the_name_of_its_field(
    served: Served, request_: pb.SendCustomMessageRequest, field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await served.stub.SendCustomMessage(request_)
    assert violation(caught.value)[0] == field


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.ListConnectionsRequest(page_size=1001), "page_size"),
        (pb.ListConnectionsRequest(page_token="what"), "page_token"),
        (pb.ListConnectionsRequest(page_token="é"), "page_token"),
        (pb.ListConnectionsRequest(page_token="W10="), "page_token"),
    ],
)
async def test_a_bad_page_is_refused(
    served: Served, request_: pb.ListConnectionsRequest, field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await served.stub.ListConnections(request_)
    assert violation(caught.value)[0] == field


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.DisconnectRequest(), "connection_uuid"),
        (pb.DisconnectRequest(connection_uuid="x", user_id="anna"), "connection_uuid"),
        (pb.DisconnectRequest(user_id="anna", code=1001), "code"),
        (pb.DisconnectRequest(user_id="anna", code=5000), "code"),
        (pb.DisconnectRequest(user_id="anna", reason="é" * 62), "reason"),
    ],
)
async def test_a_bad_disconnect_is_refused_and_closes_nothing(
    served: Served, request_: pb.DisconnectRequest, field: str
) -> None:
    await served.edge.admitted("anna")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await served.stub.Disconnect(request_)
    assert violation(caught.value)[0] == field
    assert len(served.node.connections) == 1
