connection1 = await client.add_connection(
    "ws://localhost:18040/ws", "api_key_1", "wechat"
)
connection2 = await client.add_connection(
    "ws://localhost:18040/ws", "api_key_2", "qq"
)

await client.connect_to(connection1)
await client.connect_to(connection2)

all_connections = client.get_connections()
print("所有连接:", all_connections)

active_connections = client.get_active_connections()
print("活跃连接:", active_connections)

await client.disconnect(connection1)

await client.remove_connection(connection2)
