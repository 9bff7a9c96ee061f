def validate_message_routing(message: APIMessageBase) -> bool:
    """验证消息路由信息"""

    if not hasattr(message, 'message_dim'):
        return False

    if not message.message_dim.api_key:
        logger.error("缺少目标接收者的API密钥")
        return False

    if not message.message_dim.platform:
        logger.error("缺少目标接收者的平台标识")
        return False

    return True

# 使用示例
message = APIMessageBase(
    message_dim=MessageDim(
        api_key="target_user_key",
        platform="wechat"
    )
)

if validate_message_routing(message):
    await server.send_message(message)
