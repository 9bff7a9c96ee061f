"""Which address a client has: itself, or as trusted proxies say. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORT = re.compile(r"(:[0-9]{1,5})?")
# Lists of RFC 7239, section 4: a quoted string may hold a comma or a semicolon.
_ELEMENTS = re.compile(r'(?:"(?:\\.|[^"\\])*"|[^,])+')
_PAIRS = re.compile(r'(?:"(?:\\.|[^"\\])*"|[^;])+')


def client_address(
    peer: str, headers: Iterable[tuple[str, str]], trusted: Sequence[Network]
) -> str:
    """Name the client: the last address that no trusted proxy has, in one spelling.

    `headers` are those of the handshake, names in lower case; `X-Forwarded-For` and `Forwarded`
    (RFC 7239) are read. What is no address, and two headers that disagree, count for nothing:
    then it is the address of the proxy. A peer without an address is named as it is.
    """
    address = read_address(peer)
    if address is None:
        return peer
    if not _is_among(address, trusted):
        return str(address)
    given = list(headers)
    claims = {
        _last_untrusted(address, hops, trusted)
        for hops in (
            _split([value for name, value in given if name == "x-forwarded-for"]),
            _forwarded([value for name, value in given if name == "forwarded"]),
        )
        if hops
    }
    return str(claims.pop() if len(claims) == 1 else address)


def read_address(text: str) -> Address | None:
    """Read an address as proxies write it: quoted, bracketed, with a port, IPv4 in IPv6."""
    host = text.strip().strip('"')
    if host.startswith("["):
        host, bracket, rest = host[1:].partition("]")
        if not bracket or not _PORT.fullmatch(rest):
            return None
    elif host.count(":") == 1:
        host, _, rest = host.partition(":")
        if not _PORT.fullmatch(f":{rest}"):
            return None
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    # A socket that takes both families names IPv4 peers like ::ffff:10.0.0.1.
    return getattr(address, "ipv4_mapped", None) or address


def _last_untrusted(peer: Address, hops: Sequence[str], trusted: Sequence[Network]) -> Address:
    address = proxy = peer
    for hop in reversed(hops):
        claimed = read_address(hop)
        if claimed is None:
            return proxy
        address = claimed
        if not _is_among(address, trusted):
            return address
        proxy = address
    return address


def _is_among(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _split(values: Sequence[str]) -> list[str]:
    return [hop for hop in (part.strip() for part in ",".join(values).split(",")) if hop]


def _forwarded(values: Sequence[str]) -> list[str]:
    """Read the `for` of each element; one without it hides who came, and is no address."""
    hops = []
    for element in _ELEMENTS.findall(",".join(values)):
        pairs = (pair.partition("=") for pair in _PAIRS.findall(element))
        named = [value.strip() for name, _, value in pairs if name.strip().lower() == "for"]
        if element.strip():
            hops.append(named[0] if len(named) == 1 else "")
    return hops
