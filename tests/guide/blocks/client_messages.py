success = await client.send_message(message)
print(f"消息发送{'成功' if success else '失败'}")

success = await client.send_custom_message("notification", {
    "title": "通知",
    "content": "自定义消息"
})
print(f"自定义消息发送{'成功' if success else '失败'}")
