"""`maim connect`: a client in the terminal, typed to or piped into."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maim_message.message import MessageDim
from maim_protocol.errors import ConfigError


def connect(
    url: Annotated[
        str, typer.Argument(metavar="URL", envvar="MAIM_URL", help="ws://… or wss://… of an edge.")
    ],
    api_key: Annotated[
        str, typer.Option("--api-key", envvar="MAIM_API_KEY", help="Your API key.")
    ] = "",
    platform: Annotated[
        str, typer.Option("--platform", envvar="MAIM_PLATFORM", help="Your platform.")
    ] = "default",
    to: Annotated[
        str, typer.Option("--to", help="Receiver: its key, key id or user; else you only listen.")
    ] = "",
    to_platform: Annotated[
        str, typer.Option("--to-platform", help="Platform of the receiver; else yours.")
    ] = "",
    ca: Annotated[
        Path | None, typer.Option("--ca", help="Authorities of the edge's certificate, PEM.")
    ] = None,
    proxy: Annotated[
        str, typer.Option("--proxy", help="auto (the environment's), off, or a URL.")
    ] = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print events as lines of JSON.")] = False,
) -> int:
    """Connect as a client: type to send a text message, see what comes.

    With piped input every line is sent, acknowledgements are waited for, and the end of the
    input ends it.
    """
    if not api_key:
        raise ConfigError("--api-key: expected your API key, got nothing; or set MAIM_API_KEY")
    # Here, so that the other commands do not load a client.
    from maim_message.cli.connect.conversation import converse

    target = MessageDim(api_key=to, platform=to_platform or platform) if to else None
    return converse(url, api_key, platform, target, ca, proxy=proxy, json=json)
