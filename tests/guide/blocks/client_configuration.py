from maim_message.client import ClientConfig, create_client_config

config = create_client_config(
    url="ws://localhost:18040/ws",
    api_key="your_api_key",
    platform="your_platform"
)

config = ClientConfig(
    url="ws://localhost:18040/ws",
    api_key="your_api_key",
    platform="your_platform",

    auto_reconnect=True,
    max_reconnect_attempts=5,
    reconnect_delay=1.0,
    max_reconnect_delay=30.0,

    ping_interval=20,
    ping_timeout=10,
    close_timeout=10,

    on_connect=lambda connection_uuid, config: print(f"已连接: {connection_uuid}"),
    on_disconnect=lambda connection_uuid, error: print(f"断开连接: {connection_uuid}"),
    on_message=lambda message, metadata: print(f"收到消息: {message.message_segment.data}"),

    log_level="INFO",
    enable_connection_log=True,
    enable_message_log=True
)

main_config = create_client_config(
    url="ws://localhost:18040/ws",
    api_key="main_api_key",
    platform="main_platform"
)
