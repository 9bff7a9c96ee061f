"""What a router is built of: who may come in, which ports, when it is ready."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from maim_protocol.bridge.frames import PROTOCOL_VERSION
from maim_protocol.errors import ConfigError
from maim_protocol.v1 import bridge_pb2, bridge_pb2_grpc
from maim_router.auth.authentication import CallbackAuth, KeyFileAuth, OpenAuth
from maim_router.auth.credentials.api_keys import ApiKeys
from maim_router.auth.credentials.tokens import Tokens
from maim_router.control_client.client import ControlClient, ControlError
from maim_router.hooks.callbacks import Hooks
from maim_router.node import Node
from maim_router.service.process import RouterProcess, build_node, load_app
from maim_router.settings import RouterSettings
from maim_runtime.http.server import bind, bound_port
from tests.router.answering_edge import AnsweringEdge

ANYWHERE = "0.0.0.0"  # noqa: S104 - nothing is served there, the address is only looked at


def settings(**more: Any) -> RouterSettings:
    return RouterSettings(**({"port": 0, "admin_port": 0} | more))


def key_file(folder: Path) -> Path:
    path = folder / "keys.toml"
    ApiKeys(path, create=True).add("anna")
    return path


def allow(metadata: dict[str, Any]) -> bool:
    return True


def test_callbacks_of_the_app_decide_who_comes_in(tmp_path: Path) -> None:
    app = SimpleNamespace(on_auth=allow, max_handler_tasks=7, handler_order="sequential")
    node = build_node(app, settings(hook_timeout=3, api_keys_file=key_file(tmp_path)))
    assert isinstance(node.auth, CallbackAuth)
    assert node.hooks.on_auth is allow
    assert (node.options.hook_timeout, node.options.max_handler_tasks) == (3, 7)
    assert node.options.handler_order == "sequential"


def test_without_auth_callbacks_the_key_file_decides(tmp_path: Path) -> None:
    app = SimpleNamespace(on_message=print)
    node = build_node(app, settings(api_keys_file=key_file(tmp_path), host=ANYWHERE))
    assert isinstance(node.auth, KeyFileAuth)
    assert node.hooks.on_message is print


def test_without_either_this_machine_is_let_in_with_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    assert isinstance(build_node(None, settings()).auth, OpenAuth)
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("host", "loopback"), [(ANYWHERE, None), ("192.0.2.1", None), ("127.0.0.1", False)]
)
def test_without_either_nobody_else_is_let_in(host: str, loopback: bool | None) -> None:
    with pytest.raises(ConfigError, match="MAIM_ROUTER_API_KEYS_FILE"):
        build_node(None, settings(host=host), loopback=loopback)


def test_a_server_object_is_told_of_its_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a_server.py").write_text(
        "class Server:\n"
        "    class config: on_auth = staticmethod(lambda m: True)\n"
        "    def bind_node(self, node): self.node = node\n"
        "server = Server()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    server = load_app("a_server:server")
    node = build_node(server, settings())
    assert server.node is node


@pytest.mark.parametrize("name", ["", "module", "module:", ":attribute"])
def test_an_app_is_named_by_module_and_attribute(name: str) -> None:
    with pytest.raises(ConfigError, match="expected module:attribute"):
        load_app(name)


def test_an_app_that_ends_the_process_when_imported_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "an_ending_app.py").write_text("raise SystemExit('no database')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match="cannot be imported: SystemExit: no database"):
        load_app("an_ending_app:config")


async def test_a_process_is_ready_while_it_serves_and_never_else(bridge: str) -> None:
    wanted = settings(bridge=bridge)
    process = RouterProcess(build_node(Hooks(on_auth=allow), wanted), wanted)
    assert process.not_ready() == "it is starting"
    await process.start()
    assert process.not_ready() is None
    await process.stop()
    assert process.not_ready() == "it is stopping"
    await process.stop()


async def test_a_start_that_fails_leaves_no_port_open(tmp_path: Path, bridge: str) -> None:
    with bind("127.0.0.1", 0) as taken:
        taken.listen()
        path = f"unix:{tmp_path}/r.sock"
        wanted = settings(host=path, admin_port=bound_port(taken), bridge=bridge)
        process = RouterProcess(build_node(None, wanted), wanted)
        with pytest.raises(OSError, match="address already in use; stop the process"):
            await process.start()
    async with ControlClient(path) as client:
        with pytest.raises(ControlError, match="no router answers"):
            await client.get_stats()


async def test_workers_of_the_same_parent_attach_over_an_extra_address(
    tmp_path: Path, bridge: str
) -> None:
    tokens = Tokens(tmp_path / "tokens.toml", create=True)
    tokens.add("cli", ["read"])
    wanted = settings(tokens_file=tmp_path / "tokens.toml", admin_port=-1, bridge=bridge)
    extra = f"unix:{tmp_path}/workers.sock"
    process = RouterProcess(build_node(None, wanted), wanted, extra_addresses=[extra])
    await process.start()
    try:
        assert process.addresses[1] == extra
        assert process.admin_address == ""
        async with grpc.aio.insecure_channel(extra) as channel:
            attach = channel.stream_stream("/maim.v1.Bridge/Attach")
            worker = attach(metadata=(("authorization", f"Bearer {process.worker_token}"),))
            await worker.done_writing()
            assert await worker.code() is grpc.StatusCode.INVALID_ARGUMENT  # no hello came
        async with ControlClient(extra, process.worker_token) as client:
            with pytest.raises(ControlError, match="expected a token with the scope read"):
                await client.list_users()
    finally:
        await process.stop()


async def test_without_tokens_workers_need_none() -> None:
    assert RouterProcess(Node(Hooks(), OpenAuth()), settings()).worker_token is None


async def test_stopping_ends_the_attachments_of_edges(bridge: str) -> None:
    wanted = settings(bridge=bridge)
    process = RouterProcess(build_node(Hooks(on_auth=allow), wanted), wanted)
    await process.start()
    async with AnsweringEdge().attached(process.node) as edge:
        await edge.admitted("anna")
        async with asyncio.timeout(4):
            await process.stop()
        assert list(process.node.links) == []
        assert len(process.node.connections) == 0


async def test_channelz_without_its_package_is_an_error_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "grpc_channelz.v1.channelz", None)
    wanted = settings(channelz=True)
    with pytest.raises(ConfigError, match="pip install grpcio-channelz"):
        await RouterProcess(build_node(None, wanted), wanted).start()


async def test_an_edge_that_reads_no_more_does_not_hold_up_the_end(bridge: str) -> None:
    wanted = settings(admin_port=-1, bridge=bridge)
    process = RouterProcess(build_node(None, wanted), wanted)
    await process.start()
    hello = bridge_pb2.Hello(
        edge_id="edge-1", epoch=1, protocol_version=PROTOCOL_VERSION, address="127.0.0.1:1"
    )
    opened = bridge_pb2.EdgeFrame(opens=[{"conn": 1, "api_key": "anna", "platform": "test"}])
    async with grpc.aio.insecure_channel(process.addresses[0]) as channel:
        attachment = bridge_pb2_grpc.BridgeStub(channel).Attach()
        await attachment.write(bridge_pb2.EdgeFrame(hello=hello))
        await attachment.read()
        await attachment.write(opened)
        await attachment.read()
        payload = b'{"x":"%b"}' % (b"x" * (16 << 20))
        sending = asyncio.create_task(process.node.messenger.broadcast(payload, timeout=10))
        async with asyncio.timeout(4.5):
            await process.stop()
        assert (await sending).outcome == "EDGE_UNREACHABLE"
        attachment.cancel()


def test_the_timeout_of_callbacks_is_the_apps_unless_the_settings_say_otherwise() -> None:
    app = SimpleNamespace(on_auth=bool, hook_timeout=2.0)
    assert build_node(app, settings()).options.hook_timeout == 2.0
    assert build_node(app, settings(hook_timeout=3.0)).options.hook_timeout == 3.0
