from maim_message.client import create_ssl_client_config

config = create_ssl_client_config(
    url="wss://localhost:18044/ws",
    api_key="your_api_key",
    ssl_ca_certs="/path/to/ca.crt",
    ssl_verify=True,
    ssl_check_hostname=True
)

config = create_ssl_client_config(
    host="localhost",
    port=18044,
    api_key="your_api_key",
    ssl_ca_certs="/path/to/ca.crt",
    ssl_certfile="/path/to/client.crt",
    ssl_keyfile="/path/to/client.key",
    ssl_verify=True,
    ssl_check_hostname=False
)

# 使用标准ClientConfig
config = ClientConfig(
    url="wss://localhost:18044/ws",
    api_key="your_api_key",
    ssl_enabled=True,
    ssl_verify=True,
    ssl_ca_certs="/path/to/ca.crt",
    ssl_check_hostname=True
)
