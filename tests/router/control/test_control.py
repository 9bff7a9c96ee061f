"""Sending over the control API, over real gRPC."""

from __future__ import annotations

import asyncio
import json

import grpc
import msgspec
import pytest
from google.protobuf import json_format

from maim_protocol.bridge.frames import BridgeOutcome
from maim_protocol.v1 import delivery_pb2
from maim_protocol.v1 import router_pb2 as pb
from maim_router.auth.authentication import CallbackAuth
from maim_router.hooks.callbacks import Hooks
from maim_router.node import Node
from tests.router.control_peer import PAYLOAD, UNKNOWN, Served, message, reason, serve


async def test_a_typed_message_reaches_the_user_as_the_websocket_payload(served: Served) -> None:
    uuid = await served.edge.admitted("anna")
    await served.edge.admitted("bob")
    report = await served.stub.SendMessage(pb.SendMessageRequest(message=message("héllo 😀")))
    assert report.user_id == "anna"
    assert report.outcome == delivery_pb2.OUTCOME_WRITTEN
    assert [(c.connection_uuid, c.outcome) for c in report.connections] == [
        (uuid, delivery_pb2.OUTCOME_WRITTEN)
    ]
    [found] = served.edge.delivered
    assert (found.conn, found.type, found.msg_id) == (1, "sys_std", report.msg_id)
    segment = {"type": "text", "data": "héllo 😀"}
    assert json.loads(found.payload) == PAYLOAD | {"message_segment": segment}


async def test_whole_numbers_of_a_typed_message_stay_whole(served: Served) -> None:
    await served.edge.admitted("anna")
    config = {"count": 3, "ratio": 0.5, "huge": 1e300, "nested": {"list": [1, None, True]}}
    info = PAYLOAD["message_info"] | {"additional_config": config}
    typed = json_format.ParseDict(PAYLOAD | {"message_info": info}, delivery_pb2.Message())
    await served.stub.SendMessage(pb.SendMessageRequest(message=typed))
    payload = served.edge.delivered[0].payload
    assert b'"time":1700000000,' in payload
    assert b'"count":3' in payload
    assert json.loads(payload)["message_info"]["additional_config"] == config


async def test_the_bytes_of_message_json_are_passed_on_untouched(served: Served) -> None:
    await served.edge.admitted("anna")
    raw = (
        b'{ "z":1e2, "message_dim":{"platform":"test","api_key":"anna"},"big":12345678901234567890,'
        b'\n"message_info":{"time":1,"message_id":"\\u00e9","platform":"test"},'
        b'"message_segment":{"data":[],"type":"seglist"}}'
    )
    await served.stub.SendMessage(pb.SendMessageRequest(message_json=raw))
    assert served.edge.delivered[0].payload == raw


async def test_target_user_and_platform_stand_in_for_an_empty_message_dim(served: Served) -> None:
    await served.edge.admitted("anna", "other")
    bare = message()
    bare.ClearField("message_dim")
    request = pb.SendMessageRequest(message=bare, target_user="anna", target_platform="other")
    report = await served.stub.SendMessage(request)
    assert report.outcome == delivery_pb2.OUTCOME_WRITTEN
    dim = json.loads(served.edge.delivered[0].payload)["message_dim"]
    assert dim == {"api_key": "anna", "platform": "other"}


async def test_target_platform_goes_before_that_of_the_message(served: Served) -> None:
    await served.edge.admitted("anna", "here")
    request = pb.SendMessageRequest(message=message(platform="there"), target_platform="here")
    assert (await served.stub.SendMessage(request)).outcome == delivery_pb2.OUTCOME_WRITTEN
    dim = json.loads(served.edge.delivered[0].payload)["message_dim"]
    assert dim == {"api_key": "anna", "platform": "there"}


async def test_a_message_for_nobody_is_an_outcome_and_no_error(served: Served) -> None:
    report = await served.stub.SendMessage(pb.SendMessageRequest(message=message()))
    assert report.outcome == delivery_pb2.OUTCOME_NO_CONNECTION
    assert not report.connections


async def test_a_call_may_wait_for_the_acknowledgement(served: Served) -> None:
    await served.edge.admitted("anna")
    served.edge.acks.add(1)
    request = pb.SendMessageRequest(message=message(), wait_for=delivery_pb2.WAIT_FOR_ACKED)
    assert (await served.stub.SendMessage(request)).outcome == delivery_pb2.OUTCOME_ACKED


