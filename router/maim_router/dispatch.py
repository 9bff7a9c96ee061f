"""Calls the application's handlers for messages and for comings and goings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec

from maim_protocol.envelope import SYS_STD
from maim_protocol.errors import ErrorCode
from maim_protocol.message import APIMessageBase
from maim_router import events as ev
from maim_router.events import Session
from maim_router.handlers import Handlers, Job
from maim_router.hooks import Hooks, Metadata, call

Ack = Literal["handled", "received"]


class Dispatch:
    """Turns decoded messages into jobs; the hub hears how each ended."""

    def __init__(
        self,
        hooks: Hooks,
        handlers: Handlers,
        ack: Ack,
        report: Callable[[ev.Settled | ev.Failed], None],
    ) -> None:
        self._hooks = hooks
        self._handlers = handlers
        self._ack = ack
        self._report = report

    def message(self, session: Session, message: ev.Inbound) -> None:
        """Hand a message to `on_message` or to the handler of its custom type."""
        settled = ev.Settled(session.address, session.user_id, message)
        early = self._ack == "received"

        def finished(returned: bool) -> None:
            if early:
                return
            self._report(settled if returned else _failed(session, message))

        try:
            job = Job(
                name=f"{message.type} {message.msg_id}",
                lane=f"{session.user_id}/{session.open.platform}",
                run=self._call(session, message),
                started=(lambda: self._report(settled)) if early else None,
                done=finished,
            )
        except (ValueError, RecursionError) as error:
            text = f"payload: {error}"
            failed = _failed(session, message, ErrorCode.BAD_MESSAGE, text)
            self._report(failed)
            return
        self._handlers.submit(job)

    def connected(self, session: Session) -> None:
        """Call `on_connect`."""
        self._notify("on_connect", session)

    def disconnected(self, session: Session) -> None:
        """Call `on_disconnect`."""
        self._notify("on_disconnect", session)

    def _notify(self, name: str, session: Session) -> None:
        callback = getattr(self._hooks, name)
        if callback is None:
            return
        lane = f"{session.user_id}/{session.open.platform}"
        job = Job(
            f"{name} {session.uuid}", lane, lambda: call(callback, session.uuid, metadata(session))
        )
        self._handlers.submit(job)

    def _call(self, session: Session, message: ev.Inbound) -> Callable[[], Awaitable[object]]:
        about = metadata(session) | {"msg_id": message.msg_id, "type": message.type}
        on_message = self._hooks.on_message
        if message.type == SYS_STD and on_message is not None:
            decoded = APIMessageBase.from_dict(msgspec.json.decode(message.payload))
            return lambda: call(on_message, decoded, about)
        handler = self._hooks.custom_handlers[message.type]
        payload = msgspec.json.decode(message.payload)
        return lambda: call(handler, payload, about)


def metadata(session: Session) -> Metadata:
    """What callbacks are told of a connection."""
    return open_metadata(session) | {"uuid": session.uuid, "user_id": session.user_id}


def open_metadata(session: Session) -> Metadata:
    """What callbacks are told of a connection that is not let in yet."""
    asked = session.open
    return {
        "uuid": session.uuid,
        "api_key": asked.api_key,
        "platform": asked.platform,
        "user_id": session.user_id,
        "headers": dict(asked.headers),
        "client_ip": asked.client_ip,
        "connected_at": asked.connected_at,
    }


def _failed(
    session: Session,
    message: ev.Inbound,
    code: ErrorCode = ErrorCode.INTERNAL,
    text: str = "the handler of the message failed",
) -> ev.Failed:
    return ev.Failed(session.address, session.user_id, message, code, text)
