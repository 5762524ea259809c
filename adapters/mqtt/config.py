"""Section [mqtt]: the broker, and what is published there."""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

SCHEMES = ("mqtt", "mqtts", "ws", "wss")


class MqttConfig(BaseModel):
    """Where the broker is, how to log in, and which topics the gateway uses."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(
        None,
        description="mqtt://, mqtts://, ws:// or wss:// URL of the broker, user and password in it if need be; "
        "none: an embedded broker",
    )
    embedded_port: int = Field(1883, ge=1, le=65535, description="Port of the embedded broker, on 127.0.0.1 only")
    prefix: str = Field("ocpp", min_length=1, description="First part of every topic; it may have several levels")
    username: str | None = Field(None, description="User name at the broker; wins over the one in the URL")
    password: SecretStr | None = Field(None, description="Password at the broker; wins over the one in the URL")
    ca_file: Path | None = Field(None, description="PEM file with the CA that signed the broker's certificate")
    certificate: Path | None = Field(None, description="PEM file with the gateway's own client certificate")
    key: Path | None = Field(None, description="PEM file with the client certificate's private key")
    protocol: Literal["auto", "5", "3.1.1"] = Field(
        "auto", description="MQTT version; auto speaks 5, and 3.1.1 where the broker refuses 5 and trust_puback is set"
    )
    trust_puback: bool = Field(
        False,
        description="Use brokers without MQTT 5, although they acknowledge a publish that their ACL refused: such an "
        "event is lost unnoticed",
    )
    resend_after_crash: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        60,
        description="Seconds of confirmed events that are published again, with their ids, after the broker was lost "
        "without a word: it may have crashed and forgotten them. As long as between two saves of the broker; 0: none",
    )
    state_interval: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        30, description="Seconds between two publications of every retained state, changed or not; 0 never repeats"
    )
    keepalive: int = Field(30, ge=5, le=65535, description="Seconds between signs of life on a broker connection")
    command_timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        30, description="Seconds that a command may take that says nothing of its own"
    )
    max_running_commands: int = Field(
        1000, ge=1, description="Commands under way at once; beyond that the broker's messages wait"
    )

    start_token: str = Field(
        "HOME",
        min_length=1,
        max_length=20,
        description="Id token that `set/charging` starts with; where a list of tokens or a business system decides who "
        "may charge, this one must be allowed to. At most 20 characters, as OCPP 1.6 has it",
    )
    set_interval: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = Field(
        5,
        description="Seconds between two limits, or two pauses, that `set` sends to a connector; the newest of those "
        "that come sooner is sent when they are over, so that an automation does not flood the charger. 0: none",
    )

    @field_validator("prefix")
    @classmethod
    def _prefix_is_a_topic(cls, prefix: str) -> str:
        if set("+#\x00") & set(prefix) or prefix.startswith(("/", "$")) or prefix.endswith("/"):
            raise ValueError("a prefix has no + # and does not begin or end with a slash, nor begin with $")
        return prefix

    @field_validator("url")
    @classmethod
    def _url_is_a_broker(cls, url: str | None) -> str | None:
        if url is not None and not _can_be_reached(url):
            raise ValueError(
                "a broker's URL is mqtt://host:port, mqtts://host:port, ws://host:port/path or wss://host:port/path, "
                "and special characters of user name and password are percent-encoded (/ is %2F, # is %23)"
            )
        return url

    @model_validator(mode="after")
    def _certificate_and_key_go_together(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together: one is set, the other is not")
        return self


def _can_be_reached(url: str) -> bool:
    try:
        # An unreadable port may be the beginning of a password with a slash in it: what it is must not be told.
        parts = urlsplit(url)
        return parts.scheme in SCHEMES and bool(parts.hostname) and not parts.fragment and parts.port != 0
    except ValueError:
        return False
