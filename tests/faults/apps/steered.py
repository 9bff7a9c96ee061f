"""An application whose authentication does what a file says: answer, wait, hang or raise."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from maim_message.server import ServerConfig

MOOD = Path(os.environ["FAULTS_MOOD"])
SLOW_SECONDS = 0.3


async def allow(metadata: dict[str, Any]) -> bool:
    mood = MOOD.read_text()  # noqa: ASYNC240 - a few bytes of a local file
    if mood == "slow":
        await asyncio.sleep(SLOW_SECONDS)
    elif mood == "hang":
        await asyncio.Event().wait()
    elif mood == "raise":
        raise RuntimeError("the application's database is away")
    return bool(metadata["api_key"])


def user(metadata: dict[str, Any]) -> str:
    return str(metadata["api_key"])


config = ServerConfig(on_auth=allow, on_auth_extract_user=user)
