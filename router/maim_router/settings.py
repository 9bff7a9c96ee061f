"""Settings of a router: `MAIM_ROUTER_*`, table `[router]` of a TOML file, or flags."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from maim_protocol.addresses import UNIX, join, unix_path
from maim_router.connection_map import read_session_modes
from maim_runtime.settings import ReadableFile, ServiceSettings

PREFIX = "MAIM_ROUTER_"


def _host(text: str) -> str:
    if text.startswith(UNIX):
        unix_path(text)
    elif not text or "/" in text or text != text.strip():
        raise ValueError("a host name, an address or unix:/path")
    return text


def _plain_host(text: str) -> str:
    if not text or "/" in text or text != text.strip():
        raise ValueError("a host name or address")
    return text


def _mailbox(text: str) -> str:
    if text != "memory://" and not (text.startswith("sqlite:///") and len(text) > 10):
        raise ValueError("memory://, sqlite:///relative.db or sqlite:////absolute.db")
    return text


def _app(text: str) -> str:
    if text and not re.fullmatch(r"[\w.]+:[\w.]+", text):
        raise ValueError("module:attribute, such as mybot:config")
    return text


def _session_mode(text: str) -> str:
    read_session_modes(text)
    return text


class RouterSettings(ServiceSettings):
    """Settings of one router; times in seconds."""

    model_config = SettingsConfigDict(env_prefix=PREFIX)

    host: Annotated[str, AfterValidator(_host)] = Field(
        "127.0.0.1", description="Address to listen on, or unix:/path."
    )
    port: int = Field(
        50051, ge=0, le=65535, description="Port of every gRPC service; 0 takes a free one."
    )
    tls_cert: ReadableFile | None = Field(None, description="Certificate chain, PEM.")
    tls_key: ReadableFile | None = Field(None, description="Private key of the certificate, PEM.")
    tls_client_ca: ReadableFile | None = Field(
        None, description="Refuse peers without a certificate of these authorities, PEM."
    )
    api_keys_file: ReadableFile | None = Field(
        None, description="API keys of the clients, made by: maim keys add USER."
    )
    tokens_file: ReadableFile | None = Field(
        None, description="Tokens of edges and backends, made by: maim keys add NAME --token."
    )
    app: Annotated[str, AfterValidator(_app)] = Field(
        "", description="module:attribute of a ServerConfig with callbacks."
    )
    handler_timeout: float = Field(
        0, ge=0, le=86400, description="Seconds that a message handler may take; 0: no limit."
    )
    hook_timeout: float = Field(
        10, gt=0, le=3600, description="Seconds that an authentication callback may take."
    )
    dedup_window: float = Field(
        600, ge=0, le=86400, description="Seconds that msg_ids are remembered."
    )
    resolve_ttl: float = Field(
        60, ge=0, le=86400, description="Seconds that the user of an api_key is remembered."
    )
    ack: Literal["handled", "received"] = Field(
        "handled", description="Acknowledge when the handler returned, or when it was started."
    )
    mailbox: Annotated[str, AfterValidator(_mailbox)] = Field(
        "memory://",
        description="Where messages wait for users who are away: memory://, or "
        "sqlite:///relative.db, sqlite:////absolute.db, which a restart does not empty.",
    )
    mailbox_ttl: float = Field(
        86400, gt=0, le=10 * 365 * 86400, description="Seconds that a message waits."
    )
    mailbox_messages: int = Field(
        1000,
        ge=0,
        le=10_000_000,
        description="Most messages that wait for one user on one platform; 0: nothing is kept.",
    )
    mailbox_bytes: int = Field(
        8 << 20,
        ge=1,
        le=1 << 40,
        description="Most bytes that wait for one user on one platform.",
    )
    mailbox_total_bytes: int = Field(
        256 << 20, ge=1, le=1 << 50, description="Most bytes that wait for all users."
    )
    signing_key: SecretStr | None = Field(
        None,
        min_length=16,
        description="Secret that routers share: each believes whom the others let in. Without it "
        "connections are authenticated again when another router takes them over.",
    )
    session_mode: Annotated[str, AfterValidator(_session_mode)] = Field(
        "share",
        description="What a further connection of the same user and platform means: share, "
        "replace, reject or standby; share,qq=replace for a platform of its own.",
    )
    map: Literal["memory://"] = Field("memory://", description="Where the connection map lives.")
    bridge: Literal["grpc", "http2"] = Field(
        "http2", description="What serves edges: http2 (our own, where they can) or grpc (grpcio)."
    )
    admin_host: Annotated[str, AfterValidator(_plain_host)] = Field(
        "127.0.0.1", description="Address of /healthz and /readyz."
    )
    admin_port: int = Field(
        18051,
        ge=-1,
        le=65535,
        description="Port of /healthz and /readyz; 0 takes a free one, -1: none.",
    )
    channelz: bool = Field(False, description="Answer channelz queries on the gRPC port.")

    @model_validator(mode="after")
    def _check_pairs(self) -> RouterSettings:
        if (self.tls_cert is None) != (self.tls_key is None):
            missing, given = ("tls_key", "tls_cert") if self.tls_cert else ("tls_cert", "tls_key")
            text = f"{missing}: expected a readable file because {given} is set, got nothing"
            raise ValueError(text)
        if self.tls_client_ca is not None and self.tls_cert is None:
            raise ValueError("tls_client_ca: needs tls_cert and tls_key, TLS is off without them")
        return self

    @property
    def address(self) -> str:
        """The address to listen on as gRPC takes it: `host:port` or `unix:/path`."""
        return self.host if self.host.startswith(UNIX) else join(self.host, self.port)
