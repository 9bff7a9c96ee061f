"""Several edge processes behind one port: started, watched, replaced, ended together."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from asyncio.subprocess import PIPE, Process

from pydantic import SecretStr

from maim_edge.settings import PREFIX, EdgeSettings
from maim_protocol.addresses import join
from maim_protocol.errors import AlreadyTold
from maim_runtime.http import bind, bound_port
from maim_runtime.memory import bytes_of
from maim_runtime.settings import env_name

log = logging.getLogger(__name__)

RESTART_SECONDS = 1.0
# Beside the drain window.
STOP_SECONDS = 1.5
CONFIG_ERROR = 2
BACKLOG = 2048


class Workers:
    """`settings.workers` processes of `python -m maim_edge` that share a listening socket.

    A worker that dies is replaced; one that ends with 0 was told to and is not. The workers end
    when this process does, however it ends: they watch the pipe that is their standard input.
    Only the first has the admin port.
    """

    def __init__(self, settings: EdgeSettings) -> None:
        self._settings = settings
        self._socket: socket.socket | None = None
        self._processes: dict[int, Process] = {}
        self.port = 0

    @property
    def url(self) -> str:
        """Where clients connect."""
        scheme = "wss" if self._settings.tls_cert else "ws"
        return f"{scheme}://{join(self._settings.host, self.port)}{self._settings.path}"

    async def start(self) -> None:
        """Bind the port and start every worker; raises `OSError` when the port is not free."""
        settings = self._settings
        self._socket = bind(settings.host, settings.effective_port)
        self._socket.listen(BACKLOG)
        self.port = bound_port(self._socket)
        for index in range(settings.workers):
            await self._spawn(index, self._socket.fileno())

    async def run(self) -> None:
        """Replace workers that die, until all have ended as they were told.

        Raises `AlreadyTold` when one finds the settings unusable.
        """
        if self._socket is None:
            return
        listen_fd = self._socket.fileno()
        indexes = list(self._processes)
        watches = [asyncio.ensure_future(self._watch(index, listen_fd)) for index in indexes]
        try:
            await asyncio.gather(*watches)
        finally:
            for watch in watches:
                watch.cancel()

    async def stop(self) -> None:
        """End every worker: politely, then not."""
        processes = [p for p in self._processes.values() if p.returncode is None]
        for process in processes:
            process.terminate()
        if processes:
            waits = [asyncio.ensure_future(process.wait()) for process in processes]
            _, late = await asyncio.wait(waits, timeout=STOP_SECONDS + self._settings.drain_window)
            for process in processes:
                if process.returncode is None:
                    process.kill()
            await asyncio.gather(*late)
        if self._socket is not None:
            self._socket.close()

    async def _watch(self, index: int, listen_fd: int) -> None:
        while True:
            code = await self._processes[index].wait()
            if code == 0:
                log.info("edge process %d has drained", index)
                return
            if code == CONFIG_ERROR:
                raise AlreadyTold("an edge process could not start")
            log.error("edge process %d ended with %d: starting it again", index, code)
            await asyncio.sleep(RESTART_SECONDS)
            await self._spawn(index, listen_fd)

    async def _spawn(self, index: int, listen_fd: int) -> None:
        settings = settings_of(index, self._settings, self.port, listen_fd)
        self._processes[index] = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "maim_edge",
            stdin=PIPE,
            pass_fds=[listen_fd],
            env=environment(settings),
        )


def settings_of(index: int, settings: EdgeSettings, port: int, listen_fd: int) -> EdgeSettings:
    """Give one of the processes its part of the settings of all."""
    return settings.model_copy(
        update={
            "workers": 1,
            "listen_fd": listen_fd,
            "port": port,
            "admin_port": settings.admin_port if index == 0 else -1,
            "memory": f"{bytes_of(settings.memory) // settings.workers or 1}",
        }
    )


def environment(settings: EdgeSettings) -> dict[str, str]:
    """Make the environment that gives a child process exactly these settings."""
    names = {name: env_name(name, PREFIX) for name in type(settings).model_fields}
    others = {key: value for key, value in os.environ.items() if not key.startswith("MAIM_")}
    others["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    for name, variable in names.items():
        value = getattr(settings, name)
        if value is not None:
            others[variable] = _text(value)
    return others


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value).lower() if isinstance(value, bool) else str(value)
