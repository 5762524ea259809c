"""Block K: charging profiles, what is known of them, limits of others, and the wishes of EVs."""

from typing import Any

import pytest

from tests.compliance.laboratory import ASKING, Laboratory
from tests.compliance.ocpp201.messages import VERSION, Transaction
from tests.compliance.ocpp201.orders import Order, carry_out, cases, order_of
from tests.compliance.station import CallError, Payload, at, holds

FROM = "2026-01-01T00:00:00.000Z"
TO = "2099-01-01T00:00:00.000Z"
PERIODS = [{"start_s": 0, "limit": 6}, {"start_s": 60, "limit": 10, "phases": 3}]
PERIODS_SENT = [{"startPeriod": 0, "limit": 6}, {"startPeriod": 60, "limit": 10, "numberPhases": 3}]


def profile(purpose: str, kind: str = "absolute", **more: Any) -> dict[str, Any]:
    """A charging profile as the operator writes it."""
    starts = {} if kind == "relative" else {"starts_at": FROM}
    schedule = {"id": 1, "unit": "A", "periods": PERIODS, "duration_s": 300, **starts}
    return {"id": 20, "stack_level": 1, "purpose": purpose, "kind": kind, "schedules": [schedule], **more}


def sent(purpose: str, kind: str = "Absolute", **more: Any) -> Payload:
    """The same as the station must get it."""
    starts = {} if kind == "Relative" else {"startSchedule": FROM}
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": PERIODS_SENT, "duration": 300, **starts}
    return {
        "id": 20,
        "stackLevel": 1,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
        "chargingSchedule": [schedule],
        **more,
    }


def _set(case: str, evse_id: int, given: dict[str, Any], wanted: Payload, **more: Any) -> Order:
    arguments = {"evse_id": evse_id, "profile": given}
    payload = {"evseId": evse_id, "chargingProfile": wanted}
    return Order(case, "set_charging_profile", arguments, "SetChargingProfile", payload, **more)


REJECTED = {"reply": {"status": "Rejected"}, "outcome": "rejected"}
VALID = {"valid_from": FROM, "valid_to": TO}
VALID_SENT = {"validFrom": FROM, "validTo": TO}
PROFILES = [
    _set("TC_K_01 default of an EVSE", 1, profile("tx_default", **VALID), sent("TxDefaultProfile", **VALID_SENT)),
    _set("TC_K_03 maximum of the station", 0, profile("charger_max", **VALID), sent("ChargingStationMaxProfile")),
    _set("TC_K_04 replaced by its id", 1, profile("tx_default", stack_level=2), sent("TxDefaultProfile", stackLevel=2)),
    _set("TC_K_10 default of all EVSEs", 0, profile("tx_default", **VALID), sent("TxDefaultProfile")),
    _set(
        "TC_K_19 recurring",
        1,
        profile("tx_default", "recurring", recurrency="daily"),
        sent("TxDefaultProfile", "Recurring", recurrencyKind="Daily"),
    ),
    _set("TC_K_XX rejected", 1, profile("tx_default"), sent("TxDefaultProfile"), **REJECTED),
    Order(
        "TC_K_15 not supported",
        "set_charging_profile",
        {"evse_id": 1, "profile": profile("tx_default")},
        "SetChargingProfile",
        {"evseId": 1},
        CallError("NotSupported"),
        "error",
    ),
]


def _clear(case: str, arguments: dict[str, Any], wanted: Payload, reply: str = "Accepted") -> Order:
    outcome = "accepted" if reply == "Accepted" else "rejected"
    return Order(case, "clear_charging_profile", arguments, "ClearChargingProfile", wanted, {"status": reply}, outcome)


