"""Messages of clients on their way to the user that they name."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping

from maim_protocol.bridge.frames import Hello, Want
from maim_protocol.errors import ErrorCode
from maim_router import events as ev
from maim_router.auth.resolver import Resolver
from maim_router.bridge.link import EdgeLink
from maim_router.bridge.outbound import Delivery, Outgoing
from maim_router.bridge.outcomes import DeliveryTracker, EdgeTracker
from maim_router.connection_map import Audience, MemoryConnectionMap
from maim_router.delivery.mailbox_delivery import MailboxDelivery
from maim_router.delivery.redelivery import Redelivery
from maim_router.delivery.relay import Relay
from maim_router.delivery.sender import Sender
from maim_router.delivery.sequence import MessageSequence
from maim_router.events import Address, EdgeKey
from maim_router.mailbox import Mailbox
from tests.router.builders import EDGE as SENDER
from tests.router.builders import inbound, session
from tests.router.connection_map.contract import EDGE, OTHER, entry
from tests.router.memory_edge import Stream


class Link(EdgeLink):
    """A link that remembers what it was given."""

    def __init__(self, key: EdgeKey) -> None:
        super().__init__(
            Hello(key.edge_id, key.epoch, 1, "127.0.0.1:1"), 0.0, Stream(), print, print
        )
        self.sent: list[tuple[str, tuple[int, ...]]] = []
        self.given: list[Delivery] = []

    def deliver(self, delivery: Delivery) -> None:
        self.sent.append((delivery.message.msg_id, tuple(delivery.conns)))
        self.given.append(delivery)
        assert delivery.want is Want.DONE


class Desk:
    """A relay between alice's connection and bob's; `gates` hold up the resolving of a key."""

    def __init__(self, mailbox: Mailbox | None = None) -> None:
        self.reports: list[ev.Settled | ev.Failed] = []
        self.asked: list[str] = []
        self.gates: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.map = MemoryConnectionMap()
        self.links = {EDGE: Link(EDGE), OTHER: Link(OTHER)}
        resolver = Resolver(self._ask, 60.0, lambda: 0.0)
        post = MailboxDelivery(mailbox, self.map, self.links.get, 60.0)
        sender = Sender(self.links.get, post, Redelivery(post, self.reports.append))
        self.relay = Relay(resolver, self.map, sender, post, MessageSequence(), self.reports.append)

    async def _ask(self, api_key: str, platform: str) -> str:
        self.asked.append(api_key)
        await self.gates[api_key].wait()
        if api_key == "broken":
            raise LookupError("s3cret")
        return "" if api_key == "nobody" else api_key

    async def let_go(self, *keys: str) -> None:
        for key in keys:
            self.gates[key].set()
        for _ in range(10):
            await asyncio.sleep(0)

    def pass_on(self, message: ev.Inbound, sender: int = 1) -> ev.Relay:
        """Let a client's message come."""
        relay = ev.Relay(session(sender), message)
        self.relay.pass_on(relay, 0.0, 1.5)
        return relay

    def edge_tracker(self, edge: EdgeKey) -> EdgeTracker:
        """What an edge has of the only message that it got."""
        (delivery,) = self.links[edge].given
        assert isinstance(delivery.origin, EdgeTracker)
        return delivery.origin

    def codes(self) -> list[ErrorCode]:
        return [report.code for report in self.reports if isinstance(report, ev.Failed)]


async def test_it_goes_to_every_connection_of_the_receiver_once_an_edge() -> None:
    desk = Desk()
    for one in (entry(1, "bob", "wx"), entry(2, "bob", "wx"), entry(3, "bob", "wx", edge=OTHER)):
        await desk.map.add(one)
    await desk.map.add(entry(4, "bob", "qq"))
    desk.pass_on(inbound(1, payload=b'{"n": 1e400}'))
    await desk.let_go("bob")
    assert desk.links[EDGE].sent == [("m", (1, 2))]
    assert desk.links[OTHER].sent == [("m", (3,))]
    (sent,) = [delivery.message for delivery in desk.links[OTHER].given]
    assert sent.payload == b'{"n": 1e400}'
    assert (sent.sender_user, sent.sender_platform) == ("alice", "qq")
    assert (sent.target_user, sent.platform) == ("bob", "wx")


async def test_it_is_settled_when_every_edge_has_it() -> None:
    desk = Desk()
    await desk.map.add(entry(1, "bob", "wx"))
    await desk.map.add(entry(2, "bob", "wx", edge=OTHER))
    relay = desk.pass_on(inbound(1))
    await desk.let_go("bob")
    desk.edge_tracker(EDGE).taken(by_edge=True)
    assert desk.reports == []
    desk.edge_tracker(OTHER).taken(by_edge=False)
    assert desk.reports == [ev.Settled((relay,))]


async def test_it_fails_when_all_its_edges_are_lost() -> None:
    desk = Desk()
    await desk.map.add(entry(1, "bob", "wx"))
    await desk.map.add(entry(2, "bob", "wx", edge=OTHER))
    desk.pass_on(inbound(1))
    await desk.let_go("bob")
    desk.edge_tracker(EDGE).lose()
    desk.edge_tracker(OTHER).lose()
    assert desk.codes() == [ErrorCode.NO_ROUTE]


async def test_what_one_edge_alone_receives_is_the_hub_s_order_itself() -> None:
    desk = Desk()
    await desk.map.add(entry(1, "bob", "wx"))
    await desk.map.add(entry(2, "bob", "wx"))
    relay = desk.pass_on(inbound(1))
    await desk.let_go("bob")
    (delivery,) = desk.links[EDGE].given
    assert delivery.origin is relay
    assert tuple(delivery.conns) == (1, 2)


