"""nginx with nchan."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any, ClassVar, Self

from benchmarks.field.nats import found
from benchmarks.process import Program, ProgramFailed, answers, free_port

MODULES = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules")
CONFIG = """
load_module {module};
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {folder}/pid;
error_log /dev/null crit;
events {{ worker_connections 19000; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  nchan_max_reserved_memory 1g;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /ws {{
      nchan_pubsub websocket;
      nchan_publisher_channel_id $arg_pub;
      nchan_subscriber_channel_id $arg_sub;
      nchan_store_messages off;
    }}
    location = /all {{ nchan_publisher; nchan_channel_id all; nchan_store_messages off; }}
  }}
}}
"""


class Nchan:
    """Needs `nginx` and its module nchan."""

    load: ClassVar[dict[str, Any]] = {
        "wire": "benchmarks.field.wires:NchanWire",
        "server_acks": False,
    }

    def __init__(self) -> None:
        self._port = free_port()
        self.url = f"ws://127.0.0.1:{self._port}/ws"
        self._folder = tempfile.TemporaryDirectory()
        config = Path(self._folder.name) / "nginx.conf"
        values = {"module": _module(), "folder": self._folder.name, "port": self._port}
        config.write_text(CONFIG.format(**values))
        argv = (found("nginx"), "-p", self._folder.name, "-c", config)
        self._program = Program("server", *argv)
        self.programs = {"server": self._program}

    async def __aenter__(self) -> Self:
        await self._program.__aenter__()
        await answers(self._port, self._program)
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._writer.close()
        await self._program.__aexit__(*error)
        self._folder.cleanup()

    async def broadcast(self, text: str) -> None:
        """Publish by HTTP, over one connection that stays."""
        head = f"POST /all HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(text)}\r\n\r\n"
        self._writer.write(f"{head}{text}".encode())
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = next(line for line in answer.lower().split(b"\r\n") if b"content-length" in line)
        await self._reader.readexactly(int(length.partition(b":")[2]))

    async def handled(self) -> int | None:
        return None


def _module() -> Path:
    for folder in MODULES:
        if (path := Path(folder) / "ngx_nchan_module.so").exists():
            return path
    raise ProgramFailed("nginx's module nchan is not installed: make bench-field")
