from maim_message.server import ServerConfig, create_server_config

config = create_server_config(
    host="0.0.0.0",
    port=18040,
    path="/ws"              # WebSocket路径
)

config = ServerConfig(
    host="0.0.0.0",
    port=18040,
    path="/ws",

    on_auth=lambda metadata: bool(metadata.get("api_key")),
    on_auth_extract_user=lambda metadata: metadata["api_key"],

    on_message=lambda message, metadata: print(f"收到消息: {message.message_segment.data}"),

    on_connect=lambda connection_uuid, metadata: print(f"客户端连接: {connection_uuid}"),
    on_disconnect=lambda connection_uuid, metadata: print(f"客户端断开: {connection_uuid}"),

    log_level="INFO",
    enable_connection_log=True,
    enable_message_log=True
)
