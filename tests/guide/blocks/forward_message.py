async def forward_message(original_message: APIMessageBase, new_target_api_key: str, new_target_platform: str):
    """转发消息到新的目标"""

    forwarded_message = APIMessageBase(
        message_info=BaseMessageInfo(
            platform=new_target_platform,
            message_id=f"forward_{int(time.time())}",
            time=time.time(),
            sender_info=original_message.message_info.sender_info
        ),
        message_segment=original_message.message_segment,
        message_dim=MessageDim(
            api_key=new_target_api_key,
            platform=new_target_platform
        )
    )

    await server.send_message(forwarded_message)
