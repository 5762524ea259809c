"""A charger that takes some charging profiles and refuses others, to give limits to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gateway.core.reports import ActiveTransaction, Limit
from gateway.ocpp.profile import Answered, Call, Ending, Quirks, Refused, Station
from gateway.ocpp.profiles import PROFILES
from tests.ocpp.dialogue import Answer, Desk
from tests.ocpp.schema_folder import assert_request

VERSIONS = {profile.version: profile for profile in PROFILES.values()}
RUNNING = ActiveTransaction("tx-1", "42", 1, 1)
REJECTED = Answered({"status": "Rejected"})
NOT_SUPPORTED = Refused("NotSupported", "not_supported")

RESULT = (
    "status", "evse_id", "purpose", "unit", "limit", "stack_level", "phases", "until", "paused", "converted", "refused",
)  # fmt: skip

Allowed = Callable[["Profile"], bool]


@dataclass(frozen=True)
class Profile:
    """A charging profile as a charger got it."""

    evse_id: int
    id: int
    purpose: str
    kind: str
    stack_level: int
    unit: str
    limit: float
    phases: int | None
    transaction: str | None
    valid_to: str | None


_PURPOSES = {
    "ChargePointMaxProfile": "charger_max",
    "ChargingStationMaxProfile": "charger_max",
    "TxDefaultProfile": "tx_default",
    "TxProfile": "tx",
}


@dataclass
class Charger:
    """A charger that takes the profiles it is told to take, and tells what it can."""

    version: str
    takes: Allowed = lambda profile: True
    units: str | None = None
    max_level: str | None = None
    refusal: Answer = REJECTED
    tells: bool = True
    holds: dict[int, Profile] = field(default_factory=dict)
    offered: list[Profile] = field(default_factory=list)
    asked: int = 0
    clears_ids: bool = True

    def give(self, command: str, station: Station, **arguments: Any) -> Ending:
        calls, ending = Desk(VERSIONS[self.version], station).talk(command, arguments, self._answer)
        for call in calls:
            assert_request(VERSIONS[self.version], call.action, call.payload)
        # The same keys whatever became of it, so that nobody need look which there are.
        assert ending.result is not None
        assert tuple(ending.result) == RESULT
        return ending

    def _answer(self, call: Call) -> Answer:
        match call.action:
            case "SetChargingProfile":
                profile = _profile(call.payload)
                self.offered.append(profile)
                if not self.takes(profile):
                    return self.refusal
                self.holds[profile.id] = profile
                return Answered({"status": "Accepted"})
            case "ClearChargingProfile":
                return self._clear(call.payload)
            case _:
                self.asked += 1
                return self._abilities() if self.tells else NOT_SUPPORTED

    def _clear(self, payload: dict[str, Any]) -> Answer:
        by_id = payload.get("id", payload.get("chargingProfileId"))
        if by_id is not None and not self.clears_ids:
            return NOT_SUPPORTED
        fitting = payload.get("chargingProfileCriteria", payload)
        for number, held in list(self.holds.items()):
            where = fitting.get("connectorId", fitting.get("evseId"))
            fits = (where, _PURPOSES.get(fitting.get("chargingProfilePurpose", "")), fitting.get("stackLevel"))
            if number == by_id or fits == (held.evse_id, held.purpose, held.stack_level):
                del self.holds[number]
                return Answered({"status": "Accepted"})
        return Answered({"status": "Unknown"})

    def _abilities(self) -> Answer:
        keys = {"ChargingScheduleAllowedChargingRateUnit": self.units, "ChargeProfileMaxStackLevel": self.max_level}
        if self.version == "1.6":
            known = [{"key": key, "readonly": True, "value": value} for key, value in keys.items() if value]
            return Answered(
                {"configurationKey": known, "unknownKey": [key for key, value in keys.items() if not value]}
            )
        values = {"RateUnit": self.units, "ProfileStackLevel": self.max_level}
        return Answered(
            {
                "getVariableResult": [
                    {
                        "attributeStatus": "Accepted" if value else "UnknownVariable",
                        "component": {"name": "SmartChargingCtrlr"},
                        "variable": {"name": name},
                        **({"attributeValue": value} if value else {}),
                    }
                    for name, value in values.items()
                ]
            }
        )


def _profile(payload: dict[str, Any]) -> Profile:
    profile = payload.get("csChargingProfiles") or payload["chargingProfile"]
    schedule = profile["chargingSchedule"]
    schedule = schedule[0] if isinstance(schedule, list) else schedule
    (period,) = schedule["chargingSchedulePeriod"]
    transaction = profile.get("transactionId")
    return Profile(
        payload.get("connectorId", payload.get("evseId")),
        profile.get("chargingProfileId", profile.get("id")),
        _PURPOSES[profile["chargingProfilePurpose"]],
        profile["chargingProfileKind"],
        profile["stackLevel"],
        schedule["chargingRateUnit"],
        period["limit"],
        period.get("numberPhases"),
        None if transaction is None else str(transaction),
        profile.get("validTo"),
    )


def station(*running: ActiveTransaction, evses: int = 1, quirks: Quirks | None = None, **limits: Limit) -> Station:
    """A charger of so many EVSEs; limits by e{n}."""
    return Station(
        running,
        lambda: 4711,
        {int(name[1:]): limit for name, limit in limits.items()},
        range(1, evses + 1),
        quirks or Quirks(),
    )


def told(ending: Ending, *names: str) -> tuple[Any, ...]:
    assert ending.result is not None
    return tuple(ending.result[name] for name in names)
