"""The edge's settings."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from maim_edge.settings import EdgeSettings
from maim_protocol.errors import ConfigError
from maim_runtime.settings.model import build


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.pem"
    path.touch()
    return path


def test_the_defaults_are_the_documented_ones() -> None:
    settings = EdgeSettings()
    assert (settings.host, settings.path) == ("127.0.0.1", "/ws")
    assert settings.router_addresses == ("127.0.0.1:50051",)
    assert (settings.admin_host, settings.admin_port) == ("127.0.0.1", 18041)
    assert (settings.max_message_size, settings.workers) == (16 << 20, 1)
    assert (settings.ping_interval, settings.ping_timeout, settings.grace) == (20, 20, 30)


def test_the_port_follows_the_certificate_unless_it_is_set(file: Path) -> None:
    assert EdgeSettings().effective_port == 18040
    assert EdgeSettings(tls_cert=file, tls_key=file).effective_port == 18044
    assert EdgeSettings(tls_cert=file, tls_key=file, port=0).effective_port == 0


def test_comma_lists_are_parsed() -> None:
    settings = EdgeSettings(
        routers="a:1, dns:///b:2,unix:/run/r.sock",
        trusted_proxies="10.0.0.1/8, ::1",
        allowed_origins="https://example.org,null",
    )
    assert settings.router_addresses == ("a:1", "dns:///b:2", "unix:/run/r.sock")
    assert settings.origins == {"https://example.org", "null"}
    assert settings.proxies == (
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("::1/128"),
    )


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"routers": ""}, "routers: expected at least one router address, got ''"),
        (
            {"routers": "localhost"},
            "routers: expected host:port, dns:///name:port or unix:/path, got 'localhost'",
        ),
        (
            {"trusted_proxies": "proxy"},
            "trusted_proxies: expected a comma list of networks such as 10.0.0.0/8, got 'proxy'",
        ),
        (
            {"allowed_origins": "example.org"},
            "allowed_origins: expected a comma list of origins such as https://example.org, "
            "got 'example.org'",
        ),
        ({"path": "ws"}, "path: expected a path such as /ws, got 'ws'"),
        ({"workers": 0}, "workers: expected a whole number from 1 to 256, got 0"),
        ({"port": 1.5}, "port: expected a whole number from 0 to 65535, got 1.5"),
        ({"ws": "wsproto"}, "ws: expected 'picows' or 'websockets-sansio', got 'wsproto'"),
        (
            {"tls_verify_client": True},
            "tls_verify_client: needs tls_client_ca, the authorities to trust",
        ),
    ],
)
def test_a_wrong_value_is_one_line(values: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(EdgeSettings, values)
    assert str(caught.value) == problem


def test_what_belongs_together_is_asked_for_together(file: Path) -> None:
    for values, problem in (
        ({"tls_cert": file}, r"^tls_key: .* because tls_cert is set, got nothing$"),
        ({"bridge_tls_key": file}, r"^bridge_tls_cert: .* because bridge_tls_key is set"),
        ({"tls_client_ca": file}, r"^tls_client_ca: needs tls_cert and tls_key"),
        (
            {"bridge_tls_cert": file, "bridge_tls_key": file},
            r"^bridge_tls_cert: needs bridge_tls_ca",
        ),
    ):
        with pytest.raises(ConfigError, match=problem):
            build(EdgeSettings, values)


def test_a_folder_is_no_certificate(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"tls_cert: expected a readable file \(Is a directory\)"):
        build(EdgeSettings, {"tls_cert": tmp_path, "tls_key": tmp_path})


def test_every_setting_is_described() -> None:
    assert [n for n, field in EdgeSettings.model_fields.items() if not field.description] == []
