message = APIMessageBase(
    message_info=BaseMessageInfo(
        platform="wechat",
        message_id="msg_123456789",
        time=time.time()
    ),
    message_segment=Seg(type="text", data="Hello from server!"),
    message_dim=MessageDim(
        api_key="target_user_api_key",  # 目标用户的API Key
        platform="wechat"
    )
)

results = await server.send_message(message)
print(f"发送结果: {results}")

results = await server.send_message(message, target_platform="qq")
print(f"发送到QQ平台的结果: {results}")
