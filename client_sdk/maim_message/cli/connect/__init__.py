"""`maim connect`: a client in the terminal."""

from maim_message.cli.connect.command import connect

__all__ = ["connect"]
