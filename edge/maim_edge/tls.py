"""The TLS context of an edge: TLS 1.2 or newer, mutual TLS on demand."""

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


def _load_pair(context: ssl.SSLContext, cert: Path, key: Path) -> None:
    if "-----BEGIN CERTIFICATE-----" not in _text("tls_cert", cert):
        raise ConfigError(f"tls_cert: expected a PEM certificate, got {cert}")
    if "PRIVATE KEY-----" not in _text("tls_key", key):
        raise ConfigError(f"tls_key: expected a PEM private key, got {key}")
    try:
        context.load_cert_chain(cert, key, password=_no_password)
    except OSError as error:
        raise ConfigError(_why(error, cert, key)) from None


def _no_password() -> str:
    # Without it OpenSSL asks on the terminal, and a service would wait for ever.
    raise PermissionError("encrypted")


def _why(error: OSError, cert: Path, key: Path) -> str:
    if isinstance(error, PermissionError):
        return f"tls_key: {key} has a passphrase; remove it with: openssl pkey -in {key} -out …"
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return f"tls_key: {key} is not the private key of the certificate {cert}"
    return f"tls_cert or tls_key: {cert} and {key} are damaged ({_reason(error)})"


def _load_authorities(context: ssl.SSLContext, authorities: Path) -> None:
    _text("tls_client_ca", authorities)
    try:
        context.load_verify_locations(authorities)
    except OSError as error:
        text = f"tls_client_ca: expected PEM certificates, got {authorities} ({_reason(error)})"
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
