"""Statuses of refused calls, with `google.rpc` details; no text ever holds a credential.

What came is told by its kind and size where it could be a key; pure but for `answering`.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import (  # type: ignore[import-untyped] # it ships stubs but no py.typed
    error_details_pb2,
    status_pb2,
)
from grpc_status import rpc_status

from maim_protocol.errors import MaimError

log = logging.getLogger(__name__)

DOMAIN = "maim.v1"
# Edges that a text lists at most.
MOST_NAMED = 20

Request = TypeVar("Request")
Response = TypeVar("Response")
Servicer = TypeVar("Servicer")


class CallError(MaimError):
    """A call that is answered with a status instead of a response."""

    def __init__(self, code: grpc.StatusCode, text: str, *details: Message) -> None:
        super().__init__(text)
        self.status = status_pb2.Status(code=code.value[0], message=text)
        for detail in details:
            packed = AnyMessage()
            packed.Pack(detail)
            self.status.details.append(packed)


def bad_field(field: str, expected: str, got: str = "nothing") -> CallError:
    """INVALID_ARGUMENT that names a field of the request, what it should be and what came."""
    description = f"expected {expected}, got {got}"
    violation = error_details_pb2.BadRequest.FieldViolation(field=field, description=description)
    request = error_details_pb2.BadRequest(field_violations=[violation])
    return CallError(grpc.StatusCode.INVALID_ARGUMENT, f"{field}: {description}", request)


def with_reason(code: grpc.StatusCode, reason: str, text: str, **metadata: str) -> CallError:
    """Any other status, with a reason that programs can tell apart (`ErrorInfo`)."""
    info = error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=metadata)
    return CallError(code, text, info)


def unknown_connection(connection_uuid: str) -> CallError:
    """NOT_FOUND for an id that no connection has; `connection_uuid` is known to be a uuid."""
    text = f"no connection has the id {connection_uuid}"
    code = grpc.StatusCode.NOT_FOUND
    return with_reason(code, "CONNECTION_NOT_FOUND", text, connection_uuid=connection_uuid)


def unknown_edge(edge_id: str, known: Sequence[str]) -> CallError:
    """NOT_FOUND for an edge that is not attached, with the ids of those that are."""
    there = ", ".join(known[:MOST_NAMED]) or "none"
    more = f" and {len(known) - MOST_NAMED} more" if len(known) > MOST_NAMED else ""
    # Not repeated: somebody may have taken a key for an id.
    text = f"no edge of that id ({kind_of(edge_id)}) is attached; attached: {there}{more}"
    return with_reason(grpc.StatusCode.NOT_FOUND, "EDGE_NOT_FOUND", text)


def kind_of(text: str) -> str:
    """Describe a text that might be a credential."""
    return f"a text of {len(text)} characters" if text else "nothing"


async def abort(context: Any, error: CallError) -> None:
    """End a call with the status of an error; raises what ends the call."""
    status = rpc_status.to_status(error.status)
    await context.abort(status.code, status.details, status.trailing_metadata)


def answering(
    method: Callable[[Servicer, Request], Awaitable[Response]],
) -> Callable[[Servicer, Request, Any], Awaitable[Response]]:
    """Make a servicer's method of one that takes a request and returns or raises `CallError`."""

    @functools.wraps(method)
    async def answer(self: Servicer, request: Request, context: Any) -> Response:
        return await _answer(method.__name__, method(self, request), context)

    return answer


def streaming(
    method: Callable[[Servicer, Request, Any], Awaitable[Response]],
) -> Callable[[Servicer, Request, Any], Awaitable[Response]]:
    """Make one of a method that writes to its context and raises `CallError` as well."""

    @functools.wraps(method)
    async def answer(self: Servicer, request: Request, context: Any) -> Response:
        return await _answer(method.__name__, method(self, request, context), context)

    return answer


async def _answer(name: str, answering: Awaitable[Response], context: Any) -> Response:
    try:
        return await answering
    except CallError as error:
        await abort(context, error)
    except Exception:
        # gRPC would send the text of the exception to the caller.
        log.exception("call failed: %s", name)
        text = "the call failed in the router; its log tells why"
        await abort(context, with_reason(grpc.StatusCode.INTERNAL, "INTERNAL", text))
    raise AssertionError("abort returned")
