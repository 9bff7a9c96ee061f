"""Settings of an edge: `MAIM_EDGE_*`, table `[edge]` of a TOML file, or flags."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from maim_edge.client_address import Network
from maim_edge.delivery import parse_overflow
from maim_protocol.addresses import parse_address
from maim_runtime.memory import parse_share
from maim_runtime.settings import ReadableFile, ServiceSettings, comma_list

PREFIX = "MAIM_EDGE_"
PORT_WS = 18040
PORT_WSS = 18044
GIB = 1 << 30


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError("a comma list of networks such as 10.0.0.0/8") from None


def _addresses(text: str) -> str:
    if not comma_list(text):
        raise ValueError("at least one router address")
    for part in comma_list(text):
        parse_address(part)
    return text


def _networks(text: str) -> str:
    for part in comma_list(text):
        _network(part)
    return text


def _origins(text: str) -> str:
    for part in comma_list(text):
        scheme, separator, host = part.partition("://")
        if part != "null" and not (scheme and separator and host and "/" not in host):
            raise ValueError("a comma list of origins such as https://example.org")
    return text


def _share(text: str) -> str:
    parse_share(text)
    return text


def _overflow(text: str) -> str:
    parse_overflow(text)
    return text


def _host(text: str) -> str:
    if not text or "/" in text or text != text.strip():
        raise ValueError("a host name or address")
    return text


def _path(text: str) -> str:
    if not text.startswith("/") or any(mark in text for mark in "?#{} "):
        raise ValueError("a path such as /ws")
    return text


Host = Annotated[str, AfterValidator(_host)]


class EdgeSettings(ServiceSettings):
    """Settings of one edge; times in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(env_prefix=PREFIX)

    host: Host = Field("127.0.0.1", description="Address to listen on.")
    port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Port to listen on; 18040, or 18044 with a certificate; 0 takes a free one.",
    )
    listen_fd: int | None = Field(
        None,
        ge=3,
        description="File descriptor of an inherited listening socket to serve instead.",
    )
    path: Annotated[str, AfterValidator(_path)] = Field(
        "/ws", description="Path of the WebSocket endpoint."
    )
    tls_cert: ReadableFile | None = Field(None, description="Certificate chain, PEM.")
    tls_key: ReadableFile | None = Field(None, description="Private key of the certificate, PEM.")
    tls_client_ca: ReadableFile | None = Field(
        None, description="Authorities that client certificates are checked against, PEM."
    )
    tls_verify_client: bool = Field(
        False, description="Refuse clients without a certificate of tls_client_ca."
    )
    routers: Annotated[str, AfterValidator(_addresses)] = Field(
        "127.0.0.1:50051",
        description="Routers to attach to: comma list of host:port, dns:///name:port, unix:/path.",
    )
    workers: int = Field(1, ge=1, le=256, description="Number of processes.")
    max_message_size: int = Field(
        16777216, ge=1, le=2 * GIB - 1, description="Largest message of a client in bytes."
    )
    memory: Annotated[str, AfterValidator(_share)] = Field(
        "40%",
        description="Most that connections may hold: bytes, or a share of the container's memory.",
    )
    max_connections: int = Field(
        10000, ge=1, le=10_000_000, description="Most connections of one process."
    )
    max_connections_per_ip: int = Field(
        0, ge=0, le=10_000_000, description="Most connections of one client address; 0: no limit."
    )
    trusted_proxies: Annotated[str, AfterValidator(_networks)] = Field(
        "",
        description="Comma list of networks whose forwarded client addresses are believed.",
    )
    allowed_origins: Annotated[str, AfterValidator(_origins)] = Field(
        "", description="Comma list of origins of browser pages that may connect; empty: any."
    )
    messages_per_second: float = Field(
        0, ge=0, le=1e9, description="Most messages a second of one connection; 0: no limit."
    )
    bytes_per_second: int = Field(
        0, ge=0, le=1 << 50, description="Most bytes a second of one connection; 0: no limit."
    )
    outbox_bytes: int = Field(
        16 << 20,
        ge=1,
        le=64 * GIB,
        description="Most bytes that wait for one client; an empty outbox takes any one message.",
    )
    outbox_messages: int = Field(
        1000, ge=1, le=10_000_000, description="Most messages that wait for one client."
    )
    overflow: Annotated[str, AfterValidator(_overflow)] = Field(
        "disconnect",
        description="What gives way when more waits: disconnect, drop_oldest, drop_newest, "
        "coalesce, block:SECONDS; after commas exceptions such as custom_typing=drop_newest.",
    )
    ping_interval: float = Field(20, gt=0, le=3600, description="Seconds between pings.")
    ping_timeout: float = Field(
        20, gt=0, le=3600, description="Seconds to wait for the answer to a ping."
    )
    grace: float = Field(
        30, ge=0, le=86400, description="Seconds that clients are kept while no router answers."
    )
    drain_window: float = Field(
        3, ge=0, le=3600, description="Seconds over which clients are sent away when it stops."
    )
    compression: bool = Field(False, description="Offer permessage-deflate to clients.")
    reject_with: Literal["http", "close"] = Field(
        "http", description="Refuse a handshake by its HTTP answer, or accept it and close."
    )
    ws: Literal["picows", "websockets-sansio"] = Field(
        "picows",
        description="Implementation of the WebSocket protocol: picows or websockets-sansio; "
        "with compression it is the latter.",
    )
    bridge: Literal["grpc", "http2"] = Field(
        "http2", description="What carries frames to routers: http2 (our own) or grpc (grpcio)."
    )
    admin_host: Host = Field("127.0.0.1", description="Address of /healthz and /readyz.")
    admin_port: int = Field(
        18041,
        ge=-1,
        le=65535,
        description="Port of /healthz and /readyz; 0 takes a free one, -1: none.",
    )
    bridge_tls_ca: ReadableFile | None = Field(
        None, description="Authorities that the router's certificate is checked against, PEM."
    )
    bridge_tls_cert: ReadableFile | None = Field(
        None, description="Certificate that is shown to the router, PEM."
    )
    bridge_tls_key: ReadableFile | None = Field(
        None, description="Private key of bridge_tls_cert, PEM."
    )
    bridge_token: SecretStr | None = Field(
        None, min_length=1, description="Token with the scope bridge that is shown to the router."
    )

    @model_validator(mode="after")
    def _check_pairs(self) -> EdgeSettings:
        _need_both(self.tls_cert, self.tls_key, "tls_cert", "tls_key")
        _need_both(self.bridge_tls_cert, self.bridge_tls_key, "bridge_tls_cert", "bridge_tls_key")
        if self.tls_verify_client and self.tls_client_ca is None:
            raise ValueError("tls_verify_client: needs tls_client_ca, the authorities to trust")
        if self.tls_client_ca is not None and self.tls_cert is None:
            raise ValueError("tls_client_ca: needs tls_cert and tls_key, TLS is off without them")
        if self.bridge_tls_cert is not None and self.bridge_tls_ca is None:
            raise ValueError("bridge_tls_cert: needs bridge_tls_ca, TLS is off without it")
        return self

    @property
    def effective_port(self) -> int:
        """The port to listen on: 18040, or 18044 with a certificate, unless one is set."""
        if self.port is not None:
            return self.port
        return PORT_WSS if self.tls_cert else PORT_WS

    @property
    def router_addresses(self) -> tuple[str, ...]:
        """The routers to attach to, in order."""
        return comma_list(self.routers)

    @property
    def origins(self) -> frozenset[str]:
        """The origins that may connect; empty: any."""
        return frozenset(comma_list(self.allowed_origins))

    @property
    def proxies(self) -> tuple[Network, ...]:
        """The networks whose forwarded client addresses are believed."""
        return tuple(_network(part) for part in comma_list(self.trusted_proxies))


def _need_both(first: object, second: object, first_name: str, second_name: str) -> None:
    if (first is None) != (second is None):
        missing = first_name if first is None else second_name
        given = second_name if first is None else first_name
        raise ValueError(f"{missing}: expected a readable file because {given} is set, got nothing")
