"""`maim doctor`: checks settings, certificates and reachability, a line for each finding."""

from maim_message.cli.doctor.command import doctor

__all__ = ["doctor"]
