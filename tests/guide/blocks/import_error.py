from maim_message.message import APIMessageBase  # ✅
