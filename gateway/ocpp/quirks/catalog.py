"""Which quirks a charger has: the profiles that fit it, laid over one another."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.resources import files
from typing import Any, Self

from gateway.ocpp.profile import STANDARD, Quirks, UnitCorrection
from gateway.ocpp.quirks.tables import ProfileTable, QuirkFile, compiled
from gateway.ocpp.samples import UNITS


@dataclass(frozen=True, slots=True)
class Make:
    """Who a charger is: its identity, and what its last boot said."""

    identity: str
    vendor: str | None = None
    model: str | None = None
    firmware: str | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    """A profile with its patterns compiled, in the order of `Make`'s fields."""

    profile: ProfileTable
    patterns: tuple["re.Pattern[str] | None", ...]

    def fits(self, make: Make) -> bool:
        said = (make.identity, make.vendor, make.model, make.firmware)
        return all(
            pattern is None or (text is not None and pattern.match(text) is not None)
            for pattern, text in zip(self.patterns, said, strict=True)
        )


@dataclass(frozen=True)
class Catalog:
    """Quirk profiles, those that win last.

    All that fit a charger apply together: of two that say the same thing, the operator's wins over ours, then the one
    that names more of vendor, model, firmware and identity, then the later.
    """

    profiles: tuple[ProfileTable, ...] = ()

    @classmethod
    def of(cls, ours: Iterable[ProfileTable], operators: Iterable[ProfileTable] = ()) -> Self:
        """A catalog of the built-in profiles and an operator's."""

        def ordered(profiles: Iterable[ProfileTable]) -> list[ProfileTable]:
            return sorted(profiles, key=lambda profile: profile.match.specificity)

        return cls((*ordered(ours), *ordered(operators)))

    def quirks(self, make: Make) -> Quirks:
        """What is known of such a charger; STANDARD where nothing is."""
        fitting = [entry.profile for entry in self._entries if entry.fits(make)]
        if not fitting:
            return STANDARD
        values: dict[str, Any] = {}
        units: dict[tuple[str, str], UnitCorrection] = {}
        for profile in fitting:
            values |= profile.values()
            units |= {(note.measurand, note.written): UNITS[note.meant] for note in profile.units}
        name = " + ".join(dict.fromkeys(profile.name for profile in fitting))
        return replace(STANDARD, name=name, units=units, **values)

    @cached_property
    def _entries(self) -> tuple[_Entry, ...]:
        return tuple(_entry(profile) for profile in self.profiles)


def _entry(profile: ProfileTable) -> _Entry:
    match = profile.match
    identity = compiled(match.identity, exact_case=True)
    return _Entry(profile, (identity, compiled(match.vendor), compiled(match.model), compiled(match.firmware)))


def built_in() -> tuple[ProfileTable, ...]:
    """The profiles that come with the gateway."""
    text = files("gateway").joinpath("ocpp", "quirks", "makes.toml").read_text("utf-8")
    return QuirkFile.model_validate(tomllib.loads(text)).profile
