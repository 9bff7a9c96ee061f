"""Sockets to listen on, with an error that says what to do; nothing is served here."""

from __future__ import annotations

import errno
import os
import socket

from maim_protocol.addresses import join

_REMEDIES = {
    errno.EADDRINUSE: "stop the process that has the port, or choose another port",
    errno.EADDRNOTAVAIL: "choose an address of this machine",
    errno.EACCES: "choose a port of 1024 or more, or let the process bind to lower ones",
}


def bind(host: str, port: int) -> socket.socket:
    """Bind a TCP socket; port 0 takes a free one. It does not listen yet.

    `host` is a name or an address; a name with several addresses gets its IPv4 one. Raises
    `OSError` of one line that names address and remedy; its cause has the number.
    """
    where = join(host, port)
    try:
        family, address = _resolve(host, port)
    except (OSError, UnicodeError) as error:
        text = f"cannot listen on {where}: the host is not known; give an address of this machine"
        raise OSError(text) from error
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        _bind(sock, address)
    except OSError as error:
        sock.close()
        raise OSError(_explain(where, error)) from error
    return sock


def bound_port(sock: socket.socket) -> int:
    """Tell the port that a bound socket got."""
    port: int = sock.getsockname()[1]
    return port


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    flags = socket.AI_PASSIVE
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    # Clients of `localhost` try both families, those of 127.0.0.1 only one.
    found.sort(key=lambda item: item[0] != socket.AF_INET)
    family, _, _, _, address = found[0]
    return family, (str(address[0]), int(address[1]))


def _bind(sock: socket.socket, address: tuple[str, int]) -> None:
    sock.setblocking(False)
    if os.name == "posix":  # on Windows the option would share a port that is in use
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if sock.family == socket.AF_INET6:
        only_v6 = not (address[0] == "::" and socket.has_dualstack_ipv6())
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only_v6)
    sock.bind(address)


def _explain(where: str, error: OSError) -> str:
    why = os.strerror(error.errno) if error.errno else str(error)
    remedy = _REMEDIES.get(error.errno or 0)
    text = f"cannot listen on {where}: {why[:1].lower()}{why[1:]}"
    return f"{text}; {remedy}" if remedy else text
