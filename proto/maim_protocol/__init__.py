"""The contracts of maim_message: bridge and control protos, envelope, message model, codes."""
