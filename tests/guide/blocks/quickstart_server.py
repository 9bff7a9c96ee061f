import asyncio
import logging
from maim_message.server import WebSocketServer, create_server_config
from maim_message.message import APIMessageBase

logging.basicConfig(level=logging.INFO)

async def main():
    config = create_server_config(
        host="localhost",
        port=18040,
        path="/ws"
    )

    server = WebSocketServer(config)

    await server.start()

    print("🚀 WebSocket服务器已启动在 ws://localhost:18040/ws")

    try:
        while True:
            await asyncio.sleep(1)
    except KeyboardInterrupt:
        print("\n🛑 正在停止服务器...")
        await server.stop()
        print("✅ 服务器已停止")

if __name__ == "__main__":
    asyncio.run(main())
