"""Addresses of a gRPC service as settings name them; pure, nothing is looked up."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

UNIX = "unix:"
DNS = "dns:///"
FORMS = "host:port, dns:///name:port or unix:/path"
# sun_path holds 108 bytes with its terminating zero on Linux, 104 on macOS.
UNIX_PATH_MAX_BYTES = 103
# One customer has at least a /64 of IPv6 (RFC 6177), and as many addresses as it likes.
IPV6_PREFIX = 64


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service listens: a host and port, or the path of a unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return bool(self.path) or is_loopback(self.host)


def parse_address(text: str) -> Address:
    """Parse `host:port`, `[v6]:port`, `dns:///name:port` or `unix:/path`; raises `ValueError`."""
    if text.startswith(UNIX):
        return Address(path=unix_path(text))
    host, colon, port = text.removeprefix(DNS).rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"{FORMS} (an IPv6 address needs brackets)")
    if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(FORMS)
    return Address(host, int(port))


def unix_path(text: str) -> str:
    """Return the path of `unix:/path`; raises `ValueError` when it is relative or too long."""
    path = text.removeprefix(UNIX)
    if path.startswith("//"):
        path = "/" + path.lstrip("/")
    if not path.startswith("/") or path == "/":
        raise ValueError("unix: with an absolute path")
    if len(path.encode()) > UNIX_PATH_MAX_BYTES:
        raise ValueError(f"a socket path of at most {UNIX_PATH_MAX_BYTES} bytes")
    return path


def is_loopback(address: str) -> bool:
    """Whether `host`, `host:port`, `[v6]:port` or `unix:/path` is reached from this machine only.

    A name other than `localhost` counts as reachable from elsewhere.
    """
    if address.startswith(UNIX):
        return True
    if address.startswith("["):
        host = address[1:].partition("]")[0]
    else:
        host = address.partition(":")[0] if address.count(":") == 1 else address
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def join(host: str, port: int) -> str:
    """Write `host:port` the way gRPC and URLs take it, with brackets around IPv6."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def network_of(address: str) -> str:
    """Name what shares a limit with an address: itself, or its /64 of IPv6; any text as it is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((int(parsed), IPV6_PREFIX), strict=False))
