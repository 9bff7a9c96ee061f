message = APIMessageBase(
    message_info=BaseMessageInfo(
        platform="wechat",
        message_id="msg_001",
        time=time.time(),
        sender_info=SenderInfo(user_info=UserInfo(user_id="sender_001"))
    ),
    message_segment=Seg(type="text", data="Hello"),
    message_dim=MessageDim(
        api_key="receiver_api_key",
        platform="wechat"
    )
)
