"""Sends what the application or an operator wants to say, and reports what became of it."""

from __future__ import annotations

import time
import uuid
from typing import get_args

from maim_protocol.envelope import CUSTOM_PREFIX, SERVER, SYS_STD, TYPE_MAX_CHARS
from maim_router.auth import Resolver
from maim_router.bridge import DeliveryReport, Outgoing
from maim_router.connection_map import Audience, ConnectionMap
from maim_router.delivery.sender import DEFAULT_TIMEOUT, Sender, WaitFor
from maim_router.delivery.sequence import MessageSequence
from maim_router.hooks import custom_type


class Messenger:
    """The sending half of the API, for the facade and the control service alike.

    Payloads are JSON objects in UTF-8; timeouts in seconds; `wait_for` as in docs/api.md.
    """

    def __init__(
        self,
        connections: ConnectionMap,
        resolver: Resolver,
        sender: Sender,
        sequence: MessageSequence,
    ) -> None:
        self._sequence = sequence
        self._connections = connections
        self._resolver = resolver
        self._sender = sender

    async def send(
        self,
        payload: bytes,
        *,
        user_id: str = "",
        api_key: str = "",
        platform: str,
        wait_for: WaitFor = "written",
        timeout: float = DEFAULT_TIMEOUT,
        ttl: float = 0.0,
    ) -> DeliveryReport:
        """Send a standard message to a user, or to the user that a receiver's key names.

        When nobody is there it waits in the mailbox for `ttl` seconds; 0: as long as the mailbox
        keeps messages. Raises what the application's resolving callback raises, and `ValueError`
        for a `wait_for`, `timeout` or `ttl` that cannot be.
        """
        _check(wait_for, timeout, ttl)
        user = user_id or await self._resolver.resolve(api_key, platform)
        to = Audience.of(self._connections.find(user, platform) if user else ())
        message = self._outgoing(SYS_STD, payload, user, platform, ttl)
        return await self._sender.send(message, to, wait_for, timeout)

    async def broadcast(
        self,
        payload: bytes,
        *,
        platform: str = "",
        wait_for: WaitFor = "written",
        timeout: float = DEFAULT_TIMEOUT,
    ) -> DeliveryReport:
        """Send a standard message to every connection, or to those of one platform.

        Raises `ValueError` as `send` does.
        """
        _check(wait_for, timeout)
        message = self._outgoing(SYS_STD, payload, "", platform)
        to = self._connections.audience(platform)
        return await self._sender.send(message, to, wait_for, timeout)

    async def send_custom(
        self,
        type: str,
        payload: bytes,
        *,
        user_id: str = "",
        platform: str = "",
        connection_uuid: str = "",
        wait_for: WaitFor = "written",
        timeout: float = DEFAULT_TIMEOUT,
        ttl: float = 0.0,
    ) -> DeliveryReport:
        """Send a custom message to whatever matches all the targets; no target: to everybody.

        One for a user on a platform waits in the mailbox when nobody is there, as in `send`.
        Raises `ValueError` for a type that no frame could have, and as `send` does.
        """
        _check(wait_for, timeout, ttl)
        to = self._matching(user_id, platform, connection_uuid)
        message = self._outgoing(
            _checked(custom_type(type)),
            payload,
            user_id,
            platform,
            ttl,
            keep=not connection_uuid,
        )
        return await self._sender.send(message, to, wait_for, timeout)

    def _outgoing(
        self,
        type: str,
        payload: bytes,
        user_id: str,
        platform: str,
        ttl: float = 0.0,
        *,
        keep: bool = True,
    ) -> Outgoing:
        """Make a message; one for a user on a platform is numbered, so that it is not lost."""
        now = time.time()
        return Outgoing(
            msg_id=f"msg_{uuid.uuid4().hex}",
            type=type,
            payload=payload,
            timestamp=now,
            sender_user=SERVER,
            target_user=user_id,
            platform=platform,
            number=self._sequence.next(now) if keep and user_id and platform else 0,
            ttl=ttl,
        )

    def _matching(self, user_id: str, platform: str, connection_uuid: str) -> Audience:
        if not connection_uuid:
            if not user_id:
                return self._connections.audience(platform)
            here = self._connections.select(user_id=user_id, platform=platform)
            return Audience.of(one for one in here if not self._connections.standby(one))
        entry = self._connections.get(connection_uuid)
        if entry is None or (user_id and entry.user_id != user_id):
            return Audience()
        return Audience() if platform and entry.platform != platform else Audience.of((entry,))


def _check(wait_for: str, timeout: float, ttl: float = 0.0) -> None:
    if wait_for not in get_args(WaitFor):
        raise ValueError(f"wait_for: expected 'written' or 'acked', got {wait_for!r}")
    for name, seconds in (("timeout", timeout), ("ttl", ttl)):
        if not seconds >= 0:  # which a NaN is not either
            raise ValueError(f"{name}: expected 0 or more seconds, got {seconds}")


def _checked(type: str) -> str:
    if not len(CUSTOM_PREFIX) < len(type) <= TYPE_MAX_CHARS:
        text = f"a custom type: expected up to {TYPE_MAX_CHARS} characters with {CUSTOM_PREFIX}"
        raise ValueError(f"{text}, got {len(type)}")
    # Half of a surrogate pair would end the stream to the edge and take other messages with it.
    type.encode()
    return type
