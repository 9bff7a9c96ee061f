from __future__ import annotations

from typing import Any

import pytest

from maim_message.client import (
    ClientConfig,
    create_client_config,
    create_ssl_client_config,
)
from maim_protocol.errors import ConfigError

URL = "ws://localhost:18040/ws"


def test_the_defaults_are_those_of_the_contract() -> None:
    config = create_client_config(URL, "k")
    assert (config.platform, config.max_size, config.max_reconnect_attempts) == (
        "default",
        104_857_600,
        0,
    )
    assert (config.ping_interval, config.ping_timeout, config.close_timeout) == (20, 10, 10)
    assert (config.reconnect_delay, config.max_reconnect_delay) == (1.0, 30.0)
    assert (config.message_cache_ttl, config.message_cache_max_size) == (300, 1000)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"recconect_delay": 1}, "no setting 'recconect_delay'; did you mean 'reconnect_delay'?"),
        ({"zzz": 1}, "no setting 'zzz'"),
        ({"ping_interval": "20"}, "ping_interval: expected a number or None, got str"),
        ({"auto_reconnect": 1}, "auto_reconnect: expected true or false, got int"),
        ({"max_size": True}, "max_size: expected a whole number, got bool"),
        ({"max_size": 1.5}, "max_size: expected a whole number, got float"),
        ({"on_message": "print"}, "on_message: expected a callable or None, got str"),
        ({"headers": {"a": 1}}, "headers: expected a dictionary of strings to strings, got dict"),
        ({"log_level": "LOUD"}, "log_level: expected 'DEBUG' or"),
        ({"platform": ""}, "platform: expected a non-empty string"),
        ({"reconnect_delay": 0}, "reconnect_delay: expected more than 0"),
        ({"connection_uuid": "a\nb"}, "connection_uuid: expected 1 to 128 printable"),
        ({"headers": {"a": "b\r\nc: d"}}, "headers: 'a': expected printable ASCII"),
        ({"ssl_keyfile": "key.pem"}, "ssl_keyfile: expected ssl_certfile beside it"),
        ({"ssl_enabled": True}, "ssl_enabled: expected a url of wss://"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(
    settings: dict[str, Any], text: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        create_client_config(URL, "k", **settings)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["", "localhost", "http://localhost/ws", "ws://", "ws://localhost:99999/", "ws://[::1/ws"],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="url: expected ws://host:port/path"):
        ClientConfig(url, "k")


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(ConfigError, match="url: expected a string, got nothing"):
        ClientConfig(api_key="k")  # type: ignore[call-arg]


def test_a_credential_must_come_from_somewhere() -> None:
    with pytest.raises(ConfigError, match="api_key"):
        ClientConfig(URL, "")
    assert ClientConfig(URL, get_api_key=lambda: "k").api_key == ""


def test_an_assignment_is_checked_too() -> None:
    config = create_client_config(URL, "k")
    config.enable_message_log = False
    with pytest.raises(ConfigError, match="did you mean 'enable_message_log'"):
        config.enable_mesage_log = True  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="true or false"):
        config.enable_message_log = "yes"  # type: ignore[assignment]


def test_no_text_shows_the_credential() -> None:
    config = create_client_config("ws://u:secret@h/ws?api_key=secret", "secret")
    assert "secret" not in repr(config)
    with pytest.raises(ConfigError) as caught:
        ClientConfig(URL, b"secret")  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)


def test_tls_follows_the_address() -> None:
    assert create_client_config("wss://localhost:18044/ws", "k").ssl_enabled
    assert not create_client_config(URL, "k").ssl_enabled
    config = create_client_config(URL, "k")
    config.update(url="wss://localhost/ws")
    assert config.ssl_enabled
    config.update(url=URL)
    assert not config.ssl_enabled


def test_a_tls_config_is_made_from_an_address_or_from_its_parts() -> None:
    whole = create_ssl_client_config(url="wss://h:1/ws", api_key="k", ssl_ca_certs="ca.crt")
    assert (whole.url, whole.ssl_ca_certs) == ("wss://h:1/ws", "ca.crt")
    parts = create_ssl_client_config(
        host="h", port=2, api_key="k", path="/x", ssl_check_hostname=False
    )
    assert (parts.url, parts.ssl_check_hostname) == ("wss://h:2/x", False)
    with pytest.raises(ConfigError, match="wss://"):
        create_ssl_client_config(url=URL, api_key="k")


def test_custom_handlers_are_registered_under_the_name_on_the_wire() -> None:
    config = create_client_config(URL, "k", custom_handlers={"a": print})
    config.register_custom_handler("b", print)
    config.register_custom_handler("custom_c", print)
    assert {"custom_a", "custom_b", "custom_c"} <= set(config.custom_handlers)
    config.unregister_custom_handler("b")
    config.unregister_custom_handler("never there")
    assert "custom_b" not in config.custom_handlers
    with pytest.raises(ConfigError, match="expected a callable"):
        config.register_custom_handler("d", "no")  # type: ignore[arg-type]
