"""The TLS contexts of an edge, for clients and for routers: TLS 1.2 or newer."""

from __future__ import annotations

import ssl
from pathlib import Path

from maim_edge.settings import EdgeSettings
from maim_protocol.errors import ConfigError


def server_context(settings: EdgeSettings) -> ssl.SSLContext:
    """Return the context for `settings.tls_*`; raises `ConfigError` that names the wrong file."""
    if settings.tls_cert is None or settings.tls_key is None:
        raise ConfigError("tls_cert and tls_key: expected two files, got nothing")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    _load_pair(context, settings.tls_cert, settings.tls_key)
    if settings.tls_client_ca is not None:
        _load_authorities(context, settings.tls_client_ca)
    if settings.tls_verify_client:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def bridge_context(settings: EdgeSettings) -> ssl.SSLContext | None:
    """Return the context for `settings.bridge_tls_*`, None where routers are reached in the clear.

    Raises `ConfigError` that names the wrong file.
    """
    if settings.bridge_tls_ca is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    # As grpcio: whatever certificate is in the file is trusted, an intermediate one too.
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    _load_authorities(context, settings.bridge_tls_ca, "bridge_tls_ca")
    if settings.bridge_tls_cert is not None and settings.bridge_tls_key is not None:
        _load_pair(context, settings.bridge_tls_cert, settings.bridge_tls_key, "bridge_tls")
    return context


def _load_pair(context: ssl.SSLContext, cert: Path, key: Path, name: str = "tls") -> None:
    if "-----BEGIN CERTIFICATE-----" not in _text(f"{name}_cert", cert):
        raise ConfigError(f"{name}_cert: expected a PEM certificate, got {cert}")
    if "PRIVATE KEY-----" not in _text(f"{name}_key", key):
        raise ConfigError(f"{name}_key: expected a PEM private key, got {key}")
    try:
        context.load_cert_chain(cert, key, password=_no_password)
    except OSError as error:
        raise ConfigError(_why(error, cert, key, name)) from None


def _no_password() -> str:
    # Without it OpenSSL asks on the terminal, and a service would wait for ever.
    raise PermissionError("encrypted")


def _why(error: OSError, cert: Path, key: Path, name: str) -> str:
    if isinstance(error, PermissionError):
        return f"{name}_key: {key} has a passphrase; remove it with: openssl pkey -in {key} -out …"
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return f"{name}_key: {key} is not the private key of the certificate {cert}"
    return f"{name}_cert or {name}_key: {cert} and {key} are damaged ({_reason(error)})"


def _load_authorities(
    context: ssl.SSLContext, authorities: Path, name: str = "tls_client_ca"
) -> None:
    _text(name, authorities)
    try:
        context.load_verify_locations(authorities)
    except OSError as error:
        text = f"{name}: expected PEM certificates, got {authorities} ({_reason(error)})"
        raise ConfigError(text) from None


def _text(name: str, path: Path) -> str:
    try:
        return path.read_text("ascii", errors="replace")
    except OSError as error:
        text = f"{name}: expected a readable file ({error.strerror}), got {path}"
        raise ConfigError(text) from None


def _reason(error: OSError) -> str:
    reason = getattr(error, "reason", None) or error.strerror
    return str(reason or error).lower().replace("_", " ")
