"""Where the gRPC server listens: addresses checked and bound, certificates read."""

from __future__ import annotations

import socket
import ssl
import stat
from dataclasses import dataclass
from pathlib import Path

import grpc

from maim_protocol.addresses import UNIX, join, unix_path
from maim_protocol.errors import ConfigError
from maim_runtime.listening import bind


@dataclass(frozen=True, slots=True)
class ServerTls:
    """PEM files of a server; with `client_ca`, callers need a certificate of it."""

    cert: Path
    key: Path
    client_ca: Path | None = None

    def credentials(self) -> grpc.ServerCredentials:
        """Read the files for grpcio; raises `ConfigError` that names the one that does not work.

        Python's ssl reads them first: gRPC's own errors do not say what is wrong.
        """
        self.context()
        try:
            pair = (self.key.read_bytes(), self.cert.read_bytes())
            roots = self.client_ca.read_bytes() if self.client_ca else None
        except OSError as error:
            raise ConfigError(f"cannot read {error.filename}: {error.strerror}") from None
        return grpc.ssl_server_credentials([pair], roots, require_client_auth=roots is not None)

    def context(self) -> ssl.SSLContext:
        """Read the files for asyncio; raises `ConfigError` as `credentials` does."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["h2"])
        path = self.cert
        try:
            # Without a password: a locked key would ask for it on the terminal.
            context.load_cert_chain(self.cert, self.key, password=lambda: "")
            path = self.client_ca or self.cert
            if self.client_ca is not None:
                context.load_verify_locations(self.client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
                # As grpcio: whatever is in the file is trusted, an intermediate one too.
                context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        except OSError as error:
            why = error.strerror or type(error).__name__
            text = f"TLS with certificate {path} and key {self.key} does not work: {why}"
            raise ConfigError(f"{text}; `maim certs DIR` makes a set that does") from None
        return context


def listen(server: grpc.aio.Server, address: str, tls: ServerTls | None) -> str:
    """Bind a server to `host:port` or `unix:/path`; returns the address with the port it got.

    TLS is for TCP; a unix socket is guarded by its file's mode. Raises `OSError` of one line.
    """
    if address.startswith(UNIX):
        check_socket_file(Path(unix_path(address)))
        _add(server, address, None)
        return address
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    # gRPC's own text names neither reason nor remedy, so that a plain socket tries first.
    bind(host, int(port)).close()
    return join(host, _add(server, address, tls))


def _add(server: grpc.aio.Server, address: str, tls: ServerTls | None) -> int:
    try:
        if tls is None:
            return server.add_insecure_port(address)
        return server.add_secure_port(address, tls.credentials())
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}: {error}") from error


def check_socket_file(path: Path) -> None:
    """gRPC removes any socket that is in its way, even one that another process serves."""
    if not path.parent.is_dir():
        raise OSError(f"cannot listen on unix:{path}: the folder {path.parent} does not exist")
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise OSError(f"cannot listen on unix:{path}: a file of that name is there; remove it")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return
    text = "another process serves it; stop that process, or choose another path"
    raise OSError(f"cannot listen on unix:{path}: {text}")
