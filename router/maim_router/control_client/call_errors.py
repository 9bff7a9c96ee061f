"""What an operator reads when a call fails: one line that says why and what to do; pure."""

from __future__ import annotations

from collections.abc import Mapping

import grpc
from google.rpc import (  # type: ignore[import-untyped] # it ships stubs but no py.typed
    error_details_pb2,
)
from grpc_status import rpc_status

from maim_protocol.errors import MaimError
from maim_runtime.masking import mask_text


class ControlError(MaimError):
    """A call that failed; the text is one line that says why and what to do.

    `status` is the name of the gRPC status, `about` the metadata of its `ErrorInfo`.
    """

    def __init__(self, text: str, status: str, about: Mapping[str, str]) -> None:
        super().__init__(text)
        self.status = status
        self.about = about


def control_error(address: str, error: grpc.aio.AioRpcError, timeout: float = 0.0) -> ControlError:
    """Explain a failed call; `timeout` is what it had, in seconds."""
    return ControlError(_explain(address, error, timeout), error.code().name, _about(error))


def _about(error: grpc.aio.AioRpcError) -> Mapping[str, str]:
    info = error_details_pb2.ErrorInfo()
    # An error has all that is asked of a call.
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    for detail in status.details if status is not None else ():
        if detail.Unpack(info):
            return dict(info.metadata)
    return {}


def _explain(address: str, error: grpc.aio.AioRpcError, timeout: float) -> str:
    details = mask_text(" ".join((error.details() or "").split()))
    match error.code():
        case grpc.StatusCode.UNAVAILABLE:
            return _unreachable(address, details)
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return f"the router at {address} gave no answer within {timeout:g} s"
        case grpc.StatusCode.UNAUTHENTICATED:
            text = "give a token in MAIM_TOKEN, made by `maim keys add NAME --token`"
            return f"the router at {address}: {details}; {text}"
        case grpc.StatusCode.INVALID_ARGUMENT | grpc.StatusCode.NOT_FOUND:
            return details
        case grpc.StatusCode.UNIMPLEMENTED:
            return f"what answers at {address} is no router of this version: {details}"
        case _:
            return f"the router at {address}: {details or error.code().name}"


def _unreachable(address: str, details: str) -> str:
    if "WRONG_VERSION_NUMBER" in details:
        return f"the router at {address} does not serve TLS; call it without tls_ca"
    if "handshake" in details.lower():
        text = f"no TLS connection to the router at {address}: its certificate was not accepted"
        return f"{text}; check tls_ca and the names in the certificate"
    if not any(word in details for word in ("Socket closed", "reset")):
        text = f"no router answers at {address}"
        return f"{text}; start one with `maim router` or `maim serve`"
    if "failed to connect" not in details:
        return f"the router at {address} went away during the call; try again"
    text = f"the router at {address} closed the connection"
    return f"{text}; check whether it serves TLS (tls_ca) and asks for a certificate (tls_cert)"
