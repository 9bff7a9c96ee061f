try:
    user_id = server.extract_user(api_key)
    print(f"提取的用户ID: {user_id}")
except Exception as e:
    print(f"用户提取失败: {e}")
