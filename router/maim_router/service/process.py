"""A router that runs: node, gRPC and admin port, from settings to a clean end."""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from maim_protocol.addresses import join
from maim_router.auth import Tokens
from maim_router.grpc_server import Authenticate, RouterService, ServerTls, ServiceOptions, Token
from maim_router.node import Node
from maim_router.service.application import build_node, load_app
from maim_router.settings import RouterSettings
from maim_runtime import lifetime
from maim_runtime.http import HttpServer, admin_app, bind, bound_port

__all__ = ["RouterProcess", "build_node", "load_app", "run"]

log = logging.getLogger(__name__)

NO_ADMIN = -1
GRACE_SECONDS = 0.5
ADMIN_GRACE_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class WorkerToken:
    """What edge processes of the same parent attach with; it lives as long as the router."""

    id: str = "worker"
    scopes: frozenset[str] = frozenset({"bridge"})
    text: str = field(default_factory=secrets.token_urlsafe, repr=False)


class RouterProcess:
    """A node with its ports; `start` and `stop` once each.

    `extra_addresses` (`host:port`, `unix:/path`) are served without TLS, for edge processes of
    the same machine; `worker_token` is what these attach with where tokens are asked for.
    """

    def __init__(
        self, node: Node, settings: RouterSettings, *, extra_addresses: Sequence[str] = ()
    ) -> None:
        self.node = node
        self.admin_address = ""
        self._settings = settings
        self._worker_token = WorkerToken() if settings.tokens_file else None
        self._service = RouterService(node, self._options(extra_addresses))
        self._admin = HttpServer()
        self._state = "it is starting"

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where gRPC answers: the settings' address first, then the extra ones."""
        return self._service.addresses

    @property
    def worker_token(self) -> str | None:
        """The token for edge processes of the same parent; None where none is asked for."""
        return self._worker_token.text if self._worker_token else None

    def not_ready(self) -> str | None:
        """Say why the router cannot do its work now; None when it can."""
        return self._state or self.node.mailbox_delivery.failure

    async def start(self) -> None:
        """Open the ports; raises `ConfigError` or `OSError` of one line, with nothing left open."""
        try:
            await self._service.start()
            await self._start_admin()
        except BaseException:
            await self.stop()
            raise
        self._state = ""

    async def stop(self) -> None:
        """Say not ready, let handlers end for a moment, close everything; may be called twice."""
        self._state = "it is stopping"
        await self._service.drain()
        await self.node.stop()
        await self._service.stop(GRACE_SECONDS)
        await self._admin.stop(ADMIN_GRACE_SECONDS)

    async def _start_admin(self) -> None:
        settings = self._settings
        if settings.admin_port == NO_ADMIN:
            return
        sock = bind(settings.admin_host, settings.admin_port)
        self.admin_address = join(settings.admin_host, bound_port(sock))
        await self._admin.start(admin_app(self.not_ready), sock)

    def _options(self, extra_addresses: Sequence[str]) -> ServiceOptions:
        settings = self._settings
        tls = None
        if settings.tls_cert is not None and settings.tls_key is not None:
            tls = ServerTls(settings.tls_cert, settings.tls_key, settings.tls_client_ca)
        return ServiceOptions(
            addresses=(settings.address,),
            extra_addresses=extra_addresses,
            tls=tls,
            authenticate=self._authenticate(),
            channelz=settings.channelz,
            bridge=settings.bridge,
        )

    def _authenticate(self) -> Authenticate | None:
        worker = self._worker_token
        if self._settings.tokens_file is None or worker is None:
            return None
        tokens = Tokens(self._settings.tokens_file)

        def authenticate(text: str) -> Token | None:
            if hmac.compare_digest(text.encode(), worker.text.encode()):
                return worker
            return tokens.authenticate(text)

        return authenticate


def run(settings: RouterSettings) -> int:
    """Run a router until SIGTERM or SIGINT; returns the exit code.

    Raises `ConfigError` and `OSError` of one line for what the operator must mend.
    """
    return lifetime.run(lambda stop: _serve(settings, stop))


async def _serve(settings: RouterSettings, stop: asyncio.Event) -> int:
    node = build_node(load_app(settings.app) if settings.app else None, settings)
    process = RouterProcess(node, settings)
    await process.start()
    admin = process.admin_address or "nowhere"
    log.info("router ready: gRPC on %s, admin on %s", ", ".join(process.addresses), admin)
    await stop.wait()
    await process.stop()
    log.info("router stopped")
    return 0
