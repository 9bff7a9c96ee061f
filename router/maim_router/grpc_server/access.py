"""Who may call what on the gRPC port: bearer tokens with scopes.

Rules of the file: health is open to everybody, a method that nobody listed needs `admin`, and
no text says more of a token than its id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol, TypeAlias

import grpc

from maim_protocol.addresses import is_loopback
from maim_protocol.errors import ConfigError
from maim_router.control import CallError, abort, with_reason

ANY = ""
FIRST_MESSAGE_SECONDS = 1.0
_ROUTER_SCOPES = {
    "SendMessage": "send",
    "SendCustomMessage": "send",
    "Broadcast": "send",
    "ListConnections": "read",
    "GetConnection": "read",
    "ListUsers": "read",
    "ListEdges": "read",
    "GetStats": "read",
    "WatchConnections": "read",
    "Disconnect": "admin",
    "DrainEdge": "admin",
}


class Token(Protocol):
    """What counts of a token here."""

    @property
    def id(self) -> str:
        """Its name in texts; no secret."""

    @property
    def scopes(self) -> frozenset[str]:
        """What it is good for."""


# Names the token whose whole text is given, unless it is unknown or revoked.
Authenticate = Callable[[str], Token | None]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class Access(grpc.aio.ServerInterceptor):
    """Lets a call through whose token has the scope of the method."""

    def __init__(self, authenticate: Authenticate) -> None:
        self._authenticate = authenticate

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Pass the call on, or answer it with UNAUTHENTICATED or PERMISSION_DENIED."""
        handler = await continuation(handler_call_details)
        needed = scope_of(handler_call_details.method)
        if needed is None:
            return handler
        error = self._check(handler_call_details.invocation_metadata, needed)
        return handler if error is None else _refusing(handler, error)

    def check(self, method: str, metadata: Iterable[Any]) -> CallError | None:
        """Say why a call of a method with this metadata is refused; None when it is not."""
        needed = scope_of(method)
        return None if needed is None else self._check(metadata, needed)

    def _check(self, metadata: Iterable[Any], needed: str) -> CallError | None:
        text = _bearer(metadata)
        if not text:
            text = "expected a bearer token in the metadata, got none"
            return with_reason(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING", text)
        token = self._authenticate(text)
        if token is None:
            text = "the token is unknown or was revoked"
            return with_reason(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID", text)
        if needed == ANY or needed in token.scopes:
            return None
        scopes = ", ".join(sorted(token.scopes))
        text = f"expected a token with the scope {needed}, {token.id} has {scopes}"
        return with_reason(grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING", text, scope=needed)


def scope_of(method: str) -> str | None:
    """Tell the scope that a method (`/package.Service/Method`) needs; None: open to all."""
    service, _, name = method.strip("/").partition("/")
    match service:
        case "grpc.health.v1.Health":
            return None
        case "grpc.reflection.v1alpha.ServerReflection":
            return ANY
        case "maim.v1.Bridge":
            return "bridge"
        case "maim.v1.Router":
            return _ROUTER_SCOPES.get(name, "admin")
        case _:
            return "admin"


def check_open(addresses: Sequence[str]) -> None:
    """Refuse to serve without tokens where others than this machine could call.

    Raises `ConfigError`.
    """
    for address in addresses:
        if not is_loopback(address):
            raise ConfigError(
                f"cannot listen on {address} without tokens: give a tokens file "
                "(MAIM_ROUTER_TOKENS_FILE, made by `maim keys add NAME --token`), or listen on "
                "127.0.0.1 or unix:/path"
            )


def _bearer(metadata: Iterable[Any]) -> str:
    for name, value in metadata:
        if name == "authorization" and isinstance(value, str):
            scheme, _, text = value.partition(" ")
            return text.strip() if scheme.lower() == "bearer" else ""
    return ""


def _refusing(handler: Handler | None, error: CallError) -> Handler:
    """Make a handler of the same kind that answers nothing but the error.

    Nobody serves the method where there is no handler, which only callers with access learn.
    """

    async def refuse(_: Any, context: Any) -> None:
        await abort(context, error)

    async def refuse_stream(_: Any, context: Any) -> None:
        # A caller that is still writing would see its write fail, not the status.
        await asyncio.wait([asyncio.ensure_future(context.read())], timeout=FIRST_MESSAGE_SECONDS)
        await abort(context, error)

    if handler is None:
        return grpc.stream_stream_rpc_method_handler(refuse)
    make: Callable[..., Handler] = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[handler.request_streaming, handler.response_streaming]
    behaviour = refuse_stream if handler.request_streaming else refuse
    # Bytes do for a request that nobody reads, and may be no message.
    return make(behaviour, None, handler.response_serializer)
