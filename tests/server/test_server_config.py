"""`ServerConfig`: names, types and what is derived from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from maim_edge.settings import EdgeSettings
from maim_message.client import ClientConfig
from maim_message.server import ConfigManager, ServerConfig, create_ssl_server_config
from maim_message.server.config import edge_settings
from maim_message.server.serving import serve
from maim_protocol.errors import ConfigError
from maim_router.settings import RouterSettings


def test_the_defaults_are_those_of_the_guide() -> None:
    config = ServerConfig()
    assert (config.host, config.port, config.path) == ("127.0.0.1", 18040, "/ws")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"prot": 1}, "did you mean 'port'"),
        ({"port": "18040"}, "ServerConfig.port: expected a whole number, got str"),
        ({"port": 70000}, "ServerConfig.port: expected 0 (a free one) to 65535"),
        ({"path": "ws"}, "ServerConfig.path"),
        ({"on_message": 3}, "ServerConfig.on_message"),
        ({"hook_timeout": 0}, "ServerConfig.hook_timeout: expected more than 0"),
        ({"handler_order": "random"}, "ServerConfig.handler_order"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ServerConfig(**settings)
    assert named in str(caught.value)


def test_custom_handlers_are_found_by_their_name_on_the_wire() -> None:
    config = ServerConfig(custom_handlers={"ping": print, "custom_pong": print})
    config.register_custom_handler("poke", print)
    config.unregister_custom_handler("custom_pong")
    assert set(config.custom_handlers) == {"custom_ping", "custom_poke"}


def test_tls_without_a_certificate_is_refused() -> None:
    with pytest.raises(ConfigError, match="ssl_certfile and ssl_keyfile"):
        edge_settings(create_ssl_server_config())


def test_a_certificate_that_is_not_there_is_named(tmp_path: Path) -> None:
    config = create_ssl_server_config(
        ssl_certfile=tmp_path / "no.crt", ssl_keyfile=tmp_path / "no.key"
    )
    with pytest.raises(ConfigError, match=r"ssl_certfile: .*no\.crt"):
        edge_settings(config)


def test_an_update_changes_everything_or_nothing() -> None:
    config = ServerConfig()
    with pytest.raises(ConfigError):
        config.update(port=1, path=2)
    assert config.port == 18040


def test_serve_does_not_pretend_to_attach_to_other_routers() -> None:
    with pytest.raises(ConfigError, match="use `maim edge`"):
        serve(EdgeSettings(routers="127.0.0.1:1"), RouterSettings())


def test_a_config_manager_keeps_one_of_each() -> None:
    manager = ConfigManager()
    with pytest.raises(ConfigError, match="set_server_config"):
        manager.update_server_config(port=1)
    server, client = ServerConfig(), ClientConfig("ws://localhost/ws", "key")
    manager.set_server_config(server)
    manager.set_client_config(client)
    manager.update_server_config(port=18041)
    manager.update_client_config(platform="qq")
    assert manager.get_server_config() is server
    assert manager.get_client_config() is client
    assert (server.port, client.platform) == (18041, "qq")
    assert manager.validate_all_configs()
