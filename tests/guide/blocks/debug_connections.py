connections = server.get_connections()
print(f"当前连接: {connections}")
