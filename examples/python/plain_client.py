"""A client of maim without its SDK: connects, sends N texts, prints what comes, leaves after M.

    python plain_client.py RECEIVER PLATFORM N M

sends N texts to RECEIVER's connections on PLATFORM and ends when all of them are acknowledged and
M messages have come. Environment: MAIM_URL, MAIM_API_KEY, MAIM_PLATFORM, and
MAIM_CREDENTIAL=query|header for where the key goes. Needs `websockets` and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import uuid
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

URL = os.environ.get("MAIM_URL", "ws://127.0.0.1:18040/ws")
API_KEY = os.environ.get("MAIM_API_KEY", "alice")
PLATFORM = os.environ.get("MAIM_PLATFORM", "demo")
CREDENTIAL = os.environ.get("MAIM_CREDENTIAL", "query")

Frame = dict[str, Any]


def frame(kind: str, meta: Frame, payload: Frame) -> Frame:
    return {"ver": 1, "msg_id": str(uuid.uuid4()), "type": kind, "meta": meta, "payload": payload}


def text(data: str, receiver: str, platform: str) -> Frame:
    """Make a message; message_dim names the receiver, meta is the router's to write."""
    info = {"platform": PLATFORM, "message_id": str(uuid.uuid4()), "time": time.time()}
    payload = {
        "message_info": info,
        "message_segment": {"type": "text", "data": data},
        "message_dim": {"api_key": receiver, "platform": platform},
    }
    return frame("sys_std", {}, payload)


def open_connection() -> connect:
    if CREDENTIAL == "header":
        return connect(URL, additional_headers={"x-apikey": API_KEY, "x-platform": PLATFORM})
    return connect(f"{URL}?{urlencode({'api_key': API_KEY, 'platform': PLATFORM})}")


async def converse(
    conn: ClientConnection, receiver: str, platform: str, sends: int, missing: int
) -> int:
    unacknowledged = set()
    for number in range(1, sends + 1):
        message = text(f"number {number} from python", receiver, platform)
        unacknowledged.add(message["msg_id"])
        await conn.send(json.dumps(message))
    while unacknowledged or missing > 0:
        received = json.loads(await conn.recv())
        print(json.dumps(received, ensure_ascii=False), flush=True)
        if received["type"] == "sys_ack":  # it is in safe hands now
            unacknowledged.discard(received["meta"]["acked_msg_id"])
        elif received["type"] == "sys_error":  # payload.msg_id names the one that was not taken
            return 1
        elif received["type"] == "sys_std" or received["type"].startswith("custom_"):
            missing -= 1
            if received["msg_id"]:
                acked = {"acked_msg_id": received["msg_id"]}
                await conn.send(json.dumps(frame("sys_ack", acked, {})))
    return 0


async def main(receiver: str, platform: str, sends: str, receives: str) -> int:
    try:
        async with open_connection() as conn:
            print("connected", file=sys.stderr, flush=True)
            return await converse(conn, receiver, platform, int(sends), int(receives))
    except InvalidStatus as refused:  # an HTTP response that says why
        body = refused.response.body.decode()
        print(f"refused: {refused.response.status_code} {body}", file=sys.stderr)
        return 1
    except (ConnectionClosed, OSError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    defaults = ["bob", "demo", "1", "0"]
    given = sys.argv[1:5]
    sys.exit(asyncio.run(main(*given, *defaults[len(given) :])))