async def test_what_is_not_acknowledged_within_the_timeout_counts_as_written(
    served: Served,
) -> None:
    await served.edge.admitted("anna")
    request = pb.SendMessageRequest(message=message(), wait_for=delivery_pb2.WAIT_FOR_ACKED)
    request.timeout.FromMilliseconds(50)
    assert (await served.stub.SendMessage(request)).outcome == delivery_pb2.OUTCOME_WRITTEN


async def test_the_same_idempotency_key_sends_once_also_at_the_same_time(served: Served) -> None:
    await served.edge.admitted("anna")
    request = pb.SendMessageRequest(message=message(), idempotency_key="order-7")
    together = await asyncio.gather(*(served.stub.SendMessage(request) for _ in range(5)))
    later = await served.stub.SendMessage(request)
    assert {report.msg_id for report in together} == {later.msg_id}
    assert len(served.edge.delivered) == 1
    other = pb.SendMessageRequest(message=message(), idempotency_key="order-8")
    assert (await served.stub.SendMessage(other)).msg_id != later.msg_id


async def test_a_custom_message_goes_to_whatever_matches_all_targets(served: Served) -> None:
    await served.edge.admitted("anna", "one")
    second = await served.edge.admitted("anna", "two")
    await served.edge.admitted("bob", "two")

    async def send(**target: str) -> list[int]:
        served.edge.delivered.clear()
        request = pb.SendCustomMessageRequest(type="alert", payload_json=b'{"n": 1}', **target)
        await served.stub.SendCustomMessage(request)
        return [found.conn for found in served.edge.delivered]

    assert await send() == [1, 2, 3]
    assert await send(target_user="anna") == [1, 2]
    assert await send(target_platform="two") == [2, 3]
    assert await send(target_user="anna", target_platform="two") == [2]
    assert await send(connection_uuid=second) == [2]
    assert await send(connection_uuid=second, target_user="bob") == []
    assert await send(connection_uuid=UNKNOWN) == []


async def test_a_custom_type_gets_its_prefix_and_a_struct_becomes_json(served: Served) -> None:
    await served.edge.admitted("anna")
    request = pb.SendCustomMessageRequest(type="alert")
    request.payload.update({"level": 3})
    await served.stub.SendCustomMessage(request)
    [found] = served.edge.delivered
    assert (found.type, found.payload) == ("custom_alert", b'{"level":3}')


async def test_a_broadcast_counts_outcomes_and_names_who_did_not_get_it(served: Served) -> None:
    await served.edge.admitted("anna", "one")
    slow = await served.edge.admitted("bob", "two")
    await served.edge.admitted("carl", "two")
    served.edge.outcomes[2] = BridgeOutcome.SLOW
    answer = await served.stub.Broadcast(pb.BroadcastRequest(message=message()))
    counts = {count.outcome: count.count for count in answer.counts}
    assert counts == {delivery_pb2.OUTCOME_WRITTEN: 2, delivery_pb2.OUTCOME_SLOW: 1}
    failed = [(item.connection_uuid, item.outcome) for item in answer.failed]
    assert failed == [(slow, delivery_pb2.OUTCOME_SLOW)]
    served.edge.delivered.clear()
    await served.stub.Broadcast(pb.BroadcastRequest(message=message(), platform="one"))
    assert [found.conn for found in served.edge.delivered] == [1]


async def test_a_resolving_callback_that_raises_leaks_no_key() -> None:
    def extract(metadata: dict[str, str]) -> str:
        raise KeyError(metadata["api_key"])

    hooks = Hooks(on_auth_extract_user=extract)
    async with serve(Node(hooks, CallbackAuth(hooks, 1.0))) as served:
        request = pb.SendMessageRequest(message=message(api_key="s3cret-key"))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await served.stub.SendMessage(request)
    assert caught.value.code() is grpc.StatusCode.ABORTED
    assert reason(caught.value) == "RECEIVER_NOT_RESOLVED"
    assert "s3cret" not in str(caught.value)


async def test_an_error_of_the_router_says_nothing_of_itself_to_the_caller(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> int:
        raise RuntimeError("s3cret")

    monkeypatch.setattr(served.node.connections, "user_count", broken)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await served.stub.GetStats(pb.GetStatsRequest())
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "s3cret" not in str(caught.value)


async def test_a_large_message_passes(served: Served) -> None:
    await served.edge.admitted("anna")
    data = "x" * (8 * 1024 * 1024)
    raw = msgspec.json.encode(PAYLOAD | {"message_segment": {"type": "image", "data": data}})
    await served.stub.SendMessage(pb.SendMessageRequest(message_json=raw))
    assert served.edge.delivered[0].payload == raw