CLEARED = [
    _clear("TC_K_05 by its id", {"profile_id": 20}, {"chargingProfileId": 20, "chargingProfileCriteria": None}),
    _clear(
        "TC_K_06 by level and purpose",
        {"purpose": "tx_default", "stack_level": 1},
        {"chargingProfileCriteria": {"chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 1}},
    ),
    _clear("TC_K_07 by EVSE", {"evse_id": 1}, {"chargingProfileId": None, "chargingProfileCriteria": {"evseId": 1}}),
    _clear("TC_K_08 there is none", {"profile_id": 20}, {"chargingProfileId": 20}, "Unknown"),
]


def reported(payload: Payload) -> list[tuple[str, Payload]]:
    """ReportChargingProfiles in two parts."""
    return [
        (
            "ReportChargingProfiles",
            {
                "requestId": payload["requestId"],
                "chargingLimitSource": "CSO",
                "evseId": 1,
                "tbc": tbc,
                "chargingProfile": [sent("TxDefaultProfile", id=number)],
            },
        )
        for number, tbc in ((20, True), (21, False))
    ]


def _get(case: str, arguments: dict[str, Any], evse_id: int | None, wanted: Payload, **more: Any) -> Order:
    payload = {"evseId": evse_id, "chargingProfile": wanted}
    settings: dict[str, Any] = {
        "follow": reported,
        "result": {"profiles": [{"id": 20}, {"id": 21}]},
        **more,
    }
    return Order(case, "get_charging_profiles", arguments, "GetChargingProfiles", payload, **settings)


ANY_SOURCE = {"chargingLimitSource": ["EMS", "Other", "SO", "CSO"]}
GOT = [
    _get("TC_K_29 of the station", {"evse_id": 0}, 0, ANY_SOURCE),
    _get("TC_K_30 of an EVSE", {"evse_id": 1}, 1, ANY_SOURCE),
    _get("TC_K_31 of all", {}, None, ANY_SOURCE),
    _get("TC_K_32 by id", {"profile_ids": [20]}, None, {"chargingProfileId": [20]}),
    _get("TC_K_33 by level", {"evse_id": 1, "stack_level": 1}, 1, {"stackLevel": 1}),
    _get("TC_K_34 by source", {"evse_id": 1, "sources": ["cso"]}, 1, {"chargingLimitSource": ["CSO"]}),
    _get(
        "TC_K_35 by purpose", {"evse_id": 1, "purpose": "tx_default"}, 1, {"chargingProfilePurpose": "TxDefaultProfile"}
    ),
    _get(
        "TC_K_36 by purpose and level",
        {"evse_id": 1, "purpose": "tx_default", "stack_level": 1},
        1,
        {"chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 1},
    ),
    _get("TC_K_XX there is none", {}, None, {}, reply={"status": "NoProfiles"}, follow=None, result={"profiles": []}),
]

COMPOSITE_REPLY = {
    "status": "Accepted",
    "schedule": {
        "evseId": 1,
        "duration": 300,
        "scheduleStart": FROM,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}],
    },
}
COMPOSITE = [
    Order(
        f"TC_K_{number} composite schedule",
        "get_composite_schedule",
        {"evse_id": evse_id, "duration_s": 300, "unit": "A"},
        "GetCompositeSchedule",
        {"evseId": evse_id, "duration": 300, "chargingRateUnit": "A"},
        COMPOSITE_REPLY,
        result={"periods": [{"start_s": 0, "limit": 6}]},
    )
    for number, evse_id in (("43", 1), ("44", 0))
]


@cases(PROFILES, CLEARED, GOT, COMPOSITE)
async def test_charging_profiles(order: Order, lab: Laboratory) -> None:
    """Use cases K01, K08, K09 and K10."""
    await carry_out(order, lab, VERSION)


# ---------------------------------------------------------------- profiles of a transaction


async def test_tc_k_02_a_transactions_profile_needs_a_transaction(lab: Laboratory) -> None:
    """K01.FR.03: where nothing runs there is nothing to send; sent raw, the station's no is told."""
    async with lab.booted(VERSION) as (station, operator):
        result = await operator.command("set_charging_profile", evse_id=1, profile=profile("tx"))
        assert (result["outcome"], station.unread) == ("invalid", [])
        payload = {"evseId": 1, "chargingProfile": sent("TxProfile", transactionId="gone")}
        raw = Order("TC_K_02", "SetChargingProfile", payload, "SetChargingProfile", payload, **REJECTED)  # type: ignore[arg-type]
        await order_of(raw, station, operator)


async def test_tc_k_60_a_running_transaction_gets_a_profile(lab: Laboratory) -> None:
    """K01.FR.03: it bears the transaction's id."""
    async with lab.booted(VERSION) as (station, operator):
        transaction = Transaction()
        await station.call("TransactionEvent", transaction.started("Authorized", id_token="VALID"))
        wanted = sent("TxProfile", "Relative", transactionId=transaction.id)
        await order_of(_set("TC_K_60", 1, profile("tx", "relative"), wanted), station, operator)


async def test_tc_k_70_several_profiles_are_set(lab: Laboratory) -> None:
    """K01.FR.04, FR.05: one after the other, each with an id of its own."""
    async with lab.booted(VERSION) as (station, operator):
        for order in (PROFILES[0], PROFILES[1], PROFILES[3]):
            await order_of(order, station, operator)


async def test_tc_k_37_a_transaction_is_started_with_a_profile(lab: Laboratory) -> None:
    """K05.FR.01, FR.02: of purpose TxProfile, and without a transaction's id."""
    wanted = {"evseId": 1, "chargingProfile": sent("TxProfile", "Relative", transactionId=None)}
    arguments = {"token": "VALID", "evse_id": 1, "profile": profile("tx", "relative")}
    await carry_out(Order("TC_K_37", "start", arguments, "RequestStartTransaction", wanted), lab, VERSION)


# ---------------------------------------------------------------- limits of others


@pytest.mark.parametrize(
    ("case", "action", "payload", "event"),
    [
        (
            "TC_K_48",
            "NotifyChargingLimit",
            {"evseId": 1, "chargingLimit": {"chargingLimitSource": "EMS", "isGridCritical": False}},
            "charging.limit",
        ),
        (
            "TC_K_48",
            "NotifyChargingLimit",
            {
                "chargingLimit": {"chargingLimitSource": "SO", "isGridCritical": True},
                "chargingSchedule": [
                    {
                        "id": 1,
                        "chargingRateUnit": "W",
                        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 4200.0}],
                    }
                ],
            },
            "charging.limit",
        ),
        ("TC_K_50", "ClearedChargingLimit", {"chargingLimitSource": "EMS"}, "charging.limit"),
        ("TC_K_50", "ClearedChargingLimit", {"chargingLimitSource": "SO", "evseId": 1}, "charging.limit"),
        (
            "TC_K_52",
            "ReportChargingProfiles",
            {
                "requestId": 4711,
                "chargingLimitSource": "EMS",
                "evseId": 1,
                "chargingProfile": [sent("ChargingStationExternalConstraints")],
            },
            "charging.profiles",
        ),
    ],
    ids=[
        "TC_K_48-limit-of-an-EVSE",
        "TC_K_48-limit-of-the-station",
        "TC_K_50-released",
        "TC_K_50-released-on-an-EVSE",
        "TC_K_52-reported",
    ],
)
async def test_an_external_limit_is_told(lab: Laboratory, case: str, action: str, payload: Payload, event: str) -> None:
    """K11.FR.02 to K13.FR.03."""
    name = lab.name()
    async with lab.business(name) as business, lab.booted(VERSION, identity=name) as (station, _):
        assert await station.call(action, payload) == {}
        await business.event(event)


