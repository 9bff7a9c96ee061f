from maim_message.message import (
    APIMessageBase, BaseMessageInfo, Seg, MessageDim,
    SenderInfo, GroupInfo, UserInfo, FormatInfo
)
import time

message = APIMessageBase(
    message_info=BaseMessageInfo(
        platform="wechat",
        message_id="msg_123456789",
        time=time.time(),                     # 时间戳
        sender_info=SenderInfo(
            user_info=UserInfo(
                platform="wechat",
                user_id="user_001",
                user_nickname="用户昵称",
                user_cardname="用户名片"
            ),
            group_info=GroupInfo(
                platform="wechat",
                group_id="group_001",
                group_name="群组名称"
            )
        ),
        format_info=FormatInfo(
            content_format=["text"],
            accept_format=["text", "emoji"]
        )
    ),
    message_segment=Seg(type="text", data="消息内容"),
    message_dim=MessageDim(
        api_key="your_api_key",
        platform="wechat"
    )
)
