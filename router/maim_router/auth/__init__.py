"""Who may come in and whose key a receiver's is: callbacks, key files, denials, signed admissions.

Imports hooks and the protocol.
"""

from maim_router.auth.authentication import Auth, AuthAnswer, CallbackAuth, KeyFileAuth, OpenAuth
from maim_router.auth.credentials import SCOPES, ApiKeys, Tokens
from maim_router.auth.denials import Denial, Denials
from maim_router.auth.resolver import Resolver
from maim_router.auth.signing import Signer

__all__ = [
    "SCOPES",
    "ApiKeys",
    "Auth",
    "AuthAnswer",
    "CallbackAuth",
    "Denial",
    "Denials",
    "KeyFileAuth",
    "OpenAuth",
    "Resolver",
    "Signer",
    "Tokens",
]
