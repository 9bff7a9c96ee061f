"""Requests come as bytes and are read after the call was let through.

grpcio reads them before any interceptor's handler runs, and answers bytes that are no message
with UNKNOWN and a traceback in the log, whoever sent them.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import DecodeError

from maim_router.control import abort, bad_field

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Behaviour = Callable[[Any, Any], Awaitable[Any]]


class Parsing(grpc.aio.ServerInterceptor):
    """Refuses what is no request; the innermost, so that `Access` refuses first."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Have the handler of one request take bytes; streams of requests stay as they are."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.request_streaming or not handler.request_deserializer:
            return handler
        behaviour = handler.unary_stream if handler.response_streaming else handler.unary_unary
        if not inspect.iscoroutinefunction(behaviour):
            return handler  # a service that is not ours
        make: Callable[..., Handler] = (
            grpc.unary_stream_rpc_method_handler
            if handler.response_streaming
            else grpc.unary_unary_rpc_method_handler
        )
        parsing = _parsing(behaviour, handler.request_deserializer, handler_call_details.method)
        return make(parsing, None, handler.response_serializer)


def _parsing(behaviour: Behaviour, read: Callable[[bytes], Any], method: str) -> Behaviour:
    async def parse(wire: bytes, context: Any) -> Any:
        try:
            request = read(wire)
        except DecodeError:
            expected, got = f"the message of {method}", f"{len(wire)} bytes that are none"
            await abort(context, bad_field("request", expected, got))
            raise
        return await behaviour(request, context)

    return parse