async def test_tc_k_51_a_limit_is_released_while_a_transaction_runs(lab: Laboratory) -> None:
    """K13.FR.02: the new rate is told by the transaction."""
    async with lab.booted(VERSION) as (station, _):
        transaction = Transaction()
        await station.call("TransactionEvent", transaction.started("Authorized", id_token="VALID"))
        await station.call("TransactionEvent", transaction.updated("ChargingRateChanged", state="Charging"))
        assert await station.call("ClearedChargingLimit", {"chargingLimitSource": "EMS", "evseId": 1}) == {}


# ---------------------------------------------------------------- what EVs want (ISO 15118)

NEEDS = {
    "evseId": 1,
    "maxScheduleTuples": 3,
    "chargingNeeds": {
        "requestedEnergyTransfer": "AC_three_phase",
        "departureTime": TO,
        "acChargingParameters": {"energyAmount": 20000, "evMinCurrent": 6, "evMaxCurrent": 32, "evMaxVoltage": 400},
    },
}
DC_NEEDS = {
    "evseId": 1,
    "chargingNeeds": {
        "requestedEnergyTransfer": "DC",
        "dcChargingParameters": {"evMaxCurrent": 300, "evMaxVoltage": 500, "stateOfCharge": 20, "energyAmount": 50000},
    },
}
AGREED = {
    "evseId": 1,
    "timeBase": FROM,
    "chargingSchedule": {
        "id": 1,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}],
    },
}


