user_count = server.get_user_count()
print(f"当前在线用户数: {user_count}")

user_connections = server.get_user_connections("user_001")
print(f"用户user_001的连接: {user_connections}")
