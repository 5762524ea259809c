"""Charging profiles as a limit in watts (OCPP 1.6 section 3.13, OCPP 2.x part 2, block K; kept simple)."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from gateway.simulator.times import unix_seconds

PHASE_VOLTAGE_V = 230.0
PHASES = 3
RECURRENCE_S = {"Daily": 86_400.0, "Weekly": 604_800.0}
STATION_PURPOSES = ("ChargePointMaxProfile", "ChargingStationMaxProfile", "ChargingStationExternalConstraints")


@dataclass(frozen=True, slots=True)
class Moment:
    """When a limit is asked for: the time, since when a transaction runs, and whether it has priority (2.1)."""

    now: float
    since: float | None = None
    priority: bool = False


@dataclass(slots=True)
class Profile:
    """A charging profile: `periods` are (second from the beginning, limit in W or None), in order.

    Times are Unix seconds; `begins` is None where the profile begins with the transaction, `ends` where it has no
    end. `raw` is the profile as it came.
    """

    id: int
    purpose: str
    stack_level: int
    begins: float | None
    duration: float | None
    valid_from: float | None
    valid_to: float | None
    recurs_s: float | None
    periods: list[tuple[float, float | None]]
    raw: dict[str, Any]
    transaction_id: str | int | None = None

    def limit_w(self, moment: Moment) -> float | None:
        """The limit at this moment, None where the profile says nothing."""
        now = moment.now
        if (self.valid_from is not None and now < self.valid_from) or (
            self.valid_to is not None and now >= self.valid_to
        ):
            return None
        elapsed = now - self._beginning(moment)
        if self.recurs_s is not None:
            elapsed %= self.recurs_s
        if elapsed < 0 or (self.duration is not None and elapsed >= self.duration):
            return None
        limit = None
        for start, value in self.periods:
            if start <= elapsed:
                limit = value
        return limit

    def turns(self, moment: Moment, until: float) -> list[float]:
        """The times until then at which the limit may change."""
        begins = self._beginning(moment)
        if self.recurs_s is not None and begins <= moment.now:
            begins += (moment.now - begins) // self.recurs_s * self.recurs_s
        offsets = [start for start, _ in self.periods]
        if self.duration is not None:
            offsets.append(self.duration)
        times = [self.valid_from, self.valid_to]
        while begins < until:
            times += [begins + offset for offset in offsets]
            if self.recurs_s is None:
                break
            begins += self.recurs_s
        return [time for time in times if time is not None and moment.now < time < until]

    def _beginning(self, moment: Moment) -> float:
        if self.begins is not None:
            return self.begins
        return moment.now if moment.since is None else moment.since


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
        ids = None if profile_id is None else (profile_id,)
        found = self.find(profile_ids=ids, evse_id=evse_id, purpose=purpose, stack_level=stack_level)
        for evse, profile in found:
            self.profiles[evse].remove(profile)
        return bool(found)

    def find(
        self,
        *,
        profile_ids: Collection[int] | None = None,
        evse_id: int | None = None,
        purpose: str | None = None,
        stack_level: int | None = None,
    ) -> list[tuple[int, Profile]]:
        """The profiles that fit all that is given, with their EVSEs."""
        return [
            (evse, profile)
            for evse, installed in sorted(self.profiles.items())
            for profile in installed
            if (profile_ids is None or profile.id in profile_ids)
            and (evse_id is None or evse == evse_id)
            and (purpose is None or profile.purpose == purpose)
            and (stack_level is None or profile.stack_level == stack_level)
        ]

    def end_transaction(self, evse_id: int) -> None:
        """Forget the profiles that lived for a transaction only."""
        self.clear(evse_id=evse_id, purpose="TxProfile")

    def power_w(self, evse_id: int, moment: Moment) -> float | None:
        """What holds for this EVSE: the charger's limit, or that of the transaction where it is lower.

        A transaction's own profile goes before the default one of its EVSE, and that before the charger's default;
        per purpose the highest stack level counts.
        """
        limits = [self.station_w(moment), self._strongest(evse_id, "ChargingStationExternalConstraints", moment)]
        own = [self._strongest(evse_id, "PriorityCharging", moment)] if moment.priority else []
        own += [
            self._strongest(evse_id, "TxProfile", moment),
            self._strongest(evse_id, "TxDefaultProfile", moment),
            self._strongest(0, "TxDefaultProfile", moment),
        ]
        limits.append(next((limit for limit in own if limit is not None), None))
        return min((limit for limit in limits if limit is not None), default=None)

    def station_w(self, moment: Moment) -> float | None:
        """What holds for the whole charger together."""
        limits = [self._strongest(0, purpose, moment) for purpose in STATION_PURPOSES]
        return min((limit for limit in limits if limit is not None), default=None)

    def turns(self, evse_id: int, moment: Moment, until: float) -> set[float]:
        """The times from this moment until then at which what holds for this EVSE may change."""
        installed = [*self.profiles.get(0, ()), *(self.profiles.get(evse_id, ()) if evse_id else ())]
        return {moment.now, *(time for profile in installed for time in profile.turns(moment, until))}

    def _strongest(self, evse_id: int, purpose: str, moment: Moment) -> float | None:
        strongest: tuple[int, float] | None = None
        for profile in self.profiles.get(evse_id, ()):
            limit = profile.limit_w(moment) if profile.purpose == purpose else None
            if limit is not None and (strongest is None or profile.stack_level > strongest[0]):
                strongest = profile.stack_level, limit
        return None if strongest is None else strongest[1]


def read_profile(profile: dict[str, Any], *, id_key: str, now: float) -> Profile:
    """Read an OCPP charging profile of any version; its first schedule counts.

    Raises KeyError, TypeError or ValueError where it is malformed.
    """
    schedule = profile["chargingSchedule"]
    if isinstance(schedule, list):
        schedule = schedule[0]
    kind = str(profile["chargingProfileKind"])
    begins = None if kind == "Relative" else _seconds(schedule.get("startSchedule"))
    return Profile(
        id=int(profile[id_key]),
        purpose=str(profile["chargingProfilePurpose"]),
        stack_level=int(profile["stackLevel"]),
        begins=now if begins is None and kind != "Relative" else begins,
        duration=None if schedule.get("duration") is None else float(schedule["duration"]),
        valid_from=_seconds(profile.get("validFrom")),
        valid_to=_seconds(profile.get("validTo")),
        recurs_s=RECURRENCE_S.get(profile.get("recurrencyKind", "Daily")) if kind == "Recurring" else None,
        periods=[(float(p["startPeriod"]), _limit_w(p, schedule)) for p in schedule["chargingSchedulePeriod"]],
        raw=profile,
        transaction_id=profile.get("transactionId"),
    )


def update_profile(profile: Profile, update: dict[str, Any]) -> None:
    """OCPP 2.1: the values of a dynamic profile as they are now; what is not named stays."""
    schedule = profile.raw["chargingSchedule"][0]
    schedule["chargingSchedulePeriod"][0].update(update)
    profile.periods[0] = profile.periods[0][0], _limit_w(schedule["chargingSchedulePeriod"][0], schedule)


def in_unit(limit_w: float, unit: str) -> float:
    """A limit in W, or as the current per phase, to one decimal."""
    return round(limit_w if unit == "W" else limit_w / PHASE_VOLTAGE_V / PHASES, 1)


def _limit_w(period: dict[str, Any], schedule: dict[str, Any]) -> float | None:
    if period.get("limit") is None:
        return None
    limit = float(period["limit"])
    if schedule["chargingRateUnit"] == "W":
        return limit
    return limit * PHASE_VOLTAGE_V * int(period.get("numberPhases") or PHASES)


def _seconds(timestamp: str | None) -> float | None:
    return None if timestamp is None else unix_seconds(timestamp)
