"""The FastAPI application of an edge: `/ws` and nothing else."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus

from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse

from maim_edge.client_address import client_address
from maim_edge.gateway import Gateway
from maim_edge.handshake import HandshakeRefused, read_handshake
from maim_edge.settings import EdgeSettings
from maim_edge.websocket import AsgiSocket, ClientLeft
from maim_protocol.close_codes import fit_reason
from maim_protocol.errors import Refusal


def create_app(gateway: Gateway, settings: EdgeSettings) -> FastAPI:
    """Make the application that carries WebSocket connections into a gateway."""
    # A redirect would echo the query string, and the credential in it.
    app = FastAPI(
        title="maim edge", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    origins = settings.origins
    proxies = settings.proxies

    async def connect(websocket: WebSocket) -> None:
        socket = AsgiSocket(websocket)
        try:
            headers = websocket.headers.items()
            asked = read_handshake(websocket.query_params, headers, origins)
            peer = websocket.client.host if websocket.client else ""
            await gateway.serve(socket, asked, client_address(peer, headers, proxies))
        except ClientLeft:
            return
        except HandshakeRefused as refused:
            await _refuse(websocket, refused, settings.reject_with)

    # A plain route: dependencies would be solved anew for every client, and there are none.
    app.router.add_websocket_route(settings.path, connect)

    @app.get(settings.path)
    async def upgrade_required() -> JSONResponse:
        refused = HandshakeRefused(
            Refusal.UPGRADE_REQUIRED, f"expected a WebSocket handshake on {settings.path}"
        )
        return _response(refused, {"Upgrade": "websocket", "Connection": "Upgrade"})

    @app.exception_handler(HTTPStatus.NOT_FOUND)
    async def not_found(_: Request, __: Exception) -> JSONResponse:
        return _response(HandshakeRefused(Refusal.NOT_FOUND, f"expected the path {settings.path}"))

    @app.exception_handler(HTTPStatus.METHOD_NOT_ALLOWED)
    async def method_not_allowed(request: Request, _: Exception) -> JSONResponse:
        refused = HandshakeRefused(
            Refusal.METHOD_NOT_ALLOWED, f"expected GET on {settings.path}, got {request.method}"
        )
        return _response(refused, {"Allow": "GET"})

    @app.websocket("/{path:path}")
    async def elsewhere(websocket: WebSocket) -> None:
        refused = HandshakeRefused(Refusal.NOT_FOUND, f"expected the path {settings.path}")
        await _refuse(websocket, refused, settings.reject_with)

    return app


async def _refuse(websocket: WebSocket, refused: HandshakeRefused, reject_with: str) -> None:
    # Whoever has left meanwhile needs no answer.
    with suppress(OSError, WebSocketDisconnect):
        if reject_with == "close":
            await websocket.accept()
            await websocket.close(refused.close_code, fit_reason(refused.text))
        else:
            await websocket.send_denial_response(_response(refused))


def _response(refused: HandshakeRefused, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(refused.body, refused.status, {**refused.headers, **(headers or {})})
