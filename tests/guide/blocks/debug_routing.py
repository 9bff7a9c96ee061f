print(f"目标API密钥: {message.get_api_key()}")
print(f"目标平台: {message.get_platform()}")
