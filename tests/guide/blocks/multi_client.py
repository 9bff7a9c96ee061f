import asyncio
import logging
from maim_message.client import WebSocketClient, create_client_config
from maim_message.message import APIMessageBase, BaseMessageInfo, Seg, MessageDim

logging.basicConfig(level=logging.INFO)

async def multi_client_demo():
    main_config = create_client_config(
        url="ws://localhost:18040/ws",
        api_key="main_client_key",
        platform="main_platform"
    )

    client = WebSocketClient(main_config)

    try:
        await client.start()

        await client.connect()
        print("✅ 主服务连接成功")

        wechat_conn = await client.add_connection(
            "ws://localhost:18040/ws", "wechat_key", "wechat"
        )
        qq_conn = await client.add_connection(
            "ws://localhost:18040/ws", "qq_key", "qq"
        )

        await client.connect_to(wechat_conn)
        await client.connect_to(qq_conn)

        print(f"✅ 微信连接: {wechat_conn}")
        print(f"✅ QQ连接: {qq_conn}")

        await asyncio.sleep(2)

        active_connections = client.get_active_connections()
        print(f"活跃连接: {list(active_connections.keys())}")

        wechat_message = APIMessageBase(
            message_info=BaseMessageInfo(
                platform="wechat", message_id="wechat_001", time=asyncio.get_event_loop().time()
            ),
            message_segment=Seg(type="text", data="发送到微信的消息"),
            message_dim=MessageDim(api_key="wechat_key", platform="wechat")
        )
        await client.send_message(wechat_message)

        qq_message = APIMessageBase(
            message_info=BaseMessageInfo(
                platform="qq", message_id="qq_001", time=asyncio.get_event_loop().time()
            ),
            message_segment=Seg(type="text", data="发送到QQ的消息"),
            message_dim=MessageDim(api_key="qq_key", platform="qq")
        )
        await client.send_message(qq_message)

        await client.send_custom_message("notification", {"title": "通知", "content": "自定义消息"})

        await asyncio.sleep(5)

    finally:
        await client.stop()

if __name__ == "__main__":
    asyncio.run(multi_client_demo())
