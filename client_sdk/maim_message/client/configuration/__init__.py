"""The settings of clients, checked when they are made and when they change."""

from maim_message.client.configuration.client_config import (
    ClientConfig,
    create_client_config,
    create_ssl_client_config,
    derived,
    new_label,
    shown_url,
)
from maim_message.client.configuration.multi_config import (
    MultiClientConfig,
    create_multi_client_config,
    create_multi_client_config_with_connections,
)

__all__ = [
    "ClientConfig",
    "MultiClientConfig",
    "create_client_config",
    "create_multi_client_config",
    "create_multi_client_config_with_connections",
    "create_ssl_client_config",
    "derived",
    "new_label",
    "shown_url",
]
