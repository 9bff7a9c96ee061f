"""`maim doctor`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maim_message.cli import certs
from maim_message.cli.doctor.certificates import check_pair
from tests.cli.conftest import Pair
from tests.cli.terminal import Terminal

Examine = Callable[..., list[str]]


def problems(found: list[dict[str, str]]) -> list[str]:
    return [f"{item['subject']}: {item['text']}" for item in found if not item["ok"]]


@pytest.fixture
def examined(maim: Terminal, monkeypatch: pytest.MonkeyPatch) -> Examine:
    """Examine one set of variables; nothing is asked over the network but a closed port."""

    def examine(**environ: str) -> list[str]:
        monkeypatch.setenv("MAIM_EDGE_ADMIN_PORT", "-1")
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        found = maim("doctor", "--json").json
        return problems([item for item in found if item["subject"] != "router reachable"])

    return examine


async def test_a_running_pair_is_well(
    maim: Terminal, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIM_ROUTER_PORT", pair.router.rpartition(":")[2])
    monkeypatch.setenv("MAIM_EDGE_ADMIN_PORT", str(pair.admin_port))
    ended = await maim.aside("doctor")
    assert [line[:7].strip() for line in ended.out.splitlines()] == ["ok"] * 4
    assert ended.code == 0


def test_services_that_do_not_run_are_problems_with_a_remedy(
    maim: Terminal, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("MAIM_ROUTER_PORT", str(unused_tcp_port))
    monkeypatch.setenv("MAIM_EDGE_ADMIN_PORT", str(unused_tcp_port))
    ended = maim("doctor")
    assert ended.code == 1
    router, edge = ended.out.splitlines()[2:]
    assert router.startswith(f"PROBLEM router reachable: 127.0.0.1:{unused_tcp_port} does not")
    assert router.endswith("start it with: maim router (or maim serve)")
    assert edge.startswith("PROBLEM edge ready: http://127.0.0.1:")


def test_a_wrong_setting_is_one_problem_and_the_rest_is_checked(examined: Examine) -> None:
    assert examined(MAIM_ROUTER_PROT="1", MAIM_EDGE_HOST="192.0.2.1") == [
        "router settings: unknown setting MAIM_ROUTER_PROT; did you mean MAIM_ROUTER_PORT?",
        "edge: listens on 192.0.2.1 without TLS, keys cross the network in the clear",
    ]


def test_doors_that_stand_open_are_problems(examined: Examine) -> None:
    found = examined(
        MAIM_EDGE_HOST="192.0.2.1",
        MAIM_EDGE_ADMIN_HOST="192.0.2.1",
        MAIM_EDGE_ROUTERS="router:50051",
        MAIM_ROUTER_HOST="unix:/run/maim.sock",
    )
    assert found == [
        "edge: listens on 192.0.2.1 without TLS, keys cross the network in the clear",
        "edge: admin port listens on 192.0.2.1 without any credential",
        "bridge: reaches router:50051 without TLS",
        "authentication: edge listens on 192.0.2.1 and every key is let in",
    ]


def test_a_router_for_other_machines_needs_tls_and_tokens(examined: Examine) -> None:
    assert examined(MAIM_ROUTER_HOST="localhost") == []
    assert examined(MAIM_ROUTER_HOST="192.0.2.1")[:2] == [
        "router: listens on 192.0.2.1 without TLS",
        "router: listens on 192.0.2.1 without tokens, anybody may send and disconnect",
    ]


def test_key_files_are_read_and_must_be_private(maim: Terminal, examined: Examine) -> None:
    maim("keys", "add", "alice", "--id", "k1", "--file", "keys.toml")
    assert examined(MAIM_ROUTER_API_KEYS_FILE="keys.toml") == []
    Path("keys.toml").chmod(0o644)
    assert examined() == ["API keys: others may read keys.toml (644)"]
    maim("keys", "revoke", "k1", "--file", "keys.toml")
    assert examined() == ["API keys: keys.toml holds none"]
    Path("keys.toml").write_text("][")
    [problem] = examined()
    assert problem.startswith("API keys: keys.toml: ")


def test_certificates_are_checked(maim: Terminal, examined: Examine) -> None:
    maim("certs", ".")
    assert examined(MAIM_EDGE_TLS_CERT="server.crt", MAIM_EDGE_TLS_KEY="server.key") == []
    assert examined(MAIM_EDGE_TLS_KEY="client.key") == [
        "edge certificate: client.key is not its private key"
    ]
    assert examined(MAIM_EDGE_TLS_KEY="server.key", MAIM_EDGE_TLS_CLIENT_CA="ca.crt") == [
        "edge: has authorities for client certificates but asks for none"
    ]
    Path("server.key").chmod(0o640)
    assert "edge certificate: others may read server.key (640)" in examined()


@pytest.mark.parametrize(
    ("days", "text"),
    [(-2, "is valid from"), (800, "expires in 24 days"), (900, "expired on")],
)
def test_a_certificate_that_is_not_in_force_or_not_for_long_is_a_problem(
    tmp_path: Path, days: int, text: str
) -> None:
    certs.write(tmp_path, certs.NAMES)
    now = datetime.now(UTC) + timedelta(days=days)
    pair = (tmp_path / "server.crt", tmp_path / "server.key")
    [finding] = [item for item in check_pair("edge certificate", *pair, now) if not item.ok]
    assert text in finding.text
    assert finding.remedy


def test_print_shows_effective_settings_that_can_be_a_config_file(
    maim: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIM_EDGE_PORT", "7")
    monkeypatch.setenv("MAIM_EDGE_BRIDGE_TOKEN", "very-secret")
    shown = maim("doctor", "--print").out
    assert "\nport = 7\n" in shown
    assert 'bridge_token = "***"' in shown
    assert "very-secret" not in shown
    monkeypatch.delenv("MAIM_EDGE_PORT")
    monkeypatch.delenv("MAIM_EDGE_BRIDGE_TOKEN")
    Path("maim.toml").write_text(shown)
    assert maim("doctor", "--config", "maim.toml", "--print").out == shown
    assert maim("doctor", "--config", "maim.toml", "--print", "--json").json["edge"]["port"] == 7
