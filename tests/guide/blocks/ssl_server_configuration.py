from maim_message.server import create_ssl_server_config

config = create_ssl_server_config(
    host="0.0.0.0",
    port=18044,
    ssl_certfile="/path/to/server.crt",
    ssl_keyfile="/path/to/server.key",
    ssl_ca_certs="/path/to/ca.crt",
    ssl_verify=True,

    on_auth_extract_user=lambda metadata: metadata["api_key"],
    on_message=lambda message, metadata: print(f"收到SSL消息: {message.message_segment.data}"),
)

# 或者使用完整的ServerConfig
config = ServerConfig(
    host="0.0.0.0",
    port=18044,
    path="/ws",

    ssl_enabled=True,
    ssl_certfile="/path/to/server.crt",
    ssl_keyfile="/path/to/server.key",
    ssl_ca_certs="/path/to/ca.crt",
    ssl_verify=False,

    on_auth_extract_user=lambda metadata: metadata["api_key"],
)
