"""Who may come in, and whose key a `message_dim` names."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any, Protocol

from maim_protocol.addresses import network_of
from maim_protocol.errors import Refusal
from maim_router.hooks import AuthCallback, CallbackExecutor, Hooks, Metadata, NoPlace

log = logging.getLogger(__name__)

# What an application may name a user, and how much it may tell somebody whom it refuses.
USER_MAX_CHARS = 1024
TEXT_MAX_CHARS = 1024
# Calls of sync callbacks that run at once, each in a thread.
MAX_CONCURRENT_CALLS = 256


@dataclass(frozen=True, slots=True)
class AuthAnswer:
    """`user_id` is empty when the connection is refused; then `code` and `text` say why."""

    user_id: str = ""
    code: Refusal = Refusal.UNAUTHENTICATED
    text: str = "the credential was not accepted"


class Auth(Protocol):
    """Where the identities come from."""

    async def authenticate(self, metadata: Metadata) -> AuthAnswer:
        """Decide on a handshake; never raises."""

    async def resolve(self, api_key: str, platform: str) -> str:
        """Name the user that a receiver's key belongs to; empty: nobody; may raise."""


class OpenAuth:
    """Lets everybody in as the user of their key's name; for loopback only."""

    async def authenticate(self, metadata: Metadata) -> AuthAnswer:
        """Let in whoever brought any key."""
        return AuthAnswer(metadata["api_key"])

    async def resolve(self, api_key: str, platform: str) -> str:
        """Take the key for the user."""
        return api_key


class KeyFile(Protocol):
    """The part of the API key file that authentication needs."""

    def authenticate(self, text: str) -> str | None:
        """Name the user of a whole, unrevoked key."""

    def resolve(self, text: str) -> str | None:
        """Name the user of a key, a key's id or a user's name."""


class KeyFileAuth:
    """Identities from the API key file of `maim keys`."""

    def __init__(self, keys: KeyFile) -> None:
        self._keys = keys

    async def authenticate(self, metadata: Metadata) -> AuthAnswer:
        """Let in whoever brought a key of the file that is not revoked."""
        user_id = self._keys.authenticate(metadata["api_key"])
        return AuthAnswer(user_id) if user_id else AuthAnswer()

    async def resolve(self, api_key: str, platform: str) -> str:
        """Look the key, or the id or user that stands in its place, up in the file."""
        return self._keys.resolve(api_key) or ""


class CallbackAuth:
    """Identities from the application: `on_auth` decides, `on_auth_extract_user` names.

    Each call has `timeout` seconds. A callback that raises refuses; one that does not answer in
    time makes the client come back later.
    """

    def __init__(self, hooks: Hooks, timeout: float) -> None:
        self._hooks = hooks
        self._timeout = timeout
        self._executor = CallbackExecutor(MAX_CONCURRENT_CALLS)

    async def authenticate(self, metadata: Metadata) -> AuthAnswer:
        """Ask the callbacks; a refusal's text is theirs where `AuthResult` gives one."""
        try:
            return await self._ask(metadata)
        except TimeoutError:
            log.warning("auth callback gave no answer within %.3g s", self._timeout)
            text = f"authentication gave no answer within {self._timeout:g} s"
            return AuthAnswer(code=Refusal.ROUTER_UNAVAILABLE, text=text)
        except NoPlace:
            log.warning("auth callback not called: too many of them run, or of this address")
            text = "too many are being authenticated, or of this address; try again later"
            return AuthAnswer(code=Refusal.ROUTER_UNAVAILABLE, text=text)
        except Exception as error:
            # The text of the error may hold the key, so only its type is logged.
            log.warning("auth callback raised %s: refused", type(error).__name__)
            return AuthAnswer()

    async def resolve(self, api_key: str, platform: str) -> str:
        """Ask `on_auth_extract_user` for the user of a receiver's key."""
        if self._hooks.on_auth_extract_user is None:
            return api_key
        metadata: Metadata = {
            "api_key": api_key,
            "platform": platform,
            "message_type": "outgoing",
            "timestamp": time.time(),
        }
        return _user(await self._call(self._hooks.on_auth_extract_user, metadata))

    async def _ask(self, metadata: Metadata) -> AuthAnswer:
        named = ""
        if self._hooks.on_auth is not None:
            answer = await self._call(self._hooks.on_auth, metadata)
            if not _allowed(getattr(answer, "success", answer)):
                text = getattr(answer, "error_message", None)
                return AuthAnswer(text=_sendable(str(text))) if text else AuthAnswer()
            named = _user(getattr(answer, "user_id", None))
        if named:
            return AuthAnswer(named)
        if self._hooks.on_auth_extract_user is not None:
            named = _user(await self._call(self._hooks.on_auth_extract_user, metadata))
            return AuthAnswer(named) if named else AuthAnswer(text="the key names no user")
        return AuthAnswer(metadata["api_key"])

    async def _call(self, callback: AuthCallback, metadata: Metadata) -> Any:
        async with asyncio.timeout(self._timeout):
            address = network_of(metadata.get("client_ip", ""))
            return await self._executor.call(callback, dict(metadata), key=address)


def _allowed(answer: Any) -> bool:
    """Read a yes or no; what is neither, a dictionary say, must not pass for a yes."""
    if answer and not isinstance(answer, int):
        log.warning("on_auth: expected bool or AuthResult, got %s: refused", type(answer).__name__)
        return False
    return bool(answer)


def _user(answer: Any) -> str:
    """Read a user's name; raises `ValueError` for one that the bridge could not carry."""
    named = "" if answer is None or answer is False else str(answer)
    if len(named) > USER_MAX_CHARS or _sendable(named) != named:
        raise ValueError(f"a user is named by at most {USER_MAX_CHARS} characters of UTF-8")
    return named


def _sendable(text: str) -> str:
    """Cut a text, and replace the halves of surrogate pairs: they would end the edge's stream."""
    return text[:TEXT_MAX_CHARS].encode("utf-8", "replace").decode()
