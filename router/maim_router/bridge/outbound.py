"""What waits to leave for one edge, in its order: pure, no clock, no I/O.

Nearly all messages are small, and these take the short way: one queue, emptied into the next
frame. While a large one is under way everything takes the lanes, which keep the order of each
connection and let no large one hold up a small one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import chain

from msgspec import Struct

from maim_protocol.bridge import (
    CHUNK_BYTES,
    FRAME_BYTES,
    FRAME_MESSAGES,
    ITEM_BYTES,
    Chunk,
    Deliveries,
    DisconnectOrder,
    Lanes,
    Want,
)
from maim_router.bridge.outcomes import EdgeTracker
from maim_router.events import Relay


class Outgoing(Struct, frozen=True, gc=False):
    """A message on its way to clients; `payload` is a JSON object in UTF-8.

    One with a `number` is for a user on a platform and must not be lost: what a connection is not
    known to have goes to the mailbox, under that number and for its `ttl` seconds.
    """

    msg_id: str
    type: str
    payload: bytes
    timestamp: float
    sender_user: str
    sender_platform: str = ""
    target_user: str = ""
    platform: str = ""
    number: int = 0
    ttl: float = 0.0


# What a delivery is for: the hub hears of a relay's end, a share gathers what edges report, and
# nobody waits for a letter of the mailbox.
Origin = Relay | EdgeTracker | None


class Delivery(Struct, frozen=True, gc=False):
    """A message for connections of one edge; `settles` as in `Deliveries`.

    `boxed`: the mailbox holds it until it is known to have arrived.
    """

    message: Outgoing
    conns: Sequence[int]
    origin: Origin
    want: Want = Want.DONE
    settles: int = 0
    from_mailbox: bool = False

    @property
    def payload(self) -> bytes:
        """What may have to be cut."""
        return self.message.payload


class Close(Struct, frozen=True, gc=False):
    """A close waits behind the messages that were sent to the connection before it."""

    order: DisconnectOrder

    @property
    def conns(self) -> Sequence[int]:
        """The handle of the connection."""
        return (self.order.conn,)

    @property
    def payload(self) -> bytes:
        """Nothing."""
        return b""


class Taken(Struct, gc=False):
    """What leaves in one frame; `transfers` is empty when no delivery was cut."""

    deliveries: Sequence[Delivery] = ()
    disconnects: Sequence[DisconnectOrder] = ()
    chunks: Sequence[Chunk] = ()
    transfers: Sequence[int] = ()

    def columns(self, first: int) -> Deliveries:
        """Write the deliveries as columns, numbered from `first`."""
        items = self.deliveries
        messages = [item.message for item in items]
        fanouts = [len(item.conns) for item in items]
        wants: list[int] = [item.want for item in items]
        settles = [item.settles for item in items]
        numbers = [message.number for message in messages]
        payloads = [message.payload for message in messages]
        for row, transfer in enumerate(self.transfers):
            if transfer:
                payloads[row] = b""
        return Deliveries(
            ordinals=list(range(first, first + len(items))),
            fanouts=fanouts if fanouts.count(1) < len(fanouts) else [],
            conns=list(chain.from_iterable([item.conns for item in items])),
            msg_ids=[message.msg_id for message in messages],
            types=[message.type for message in messages],
            sender_users=[message.sender_user for message in messages],
            sender_platforms=[message.sender_platform for message in messages],
            target_users=[message.target_user for message in messages],
            platforms=[message.platform for message in messages],
            timestamps=[message.timestamp for message in messages],
            wants=wants if any(wants) else [],
            payloads=payloads,
            transfers=list(self.transfers),
            settles=settles if any(settles) else [],
            numbers=numbers if any(numbers) else [],
        )


class Outbound:
    """Deliveries and closes for the connections of one edge."""

    def __init__(self) -> None:
        self._small: deque[Delivery | Close] = deque()
        self._small_bytes = 0
        self._closes = 0
        self._lanes: Lanes[Delivery | Close] = Lanes()

    def __bool__(self) -> bool:
        return bool(self._small or self._lanes)

    def push(self, item: Delivery | Close) -> None:
        """Append an item."""
        size = len(item.payload)
        if size > CHUNK_BYTES or self._lanes:
            self._lanes.push(item)
            return
        self._small.append(item)
        self._small_bytes += size + ITEM_BYTES
        if isinstance(item, Close):
            self._closes += 1

    def take(self) -> Taken:
        """Remove what fits into one frame."""
        if not self._small:
            return self._take_lanes()
        items = self._take_small()
        if not self._closes:
            return Taken(items)  # type: ignore[arg-type]  # no close is among them
        taken = Taken(
            [item for item in items if isinstance(item, Delivery)],
            [item.order for item in items if isinstance(item, Close)],
        )
        self._closes -= len(taken.disconnects)
        return taken

    def drain(self) -> list[Delivery]:
        """Remove everything; returns the deliveries."""
        items = [*self._small, *self._lanes.drain()]
        self._small.clear()
        self._small_bytes = self._closes = 0
        return [item for item in items if isinstance(item, Delivery)]

    def reclaim(self, conn: int) -> list[Delivery]:
        """Remove what waits for this connection alone and must not be lost."""

        def unwanted(item: Delivery | Close) -> bool:
            kept = isinstance(item, Delivery) and item.message.number > 0
            return kept and list(item.conns) == [conn]

        taken = [item for item in self._small if unwanted(item)]
        if taken:
            self._small = deque(item for item in self._small if not unwanted(item))
            self._small_bytes -= sum(len(item.payload) + ITEM_BYTES for item in taken)
        taken += self._lanes.remove(unwanted)
        return [item for item in taken if isinstance(item, Delivery)]

    def _take_small(self) -> list[Delivery | Close]:
        small = self._small
        if self._small_bytes <= FRAME_BYTES and len(small) <= FRAME_MESSAGES:
            items = list(small)
            small.clear()
            self._small_bytes = 0
            return items
        items, room = [], FRAME_BYTES
        while small and len(items) < FRAME_MESSAGES:
            size = len(small[0].payload) + ITEM_BYTES
            if size > room:
                break
            room -= size
            items.append(small.popleft())
        self._small_bytes -= FRAME_BYTES - room
        return items

    def _take_lanes(self) -> Taken:
        taken = Taken()
        taken.chunks, items = self._lanes.take()
        rows = [(item, transfer) for item, transfer in items if isinstance(item, Delivery)]
        taken.deliveries = [item for item, _ in rows]
        taken.disconnects = [item.order for item, _ in items if isinstance(item, Close)]
        transfers = [transfer for _, transfer in rows]
        taken.transfers = transfers if any(transfers) else ()
        return taken
