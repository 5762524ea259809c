"""Charging profiles as a limit in watts (OCPP 1.6 section 3.13, OCPP 2.x part 2, block K; kept simple)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

PHASE_VOLTAGE_V = 230.0


@dataclass(frozen=True, slots=True)
class Profile:
    """A charging profile: `periods` are (second from the beginning, limit in W), in order.

    `begins` and `ends` are Unix seconds; `ends` is None where the profile has no end.
    """

    id: int
    purpose: str
    stack_level: int
    begins: float
    ends: float | None
    periods: tuple[tuple[float, float], ...]
    transaction_id: str | int | None = None

    def limit_w(self, now: float) -> float | None:
        """The limit at this moment, None where the profile says nothing."""
        if now < self.begins or (self.ends is not None and now >= self.ends):
            return None
        limit = None
        for start, value in self.periods:
            if start <= now - self.begins:
                limit = value
        return limit


@dataclass(slots=True)
class Limits:
    """The profiles of a charger by EVSE; EVSE 0 holds those of the whole charger."""

    profiles: dict[int, list[Profile]] = field(default_factory=dict)

    def install(self, evse_id: int, profile: Profile) -> None:
        """Add a profile; it replaces one of the same id, or of the same purpose and stack level on its EVSE."""
        for installed in self.profiles.values():
            installed[:] = [other for other in installed if other.id != profile.id]
        kept = self.profiles.setdefault(evse_id, [])
        kept[:] = [o for o in kept if (o.purpose, o.stack_level) != (profile.purpose, profile.stack_level)]
        kept.append(profile)

    def clear(
        self,
        *,
        profile_id: int | None = None,
        evse_id: int | None = None,
        purpose: str | None = None,
        stack_level: int | None = None,
    ) -> bool:
        """Remove the profiles that fit all that is given; returns whether there were any."""
        found = False
        for evse, installed in self.profiles.items():
            for profile in list(installed):
                if (
                    (profile_id is None or profile.id == profile_id)
                    and (evse_id is None or evse == evse_id)
                    and (purpose is None or profile.purpose == purpose)
                    and (stack_level is None or profile.stack_level == stack_level)
                ):
                    installed.remove(profile)
                    found = True
        return found

    def end_transaction(self, evse_id: int) -> None:
        """Forget the profiles that lived for a transaction only."""
        self.clear(evse_id=evse_id, purpose="TxProfile")

    def power_w(self, evse_id: int, now: float) -> float | None:
        """The lowest limit that holds for this EVSE; per purpose the highest stack level counts."""
        strongest: dict[tuple[int, str], tuple[int, float]] = {}
        for evse in (0, evse_id):
            for profile in self.profiles.get(evse, ()):
                limit = profile.limit_w(now)
                key = (evse, profile.purpose)
                if limit is not None and (key not in strongest or profile.stack_level > strongest[key][0]):
                    strongest[key] = profile.stack_level, limit
        return min((limit for _, limit in strongest.values()), default=None)


def read_profile(profile: dict[str, Any], *, id_key: str, now: float) -> Profile:
    """Read an OCPP charging profile of any version; its first schedule counts.

    Raises KeyError, TypeError or ValueError where it is malformed.
    """
    schedule = profile["chargingSchedule"]
    if isinstance(schedule, list):
        schedule = schedule[0]
    begins = _seconds(schedule.get("startSchedule"), now)
    ends = [_seconds(profile["validTo"], now)] if profile.get("validTo") else []
    if schedule.get("duration") is not None:
        ends.append(begins + float(schedule["duration"]))
    periods = tuple(
        (float(period["startPeriod"]), _watts(period, schedule["chargingRateUnit"]))
        for period in schedule["chargingSchedulePeriod"]
        if period.get("limit") is not None
    )
    return Profile(
        id=int(profile[id_key]),
        purpose=str(profile["chargingProfilePurpose"]),
        stack_level=int(profile["stackLevel"]),
        begins=begins,
        ends=min(ends, default=None),
        periods=periods,
        transaction_id=profile.get("transactionId"),
    )


def _watts(period: dict[str, Any], unit: str) -> float:
    limit = float(period["limit"])
    return limit if unit == "W" else limit * PHASE_VOLTAGE_V * int(period.get("numberPhases") or 3)


def _seconds(text: str | None, default: float) -> float:
    if text is None:
        return default
    parsed = datetime.fromisoformat(text)
    return (parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)).timestamp()
