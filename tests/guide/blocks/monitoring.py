async def monitor_connections(server):
    """监控连接状态"""
    while True:
        stats = server.get_stats()
        print(f"连接统计: 用户数={stats['current_users']}, 连接数={stats['current_connections']}")
        await asyncio.sleep(10)

async def main():
    config = create_server_config()
    server = WebSocketServer(config)

    await server.start()

    monitor_task = asyncio.create_task(monitor_connections(server))

    try:
        while True:
            await asyncio.sleep(1)
    finally:
        monitor_task.cancel()
        await server.stop()
