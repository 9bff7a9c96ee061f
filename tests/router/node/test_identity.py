"""Connections that an edge announces, and whom a router believes."""

from __future__ import annotations

from maim_protocol.bridge.frames import (
    Admission,
    DisconnectOrder,
    Live,
    Open,
)
from maim_router.auth.authentication import CallbackAuth, OpenAuth
from maim_router.auth.signing import Signer
from maim_router.hooks.callbacks import Hooks
from maim_router.node import Node, NodeOptions
from tests.router.letters import make
from tests.router.memory_edge import MemoryEdge


async def test_another_router_with_the_same_key_takes_connections_over_unasked() -> None:
    asked: list[str] = []
    hooks = Hooks(on_auth=lambda metadata: asked.append(metadata["api_key"]) or True)
    signer = Signer(b"shared by the routers")
    nodes = [Node(hooks, CallbackAuth(hooks, 5.0), signer=signer) for _ in range(2)]
    edge = await MemoryEdge(nodes[0]).attach()
    admission = await edge.admitted(1, "alice")
    await MemoryEdge(nodes[1]).attach([Live(Open(1, "alice", "qq"), admission)])
    assert asked == ["alice"]
    assert nodes[1].connections.get(admission.connection_uuid) is not None
    for node in nodes:
        await node.stop()


async def test_a_connection_without_a_proof_is_authenticated_again() -> None:
    hooks = Hooks(on_auth=lambda metadata: metadata["api_key"] != "wrong")
    node = Node(hooks, CallbackAuth(hooks, 5.0), NodeOptions(stop_timeout=0))
    claims = [
        Live(Open(1, "alice", "qq"), Admission("uuid-1", "somebody else")),
        Live(Open(2, "wrong", "qq"), Admission("uuid-2", "alice")),
    ]
    edge = await MemoryEdge(node).attach(claims)
    order = await edge.hear()
    assert isinstance(order, DisconnectOrder)
    assert (order.conn, order.code) == (2, 4401)
    (entry,) = node.connections.select()
    assert entry.uuid == "uuid-1"
    assert entry.user_id != "somebody else"
    await node.stop()


async def test_an_announced_connection_does_not_take_the_id_of_another_one() -> None:
    node = make()
    edge = await MemoryEdge(node).attach()
    admission = await edge.admitted(2, "bob")
    stolen = Live(Open(1, "mallory", "qq"), Admission(admission.connection_uuid, "bob"))
    await MemoryEdge(node, "forged").attach([stolen])
    entry = node.connections.get(admission.connection_uuid)
    assert entry is not None
    assert (entry.user_id, entry.edge.edge_id) == ("bob", "edge-1")
    await node.stop()


async def test_an_id_is_taken_once_in_a_hello_and_nobody_is_left_of_it_afterwards() -> None:
    signer = Signer(b"shared by the routers")
    nodes = [Node(Hooks(), OpenAuth(), signer=signer) for _ in range(2)]
    proven = await (await MemoryEdge(nodes[0]).attach()).admitted(1, "alice")
    lives = [
        Live(Open(1, "alice", "qq"), proven),
        Live(Open(2, "bob", "qq"), Admission(proven.connection_uuid, "bob")),
        *(Live(Open(conn, f"user-{conn}", "qq"), Admission("uuid-1", "")) for conn in (3, 4, 5)),
    ]
    edge = await MemoryEdge(nodes[1]).attach(lives)
    entries = nodes[1].connections.select()
    assert sorted(entry.address.conn for entry in entries) == [1, 2, 3, 4, 5]
    assert len({entry.uuid for entry in entries}) == 5
    kept = [nodes[1].connections.get(uuid) for uuid in (proven.connection_uuid, "uuid-1")]
    assert [entry and entry.address.conn for entry in kept] == [1, 3]
    edge.send(None)
    await edge.serving
    assert ([*nodes[1].connections.select()], nodes[1].connections.user_count()) == ([], 0)
    for node in nodes:
        await node.stop()
