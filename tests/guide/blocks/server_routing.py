api_key = message.get_api_key()      # message_dim.api_key
platform = message.get_platform()    # message_dim.platform

target_user = self.extract_user(api_key)
