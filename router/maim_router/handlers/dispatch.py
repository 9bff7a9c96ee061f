"""Calls the application's handlers for messages and for comings and goings."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from maim_protocol.envelope import SYS_STD
from maim_protocol.errors import ErrorCode
from maim_protocol.message import APIMessageBase
from maim_router import events as ev
from maim_router.events import Session
from maim_router.handlers.runner import HandlerRunner, Job
from maim_router.hooks import ConnectionCallback, Hooks, Metadata

Ack = Literal["handled", "received"]


class Dispatch:
    """Turns decoded messages into jobs; the hub hears how each ended."""

    def __init__(
        self,
        hooks: Hooks,
        handlers: HandlerRunner,
        ack: Ack,
        report: Callable[[ev.Settled | ev.Failed], None],
    ) -> None:
        self._hooks = hooks
        self._handlers = handlers
        self._ack = ack
        self._report = report
        self._sessions: Counter[str] = Counter()
        # Handlers that returned in this turn of the event loop: they are settled together.
        self._returned: list[ev.Dispatch] = []

    def message(self, dispatch: ev.Dispatch) -> None:
        """Hand a message to `on_message` or to the handler of its custom type."""
        session, message = dispatch.session, dispatch.message
        try:
            handler, decoded = self._decode(message)
        except (ValueError, RecursionError) as error:
            self._report(ev.Failed(dispatch, ErrorCode.BAD_MESSAGE, f"payload: {error}"))
            return
        if handler is None:
            text = f"the handler of {message.type} has gone"
            self._report(ev.Failed(dispatch, ErrorCode.UNKNOWN_TYPE, text))
            return
        about = metadata(session)
        about["msg_id"] = message.msg_id
        about["type"] = message.type
        early = self._ack == "received"
        job = Job(
            message.type,
            message.msg_id,
            _ordering_key(session),
            handler,
            (decoded, about),
            started=(lambda: self._report(ev.Settled((dispatch,)))) if early else None,
            done=_ignore if early else (lambda returned: self._finished(dispatch, returned)),
            user=session.user_id,
        )
        self._handlers.submit(job)

    def settle(self) -> None:
        """Report the messages whose handlers have returned, without waiting for more."""
        if self._returned:
            returned, self._returned = self._returned, []
            self._report(ev.Settled(returned))

    def connected(self, session: Session) -> None:
        """Call `on_connect`."""
        self._sessions[session.user_id] += 1
        self._handlers.user_came(session.user_id)
        self._notify("on_connect", self._hooks.on_connect, session)

    def disconnected(self, session: Session) -> None:
        """Call `on_disconnect`."""
        self._notify("on_disconnect", self._hooks.on_disconnect, session)
        self._sessions[session.user_id] -= 1
        if self._sessions[session.user_id] <= 0:
            del self._sessions[session.user_id]
            self._handlers.user_left(session.user_id)

    def _notify(self, name: str, callback: ConnectionCallback | None, session: Session) -> None:
        if callback is not None:
            arguments = (session.uuid, metadata(session))
            key, user = _ordering_key(session), session.user_id
            self._handlers.submit(Job(name, session.uuid, key, callback, arguments, user=user))

    def _decode(self, message: ev.Inbound) -> tuple[Callable[..., Any] | None, Any]:
        payload = msgspec.json.decode(message.payload)
        on_message = self._hooks.on_message
        if message.type == SYS_STD and on_message is not None:
            return on_message, APIMessageBase.from_dict(payload)
        return self._hooks.custom_handlers.get(message.type), payload

    def _finished(self, dispatch: ev.Dispatch, returned: bool) -> None:
        if returned:
            if not self._returned:
                asyncio.get_running_loop().call_soon(self.settle)
            self._returned.append(dispatch)
        else:
            text = "the handler of the message failed"
            self._report(ev.Failed(dispatch, ErrorCode.INTERNAL, text))


def metadata(session: Session) -> Metadata:
    """What callbacks are told of a connection, or of one that is not let in yet.

    Each gets its own: an application may change it as it likes.
    """
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


def _ordering_key(session: Session) -> tuple[str, str]:
    return session.user_id, session.open.platform


def _ignore(returned: bool) -> None:
    """Take the end of a handler whose message was settled when it started."""
