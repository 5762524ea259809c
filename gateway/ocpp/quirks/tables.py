"""What a file of quirk profiles may say; `makes.toml` explains each option."""

import fnmatch
import re
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gateway.ocpp.samples import UNITS

_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})", re.ASCII).fullmatch


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _time_zone(value: object) -> tzinfo:
    if not isinstance(value, str):
        raise ValueError('a time zone is text, such as "Europe/Berlin" or "+02:00"')
    offset = _OFFSET(value)
    if offset is not None:
        sign, hours, minutes = offset.groups()
        distance = timedelta(hours=int(hours), minutes=int(minutes))
        if distance >= timedelta(days=1):
            raise ValueError(f"{value!r} is more than a day away from UTC")
        return timezone(-distance if sign == "-" else distance)
    if value in ("UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"no time zone is called {value!r}; they are called like Europe/Berlin, or +02:00") from None


Patterns = Annotated[tuple[str, ...], BeforeValidator(_as_list), Field(min_length=1)]
"""Shell patterns (`*`, `?`, `[abc]`), of which one must fit; a single one may stand without brackets."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Match(_Table):
    """Which chargers a profile is for: every field that is named must fit. All but the identity ignore case."""

    vendor: Patterns | None = None
    model: Patterns | None = None
    firmware: Patterns | None = None
    identity: Patterns | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name at least one of vendor, model, firmware, identity")
        return self

    @property
    def specificity(self) -> int:
        """How many fields are named."""
        return len(self.model_fields_set)


class UnitNote(_Table):
    """A unit that does not mean what it says."""

    measurand: str
    written: str
    meant: str = Field(alias="is")

    @model_validator(mode="after")
    def _is_a_unit(self) -> Self:
        if self.meant not in UNITS:
            raise ValueError(f"is: {self.meant!r} is no unit that is known; known are {', '.join(UNITS)}")
        return self


class ProfileTable(_Table):
    """One quirk profile: what is left out stays as a less specific profile, or the standard, has it."""

    name: str = Field(min_length=1, max_length=64)
    match: Match
    default_subprotocol: Literal["ocpp1.6", "ocpp2.0.1", "ocpp2.1"] | None = None
    probing: bool | None = None
    id_tag_length: int | None = Field(None, ge=20, le=255)
    strict: bool | None = None
    time_zone: Annotated[tzinfo, BeforeValidator(_time_zone)] | None = None
    ignore_zone: bool | None = None
    units: tuple[UnitNote, ...] = ()
    rate_unit: Literal["A", "W"] | None = None
    max_stack_level: int | None = Field(None, ge=0)
    phases: Literal[1, 2, 3] | None = None
    voltage_v: float | None = Field(None, gt=0, le=1000)

    def values(self) -> dict[str, Any]:
        """The options that are set, by their names in `Quirks`; units are merged apart."""
        told = self.model_fields_set - {"name", "match", "units"}
        return {name: getattr(self, name) for name in told if getattr(self, name) is not None}


class QuirkFile(_Table):
    """A file of quirk profiles."""

    profile: tuple[ProfileTable, ...] = ()


def compiled(patterns: Patterns | None, *, exact_case: bool = False) -> "re.Pattern[str] | None":
    """One expression for patterns of which any may fit."""
    if patterns is None:
        return None
    text = "|".join(fnmatch.translate(pattern) for pattern in patterns)
    return re.compile(text, 0 if exact_case else re.IGNORECASE)
