"""A client in a process of its own that measures round trips until its standard input ends.

`python round_trips.py URL USER PLATFORM`: pings the edge, and sends small messages to itself
through the router, in turn. The last line of its output is JSON, times in milliseconds.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time

from websockets.sync.client import ClientConnection, connect


def ping(conn: ClientConnection) -> float:
    """Measure a WebSocket ping in milliseconds."""
    began = time.perf_counter()
    conn.ping().wait(30)
    return (time.perf_counter() - began) * 1000


def echo(conn: ClientConnection, user: str, platform: str, number: int) -> float:
    """Measure a message to ourselves in milliseconds: edge, router, edge."""
    info = {"platform": platform, "message_id": f"{os.getpid()}-{number}", "time": 1.0}
    segment = {"type": "text", "data": "tick"}
    dim = {"api_key": user, "platform": platform}
    payload = {"message_info": info, "message_segment": segment, "message_dim": dim}
    frame = {"ver": 1, "msg_id": f"{os.getpid()}-{number}", "type": "sys_std", "payload": payload}
    began = time.perf_counter()
    conn.send(json.dumps(frame))
    while json.loads(conn.recv(30))["type"] != "sys_std":
        pass
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Measure until standard input ends."""
    url, user, platform = sys.argv[1:]
    ended = threading.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    pings: list[float] = []
    echoes: list[float] = []
    with connect(url) as conn:
        for number in range(50):
            echo(conn, user, platform, -number)
        print("ready", flush=True)
        while not ended.wait(0.002):
            pings.append(ping(conn))
            echoes.append(echo(conn, user, platform, len(echoes) + 1))
    print(json.dumps({"pings": pings, "echoes": echoes}), flush=True)


if __name__ == "__main__":
    main()
