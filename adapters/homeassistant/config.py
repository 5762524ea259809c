"""Section [homeassistant]: how chargers announce themselves to Home Assistant."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Language = Literal["de", "en", "es", "fr", "it", "nl"]

Amperes = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]


class HomeCharger(BaseModel):
    """What a home knows of one charger."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = Field(None, min_length=1, description="Name of the device; its charger id if absent")
    area: str | None = Field(None, min_length=1, description="Area that is suggested for the device, e.g. Garage")
    min_a: Amperes | None = Field(None, description="Lowest charging limit that can be set; 6 if absent")
    max_a: Amperes | None = Field(
        None, description="Highest; if absent, the highest current that the charger was seen to offer, else 32"
    )
    firmware_url: str | None = Field(
        None,
        pattern=r"^[a-z]+://\S+$",
        description="Where the firmware lies that Home Assistant offers to install; with firmware_version",
    )
    firmware_version: str | None = Field(
        None,
        min_length=1,
        description="Version of the firmware at firmware_url, in the charger's words",
    )

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> Self:
        if self.min_a is not None and self.max_a is not None and self.min_a > self.max_a:
            raise ValueError(f"min_a ({self.min_a:g}) is above max_a ({self.max_a:g})")
        return self

    @model_validator(mode="after")
    def _firmware_has_both(self) -> Self:
        if (self.firmware_url is None) != (self.firmware_version is None):
            raise ValueError("firmware_url and firmware_version go together: one is set, the other is not")
        return self


class HomeAssistantConfig(BaseModel):
    """What is announced to Home Assistant over the broker of [mqtt], and in which words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(True, description="Announce chargers to Home Assistant by MQTT discovery")
    discovery_prefix: str = Field(
        "homeassistant",
        min_length=1,
        description="Home Assistant's discovery prefix; its birth message is heard there",
    )
    max_chargers: int = Field(
        50,
        ge=1,
        description="Chargers announced at the most, those under [homeassistant.chargers] first, then by name: "
        "a home is announced, a fleet is not",
    )
    language: Language = Field("en", description="Language of the entities' names and options")
    currency: str | None = Field(
        None, pattern=r"^[A-Z]{3}$", description="Of costs where the charger tells none, ISO 4217, e.g. EUR"
    )
    gateway_url: str | None = Field(
        None,
        pattern=r"^https?://\S+$",
        description="http:// or https:// URL that the devices link to, e.g. of the gateway's own pages; none: no link",
    )
    chargers: dict[str, HomeCharger] = Field(
        default_factory=dict,
        description="What is known of single chargers, a table [homeassistant.chargers.ID] for each charger id: name, "
        "area, min_a and max_a (bounds of its charging limit), firmware_url and firmware_version",
    )

    @field_validator("discovery_prefix")
    @classmethod
    def _prefix_is_a_topic(cls, prefix: str) -> str:
        if set("+#\x00") & set(prefix) or prefix.startswith(("/", "$")) or prefix.endswith("/"):
            raise ValueError("a prefix has no + # and does not begin or end with a slash, nor begin with $")
        return prefix
