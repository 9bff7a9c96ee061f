"""Files of hashed API keys and tokens: issued, rotated, revoked, re-read when they change.

Imports nothing but the protocol's errors and the runtime's texts.
"""

from maim_router.auth.credentials.api_keys import ApiKeys
from maim_router.auth.credentials.tokens import SCOPES, Tokens

__all__ = ["SCOPES", "ApiKeys", "Tokens"]
