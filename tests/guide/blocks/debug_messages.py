config.enable_message_log = True
