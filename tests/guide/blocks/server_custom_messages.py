results = await server.send_custom_message(
    "notification",
    {"title": "系统通知", "content": "Hello via custom message!"},
    target_user="user_001",
    target_platform="wechat"
)
print(f"自定义消息发送结果: {results}")
