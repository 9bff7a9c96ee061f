"""Which proxy leads to an edge, if any: loopback and what `NO_PROXY` names are reached directly."""

from __future__ import annotations

import ipaddress
import urllib.request
from collections.abc import Mapping
from urllib.parse import urlsplit

from maim_message.client.configuration import ClientConfig

# In the order in which they are looked for; RFC 6455 section 4.1 prefers one for TLS.
_SECURE = ("wss", "socks", "https", "all")
_PLAIN = ("ws", "socks", "https", "http", "all")


def proxy_for(config: ClientConfig) -> str | None:
    """Return the URL of the proxy that `config.proxy` means; None: there is none."""
    if config.proxy != "auto":
        return None if config.proxy == "off" else config.proxy
    parts = urlsplit(config.url)
    host = parts.hostname or ""
    secure = parts.scheme == "wss"
    port = parts.port or (443 if secure else 80)
    if _is_loopback(host) or urllib.request.proxy_bypass(f"{host}:{port}"):
        return None
    return _first(urllib.request.getproxies(), secure)


def _first(proxies: Mapping[str, str], secure: bool) -> str | None:
    return next(
        (proxies[name] for name in (_SECURE if secure else _PLAIN) if name in proxies), None
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
