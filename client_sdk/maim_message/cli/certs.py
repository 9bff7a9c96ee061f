"""`maim certs`: a development authority with a server and a client certificate."""

from __future__ import annotations

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from maim_message.cli import output
from maim_protocol.errors import ConfigError

NAMES = ("localhost", "127.0.0.1", "::1")
KINDS = ("ca", "server", "client")
CA_DAYS = 3650
# The longest that browsers and macOS take.
LEAF_DAYS = 825

Key = ec.EllipticCurvePrivateKey
Pair = tuple[x509.Certificate, Key]


def certs(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files go.")],
    name: Annotated[
        list[str] | None,
        typer.Option("--name", help="Further name or address of the server; may be repeated."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a development CA, a server and a client certificate (not for production)."""
    files = write(directory, (*NAMES, *(name or ())), force=force)
    if json:
        output.print_json([str(path) for path in files])
        return
    for path in files:
        print(path)


def write(directory: Path, names: tuple[str, ...], *, force: bool = False) -> list[Path]:
    """Write the six files and return their paths; raises `ConfigError`, e.g. when one is there."""
    paths = [directory / f"{kind}.{end}" for kind in KINDS for end in ("crt", "key")]
    there = [path for path in paths if path.exists()]
    if there and not force:
        raise ConfigError(f"{there[0]} is there already; --force overwrites it")
    made = make(names, datetime.now(UTC))
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for kind, (cert, key) in made.items():
            _write(directory / f"{kind}.crt", cert.public_bytes(serialization.Encoding.PEM), 0o644)
            _write(directory / f"{kind}.key", _pem(key), 0o600)
    except OSError as error:
        raise ConfigError(f"{directory}: cannot write there ({error.strerror})") from None
    return paths


def make(names: tuple[str, ...], now: datetime) -> dict[str, Pair]:
    """Make the three pairs; `names` are host names and addresses of the server."""
    alternatives = x509.SubjectAlternativeName([_alternative(text) for text in names])
    ca_key = ec.generate_private_key(ec.SECP256R1())
    subject = _subject("maim development CA")
    builder = _builder(subject, subject, ca_key, now, CA_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    ca = builder.add_extension(_usage(ca=True), critical=True).sign(ca_key, hashes.SHA256())
    authority = (ca, ca_key)
    server = _leaf("maim server", ExtendedKeyUsageOID.SERVER_AUTH, alternatives, authority, now)
    client = _leaf("maim client", ExtendedKeyUsageOID.CLIENT_AUTH, None, authority, now)
    return {"ca": authority, "server": server, "client": client}


def _leaf(
    name: str,
    purpose: x509.ObjectIdentifier,
    alternatives: x509.SubjectAlternativeName | None,
    authority: Pair,
    now: datetime,
) -> Pair:
    ca, ca_key = authority
    key = ec.generate_private_key(ec.SECP256R1())
    # Python 3.13 checks strictly: a leaf without the authority's key id is refused.
    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    builder = _builder(_subject(name), ca.subject, key, now, LEAF_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
    builder = builder.add_extension(_usage(ca=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    builder = builder.add_extension(issuer_id, critical=False)
    if alternatives is not None:
        builder = builder.add_extension(alternatives, critical=False)
    return builder.sign(ca_key, hashes.SHA256()), key


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, now: datetime, days: int
) -> x509.CertificateBuilder:
    key_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Clocks of other machines may be behind.
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days) - timedelta(hours=1))
        .add_extension(key_id, critical=False)
    )


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternative(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    try:
        if text and not any(mark.isspace() or mark in "/:" for mark in text):
            return x509.DNSName(text)
    except ValueError:
        pass
    raise ConfigError(f"--name: expected a host name or address, got {text!r}")


def _pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    path.unlink(missing_ok=True)
    # Created with its mode: a key is never readable by others, not for an instant.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
