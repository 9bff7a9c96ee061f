"""SIGTERM ends either service with exit code 0 within 5 s, whatever its clients do."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidMessage, InvalidStatus

from tests.edge.service.edge_peer import handshake
from tests.system.pair import Pair, message, receive, running_pair

LIMIT_SECONDS = 5.0

HANGING = """
import threading, types
def on_auth(metadata):
    if metadata["api_key"] == "hang":
        threading.Event().wait()
    return True
config = types.SimpleNamespace(on_auth=on_auth)
"""
HANGING_HANDLER = """
import types, threading
def on_message(message, metadata):
    print("the handler hangs", flush=True)
    threading.Event().wait()
config = types.SimpleNamespace(on_auth=lambda metadata: True, on_message=on_message)
"""


@asynccontextmanager
async def never_reading(pair: Pair, user: str) -> AsyncIterator[None]:
    """A client that is let in, is sent far more than fits, and never reads."""
    where = urlsplit(pair.url)
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect((where.hostname, where.port))
        sock.sendall(handshake(f"/ws?api_key={user}&platform=qq"))
        assert sock.recv(12) == b"HTTP/1.1 101"
        large = '"' + "x" * 1_000_000 + '"'
        async with pair.client("feeder") as feeder:
            for index in range(12):
                await feeder.send(message(f"f{index}", user, large))
                assert (await receive(feeder))["type"] == "sys_ack"
        yield


@pytest.mark.parametrize("name", ["edge", "router"])
async def test_sigterm_with_idle_and_never_reading_clients(name: str) -> None:
    async with (
        running_pair() as pair,
        pair.client("alice") as alice,
        never_reading(pair, "sleeper"),
    ):
        service = pair.edge if name == "edge" else pair.router
        code, took = await service.end()
        assert code == 0
        assert took < LIMIT_SECONDS
        assert "Traceback" not in service.log
        if name == "edge":
            await alice.wait_closed()
            assert alice.close_code == 1001


@pytest.mark.parametrize("name", ["edge", "router"])
async def test_sigterm_while_a_sync_auth_callback_hangs(name: str, tmp_path: Path) -> None:
    (tmp_path / "hanging_app.py").write_text(HANGING)
    async with running_pair({"app": "hanging_app:config"}, path=tmp_path) as pair:
        hanging = asyncio.create_task(pair.client("hang").__aenter__())
        async with pair.client("alice") as alice:
            await alice.send(message("m1", "alice"))
            assert (await receive(alice, "sys_std"))["msg_id"] == "m1"
            service = pair.edge if name == "edge" else pair.router
            code, took = await service.end()
            assert code == 0
            assert took < LIMIT_SECONDS
        await pair.edge.kill()
        with pytest.raises((OSError, InvalidMessage, InvalidStatus)):
            await hanging


async def test_sigterm_while_a_sync_handler_hangs(tmp_path: Path) -> None:
    (tmp_path / "hanging_handler.py").write_text(HANGING_HANDLER)
    async with running_pair({"app": "hanging_handler:config"}, path=tmp_path) as pair:
        async with pair.client("alice") as alice:
            await alice.send(message("m1", "bob"))
            # Before it, the loop would still see to the signal.
            await pair.router.logged("the handler hangs")
            code, took = await pair.router.end()
            assert code == 0
            assert took < LIMIT_SECONDS


async def test_sigterm_without_a_router() -> None:
    async with running_pair() as pair, pair.client("alice") as alice:
        await pair.router.kill()
        await pair.edge.logged("no router attached")
        await alice.send(message("m1", "bob"))
        code, took = await pair.edge.end()
        assert code == 0
        assert took < LIMIT_SECONDS
