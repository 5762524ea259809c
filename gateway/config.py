"""The settings of a gateway: defaults, a TOML file, a folder of secrets, the environment; the later one wins.

Each section's options are described where they are defined, in their `Field`s; `ocpp-gateway check-config` prints
them from there.
"""

import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from adapters import ADAPTERS
from adapters.homeassistant.config import HomeAssistantConfig
from adapters.mqtt.config import MqttConfig
from adapters.rest.config import RestConfig
from adapters.webhooks.config import WebhooksConfig
from gateway.chargers.config import ChargersConfig
from gateway.cluster.config import ClusterConfig
from gateway.config_advice import advice, check_askers, misspelt_variables
from gateway.config_errors import Origins, as_configuration_error, unknown_variable
from gateway.config_file import ConfigFile, KeyPath, key_paths
from gateway.config_secrets import secret_files
from gateway.core.errors import ConfigurationError
from gateway.core.policies import AnswersConfig

ENV_PREFIX = "OCPP_GATEWAY__"
FILE_VARIABLE = "OCPP_GATEWAY_CONFIG"
SECRETS_VARIABLES = ("OCPP_GATEWAY_SECRETS", "CREDENTIALS_DIRECTORY")
"""Variables that name the folder of secrets, the first that is set; the second is systemd's."""
DEFAULT_FILE = Path("ocpp-gateway.toml")
SHORT_VARIABLES: dict[str, KeyPath] = {"REDIS_URL": ("redis", "url"), "MQTT_URL": ("mqtt", "url")}
"""Variables that hosting platforms set; the long spelling of the same option wins."""


def default_data_dir() -> Path:
    """Where a service of this user keeps its state: systemd's STATE_DIRECTORY, else below XDG_STATE_HOME."""
    given = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "ocpp-gateway"


def default_node() -> str:
    """A name that no other node has, not even one on the same machine."""
    return f"{socket.gethostname()}-{secrets.token_hex(2)}"


def _split_at_commas(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class GatewayConfig(BaseModel):
    """This node: its name, its data, its log, its adapters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    node: str = Field(
        default_factory=default_node,
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9._-]+$",
        description="Name of this node, its own among all that share a Redis; by default the host name and four "
        "random digits",
    )
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Folder for the data of the embedded servers; one gateway at a time may use it",
    )
    adapters: Annotated[list[str], NoDecode, BeforeValidator(_split_at_commas)] = Field(
        default_factory=lambda: ["mqtt", "rest", "webhooks", "homeassistant"],
        description="Adapters to business systems that run on this node",
    )
    workers: int = Field(
        1,
        ge=1,
        le=256,
        description="Processes that share this node's ports, each a node by itself on a core of its own: more than one "
        "makes `serve` a parent which looks after them",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least important lines that are logged"
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="auto: console on a terminal, else json, a line each, to stderr"
    )
    shutdown_deadline: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        25.0,
        description="Seconds from SIGTERM to the end of the process, whatever else hangs. Within it chargers are sent "
        "away at [chargers] drain_rate: 16 + chargers / drain_rate leaves time for all, and what kills the process "
        "(terminationGracePeriodSeconds, TimeoutStopSec) should leave it some seconds more",
    )
    drain_delay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        0.0,
        description="Seconds between the moment that /readyz fails and the closing of the chargers' listener, for load "
        "balancers that look at it; part of shutdown_deadline",
    )

    @field_validator("drain_delay")
    @classmethod
    def _delay_leaves_time(cls, delay: float, info: ValidationInfo) -> float:
        deadline = info.data.get("shutdown_deadline")  # missing where it is wrong itself
        if deadline is not None and delay > deadline / 2:
            raise ValueError(
                f"more than half of shutdown_deadline ({deadline:g}): the chargers would have no time left"
            )
        return delay

    @field_validator("adapters")
    @classmethod
    def _adapters_are_known(cls, names: list[str]) -> list[str]:
        for name in names:
            if name not in ADAPTERS:
                raise ValueError(f"unknown adapter {name!r}; known are {', '.join(sorted(ADAPTERS))}")
            if names.count(name) > 1:
                raise ValueError(f"{name!r} is named twice")
        if "homeassistant" in names and "mqtt" not in names:
            raise ValueError("'homeassistant' announces chargers over the broker of 'mqtt': name that, too")
        return names


class Settings(BaseSettings):
    """All settings of one node. `load` reads them; constructed directly, only the arguments count."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter="__", env_ignore_empty=True, extra="forbid", frozen=True
    )

    gateway: GatewayConfig = Field(default_factory=GatewayConfig)
    chargers: ChargersConfig = Field(default_factory=ChargersConfig)
    answers: AnswersConfig = Field(default_factory=AnswersConfig, validate_default=True)
    redis: ClusterConfig = Field(default_factory=ClusterConfig)
    mqtt: MqttConfig = Field(default_factory=MqttConfig)
    rest: RestConfig = Field(default_factory=RestConfig)
    webhooks: WebhooksConfig = Field(default_factory=WebhooksConfig)
    homeassistant: HomeAssistantConfig = Field(default_factory=HomeAssistantConfig)

    @field_validator("answers")
    @classmethod
    def _answers_come_within_the_grace_time(cls, answers: AnswersConfig, info: ValidationInfo) -> AnswersConfig:
        chargers = info.data.get("chargers")  # missing where it is wrong itself
        return answers if chargers is None else answers.within(chargers.money_grace)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """`load` lays the sources over one another itself, as it must know what came from where."""
        return (init_settings,)


