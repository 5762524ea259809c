"""How a charger reaches its CSMS (OCPP 2.x)."""

from typing import Literal

from pydantic import Field

from gateway.core.arguments.base import Arguments, Secret, Url


class Apn(Arguments):
    """Access to a mobile network."""

    name: str = Field(min_length=1, max_length=512)
    user: str | None = Field(None, max_length=50, description="Before OCPP 2.1 at most 20 characters")
    password: Secret | None = Field(None, max_length=64, description="Before OCPP 2.1 at most 20 characters")
    sim_pin: int | None = Field(None, ge=0, json_schema_extra={"writeOnly": True})
    preferred_network: str | None = Field(None, max_length=6, description="MCC and MNC")
    use_only_preferred_network: bool = False
    authentication: Literal["none", "pap", "chap", "auto"] = "auto"


class Vpn(Arguments):
    """A tunnel to the CSMS; before OCPP 2.1 user, group and password have at most 20 characters."""

    server: str = Field(min_length=1, max_length=512)
    user: str = Field(max_length=50)
    group: str | None = Field(None, max_length=50)
    password: Secret = Field(max_length=64)
    key: Secret = Field(max_length=255)
    type: Literal["ikev2", "ipsec", "l2tp", "pptp"]


class SetNetworkProfile(Arguments):
    """Set a slot of the charger's connection settings; which slots are tried, and in which order, is the variable
    OCPPCommCtrlr.NetworkConfigurationPriority."""

    slot: int = Field(ge=0)
    url: Url = Field(description="The CSMS's URL, without the charger's identity")
    ocpp_version: Literal["1.2", "1.5", "1.6", "2.0.1", "2.1"] | None = Field(
        None, description="What the charger shall speak there; if absent 2.0.1, and on OCPP 2.1 left to the handshake"
    )
    transport: Literal["json", "soap"] = "json"
    interface: Literal[
        "wired0", "wired1", "wired2", "wired3", "wireless0", "wireless1", "wireless2", "wireless3", "any"
    ] = Field(description="any is of OCPP 2.1")
    message_timeout_s: int = Field(30, ge=1, description="Seconds that the charger waits for an answer")
    security_profile: int = Field(
        ge=0, le=3, description="1: password, 2: TLS and password, 3: TLS with a certificate of its own"
    )
    identity: str | None = Field(
        None, min_length=1, max_length=48, description="OCPP 2.1: the charger's identity there"
    )
    basic_auth_password: Secret | None = Field(
        None, min_length=16, max_length=64, description="OCPP 2.1: the charger's password there"
    )
    apn: Apn | None = None
    vpn: Vpn | None = None
