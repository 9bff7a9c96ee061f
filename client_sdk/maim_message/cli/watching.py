"""`maim connections --watch`: who comes and goes, over breaks of the stream and router restarts."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from maim_message.cli import output
from maim_protocol.backoff import Backoff
from maim_runtime.settings import one_line

if TYPE_CHECKING:
    from maim_router.control_client import ControlClient, ControlError

FIRST_DELAY_SECONDS = 0.2
MAX_DELAY_SECONDS = 10.0
# After these it may work again; the position is still good, or the router says where to go on.
PASSING = ("UNAVAILABLE", "RESOURCE_EXHAUSTED", "INTERNAL", "CANCELLED", "UNKNOWN")


@dataclass
class Position:
    """Where to go on: the next number of a router run; none before the first stream."""

    log_id: str = ""
    seq: int = 0

    def move(self, log_id: str, seq: int) -> None:
        """Go on from here."""
        self.log_id, self.seq = log_id, seq


async def watch(
    control: ControlClient, wanted: Mapping[str, str | None], *, json: bool
) -> NoReturn:
    """Print events until cancelled; raises `ControlError` for what trying again does not cure.

    `wanted` holds what fields of a connection have to be; None: anything.
    """
    from maim_router.control_client import ControlError

    position = Position()
    backoff = Backoff(FIRST_DELAY_SECONDS, MAX_DELAY_SECONDS, random.random)
    while True:
        try:
            async for event in control.watch_connections(
                position.move, position.seq, position.log_id
            ):
                position.move(event["log_id"], event["seq"] + 1)
                backoff.reset()
                if _matches(event["connection"], wanted):
                    _show(event, json=json)
        except ControlError as error:
            if not position.log_id or not _go_on(position, error, json=json):
                raise
        await asyncio.sleep(backoff.next_delay())


def _go_on(position: Position, error: ControlError, *, json: bool) -> bool:
    """Say what happened and move on if that helps."""
    if error.status in PASSING:
        print(f"maim: {one_line(error)}; trying again", file=sys.stderr)
        return True
    if error.status != "OUT_OF_RANGE" or "oldest_seq" not in error.about:
        return False
    position.move(error.about["log_id"], int(error.about["oldest_seq"]))
    _show_gap(position, error, json=json)
    return True


def _show_gap(position: Position, error: ControlError, *, json: bool) -> None:
    """Say that events are missing, where a script reads it too."""
    if json:
        gap = {"kind": "GAP", "log_id": position.log_id, "seq": position.seq, "reason": str(error)}
        output.print_json(gap)
    print(f"maim: {one_line(error)}", file=sys.stderr)


def _matches(connection: Mapping[str, Any], wanted: Mapping[str, str | None]) -> bool:
    return all(value is None or connection[name] == value for name, value in wanted.items())


def _show(event: Mapping[str, Any], *, json: bool) -> None:
    if json:
        output.print_json(event)
    else:
        print(output.harmless(line(event)), flush=True)


def line(event: Mapping[str, Any]) -> str:
    """Write an event as one line for people."""
    about = event["connection"]
    words = [
        f"{datetime.fromtimestamp(event['time'], UTC):%Y-%m-%d %H:%M:%SZ}",
        event["kind"],
        f"{about['user_id']}@{about['platform']}",
        about["connection_uuid"],
        f"edge {about['edge_id']}",
        "standby" if about["standby"] else "",
        "restored" if event["restored"] else "",
        f"by {event['replaced_by']}" if event["replaced_by"] else "",
        f"{event['code']} {event['reason']}".strip() if event["code"] else "",
    ]
    return "  ".join(word for word in words if word)
