"""Keeps messages that nobody could be given, and gives them to whoever comes for them."""

from __future__ import annotations

from collections.abc import Callable, Collection

from maim_protocol.frames import Want
from maim_router.connection_map import ConnectionMap, Entry
from maim_router.delivery import Ledger, Outcome
from maim_router.edge_link import EdgeLink
from maim_router.events import Address, EdgeKey
from maim_router.mailbox import Letter, Mailbox
from maim_router.outbound import Delivery, Outgoing

Box = tuple[str, str]
OnStored = Callable[[bool], None]


class Post:
    """Between the links of edges and the mailbox.

    A letter stays in the mailbox while it is on its way, until the client is known to have it.
    One that comes back waits for the next connection of its user and platform, or goes at once
    to those that came after the router had taken it: the others were sent it then. `ttl` is how
    long letters wait at most; times in seconds, of the Unix clock.
    """

    def __init__(
        self,
        mailbox: Mailbox | None,
        connections: ConnectionMap,
        link: Callable[[EdgeKey], EdgeLink | None],
        ttl: float,
    ) -> None:
        self._mailbox = mailbox
        self._connections = connections
        self._link = link
        self._ttl = ttl
        # How often each letter is on its way.
        self._out: dict[Box, dict[int, int]] = {}
        self._watched: dict[tuple[Box, int], tuple[Ledger, Want]] = {}

    @property
    def mailbox(self) -> Mailbox | None:
        """Where the letters are; None: nothing is kept."""
        return self._mailbox

    def expires_at(self, message: Outgoing) -> float:
        """Tell when a message is not worth delivering any more."""
        return message.timestamp + min(message.ttl or self._ttl, self._ttl)

    def keep(self, message: Outgoing, on_stored: OnStored, *, acknowledged: bool = False) -> None:
        """Put a message into the mailbox; `on_stored` says whether it is safe there."""
        if self._mailbox is None:
            on_stored(False)
        else:
            letter = _letter(message, self.expires_at(message))
            self._mailbox.put(letter, on_stored, acknowledged=acknowledged)

    def watch(self, message: Outgoing, ledger: Ledger, want: Want) -> None:
        """Let a ledger follow a letter that is about to be kept."""
        self._watched[_box(message), message.number] = (ledger, want)

    def unwatch(self, message: Outgoing) -> None:
        """Follow a letter no more."""
        self._watched.pop((_box(message), message.number), None)

    def came(self, entry: Entry) -> None:
        """Give a connection what waits for it.

        One that was there before, and was announced again, also gets what is on its way to
        others: its edge drops what it has.
        """
        box = (entry.user_id, entry.platform)
        if self._mailbox is None or not self._mailbox.has(*box):
            return
        if entry not in self._connections.find(*box):
            return
        out = {} if entry.restored else self._out.get(box, {})
        numbers = [number for number in self._mailbox.numbers(*box) if number not in out]
        for letter in self._mailbox.read(*box, numbers):
            self._give(letter, entry)

    def arrived(self, delivery: Delivery) -> None:
        """Forget a letter that its receivers have."""
        message = delivery.message
        box = _box(message)
        out = self._out.get(box)
        if out is not None:
            out.pop(message.number, None)
            if not out:
                del self._out[box]
        if self._mailbox is not None:
            self._mailbox.remove(*box, (message.number,))
        self.unwatch(message)

    def put_back(
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
        if delivery.boxed:
            self._not_out(box, message.number)
        self.keep(message, on_stored, acknowledged=acknowledged)
        if self._mailbox is None:
            return
        for entry in self._connections.find(*box):
            if entry.came > message.number and entry.address not in back:
                self._give(_letter(message, self.expires_at(message)), entry)

    def expire(self, now: float) -> None:
        """Forget what has waited for too long, at `now` in Unix seconds."""
        if self._mailbox is None:
            return
        for user_id, platform, number, _ in self._mailbox.expire(now):
            self._not_out((user_id, platform), number)
            watched = self._watched.pop(((user_id, platform), number), None)
            if watched is not None:
                watched[0].close(Outcome.EXPIRED)

    def _give(self, letter: Letter, entry: Entry) -> None:
        link = self._link(entry.edge)
        if link is None:
            return
        box = (letter.user_id, letter.platform)
        out = self._out.setdefault(box, {})
        out[letter.number] = out.get(letter.number, 0) + 1
        conn = entry.open.conn
        flight, want = None, Want.DONE
        watched = self._watched.get((box, letter.number))
        if watched is not None:
            ledger, want = watched
            flight = ledger.share({conn: entry.uuid}, want)
        link.deliver(Delivery(_outgoing(letter), (conn,), flight, want, boxed=True))

    def _not_out(self, box: Box, number: int) -> None:
        out = self._out.get(box, {})
        left = out.pop(number, 0) - 1
        if left > 0:
            out[number] = left
        elif not out:
            self._out.pop(box, None)


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
