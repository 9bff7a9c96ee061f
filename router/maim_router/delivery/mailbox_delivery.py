"""Keeps messages that nobody could be given, and gives them to whoever comes for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import takewhile

from maim_protocol.bridge import Want
from maim_protocol.errors import ErrorCode
from maim_router.bridge import Delivery, DeliveryTracker, EdgeLink, Outcome, Outgoing
from maim_router.connection_map import ConnectionMap, Entry
from maim_router.delivery.drain_progress import DrainProgress
from maim_router.events import Address, EdgeKey
from maim_router.mailbox import Letter, Mailbox

Box = tuple[str, str]
OnStored = Callable[[bool], None]
# Letters that are read at once: a slow disk holds the event loop up that long.
READ_LETTERS = 8


class MailboxDelivery:
    """Between the links of edges and the mailbox.

    A letter stays in the mailbox while it is on its way, until the client is known to have it.
    A connection that comes is given what waits, a slice at a time; until it has all of that, what
    is sent to its user goes the same way, behind it. A letter that comes back waits for the next
    connection, or goes to those that came after the router had taken it: the others were sent it
    then. `ttl` is how long letters wait at most; times in seconds, of the Unix `clock`.
    """

    def __init__(
        self,
        mailbox: Mailbox | None,
        connections: ConnectionMap,
        link: Callable[[EdgeKey], EdgeLink | None],
        ttl: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        # Boxes that are being emptied: nothing may overtake what is in them.
        self.draining_boxes: set[Box] = set()
        self._mailbox = mailbox
        self._connections = connections
        self._link = link
        self._ttl = ttl
        self._clock = clock
        self._drains: dict[Box, DrainProgress] = {}
        self._watched: dict[tuple[Box, int], tuple[DeliveryTracker, Want]] = {}

    @property
    def mailbox(self) -> Mailbox | None:
        """Where the letters are; None: nothing is kept."""
        return self._mailbox

    @property
    def failure(self) -> str | None:
        """Why nothing can be stored now; None: it can, while there is room."""
        return self._mailbox.failure if self._mailbox is not None else None

    def why_not(self, without_mailbox: str) -> tuple[ErrorCode, str]:
        """Say why a message was not stored; `without_mailbox`: what that is where nothing is."""
        if self._mailbox is None:
            return ErrorCode.NO_ROUTE, without_mailbox
        if self._mailbox.failure is not None:
            return ErrorCode.MAILBOX_UNAVAILABLE, self._mailbox.failure
        return ErrorCode.MAILBOX_FULL, "the mailbox of the receiver is full"

    def expires_at(self, message: Outgoing) -> float:
        """Tell when a message is not worth delivering any more."""
        return message.timestamp + min(message.ttl or self._ttl, self._ttl)

    def keep(self, message: Outgoing, on_stored: OnStored, *, acknowledged: bool = False) -> None:
        """Put a message into the mailbox; `on_stored` says whether it is safe there."""
        if self._mailbox is None:
            on_stored(False)
            return
        letter = _letter(message, self.expires_at(message))
        self._mailbox.put(letter, on_stored, acknowledged=acknowledged)
        box = _box(message)
        if box in self.draining_boxes:
            self._empty(box)

    def watch(self, message: Outgoing, tracker: DeliveryTracker, want: Want) -> None:
        """Let a tracker follow a letter that is about to be kept."""
        self._watched[_box(message), message.number] = (tracker, want)

    def unwatch(self, message: Outgoing) -> None:
        """Follow a letter no more."""
        self._watched.pop((_box(message), message.number), None)

    def on_connected(self, entry: Entry) -> None:
        """Give a connection what waits for it, unless another one is being given that.

        One that was there before, and was announced again, also gets what is on its way to
        others: its edge drops what it has.
        """
        box = (entry.user_id, entry.platform)
        self.expire(self._clock())
        if self._mailbox is None or not self._mailbox.has(*box):
            return
        here = self._connections.find(*box)
        if entry not in here:
            return
        progress = self._drains.setdefault(box, DrainProgress())
        if entry.restored and progress.out:
            last = max(progress.out)
            numbers = [number for number in self._mailbox.numbers(*box) if number <= last]
            for letter in self._mailbox.read(*box, numbers):
                self._give(progress, letter, entry)
        if entry.restored or progress.targets.isdisjoint(one.uuid for one in here):
            progress.targets.add(entry.uuid)
        self.draining_boxes.add(box)
        self._empty(box)

    def arrived(self, deliveries: Iterable[Delivery]) -> None:
        """Forget letters that their receivers have, and go on with the next ones."""
        boxes: dict[Box, list[int]] = {}
        for delivery in deliveries:
            boxes.setdefault(_box(delivery.message), []).append(delivery.message.number)
            self.unwatch(delivery.message)
        for box, numbers in boxes.items():
            if self._mailbox is not None:
                self._mailbox.remove(*box, numbers)
            progress = self._drains.get(box)
            if progress is None:
                continue
            for number in numbers:
                progress.over(number)
            if box in self.draining_boxes:
                self._empty(box)
            else:
                self._rest(box, progress)

    def requeue(
        self,
        delivery: Delivery,
        back: Collection[Address],
        on_stored: OnStored,
        now: float,
        *,
        acknowledged: bool,
    ) -> None:
        """Take a message `back` from connections that did not get it; `now` in Unix seconds."""
        message = delivery.message
        if self.expires_at(message) <= now:
            on_stored(True)  # Nothing is owed any more.
            return
        box = _box(message)
        here = [one for one in self._connections.find(*box) if one.address not in back]
        progress = self._drains.get(box)
        if progress is not None:
            if delivery.from_mailbox:
                progress.back(message.number)
            progress.targets.intersection_update([one.uuid for one in here])
            if not progress.targets:
                self.draining_boxes.discard(box)
        self.keep(message, on_stored, acknowledged=acknowledged)
        if self._mailbox is not None:
            self._send_after(box, message, [one for one in here if one.since > message.number])

    def expire(self, now: float) -> None:
        """Forget what has waited for too long, at `now` in Unix seconds."""
        if self._mailbox is None:
            return
        for user_id, platform, number, _ in self._mailbox.expire(now):
            box = (user_id, platform)
            if box in self._drains:
                self._drains[box].over(number)
            watched = self._watched.pop((box, number), None)
            if watched is not None:
                watched[0].close(Outcome.EXPIRED)

    async def close(self) -> None:
        """Let the mailbox store what it was given."""
        if self._mailbox is not None:
            await self._mailbox.close()

    def _send_after(self, box: Box, message: Outgoing, here: Sequence[Entry]) -> None:
        """Send a message that came back to connections that came after it."""
        letter = _letter(message, self.expires_at(message))
        for entry in here:
            progress = self._drains.setdefault(box, DrainProgress())
            if entry.uuid not in progress.targets:
                self._give(progress, letter, entry)

    def _empty(self, box: Box) -> None:
        """Give the next letters of a box to whom they are for."""
        self.expire(self._clock())
        progress, mailbox = self._drains[box], self._mailbox
        here = self._connections.find(*box)
        progress.targets.intersection_update([one.uuid for one in here])
        if mailbox is None or not progress.targets:
            self._rest(box, progress)
            return
        progress.fit(link.prefetch for one in here if (link := self._link(one.edge)) is not None)
        numbers = mailbox.numbers(*box)
        while not progress.full and (later := progress.next(numbers)[:READ_LETTERS]):
            for letter in takewhile(lambda _: not progress.full, mailbox.read(*box, later)):
                for entry in progress.recipients(letter.number, here):
                    self._give(progress, letter, entry)
            if progress.out.keys().isdisjoint(later):
                break  # they cannot be read, or nobody can be reached
        if not progress.waits(numbers):
            progress.targets.clear()
            self._rest(box, progress)

    def _rest(self, box: Box, progress: DrainProgress) -> None:
        """Let a box be: nobody is to be given more of it now."""
        self.draining_boxes.discard(box)
        if not progress.out:
            del self._drains[box]

    def _give(self, progress: DrainProgress, letter: Letter, entry: Entry) -> None:
        link = self._link(entry.edge)
        if link is None:
            return
        progress.leave(letter.number, len(letter.payload))
        conn = entry.open.conn
        origin, want = None, Want.DONE
        watched = self._watched.get(((letter.user_id, letter.platform), letter.number))
        if watched is not None:
            tracker, want = watched
            origin = tracker.add_edge({conn: entry.uuid}, want)
        link.deliver(Delivery(_outgoing(letter), (conn,), origin, want, from_mailbox=True))


def _box(message: Outgoing) -> Box:
    return message.target_user, message.platform


def _letter(message: Outgoing, expires_at: float) -> Letter:
    return Letter(
        number=message.number,
        user_id=message.target_user,
        platform=message.platform,
        msg_id=message.msg_id,
        type=message.type,
        payload=message.payload,
        timestamp=message.timestamp,
        sender_user=message.sender_user,
        sender_platform=message.sender_platform,
        expires_at=expires_at,
    )


def _outgoing(letter: Letter) -> Outgoing:
    return Outgoing(
        letter.msg_id,
        letter.type,
        letter.payload,
        letter.timestamp,
        letter.sender_user,
        letter.sender_platform,
        letter.user_id,
        letter.platform,
        letter.number,
        letter.expires_at - letter.timestamp,
    )
