import asyncio
import logging
from maim_message.client import WebSocketClient, create_client_config
from maim_message.message import APIMessageBase, BaseMessageInfo, Seg, MessageDim

logging.basicConfig(level=logging.INFO)

async def single_client_demo():
    config = create_client_config(
        url="ws://localhost:18040/ws",
        api_key="your_api_key",
        platform="test_platform"
    )

    client = WebSocketClient(config)

    await client.start()

    connected = await client.connect()
    if connected:
        print("✅ 连接到服务器成功")

        message = APIMessageBase(
            message_info=BaseMessageInfo(
                platform="test_platform",
                message_id="test_001",
                time=asyncio.get_event_loop().time()
            ),
            message_segment=Seg(type="text", data="Hello from client!"),
            message_dim=MessageDim(api_key="your_api_key", platform="test_platform")
        )

        success = await client.send_message(message)
        print(f"消息发送{'成功' if success else '失败'}")

        await asyncio.sleep(5)

        await client.disconnect()
    else:
        print("❌ 连接到服务器失败")

    await client.stop()

if __name__ == "__main__":
    asyncio.run(single_client_demo())