@pytest.mark.parametrize("decision", ["accepted", "processing", "rejected"])
@pytest.mark.parametrize("needs", [NEEDS, DC_NEEDS], ids=["AC", "DC"])
async def test_tc_k_53_an_ev_tells_its_needs(lab: Laboratory, decision: str, needs: Payload) -> None:
    """K15.FR.02, FR.03, FR.05, FR.07: the business system decides, and then sends the profile."""
    name = lab.name(ASKING)
    answers = {"charging_needs": {"status": decision}, "charging_schedule": {"status": "accepted"}}
    async with lab.business(name, answers) as business, lab.booted(VERSION, identity=name) as (station, operator):
        transaction = Transaction()
        await station.call("TransactionEvent", transaction.started("Authorized", id_token="VALID"))
        assert await station.call("NotifyEVChargingNeeds", needs) == {"status": decision.capitalize()}
        assert holds(business.asked[-1], {"question": "charging_needs", "evse_id": 1})
        if decision == "rejected":
            return
        wanted = sent("TxProfile", "Relative", transactionId=transaction.id)
        await order_of(_set("TC_K_53", 1, profile("tx", "relative"), wanted), station, operator)
        assert await station.call("NotifyEVChargingSchedule", AGREED) == {"status": "Accepted"}
        await station.call("TransactionEvent", transaction.updated("ChargingStateChanged", state="Charging"))


@pytest.mark.parametrize(
    ("decision", "status"), [("accepted", "Accepted"), ("rejected", "Rejected")], ids=["within", "TC_K_55-beyond"]
)
async def test_an_evs_schedule_is_judged(lab: Laboratory, decision: str, status: str) -> None:
    """K15.FR.11, FR.12."""
    name = lab.name(ASKING)
    answers = {"charging_schedule": {"status": decision}}
    async with lab.business(name, answers), lab.booted(VERSION, identity=name) as (station, _):
        assert await station.call("NotifyEVChargingSchedule", AGREED) == {"status": status}


async def test_what_is_said_where_nobody_decides(lab: Laboratory) -> None:
    """K15.FR.04: without anybody who would send a profile the needs are rejected; a schedule is not objected to."""
    async with lab.booted(VERSION) as (station, _):
        assert await station.call("NotifyEVChargingNeeds", NEEDS) == {"status": "Rejected"}
        assert await station.call("NotifyEVChargingSchedule", AGREED) == {"status": "Accepted"}


@pytest.mark.parametrize("case", ["TC_K_57-by-the-EV", "TC_K_58-by-the-operator", "TC_K_59-by-the-operator-with-needs"])
async def test_a_schedule_is_negotiated_anew(lab: Laboratory, case: str) -> None:
    """K16.FR.01, FR.02, K17.FR.02: a new TxProfile at any time, and new needs at any time."""
    name = lab.name(ASKING)
    answers = {"charging_needs": {"status": "accepted"}, "charging_schedule": {"status": "accepted"}}
    async with lab.business(name, answers), lab.booted(VERSION, identity=name) as (station, operator):
        transaction = Transaction()
        await station.call("TransactionEvent", transaction.started("Authorized", id_token="VALID"))
        if case.startswith("TC_K_57"):
            assert await station.call("NotifyEVChargingNeeds", NEEDS) == {"status": "Accepted"}
        wanted = sent("TxProfile", "Relative", transactionId=transaction.id)
        await order_of(_set(case, 1, profile("tx", "relative"), wanted), station, operator)
        if case.startswith("TC_K_59"):
            assert await station.call("NotifyEVChargingNeeds", NEEDS) == {"status": "Accepted"}
        assert await station.call("NotifyEVChargingSchedule", AGREED | {"timeBase": at()}) == {"status": "Accepted"}
