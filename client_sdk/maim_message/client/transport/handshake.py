"""Opens a WebSocket to the edge, or says why not.

Rule of the file: a credential leaves in a header, to the configured address only, and no text
holds one. It goes into the address only when a header cannot carry it (not ASCII).
"""

from __future__ import annotations

import asyncio
import inspect
import ssl
from datetime import datetime, timezone
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from maim_message.client.configuration import ClientConfig, shown_url
from maim_message.client.log import SOCKET_LOGGER
from maim_message.client.transport.ending import LinkEnd, after_refusal
from maim_message.client.transport.proxy import proxy_for
from maim_message.client.transport.socket import EdgeSocket

# websockets 14 does not.
_KNOWS_PROXIES = "proxy" in inspect.signature(connect.__init__).parameters


class OpenFailed(Exception):
    """No link came up; `ended` says why and what follows."""

    def __init__(self, ended: LinkEnd) -> None:
        super().__init__(ended.text)
        self.ended = ended


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        """Follow no redirect: the headers, and with them the credential, would go along."""
        return exc


async def open_socket(config: ClientConfig, label: str, api_key: str) -> EdgeSocket:
    """Open a WebSocket within `config.connect_timeout`; raises `OpenFailed`."""
    headers, query = _identity(config, label, api_key)
    tls = _tls_context(config) if config.ssl_enabled else None
    proxy, where = proxy_for(config), shown_url(config.url)
    options: dict[str, Any] = {"proxy": proxy} if _KNOWS_PROXIES else {}
    if proxy is not None and options:
        where = f"{where} through the proxy {shown_url(proxy)}"
    elif proxy is not None and config.proxy != "auto":
        text = f"cannot connect to {where}: a proxy needs websockets 15 or newer"
        raise OpenFailed(LinkEnd(text, stop=True))
    try:
        connection = await _Connect(
            _with_query(config.url, query),
            create_connection=EdgeSocket,
            compression="deflate" if config.compression else None,
            additional_headers=headers,
            open_timeout=config.connect_timeout,
            ping_interval=config.ping_interval or None,
            ping_timeout=config.ping_timeout or None,
            close_timeout=config.close_timeout,
            max_size=config.max_size,
            logger=SOCKET_LOGGER,
            ssl=tls,
            **options,
        )
        return cast("EdgeSocket", connection)
    except InvalidStatus as refusal:
        raise OpenFailed(_refused(refusal)) from None
    except asyncio.TimeoutError:
        why = f"no answer within {config.connect_timeout:g} s"
        raise OpenFailed(LinkEnd(f"cannot connect to {where}: {why}")) from None
    except (OSError, WebSocketException, EOFError, ImportError) as error:
        raise OpenFailed(LinkEnd(f"cannot connect to {where}: {error}")) from None


def _refused(refusal: InvalidStatus) -> LinkEnd:
    answer = refusal.response
    asked = next(iter(answer.headers.get_all("Retry-After")), None)
    return after_refusal(
        answer.status_code, asked, bytes(answer.body or b""), datetime.now(timezone.utc)
    )


def _identity(
    config: ClientConfig, label: str, api_key: str
) -> tuple[dict[str, str], dict[str, str]]:
    own = {"x-uuid": label}
    query = {}
    for header, name, value in (
        ("x-apikey", "api_key", api_key),
        ("x-platform", "platform", config.platform),
    ):
        if value.isascii() and value.isprintable():
            own[header] = value
        else:
            query[name] = value
    others = {name: value for name, value in config.headers.items() if name.lower() not in own}
    return {**others, **own}, query


def _with_query(url: str, query: dict[str, str]) -> str:
    if not query:
        return url
    parts = urlsplit(url)
    pairs = [*parse_qsl(parts.query, keep_blank_values=True), *query.items()]
    return urlunsplit(parts._replace(query=urlencode(pairs)))


def _tls_context(config: ClientConfig) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=config.ssl_ca_certs)
        if config.ssl_certfile is not None:
            context.load_cert_chain(config.ssl_certfile, config.ssl_keyfile)
    except (OSError, ValueError) as error:
        files = "ssl_ca_certs, ssl_certfile, ssl_keyfile"
        raise OpenFailed(LinkEnd(f"cannot use {files}: {error}", stop=True)) from None
    context.check_hostname = config.ssl_verify and config.ssl_check_hostname
    if not config.ssl_verify:
        context.verify_mode = ssl.CERT_NONE
    return context
