"""`maim doctor`: checks what is set, what is on disk and what answers, and names the remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from json import dumps as to_json
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from maim_edge.settings import EdgeSettings
from maim_message.cli import output
from maim_message.cli.doctor.certificates import check_pair
from maim_message.cli.doctor.findings import Finding, check_private
from maim_message.cli.doctor.reachability import check_edge_ready, check_router_port
from maim_protocol.addresses import UNIX, is_loopback, parse_address
from maim_protocol.errors import ConfigError
from maim_router.auth import ApiKeys, Tokens
from maim_router.settings import RouterSettings
from maim_runtime.settings import (
    SHARED_FIELDS,
    ServiceSettings,
    effective,
    load,
    prefix_of,
    section_of,
)

S = TypeVar("S", bound=ServiceSettings)


def doctor(
    config: Annotated[
        Path | None, typer.Option("--config", help="TOML file with the settings.")
    ] = None,
    show: Annotated[
        bool, typer.Option("--print", help="Show the effective settings, secrets masked.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Check settings, certificates, key files, reachability and insecure choices.

    Exit 1 when there is any problem.
    """
    if show:
        _print_settings(config, json)
        return 0
    findings = list(examine(config))
    if json:
        fields = Finding.__slots__
        output.print_json([{name: getattr(item, name) for name in fields} for item in findings])
    else:
        for finding in findings:
            print(finding.line())
    return 0 if all(finding.ok for finding in findings) else 1


def examine(config: Path | None) -> Iterator[Finding]:
    """Check everything, services whose settings are wrong excepted."""
    edge, edge_finding = _loaded(EdgeSettings, config)
    router, router_finding = _loaded(RouterSettings, config)
    yield edge_finding
    yield router_finding
    if edge is not None:
        yield from _edge_files(edge)
        yield from _edge_choices(edge)
    if router is not None:
        yield from _router_files(router)
        yield from _router_choices(router)
    if edge is not None and router is not None:
        yield from _open_access(edge, router)
    if router is not None:
        yield check_router_port(router)
    if edge is not None and edge.admin_port > 0:
        yield check_edge_ready(edge)


def _loaded(cls: type[S], config: Path | None) -> tuple[S | None, Finding]:
    subject = f"{section_of(prefix_of(cls))} settings"
    try:
        settings = load(cls, config_file=config)
    except ConfigError as error:
        return None, Finding(subject, False, str(error))
    return settings, Finding(subject, True, "every name and value is right")


def _edge_files(edge: EdgeSettings) -> Iterator[Finding]:
    yield from check_pair("edge certificate", edge.tls_cert, edge.tls_key)
    yield from check_pair("bridge certificate", edge.bridge_tls_cert, edge.bridge_tls_key)


def _router_files(router: RouterSettings) -> Iterator[Finding]:
    yield from check_pair("router certificate", router.tls_cert, router.tls_key)
    for subject, kind, path in (
        ("API keys", ApiKeys, router.api_keys_file),
        ("tokens", Tokens, router.tokens_file),
    ):
        if path is not None:
            yield from _credential_file(subject, kind, path)


def _credential_file(
    subject: str, kind: type[ApiKeys] | type[Tokens], path: Path
) -> Iterator[Finding]:
    try:
        valid = [item for item in kind(path).list() if item.revoked is None]
    except ConfigError as error:
        yield Finding(subject, False, str(error), "correct the file")
        return
    if not valid:
        flag = " --token" if kind is Tokens else ""
        yield Finding(subject, False, f"{path} holds none", f"maim keys add NAME{flag}")
    else:
        yield Finding(subject, True, f"{path} holds {len(valid)}")
    yield from check_private(subject, path)


def _edge_choices(edge: EdgeSettings) -> Iterator[Finding]:
    if not is_loopback(edge.host) and edge.tls_cert is None:
        yield Finding(
            "edge",
            False,
            f"listens on {edge.host} without TLS, keys cross the network in the clear",
            "set MAIM_EDGE_TLS_CERT and MAIM_EDGE_TLS_KEY, or end TLS in a proxy",
        )
    if edge.tls_client_ca is not None and not edge.tls_verify_client:
        yield Finding(
            "edge",
            False,
            "has authorities for client certificates but asks for none",
            "set MAIM_EDGE_TLS_VERIFY_CLIENT=true",
        )
    if not is_loopback(edge.admin_host):
        yield Finding(
            "edge",
            False,
            f"admin port listens on {edge.admin_host} without any credential",
            "set MAIM_EDGE_ADMIN_HOST=127.0.0.1, or let a firewall guard it",
        )
    remote = [text for text in edge.router_addresses if not parse_address(text).loopback]
    if remote and edge.bridge_tls_ca is None:
        yield Finding(
            "bridge",
            False,
            f"reaches {remote[0]} without TLS",
            "set MAIM_EDGE_BRIDGE_TLS_CA",
        )


def _router_choices(router: RouterSettings) -> Iterator[Finding]:
    if _local(router):
        return
    if router.tls_cert is None:
        yield Finding(
            "router",
            False,
            f"listens on {router.host} without TLS",
            "set MAIM_ROUTER_TLS_CERT and MAIM_ROUTER_TLS_KEY",
        )
    if router.tokens_file is None:
        yield Finding(
            "router",
            False,
            f"listens on {router.host} without tokens, anybody may send and disconnect",
            "maim keys add NAME --token --scope bridge, and set MAIM_ROUTER_TOKENS_FILE",
        )


def _open_access(edge: EdgeSettings, router: RouterSettings) -> Iterator[Finding]:
    if router.api_keys_file is None and not router.app and not is_loopback(edge.host):
        yield Finding(
            "authentication",
            False,
            f"edge listens on {edge.host} and every key is let in",
            "maim keys add USER, and set MAIM_ROUTER_API_KEYS_FILE",
        )


def _local(router: RouterSettings) -> bool:
    return router.host.startswith(UNIX) or is_loopback(router.host)


def _print_settings(config: Path | None, json: bool) -> None:
    found = {
        "edge": effective(load(EdgeSettings, config_file=config)),
        "router": effective(load(RouterSettings, config_file=config)),
    }
    if json:
        output.print_json(found)
        return
    shared = {name: found["edge"][name] for name in SHARED_FIELDS}
    print("\n".join(_toml(shared)))
    for section, values in found.items():
        own = {name: value for name, value in values.items() if name not in SHARED_FIELDS}
        print("\n".join(("", f"[{section}]", *_toml(own))))


def _toml(values: Mapping[str, object]) -> Iterator[str]:
    """Yield lines as `--config` takes them; what is not set is a comment."""
    for name, value in values.items():
        yield f"# {name} is not set" if value is None else f"{name} = {to_json(value)}"
