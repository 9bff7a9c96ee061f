import asyncio
from contextlib import asynccontextmanager

@asynccontextmanager
async def websocket_server_context():
    """WebSocket服务器上下文管理器"""
    config = create_server_config(host="localhost", port=18040)
    server = WebSocketServer(config)

    try:
        await server.start()
        yield server
    finally:
        await server.stop()

# 使用示例
async def main():
    async with websocket_server_context() as server:
        # 在这里使用server
        print("服务器运行中...")
        await asyncio.sleep(10)
