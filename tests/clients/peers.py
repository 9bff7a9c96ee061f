"""The example clients of other languages, ready to run; what they need is asked for by name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests import needs

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples"
# Where Debian's packages put the sources of Go libraries.
GO_LIBRARIES = Path("/usr/share/gocode")

Argv = list[str | Path]


def python(folder: Path) -> Argv:
    return [sys.executable, EXAMPLES / "python" / "plain_client.py"]


def node(folder: Path) -> Argv:
    program = needs.program("node", "apt-get install nodejs")
    if not (EXAMPLES / "node" / "node_modules" / "ws").is_dir():
        needs.missing("the npm package ws is not installed; npm ci --prefix examples/node")
    return [program, EXAMPLES / "node" / "client.mjs"]


def go(folder: Path) -> Argv:
    """Build the client, once, in a folder of the test session."""
    compiler = needs.program("go", "apt-get install golang-go")
    if not (GO_LIBRARIES / "src/github.com/gorilla/websocket").is_dir():
        package = "golang-github-gorilla-websocket-dev"
        needs.missing(f"gorilla/websocket is not installed; apt-get install {package}")
    built = folder / "client"
    if not built.exists():
        environment = os.environ | {"GO111MODULE": "off", "GOPATH": str(GO_LIBRARIES)}
        argv = [compiler, "build", "-o", built, EXAMPLES / "go" / "main.go"]
        subprocess.run(argv, env=environment, check=True)
    return [built]


def java(folder: Path) -> Argv:
    needs.program("javac", "apt-get install default-jdk-headless")
    return [needs.program("java", "it comes with the JDK"), EXAMPLES / "java" / "Client.java"]


PEERS = {"python": python, "node": node, "go": go, "java": java}
