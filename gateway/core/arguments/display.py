"""What a charger shows on its display (OCPP 2.x)."""

from typing import ClassVar, Literal

from pydantic import Field

from gateway.core.arguments.base import Arguments, EvseId, Moment

Format = Literal["ascii", "html", "uri", "utf8", "qrcode"]
Priority = Literal["always_front", "in_front", "normal_cycle"]
DisplayState = Literal["charging", "faulted", "idle", "unavailable", "suspended", "discharging"]


class DisplayText(Arguments):
    """A text in one language."""

    text: str = Field(min_length=1, max_length=1024, description="Before OCPP 2.1 at most 512 characters")
    format: Format = Field("utf8", description="qrcode is of OCPP 2.1")
    language: str | None = Field(None, max_length=8, description="RFC 5646, e.g. de")


class DisplayMessage(DisplayText):
    """Show a message; one with the same id is replaced."""

    message_id: int | None = Field(None, ge=0, lt=1 << 31, description="Given by the gateway if absent")
    priority: Priority = "normal_cycle"
    state: DisplayState | None = Field(
        None, description="Show it in this state only; suspended and discharging are of OCPP 2.1"
    )
    starts_at: Moment | None = Field(None, description="RFC 3339; at once if absent")
    ends_at: Moment | None = Field(None, description="RFC 3339; then it is taken away")
    transaction_id: str | None = Field(
        None, description="Show it while this transaction runs: the gateway's id, or the charger's own"
    )
    display: str | None = Field(None, max_length=50, description="The component that it is shown on, if there are more")
    evse_id: EvseId | None = Field(None, description="The EVSE of that display")
    extra: list[DisplayText] = Field(
        default_factory=list, max_length=4, description="OCPP 2.1: the same in other languages or formats"
    )


class GetDisplayMessages(Arguments):
    """Which messages the charger has: all, or those with these ids, of this priority, for this state."""

    default_timeout: ClassVar[float | None] = 60.0

    ids: list[int] = Field(default_factory=list)
    priority: Priority | None = None
    state: DisplayState | None = None


class ClearDisplayMessage(Arguments):
    """Take a message away."""

    message_id: int = Field(ge=0, lt=1 << 31)
