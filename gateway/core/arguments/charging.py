"""What a charger may draw."""

from pydantic import Field

from gateway.core.arguments.base import Arguments, EvseId


class SetChargingLimit(Arguments):
    """Limit what a connector, or the whole charger, may draw: in A or in W, until a time or until set anew."""

    current_a: float | None = Field(None, ge=0)
    power_w: float | None = Field(None, ge=0)
    evse_id: EvseId = Field(0, description="0 is the whole charger")
    phases: int | None = Field(None, ge=1, le=3)
    until: str | None = Field(None, description="RFC 3339; after it the limit is void")
