"""What every command does with a wrong command line, and with credentials in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal

COMMANDS = "serve router edge connect send connections stats certs keys doctor bench".split()


def test_help_names_every_command(maim: Terminal) -> None:
    for argv in ([], ["--help"], ["-h"]):
        ended = maim(*argv)
        assert ended.code == 0
        assert all(command in ended.out for command in COMMANDS)


@pytest.mark.parametrize(
    "argv", [[command] for command in COMMANDS] + [["keys", sub] for sub in ("add", "list")]
)
def test_every_command_has_its_help(maim: Terminal, argv: list[str]) -> None:
    ended = maim(*argv, "--help")
    assert ended.code == 0
    assert f"maim {' '.join(argv)}" in ended.out


def test_the_version_is_told(maim: Terminal) -> None:
    assert maim("--version").out.startswith("maim ")


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (["sned"], "maim: No such command 'sned'. Did you mean 'send'? (see maim --help)"),
        (["keys"], "maim: Missing command (see maim keys --help)"),
        (["keys", "rotte", "x"], "maim: No such command 'rotte'. Did you mean 'rotate'?"),
        (["send", "hi"], "maim: Missing option '--user' (see maim send --help)"),
        (["certs", "x", "--forc"], "maim: No such option: --forc"),
        (["connect", "ws://localhost"], "maim: --api-key: expected your API key, got nothing"),
        (["edge", "--prot", "1"], "maim: unknown flag --prot; did you mean --port?"),
        (["router", "--ack", "x"], "maim: --ack: expected 'handled' or 'received', got 'x'"),
        (["serve", "--router-prot", "1"], "maim: unknown flag --router-prot; did you mean --rou"),
        (["serve", "--router-port", "x"], "maim: --router-port: expected a whole number from 0"),
        (["stats", "--router", "nowhere"], "maim: --router: expected host:port, dns:///name:por"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(maim: Terminal, argv: list[str], problem: str) -> None:
    ended = maim(*argv)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith(problem)
    assert ended.err.count("\n") == 1


def test_a_wrong_variable_or_file_is_one_line_and_exit_2(
    maim: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "maim.toml").write_text("[edge]\nprot = 1\n")
    ended = maim("edge", "--config", "maim.toml")
    assert (ended.code, ended.err) == (
        2,
        "maim: maim.toml: unknown setting prot in [edge]; did you mean port?\n",
    )
    monkeypatch.setenv("MAIM_ROUTER_PROT", "1")
    ended = maim("router")
    assert (ended.code, ended.err) == (
        2,
        "maim: unknown setting MAIM_ROUTER_PROT; did you mean MAIM_ROUTER_PORT?\n",
    )


def python(*argv: str, **more: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **more}
    command = [sys.executable, *argv]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("module", ["maim_edge", "maim_router"])
def test_a_service_started_as_a_module_needs_no_typer(module: str) -> None:
    without = f"import sys, runpy; sys.modules['typer'] = None; sys.argv = ['{module}', '--prot']"
    ended = python("-c", f"{without}; runpy.run_module('{module}', run_name='__main__')")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "maim: unknown flag --prot; did you mean --port?\n"


def test_without_the_extra_the_commands_say_how_to_get_it() -> None:
    code = "import sys; sys.modules['typer'] = None; from maim_message.cli import main; main()"
    ended = python("-c", code)
    assert ended.returncode == 2
    assert ended.stderr == (
        "maim: the command needs the extra \"cli\": pip install 'maim-message[cli]'\n"
    )


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_a_key_among_the_arguments_is_not_in_the_process_list() -> None:
    look = (
        "import sys, maim_message.cli.app as app, maim_message.cli as cli\n"
        "app.run = lambda argv: print(argv[-1], open('/proc/self/cmdline').read())\n"
        "cli.main()"
    )
    ended = python("-c", look, "connect", "ws://localhost", "--api-key", "very-secret")
    argument, _, seen = ended.stdout.partition(" ")
    assert argument == "very-secret"
    assert "very-secret" not in seen
    assert seen.startswith("maim")
