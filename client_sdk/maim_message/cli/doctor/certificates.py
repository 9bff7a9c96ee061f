"""What `maim doctor` finds about a certificate and its private key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from maim_message.cli.doctor.findings import Finding, check_private

SOON_DAYS = 30


def check_pair(
    subject: str, cert: Path | None, key: Path | None, now: datetime | None = None
) -> Iterator[Finding]:
    """Check that a pair is readable, belongs together, is in force and private; none is well."""
    if cert is None or key is None:
        return
    try:
        chain = x509.load_pem_x509_certificates(cert.read_bytes())
    except (OSError, ValueError):
        text = f"expected a PEM certificate, got {cert}"
        yield Finding(subject, False, text, "make a pair with: maim certs DIR")
        return
    yield _check_key(subject, chain[0], key)
    yield _check_dates(subject, cert, chain[0], now or datetime.now(UTC))
    yield from check_private(subject, key)


def _check_key(subject: str, cert: x509.Certificate, path: Path) -> Finding:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except TypeError:
        remedy = f"remove it with: openssl pkey -in {path} -out …"
        return Finding(subject, False, f"{path} has a passphrase", remedy)
    except (OSError, ValueError):
        remedy = "make a pair with: maim certs DIR"
        return Finding(subject, False, f"expected a PEM private key, got {path}", remedy)
    if key.public_key() != cert.public_key():
        remedy = "give the key that the certificate was made with"
        return Finding(subject, False, f"{path} is not its private key", remedy)
    return Finding(subject, True, f"{path} is its private key")


def _check_dates(subject: str, path: Path, cert: x509.Certificate, now: datetime) -> Finding:
    begin, end = cert.not_valid_before_utc, cert.not_valid_after_utc
    if now < begin:
        return Finding(subject, False, f"{path} is valid from {begin:%Y-%m-%d}", "check the clock")
    if now > end:
        return Finding(subject, False, f"{path} expired on {end:%Y-%m-%d}", "renew it")
    days = (end - now).days
    if days < SOON_DAYS:
        return Finding(subject, False, f"{path} expires in {days} days", "renew it")
    return Finding(subject, True, f"{path} is valid until {end:%Y-%m-%d}")
