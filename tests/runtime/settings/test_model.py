"""Loading settings from flags, environment and a TOML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from maim_protocol.errors import ConfigError
from maim_runtime.settings.model import (
    ReadableFile,
    ServiceSettings,
    build,
    comma_list,
    effective,
    load,
)
from maim_runtime.settings.sources import Given


def _parts(text: str) -> str:
    comma_list(text)
    return text


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="MAIM_EDGE_")

    port: int = Field(18040, ge=0, le=65535)
    ping_interval: float = Field(20, gt=0)
    compression: bool = False
    reject_with: Literal["http", "close"] = "http"
    routers: Annotated[str, AfterValidator(_parts)] = "a:1"
    tls_cert: ReadableFile | None = None
    bridge_token: SecretStr | None = Field(None, min_length=8)


def read(
    config_file: Path | None = None, environ: dict[str, str] | None = None, **flags: object
) -> Settings:
    return load(Settings, config_file=config_file, flags=flags, environ=environ or {})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "maim.toml"
    path.write_text(
        'log_level = "debug"\n[edge]\nport = 1\nping_interval = 1\ncompression = true\n'
    )
    return path


def test_flags_win_over_the_environment_over_the_file_over_defaults(file: Path) -> None:
    settings = read(file, {"MAIM_EDGE_PORT": "2", "MAIM_EDGE_PING_INTERVAL": "2"}, port="3")
    assert (settings.port, settings.ping_interval, settings.compression) == (3, 2.0, True)
    assert settings.reject_with == "http"


def test_the_log_is_set_for_all_services_at_once(file: Path) -> None:
    assert read(file).log_level == "DEBUG"
    assert read(file, {"MAIM_LOG_LEVEL": "warning"}).log_level == "WARNING"


def test_an_empty_variable_counts_as_not_set() -> None:
    assert read(environ={"MAIM_EDGE_PORT": "", "MAIM_EDGE_TLS_CERT": ""}).port == 18040


def test_the_process_environment_is_read_by_load_and_not_by_a_direct_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAIM_EDGE_PORT", "7")
    assert load(Settings).port == 7
    assert Settings().port == 18040


def test_a_comma_list_may_be_an_array_in_toml(tmp_path: Path) -> None:
    path = tmp_path / "maim.toml"
    path.write_text('[edge]\nrouters = ["a:1", "b:2"]')
    assert read(path).routers == "a:1,b:2"


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({"MAIM_EDGE_PROT": "1"}, "unknown setting MAIM_EDGE_PROT; did you mean MAIM_EDGE_PORT?"),
        ({"MAIM_EGDE_PORT": "1"}, "unknown setting MAIM_EGDE_PORT; did you mean MAIM_EDGE_PORT?"),
        ({"MAIM_LOG_LVEL": "1"}, "unknown setting MAIM_LOG_LVEL; did you mean MAIM_LOG_LEVEL?"),
        (
            {"MAIM_ROTER_PORT": "1"},
            "unknown setting MAIM_ROTER_PORT; did you mean MAIM_ROUTER_PORT?",
        ),
        ({"MAIM_XYZZY": "1"}, "unknown setting MAIM_XYZZY"),
        (
            {"MAIM_EDGE_PORT": "abc"},
            "MAIM_EDGE_PORT: expected a whole number from 0 to 65535, got 'abc'",
        ),
        (
            {"MAIM_EDGE_PORT": "70000"},
            "MAIM_EDGE_PORT: expected a whole number from 0 to 65535, got '70000'",
        ),
        (
            {"MAIM_EDGE_PING_INTERVAL": "0"},
            "MAIM_EDGE_PING_INTERVAL: expected a number over 0, got '0'",
        ),
        (
            {"MAIM_EDGE_PING_INTERVAL": "nan"},
            "MAIM_EDGE_PING_INTERVAL: expected a number over 0, got 'nan'",
        ),
        (
            {"MAIM_EDGE_COMPRESSION": "perhaps"},
            "MAIM_EDGE_COMPRESSION: expected true or false, got 'perhaps'",
        ),
        (
            {"MAIM_EDGE_REJECT_WITH": "tcp"},
            "MAIM_EDGE_REJECT_WITH: expected 'http' or 'close', got 'tcp'",
        ),
        (
            {"MAIM_EDGE_ROUTERS": "a:1,,b:2"},
            "MAIM_EDGE_ROUTERS: expected a comma list without empty parts, got 'a:1,,b:2'",
        ),
        (
            {"MAIM_EDGE_BRIDGE_TOKEN": "short"},
            "MAIM_EDGE_BRIDGE_TOKEN: expected at least 8 characters, got ***",
        ),
        (
            {"MAIM_EDGE_TLS_CERT": "/nowhere"},
            "MAIM_EDGE_TLS_CERT: expected a readable file (No such file or directory), "
            "got '/nowhere'",
        ),
    ],
)
def test_a_wrong_variable_is_one_line_that_names_it(environ: dict[str, str], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(environ=environ)
    assert str(caught.value) == problem


def test_variables_of_the_other_service_and_of_the_commands_are_none_of_our_business() -> None:
    others = {"MAIM_ROUTER_NONSENSE": "1", "MAIM_API_KEY": "k", "MAIM_TOKEN": "t", "HOME": "/"}
    assert read(environ=others).port == 18040


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[edge]\nprot = 1", "unknown setting prot in [edge]; did you mean port?"),
        ("[egde]\nport = 1", "unknown setting egde; did you mean edge?"),
        ("[edge]\nlog_level = 'INFO'", "unknown setting log_level in [edge]; write it above"),
        ("edge = 1", "edge: expected a table, [edge]"),
        ("[edge]\nport = 'x'", "edge.port: expected a whole number from 0 to 65535, got 'x'"),
        ("[edge]\nport = true", "edge.port: expected a whole number from 0 to 65535, got True"),
        ("[edge]\nping_interval = false", "edge.ping_interval: expected a number over 0, got Fa"),
        ("[edge]\nrouters = 5", "edge.routers: expected a text, got 5"),
        ("[edge\n", "expected TOML:"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_file_and_key(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "maim.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: {problem}")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--config: cannot read .*nothing.toml"):
        read(tmp_path / "nothing.toml")


def test_a_flag_is_named_as_it_was_written() -> None:
    with pytest.raises(ConfigError, match=r"^--port: expected .*, got 'x'$"):
        read(port="x")
    with pytest.raises(ConfigError, match=r"^--edge-port: expected"):
        read(port=Given("x", "--edge-port"))
    with pytest.raises(ConfigError, match=r"^unknown flag --prot; did you mean --port?"):
        read(prot="1")


def test_a_secret_is_masked_in_errors_and_in_the_effective_settings() -> None:
    with pytest.raises(ConfigError) as caught:
        read(environ={"MAIM_EDGE_BRIDGE_TOKEN": "secret"})
    assert "secret" not in str(caught.value)
    assert str(caught.value).startswith("MAIM_EDGE_BRIDGE_TOKEN: ")
    shown = effective(read(bridge_token="long secret"))
    assert shown["bridge_token"] == "***"
    assert effective(read())["bridge_token"] is None


def test_effective_settings_are_plain_data(file: Path) -> None:
    shown = effective(read(tls_cert=str(file)))
    assert (shown["tls_cert"], shown["port"], shown["log_level"]) == (str(file), 18040, "INFO")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match=r"frozen"):
        setattr(read(), "port", 5)  # noqa: B010 - mypy knows that it is frozen


def test_build_takes_values_of_a_program_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIM_EDGE_PORT", "7")
    assert build(Settings, {"compression": True}).port == 18040
    with pytest.raises(ConfigError, match=r"^port: expected a whole number"):
        build(Settings, {"port": "x"})
    with pytest.raises(ConfigError, match=r"^unknown setting prot; did you mean port?"):
        build(Settings, {"prot": 1})
