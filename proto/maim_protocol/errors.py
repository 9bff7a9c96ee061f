"""Error codes and exceptions that both services and the SDK share."""

from __future__ import annotations

import enum


class _Text(str, enum.Enum):
    """As `enum.StrEnum`, which Python 3.9 and 3.10 do not have."""

    __str__ = str.__str__
    __format__ = str.__format__  # type: ignore[assignment]  # as enum.StrEnum has it


class ErrorCode(_Text):
    """Why a frame was not taken: `payload.code` of a `sys_error`."""

    BAD_JSON = "bad_json"
    BAD_ENVELOPE = "bad_envelope"
    BAD_MESSAGE = "bad_message"
    UNKNOWN_TYPE = "unknown_type"
    TOO_LARGE = "too_large"
    RATE_LIMITED = "rate_limited"
    NO_ROUTE = "no_route"
    MAILBOX_FULL = "mailbox_full"
    MAILBOX_UNAVAILABLE = "mailbox_unavailable"
    INTERNAL = "internal"


class Refusal(_Text):
    """Why a handshake was refused: `error` of the HTTP response's JSON body."""

    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN_ORIGIN = "forbidden_origin"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    UPGRADE_REQUIRED = "upgrade_required"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    ROUTER_UNAVAILABLE = "router_unavailable"
    BAD_REQUEST = "bad_request"


class MaimError(Exception):
    """Base of every exception that this project raises on purpose."""


class ConfigError(MaimError, ValueError):
    """A setting is unknown, has the wrong type or cannot work; the text names it."""


class AlreadyTold(ConfigError):
    """A child process has said on stderr what is wrong; nothing is left to say."""


class FrameError(MaimError, ValueError):
    """A client's frame was not taken: `code` as in `sys_error`, `msg_id` where it was readable."""

    def __init__(self, code: ErrorCode, text: str, msg_id: str | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.msg_id = msg_id


class RouterUnavailable(MaimError, ConnectionError):
    """No router is attached, or it did not answer in time."""


class AttachProblem(enum.Enum):
    """Why a router refuses an edge."""

    VERSION = "version"
    EPOCH = "epoch"
    OPEN = "open"
    TOKEN = "token"  # noqa: S105 - the name of a problem, not a credential
    PROTOCOL = "protocol"


class AttachRefused(MaimError):
    """The router refused this edge for a reason that trying again does not cure."""

    def __init__(self, problem: AttachProblem, text: str) -> None:
        super().__init__(text)
        self.problem = problem
