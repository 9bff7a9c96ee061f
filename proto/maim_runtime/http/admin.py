"""The admin app of a service: whether it lives and whether it can do its work."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI
from fastapi.responses import JSONResponse


def admin_app(ready: Callable[[], str | None]) -> FastAPI:
    """Make the app of an admin port (docs/operations.md, "Health").

    `ready` returns None, or in a few words why the service cannot do its work now.
    """
    app = FastAPI(title="maim admin", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz")
    async def healthz() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        reason = ready()
        if reason is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not ready", "reason": reason}, status_code=503)

    return app