def sections() -> dict[str, type[BaseModel]]:
    """Every section's model, by its name in the file."""
    return {
        name: field.annotation
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }


@dataclass(frozen=True)
class Loaded:
    """Settings, and where each option that is not a default was set; `advice` is what holds, and is hardly meant."""

    settings: Settings
    origins: Origins
    advice: tuple[str, ...] = ()


def load(config: Path | None = None, overrides: dict[str, dict[str, Any]] | None = None) -> Loaded:
    """The settings from `config` (else $OCPP_GATEWAY_CONFIG, else ./ocpp-gateway.toml if there), the files of
    $OCPP_GATEWAY_SECRETS, and the environment.

    `overrides` are command-line options and win over both. Raises ConfigurationError naming file and line, or the
    variable, of everything that is wrong.
    """
    origins = Origins(_file(config))
    values: dict[str, Any] = {} if origins.file is None else _copy(origins.file.values)
    _lay_over(values, _from_secrets(origins))
    _lay_over(values, _from_short_variables(origins))
    _lay_over(values, _from_environment(origins))
    for key in key_paths(overrides or {}):
        origins.variables[key] = "command line"
    _lay_over(values, overrides or {})
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise as_configuration_error(error, Settings, origins) from error
    check_askers(
        settings.answers,
        adapters=settings.gateway.adapters,
        webhook=settings.webhooks.url is not None,
        origins=origins,
    )
    return Loaded(settings, origins, _advice(settings))


def _advice(settings: Settings) -> tuple[str, ...]:
    return (*misspelt_variables(os.environ, ENV_PREFIX, sections()), *advice(settings.answers))


def _file(config: Path | None) -> ConfigFile | None:
    if config is not None:
        return ConfigFile(config)
    named = os.environ.get(FILE_VARIABLE)
    if named:
        return ConfigFile(Path(named))
    return ConfigFile(DEFAULT_FILE) if DEFAULT_FILE.is_file() else None


def _from_secrets(origins: Origins) -> dict[str, Any]:
    folder = next((os.environ[name] for name in SECRETS_VARIABLES if os.environ.get(name)), None)
    values: dict[str, Any] = {}
    for key, secret, file in () if folder is None else secret_files(Path(folder), Settings.model_fields):
        section, option = key
        values.setdefault(section, {})[option] = secret
        origins.variables[key] = str(file)
    return values


def _from_short_variables(origins: Origins) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for variable, (section, option) in SHORT_VARIABLES.items():
        if os.environ.get(variable):
            values.setdefault(section, {})[option] = os.environ[variable]
            origins.variables[section, option] = variable
    return values


def _from_environment(origins: Origins) -> dict[str, Any]:
    for variable in os.environ:
        if variable.upper().startswith(ENV_PREFIX):
            key = tuple(variable[len(ENV_PREFIX) :].lower().split("__"))
            origins.variables[key] = variable
            if key[0] not in Settings.model_fields:
                raise unknown_variable(variable, ENV_PREFIX, Settings)
    try:
        return EnvSettingsSource(Settings)()
    except SettingsError as error:
        raise ConfigurationError(str(error), source="environment") from error


def _copy(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _copy(value) if isinstance(value, dict) else value for name, value in values.items()}


def _lay_over(values: dict[str, Any], upper: dict[str, Any]) -> None:
    """Put the upper values over the others, table by table."""
    for name, value in upper.items():
        below = values.get(name)
        if isinstance(below, dict) and isinstance(value, dict):
            _lay_over(below, value)
        else:
            values[name] = _copy(value) if isinstance(value, dict) else value
