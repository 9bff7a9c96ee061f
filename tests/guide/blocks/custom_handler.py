async def custom_ping_handler(message_data, metadata):
    """自定义PING消息处理器"""
    print(f"收到PING: {message_data}")

    return True

config.register_custom_handler("ping", custom_ping_handler)
