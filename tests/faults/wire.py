"""How letters look on the wire."""

from __future__ import annotations

import json

from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg
from tests.faults.oracle import Letter

PLATFORM = "demo"


def message(letter: Letter, padding: int = 0) -> APIMessageBase:
    """A letter as our SDK sends it, with so many bytes more."""
    return APIMessageBase(
        message_info=BaseMessageInfo(PLATFORM, str(letter), 1.0),
        message_segment=Seg("text", f"{letter}{' ' * padding}"),
        message_dim=MessageDim(letter.receiver, PLATFORM),
    )


def frame(letter: Letter, padding: int = 0) -> str:
    """A letter as a plain client sends it."""
    payload = message(letter, padding).to_dict()
    return json.dumps({"ver": 1, "msg_id": str(letter), "type": "sys_std", "payload": payload})


def ack(msg_id: str) -> str:
    """The acknowledgement of a plain client."""
    return json.dumps({"ver": 1, "type": "sys_ack", "meta": {"acked_msg_id": msg_id}})
