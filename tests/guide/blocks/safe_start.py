import asyncio
from maim_message.server import WebSocketServer, ServerConfig

async def safe_server_start():
    config = ServerConfig(host="localhost", port=18040, path="/ws")
    server = WebSocketServer(config)

    try:
        await server.start()
        print("服务器启动成功")

        while True:
            await asyncio.sleep(1)

    except Exception as e:
        print(f"服务器运行错误: {e}")

    finally:
        await server.stop()
        print("服务器已关闭")
