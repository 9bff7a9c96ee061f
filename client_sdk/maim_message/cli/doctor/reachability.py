"""What `maim doctor` finds out by asking running services."""

from __future__ import annotations

import http.client
import socket

from maim_edge.settings import EdgeSettings
from maim_message.cli.doctor.findings import Finding
from maim_protocol.addresses import UNIX, join, unix_path
from maim_router.settings import RouterSettings

TIMEOUT_SECONDS = 3.0
# What listens everywhere is asked on this machine.
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - translated, not bound


def check_router_port(router: RouterSettings) -> Finding:
    """Check that something takes connections where the router should."""
    subject = "router reachable"
    try:
        _connect(router).close()
    except OSError as error:
        text = f"{router.address} does not answer ({error.strerror or error})"
        return Finding(subject, False, text, "start it with: maim router (or maim serve)")
    return Finding(subject, True, router.address)


def check_edge_ready(edge: EdgeSettings) -> Finding:
    """Check that the edge's admin port says ready."""
    subject = "edge ready"
    host = EVERYWHERE.get(edge.admin_host, edge.admin_host)
    where = f"http://{join(host, edge.admin_port)}/readyz"
    connection = http.client.HTTPConnection(host, edge.admin_port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/readyz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        remedy = "start it with: maim edge (or maim serve)"
        return Finding(subject, False, f"{where} does not answer ({reason})", remedy)
    finally:
        connection.close()
    if status != http.client.OK:
        return Finding(subject, False, f"{where} answers {status}", "see that it reaches a router")
    return Finding(subject, True, where)


def _connect(router: RouterSettings) -> socket.socket:
    if not router.host.startswith(UNIX):
        host = EVERYWHERE.get(router.host, router.host)
        return socket.create_connection((host, router.port), timeout=TIMEOUT_SECONDS)
    found = socket.socket(socket.AF_UNIX)
    try:
        found.settimeout(TIMEOUT_SECONDS)
        found.connect(unix_path(router.host))
    except BaseException:
        found.close()
        raise
    return found
