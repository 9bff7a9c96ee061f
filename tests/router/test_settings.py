"""The router's settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from maim_protocol.errors import ConfigError
from maim_router.settings import RouterSettings
from maim_runtime.settings.model import build


def test_the_defaults_are_the_documented_ones() -> None:
    settings = RouterSettings()
    assert settings.address == "127.0.0.1:50051"
    assert (settings.admin_host, settings.admin_port) == ("127.0.0.1", 18051)
    assert (settings.map, settings.ack, settings.bridge) == ("memory://", "handled", "http2")
    assert (settings.hook_timeout, settings.dedup_window, settings.resolve_ttl) == (10, 600, 60)


def test_the_address_is_written_as_grpc_takes_it() -> None:
    assert RouterSettings(host="::1", port=1).address == "[::1]:1"
    assert RouterSettings(host="unix:/run/maim.sock").address == "unix:/run/maim.sock"


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"host": ""}, "host: expected a host name, an address or unix:/path, got ''"),
        ({"host": "unix:x"}, "host: expected unix: with an absolute path, got 'unix:x'"),
        ({"app": "module"}, "app: expected module:attribute, such as mybot:config, got 'module'"),
        ({"map": "redis://u:secret@h"}, "map: expected 'memory://', got 'redis://u:***@h'"),
        ({"hook_timeout": 0}, "hook_timeout: expected a number over 0 to 3600, got 0"),
        ({"mailbox_size": 5}, "unknown setting mailbox_size; did you mean mailbox?"),
    ],
)
def test_a_wrong_value_is_one_line(values: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(RouterSettings, values)
    assert str(caught.value) == problem


def test_a_certificate_needs_its_key_and_authorities_need_both(tmp_path: Path) -> None:
    file = tmp_path / "some.pem"
    file.touch()
    with pytest.raises(ConfigError, match=r"^tls_key: .* because tls_cert is set, got nothing$"):
        build(RouterSettings, {"tls_cert": file})
    with pytest.raises(ConfigError, match=r"^tls_cert: .* because tls_key is set, got nothing$"):
        build(RouterSettings, {"tls_key": file})
    with pytest.raises(ConfigError, match=r"^tls_client_ca: needs tls_cert and tls_key"):
        build(RouterSettings, {"tls_client_ca": file})


def test_every_setting_is_described() -> None:
    assert [n for n, field in RouterSettings.model_fields.items() if not field.description] == []
