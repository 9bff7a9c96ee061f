"""uvicorn inside somebody else's event loop, and the admin application with health.

Imports fastapi and uvicorn.
"""

from maim_runtime.http.admin import admin_app
from maim_runtime.http.server import HttpServer, bind, bound_port

__all__ = ["HttpServer", "admin_app", "bind", "bound_port"]