async def test_a_delivery_settles_its_message_when_the_sender_s_edge_alone_receives_it() -> None:
    desk = Desk()
    desk.links[SENDER] = Link(SENDER)
    await desk.map.add(entry(1, "bob", "wx", edge=SENDER))
    desk.pass_on(inbound(7, "1"))
    await desk.let_go("bob")
    await desk.map.add(entry(2, "bob", "wx"))
    desk.pass_on(inbound(8, "2"))
    await desk.map.remove(Address(SENDER, 1))
    desk.pass_on(inbound(9, "3"))
    given = [(d.message.msg_id, d.settles) for d in desk.links[SENDER].given]
    assert given == [("1", 7), ("2", 0)]
    assert [(d.message.msg_id, d.settles) for d in desk.links[EDGE].given] == [("2", 0), ("3", 0)]


async def test_it_fails_when_no_edge_of_the_receiver_is_attached() -> None:
    desk = Desk()
    await desk.map.add(entry(1, "bob", "wx"))
    desk.links.clear()
    desk.pass_on(inbound(1))
    await desk.let_go("bob")
    assert desk.codes() == [ErrorCode.NO_ROUTE]


async def test_a_lost_edge_is_not_the_end_while_another_one_works() -> None:
    desk = Desk()
    await desk.map.add(entry(1, "bob", "wx"))
    await desk.map.add(entry(2, "bob", "wx", edge=OTHER))
    del desk.links[EDGE]
    desk.pass_on(inbound(1))
    await desk.let_go("bob")
    assert desk.reports == []
    desk.edge_tracker(OTHER).taken(by_edge=True)
    assert [type(report) for report in desk.reports] == [ev.Settled]


async def test_nobody_there_is_no_route() -> None:
    desk = Desk()
    desk.pass_on(inbound(1))
    desk.pass_on(inbound(2, key="nobody"))
    await desk.let_go("bob", "nobody")
    assert desk.codes() == [ErrorCode.NO_ROUTE] * 2
    away, unknown = [report.text for report in desk.reports if isinstance(report, ev.Failed)]
    assert "nobody is connected" in away
    assert "no user that the router knows" in unknown


async def test_a_receiver_that_cannot_be_resolved_fails_without_the_key_in_its_text() -> None:
    desk = Desk()
    desk.pass_on(inbound(1, key="broken"))
    await desk.let_go("broken")
    (failed,) = desk.reports
    assert isinstance(failed, ev.Failed)
    assert failed.code is ErrorCode.INTERNAL
    assert "s3cret" not in failed.text


async def test_messages_of_a_sender_never_overtake_each_other_while_keys_are_resolved() -> None:
    desk = Desk()
    await desk.map.add(entry(1, "bob", "wx"))
    await desk.map.add(entry(2, "carol", "wx"))
    desk.pass_on(inbound(1, "1", key="bob"))
    desk.pass_on(inbound(2, "2", key="carol"))
    desk.pass_on(inbound(3, "3", key="bob"))
    await desk.let_go("carol")
    assert desk.links[EDGE].sent == []
    await desk.let_go("bob")
    assert [msg_id for msg_id, _ in desk.links[EDGE].sent] == ["1", "2", "3"]


async def test_a_known_receiver_gets_it_at_once() -> None:
    desk = Desk()
    await desk.map.add(entry(1, "bob", "wx"))
    desk.pass_on(inbound(1, "1"))
    await desk.let_go("bob")
    desk.pass_on(inbound(2, "2"))
    assert [msg_id for msg_id, _ in desk.links[EDGE].sent] == ["1", "2"]
    assert desk.asked == ["bob"]


async def test_one_sender_that_waits_holds_up_no_other() -> None:
    desk = Desk()
    await desk.map.add(entry(1, "carol", "wx"))
    desk.pass_on(inbound(1, "1", key="bob"), sender=1)
    desk.pass_on(inbound(2, "2", key="carol"), sender=2)
    await desk.let_go("carol")
    assert desk.links[EDGE].sent == [("2", (1,))]


async def test_a_message_without_an_id_is_given_one() -> None:
    desk = Desk()
    await desk.map.add(entry(1, "bob", "wx"))
    desk.pass_on(inbound(7, ""))
    await desk.let_go("bob")
    assert desk.links[EDGE].sent == [("relay_uuid-1_7", (1,))]


async def test_stopping_ends_what_waits_for_a_key() -> None:
    desk = Desk()
    desk.pass_on(inbound(1))
    await desk.let_go()
    await desk.relay.stop()
    await desk.let_go("bob")
    assert desk.reports == []


def sender(links: Mapping[EdgeKey, EdgeLink]) -> Sender:
    post = MailboxDelivery(None, MemoryConnectionMap(), links.get, 60.0)
    return Sender(links.get, post, Redelivery(post, print))


def test_handing_out_to_nobody_is_the_end_at_once() -> None:
    heard: list[bool] = []
    message = Outgoing("m", "sys_std", b"{}", 0.0, "alice")
    sender({}).hand_out(message, Audience(), DeliveryTracker(heard.append), Want.DONE)
    assert heard == [False]


def test_an_edge_that_answers_at_once_does_not_end_it_early() -> None:
    class Quick(Link):
        def deliver(self, delivery: Delivery) -> None:
            assert isinstance(delivery.origin, EdgeTracker)
            delivery.origin.taken(by_edge=True)

    heard: list[bool] = []
    links = {key: Quick(key) for key in (EDGE, OTHER)}
    to = Audience.of([entry(1), entry(2, edge=OTHER)])
    message = Outgoing("m", "sys_std", b"{}", 0.0, "alice")
    sender(links).hand_out(message, to, DeliveryTracker(heard.append), Want.DONE)
    assert heard == [True]
