message = APIMessageBase(
    message_info=BaseMessageInfo(
        platform="wechat",
        message_id="msg_001",
        time=time.time()
    ),
    message_segment=Seg(type="text", data="Hello"),
    message_dim=MessageDim(
        api_key="target_user_api_key",
        platform="wechat"
    )
)

message = APIMessageBase(
    message_dim=MessageDim(
        api_key="sender_api_key",
        platform="wechat"
    )
)
