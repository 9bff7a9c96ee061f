config = ServerConfig(
    host="0.0.0.0",
    port=18040,
    log_level="WARNING",

    enable_stats=True,

    on_auth=your_auth_function,
    on_auth_extract_user=your_user_extractor,

    on_message=your_message_handler
)
