broadcast_message = APIMessageBase(
    message_info=BaseMessageInfo(
        platform="server",
        message_id="broadcast_001",
        time=time.time()
    ),
    message_segment=Seg(type="text", data="系统广播消息"),
    message_dim=MessageDim(api_key="server", platform="server")
)

results = await server.broadcast_message(broadcast_message)
print(f"广播结果: {sum(results.values())}/{len(results)} 成功")

results = await server.broadcast_message(broadcast_message, platform="wechat")
