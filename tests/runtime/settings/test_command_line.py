"""Settings as flags, and how a service that cannot start ends."""

from __future__ import annotations

import errno
from collections.abc import Sequence

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from maim_protocol.errors import ConfigError
from maim_runtime.settings import command_line as flags
from maim_runtime.settings.model import ServiceSettings


class First(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="MAIM_EDGE_")

    host: str = Field("127.0.0.1", description="Where to listen.")
    admin_port: int = Field(1, ge=-1, description="100% optional.")
    compression: bool = Field(False, description="Compress.")
    bridge_token: SecretStr | None = Field(None, description="Token.")


class Second(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="MAIM_ROUTER_")

    host: str = Field("127.0.0.1", description="Where to listen.")
    app: str = Field("", description="Callbacks.")


def parse(*argv: str, classes: Sequence[type[ServiceSettings]] = (First,)) -> flags.Flags:
    return flags.parse_flags(argv, classes, prog="maim test", about="About.")


def test_every_setting_is_a_flag() -> None:
    settings = parse("--admin-port", "-1", "--host=::1", "--bridge-token", "t").load(First)
    assert (settings.admin_port, settings.host) == (-1, "::1")
    assert settings.bridge_token == SecretStr("t")


@pytest.mark.parametrize(
    ("argv", "value"),
    [
        (["--compression"], True),
        (["--compression", "false"], False),
        (["--compression=true"], True),
        (["--no-compression"], False),
    ],
)
def test_a_switch_is_turned_on_and_off(argv: list[str], value: bool) -> None:
    assert parse(*argv).load(First).compression is value


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (["--adminport", "1"], "unknown flag --adminport; did you mean --admin-port?"),
        (["--bridge-tokn=secret"], "unknown flag --bridge-tokn; did you mean --bridge-token?"),
        (["--zzz"], "unknown flag --zzz; --help lists them all"),
        (["18040"], "unexpected argument '18040'; every setting is a --flag"),
        (["--host"], "argument --host: expected one argument"),
        (["--admin-por", "1"], "unknown flag --admin-por; did you mean --admin-port?"),
    ],
)
def test_a_wrong_flag_is_one_line_with_the_nearest_name(argv: list[str], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(*argv)
    assert str(caught.value) == problem


def test_a_name_of_two_services_is_the_first_ones() -> None:
    argv = ("--host", "a", "--router-host", "b", "--app", "m:a", "--log-level", "error")
    found = parse(*argv, classes=(First, Second))
    first, second = found.load(First), found.load(Second)
    assert (first.host, second.host, second.app) == ("a", "b", "m:a")
    assert first.log_level == second.log_level == "ERROR"


def test_help_names_flag_variable_and_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        parse("--help")
    text = " ".join(capsys.readouterr().out.split())
    assert "--admin-port N 100% optional. [MAIM_EDGE_ADMIN_PORT; 1]" in text
    assert "[MAIM_LOG_LEVEL; 'INFO']" in text


def run(argv: list[str], error: Exception | None = None) -> int:
    def start(settings: First) -> int:
        if error is not None:
            raise error
        return settings.admin_port

    return flags.run_service(First, start, prog="maim-test", about="About.", argv=argv)


def test_a_service_gets_its_settings_and_gives_its_exit_code() -> None:
    assert run(["--admin-port", "7"]) == 7


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ConfigError("port: wrong"), "maim: port: wrong\n"),
        (
            OSError(errno.EADDRINUSE, "address already in use"),
            f"maim: [Errno {errno.EADDRINUSE}] address already in use; stop the process that has "
            "the port, or choose another one with --port\n",
        ),
        (OSError("bad\napi_key=secret"), "maim: bad api_key=***\n"),
    ],
)
def test_what_keeps_a_service_from_starting_is_one_line_and_exit_2(
    error: Exception, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([], error) == 2
    assert capsys.readouterr().err == line


def test_a_defect_is_not_hidden_behind_one_line() -> None:
    with pytest.raises(ZeroDivisionError):
        run([], ZeroDivisionError())


def test_an_interrupt_is_no_traceback() -> None:
    def start() -> int:
        raise KeyboardInterrupt

    assert flags.guarded(start, title="maim test") == 130
