"""Every code block of the usage guide runs as it stands (blocks/, see running.py)."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from maim_message.client import WebSocketClient
from maim_message.server import WebSocketServer
from tests.clients.program import Program
from tests.guide.person import Person, nobody_answers, text
from tests.guide.running import BLOCKS, Printed, free_port, run, source


@contextmanager
def program(name: str, port: int, tmp_path: Path) -> Iterator[Program]:
    path = tmp_path / f"{name}.py"
    path.write_text(source(name, port))
    yield Program(sys.executable, "-W", "error", path)


@asynccontextmanager
async def block_in_background(main: Any) -> AsyncIterator[None]:
    """Run a block's coroutine that never ends by itself, and cancel it."""
    task = asyncio.create_task(main())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_quickstart_server_serves_both_quickstart_clients(tmp_path: Path) -> None:
    port = free_port()
    with (
        program("quickstart_server", port, tmp_path) as serving,
        program("single_client", port, tmp_path) as single,
        program("multi_client", port, tmp_path) as multi,
    ):
        async with serving as server:
            await server.line(f"服务器已启动在 ws://localhost:{port}/ws")
            async with single as one, multi as many:
                assert await one.ended() == 0, one
                assert await many.ended() == 0, many
            # Its `except KeyboardInterrupt` is never reached: asyncio cancels the coroutine.
            server.signal(signal.SIGINT)
            await server.ended()
    assert one.out == ["✅ 连接到服务器成功", "消息发送成功"]
    assert [line.partition(":")[0] for line in many.out] == [
        "✅ 主服务连接成功",
        "✅ 微信连接",
        "✅ QQ连接",
        "活跃连接",
    ]
    assert many.out[3].count("'") == 6, "three connections are active"


async def test_a_client_without_a_server_says_that_it_failed(tmp_path: Path) -> None:
    with program("single_client", free_port(), tmp_path) as lonely:
        async with lonely as client:
            assert await client.ended() == 0
    assert client.out == ["❌ 连接到服务器失败"]


async def test_the_legacy_names_say_where_the_new_ones_are() -> None:
    with pytest.raises(ImportError, match=r"from maim_message\.client import WebSocketClient"):
        await run("legacy_imports")


@pytest.mark.parametrize("name", ["api_imports", "import_error", "debug_log"])
async def test_a_block_of_imports_or_logging_runs(name: str) -> None:
    await run(name)


async def test_the_server_configuration_serves(printed: Printed) -> None:
    names = await run("server_configuration", free_port(), print=printed)
    for config in names.every["config"]:
        async with WebSocketServer(config) as server, Person(server.url, "alice", "qq") as alice:
            assert await alice.client.send_message(text("hi", "alice", "qq"), wait_ack=True)
    await printed.line("客户端连接: ")
    await printed.line("收到消息: hi")
    await printed.line("客户端断开: ")


async def test_the_client_configurations_connect(server: WebSocketServer, printed: Printed) -> None:
    port = int(server.url.split(":")[2].removesuffix("/ws"))
    names = await run("client_configuration", port, print=printed)
    for config in [*names.every["config"], names["main_config"]]:
        async with WebSocketClient(config) as client:
            assert client.is_connected()
    await printed.line("断开连接: ")


async def test_message_tracing_can_be_switched_on(server: WebSocketServer) -> None:
    await run("debug_messages", config=server.config)
    assert server.config.enable_message_log


@pytest.mark.parametrize(
    ("name", "main", "line"),
    [
        ("safe_start", "safe_server_start", "服务器启动成功"),
        ("resource_management", "main", "服务器运行中..."),
        ("monitoring", "main", "连接统计: 用户数=0, 连接数=0"),
    ],
)
async def test_a_server_of_the_guide_runs_and_leaves_its_port(
    name: str, main: str, line: str, printed: Printed
) -> None:
    port = free_port()
    names = await run(name, port, print=printed)
    async with block_in_background(names[main]):
        await printed.line(line)
        async with Person(f"ws://localhost:{port}/ws", "alice", "qq"):
            pass
    assert await nobody_answers(f"ws://localhost:{port}/ws")


async def test_a_server_that_cannot_start_says_why(
    server: WebSocketServer, printed: Printed
) -> None:
    taken = int(server.url.split(":")[2].removesuffix("/ws"))
    names = await run("safe_start", taken, print=printed)
    await names["safe_server_start"]()
    assert printed.lines[0].startswith("服务器运行错误: ")
    assert printed.lines[-1] == "服务器已关闭"


async def test_the_production_configuration_asks_its_callbacks() -> None:
    came: asyncio.Queue[str] = asyncio.Queue()
    names = await run(
        "production_configuration",
        free_port(),
        your_auth_function=lambda metadata: metadata["api_key"] == "good",
        your_user_extractor=lambda metadata: "alice",
        your_message_handler=lambda m, metadata: came.put_nowait(metadata["user_id"]),
    )
    async with WebSocketServer(names["config"]) as server:
        assert await nobody_answers(server.url)
        async with Person(server.url, "good", "qq") as alice:
            await alice.client.send_message(text("hi", "good", "qq"))
            assert await asyncio.wait_for(came.get(), 10) == "alice"


def test_every_block_is_run_by_a_test_here() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert [p.stem for p in BLOCKS.glob("*.py") if f'"{p.stem}"' not in tests] == []
