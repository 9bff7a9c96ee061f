"""What docker-compose.yml starts, under a project name of its own."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

SECONDS = 300
LABEL = "com.docker.compose.project"


def image_python() -> str:
    """The images' own Python, or an older one where this machine has only that one's image."""
    there = [v for v in ("3.13", "3.12") if _has_image(f"python:{v}-slim")]
    return os.environ.get("IMAGE_PYTHON") or (there or ["3.13"])[0]


def _has_image(name: str) -> bool:
    found = subprocess.run(["docker", "image", "inspect", name], check=False, capture_output=True)
    return found.returncode == 0


class Stack:
    """One project of docker-compose: started, looked into and taken down."""

    def __init__(
        self, folder: Path, edges: int = 1, override: str = "", **environment: str
    ) -> None:
        self.project = f"maimtest{secrets.token_hex(4)}"
        first = _free_ports(edges + 1)  # one to spare for what starts again while the other stops
        self.router_port = _free_ports(1)
        self._folder = folder
        self._edges = edges
        self._files = ("-f", "docker-compose.yml", "-f", override) if override else ()
        self._environment = os.environ | {
            "EDGE_PORT": f"{first}" if edges == 1 else f"{first}-{first + edges}",
            "ROUTER_PORT": f"{self.router_port}",
            "EDGE_TLS_PORT": f"{_free_ports(1)}",
            "IMAGE_PYTHON": image_python(),
            **environment,
        }

    def up(self) -> None:
        """Build and start everything; returns when it is healthy."""
        self.compose("up", "--build", "--detach", "--scale", f"edge={self._edges}")
        for service in ("router", "edge"):
            self.wait_healthy(service)

    def down(self, *options: str) -> None:
        """Stop and remove everything."""
        self.compose("down", *options)

    def compose(self, *arguments: str) -> str:
        """Run docker-compose and return what it says on stdout."""
        return _run(*compose_program(), *self._files, "-p", self.project, *arguments, **self._where)

    def docker(self, *arguments: str) -> str:
        """Run docker and return what it says on stdout."""
        return _run("docker", *arguments, **self._where)

    def maim(self, *arguments: str) -> str:
        """Run a `maim` command where the credentials are; returns its stdout."""
        return self.compose("run", "--rm", "-T", "setup", "maim", *arguments).strip()

    def containers(self, service: str) -> list[str]:
        """Return the ids of a service's containers, stopped ones too."""
        return self.compose("ps", "--all", "--quiet", service).split()

    def inspect(self, service: str) -> list[dict[str, Any]]:
        """Return what docker knows of a service's containers."""
        found: list[dict[str, Any]] = json.loads(self.docker("inspect", *self.containers(service)))
        return found

    def left(self, kind: str) -> list[str]:
        """Return the names of the project's containers, networks or volumes."""
        every = ("--all",) if kind == "container" else ()
        name = "{{.Names}}" if kind == "container" else "{{.Name}}"
        label = f"label={LABEL}={self.project}"
        return self.docker(kind, "ls", *every, "--filter", label, "--format", name).split()

    def urls(self, scheme: str = "ws") -> list[str]:
        """Return where clients reach each edge."""
        inside = {"ws": "18040/tcp", "wss": "18044/tcp"}[scheme]
        ports = [one["NetworkSettings"]["Ports"][inside] for one in self.inspect("edge")]
        return [f"{scheme}://127.0.0.1:{bindings[0]['HostPort']}/ws" for bindings in ports]

    def wait_healthy(self, service: str, wanted: str = "healthy") -> None:
        """Return when docker's own checks call every container of a service healthy."""
        label = f"label={LABEL}={self.project}"
        listen = ("docker", "events", "--filter", label, "--filter", "event=health_status")
        with subprocess.Popen(listen, stdout=subprocess.PIPE, **self._where) as events:
            assert events.stdout is not None
            while {one["State"]["Health"]["Status"] for one in self.inspect(service)} != {wanted}:
                assert events.stdout.readline(), "docker's events ended"
            events.terminate()

    @property
    def _where(self) -> dict[str, Any]:
        return {"cwd": self._folder, "env": self._environment}


def compose_program() -> tuple[str, ...]:
    """Return the command of docker-compose, the old one if it is there."""
    return ("docker-compose",) if shutil.which("docker-compose") else ("docker", "compose")


def _run(*command: str, **where: Any) -> str:
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=SECONDS, **where
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout


def _free_ports(count: int) -> int:
    """Return the first of `count` neighbouring ports that nobody has now."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first: int = probe.getsockname()[1]
        if all(_is_free(port) for port in range(first, first + count)):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 - where docker publishes it
        except (OSError, OverflowError):
            return False
    return True
