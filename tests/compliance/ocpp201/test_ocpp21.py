"""What OCPP 2.1 adds and what it does otherwise, in the blocks of its certification."""

import asyncio
from typing import Any

import pytest

from gateway.core.arguments.examples import ARGUMENTS
from tests.compliance.laboratory import ASKING, STRICT, Laboratory
from tests.compliance.ocpp201 import test_b_provisioning as b
from tests.compliance.ocpp201.messages import Transaction, status
from tests.compliance.ocpp201.orders import Order, carry_out, cases, order_of
from tests.compliance.ocpp201.test_k_smart_charging import profile
from tests.compliance.station import Payload, at, holds
from tests.ocpp.payloads_21 import INBOUND_21

VERSION = "2.1"

# ---------------------------------------------------------------- frames


async def test_a_send_is_never_answered(lab: Laboratory) -> None:
    """Part 4, section 4.2.5: NotifyPeriodicEventStream travels as SEND."""
    name = lab.name()
    async with lab.business(name) as business, lab.booted(VERSION, identity=name) as (station, _):
        await station.send("NotifyPeriodicEventStream", INBOUND_21["NotifyPeriodicEventStream"])
        told = await business.event("stream.data")
        assert told["raw"]["id"] == 1
        answer = await station.frame('[2,"marker","Nonsense",{}]')
        assert answer[:3] == [4, "marker", "NotImplemented"]


async def test_an_error_to_a_result_is_taken(lab: Laboratory) -> None:
    """Part 4, section 4.2.4: CALLRESULTERROR is not answered, and ends nothing."""
    async with lab.booted(VERSION) as (station, _):
        assert "currentTime" in await station.call("Heartbeat", {}, message_id="beat")
        await station.socket.send('[5,"beat","FormatViolation","no time",{}]')
        assert "currentTime" in await station.call("Heartbeat", {})


async def test_a_result_that_breaks_its_schema_gets_an_error_where_that_is_asked_for(lab: Laboratory) -> None:
    """Part 4, section 4.2.4."""
    async with lab.booted(VERSION, vendor=STRICT) as (station, operator):
        station.replies["GetLocalListVersion"] = {}
        command = asyncio.create_task(operator.command("get_local_list_version"))
        error = await station.other_frame()
        assert (error[0], error[2], len(error)) == (5, "OccurrenceConstraintViolation", 5)
        assert (await command)["outcome"] == "error"


# ---------------------------------------------------------------- orders


def _order(case: str, name: str, action: str, sent: Payload | None = None, **more: Any) -> Order:
    arguments = more.pop("arguments", ARGUMENTS.get(name, {}))
    return Order(case, name, arguments, action, sent or {}, **more)


NETWORK = {**ARGUMENTS["set_network_profile"], "identity": "OTHER", "basic_auth_password": "0123456789abcdef"}
SENT_21 = {"chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"}}


def _profile(case: str, changes: dict[str, Any], sent: Payload, *, period: dict[str, Any] | None = None) -> Order:
    given = profile("tx_default")
    given["schedules"][0] |= changes.pop("schedule", {})
    if period is not None:
        given["schedules"][0]["periods"] = [{"start_s": 0, **period}]
    arguments = {"evse_id": 1, "profile": given | changes}
    return Order(case, "set_charging_profile", arguments, "SetChargingProfile", {"chargingProfile": sent})


TARIFF = {"tariffId": "evening", "currency": "EUR"}
ORDERS = [
    _order(
        "TC_B_100 network profile with identity and password",
        "set_network_profile",
        "SetNetworkProfile",
        {"connectionData": {"identity": "OTHER", "basicAuthPassword": "0123456789abcdef", "ocppVersion": None}},
        arguments=NETWORK,
    ),
    _order(
        "TC_B_103 reset and resume",
        "reset",
        "Reset",
        {"type": "ImmediateAndResume"},
        arguments={"type": "immediate_and_resume"},
    ),
    _order(
        "TC_F_100 custom trigger",
        "trigger",
        "TriggerMessage",
        {"requestedMessage": "CustomTrigger", "customTrigger": "Whatever"},
        arguments={"message": "CustomTrigger", "custom": "Whatever"},
    ),
    _order(
        "TC_C_131 payment on the web", "notify_web_payment_started", "NotifyWebPaymentStarted", {"evseId": 1}, reply={}
    ),
    _order(
        "TC_I_101 default tariff",
        "set_default_tariff",
        "SetDefaultTariff",
        {"tariff": TARIFF | {"energy": {"prices": [{"conditions": {"startTimeOfDay": "20:00"}}, {}]}}},
    ),
    *(
        _order(
            f"TC_I_106 default tariff {reply}",
            "set_default_tariff",
            "SetDefaultTariff",
            reply={"status": reply},
            outcome="rejected",
        )
        for reply in ("Rejected", "TooManyElements", "ConditionNotSupported", "DuplicateTariffId")
    ),
    _order(
        "TC_I_107 tariffs of a station",
        "get_tariffs",
        "GetTariffs",
        {"evseId": 1},
        reply={"status": "Accepted", "tariffAssignments": [{"tariffId": "evening", "tariffKind": "DefaultTariff"}]},
    ),
    _order(
        "TC_I_110 tariffs cleared",
        "clear_tariffs",
        "ClearTariffs",
        {"tariffIds": ["evening"]},
        reply={"clearTariffsResult": [{"tariffId": "evening", "status": "Accepted"}]},
    ),
    _profile("TC_K_100 offline duration", {"max_offline_duration_s": 60}, {"maxOfflineDuration": 60}),
    _profile(
        "TC_K_101 operation mode",
        {},
        {"chargingSchedule": [{"chargingSchedulePeriod": [{"operationMode": "CentralSetpoint", "setpoint": 5000}]}]},
        period={"operation_mode": "central_setpoint", "setpoint": 5000},
    ),
    _profile(
        "TC_K_102 limit at a state of charge",
        {"schedule": {"limit_at_soc": {"soc_percent": 80, "limit": 10}}},
        {"chargingSchedule": [{"limitAtSoC": {"soc": 80, "limit": 10}}]},
    ),
    _profile(
        "TC_K_104 priority charging", {"purpose": "priority_charging"}, {"chargingProfilePurpose": "PriorityCharging"}
    ),
    _profile(
        "TC_K_106 random delay",
        {"schedule": {"randomized_delay_s": 30}},
        {"chargingSchedule": [{"randomizedDelay": 30}]},
    ),
    _profile(
        "TC_K_121 dynamic profile",
        {"kind": "dynamic", "dynamic_update_interval_s": 5},
        {"chargingProfileKind": "Dynamic", "dynUpdateInterval": 5},
    ),
    _order(
        "TC_K_122 dynamic profile is changed",
        "update_dynamic_schedule",
        "UpdateDynamicSchedule",
        {"chargingProfileId": 30, "scheduleUpdate": {"limit": 11000}},
    ),
    _order(
        "TC_M_101 root of a car maker",
        "install_certificate",
        "InstallCertificate",
        {"certificateType": "OEMRootCertificate"},
        arguments={**ARGUMENTS["install_certificate"], "type": "oem_root"},
    ),
    _order(
        "TC_N_107 event streams",
        "get_event_streams",
        "GetPeriodicEventStream",
        reply={"constantStreamData": [{"id": 1, "variableMonitoringId": 3, "params": {"interval": 10, "values": 5}}]},
    ),
    _order(
        "TC_N_108 event stream is adjusted",
        "adjust_event_stream",
        "AdjustPeriodicEventStream",
        {"id": 1, "params": {"interval": 60}},
    ),
    Order(
        "TC_O_100 language not supported",
        "display_message",
        {"text": "Hello", "language": "en", "extra": [{"text": "Hallo", "language": "de"}]},
        "SetDisplayMessage",
        {"message": {"message": {"language": "en"}, "messageExtra": [{"language": "de", "content": "Hallo"}]}},
        {"status": "LanguageNotSupported"},
        "rejected",
    ),
    _order("TC_Q_120 aFRR signal", "send_afrr_signal", "AFRRSignal", {"signal": 10}),
    _order(
        "TC_R_107 DER control is set",
        "set_der_control",
        "SetDERControl",
        {"controlType": "VoltWatt", "isDefault": True},
    ),
    _order("TC_R_107 DER control is cleared", "clear_der_control", "ClearDERControl", {"controlType": "VoltWatt"}),
    *(
        _order(
            f"TC_S_10{number} battery swap {reply}",
            "request_battery_swap",
            "RequestBatterySwap",
            {"idToken": {"idToken": "04A2B3C4D5E6F7"}},
            reply={"status": reply},
            outcome="accepted" if reply == "Accepted" else "rejected",
        )
        for number, reply in ((2, "Rejected"), (3, "Accepted"))
    ),
]


@cases(ORDERS)
async def test_orders(order: Order, lab: Laboratory) -> None:
    await carry_out(order, lab, VERSION)


@cases(b.VARIABLES, b.REPORTS, b.SERVICE[:6])
async def test_provisioning_is_as_in_2_0_1(order: Order, lab: Laboratory) -> None:
    await carry_out(order, lab, VERSION)


@pytest.mark.parametrize(
    "order",
    [
        Order(
            "TC_I_113",
            "change_transaction_tariff",
            ARGUMENTS["change_transaction_tariff"],
            "ChangeTransactionTariff",
            {"tariff": {"tariffId": "guest"}},
        ),
        Order(
            "TC_K_118",
            "use_priority_charging",
            ARGUMENTS["use_priority_charging"],
            "UsePriorityCharging",
            {"activate": True},
        ),
        Order(
            "TC_Q_102",
            "set_allowed_energy_transfer",
            ARGUMENTS["set_allowed_energy_transfer"],
            "NotifyAllowedEnergyTransfer",
            {"allowedEnergyTransfer": ["AC_three_phase", "DC_BPT"]},
        ),
    ],
    ids=lambda order: order.case,
)
async def test_orders_for_a_transaction(order: Order, lab: Laboratory) -> None:
    """Each bears the id of the transaction that runs."""
    async with lab.booted(VERSION) as (station, operator):
        transaction = Transaction()
        await station.call("TransactionEvent", transaction.started("Authorized", id_token="VALID"))
        order.sent["transactionId"] = transaction.id
        await order_of(order, station, operator)


# ---------------------------------------------------------------- what stations say and ask

TOLD = {
    # action → the event that tells it
    "BatterySwap": "battery.swap",
    "ClosePeriodicEventStream": "stream.closed",
    "NotifyDERAlarm": "der.alarm",
    "NotifyDERStartStop": "der.start_stop",
    "NotifyPriorityCharging": "charging.priority",
    "ReportDERControl": "der.controls",
}


@pytest.mark.parametrize("action", TOLD)
async def test_what_a_station_tells(lab: Laboratory, action: str) -> None:
    """TC_K_118, TC_R_108, TC_S_103 and others: answered with nothing, and told on."""
    name = lab.name()
    async with lab.business(name) as business, lab.booted(VERSION, identity=name) as (station, _):
        assert await station.call(action, INBOUND_21[action]) == {}
        await business.event(TOLD[action])


ASKED: dict[str, tuple[str, str, dict[str, Any], Payload]] = {
    # case → what the station asks, the question, its answer, what the station is told
    "TC_C_108 VAT number": (
        "VatNumberValidation",
        "vat_number",
        {"status": "accepted", "name": "Example GmbH", "address1": "Street 1", "city": "Berlin", "country": "DE"},
        {"status": "Accepted", "vatNumber": "DE123456789", "company": {"name": "Example GmbH", "city": "Berlin"}},
    ),
    "TC_C_108 VAT number is not valid": (
        "VatNumberValidation",
        "vat_number",
        {"status": "rejected"},
        {"status": "Rejected", "vatNumber": "DE123456789"},
    ),
    "TC_C_117 settlement with a receipt": (
        "NotifySettlement",
        "settlement",
        {"receipt_url": "https://pay.example.com/R-2", "receipt_id": "R-2"},
        {"receiptUrl": "https://pay.example.com/R-2", "receiptId": "R-2"},
    ),
    "TC_M_24 status of a chain": (
        "GetCertificateChainStatus",
        "certificate_chain_status",
        {"certificates": [{"status": "good", "next_update": "2099-01-01T00:00:00Z"}]},
        {"certificateStatus": [{"status": "Good", "source": "OCSP", "nextUpdate": "2099-01-01T00:00:00.000Z"}]},
    ),
    "TC_M_100 contract certificates": (
        "Get15118EVCertificate",
        "ev_certificate",
        {"status": "accepted", "exi_response": "gJgC", "remaining_contracts": 2},
        {"status": "Accepted", "exiResponse": "gJgC", "remainingContracts": 2},
    ),
    "TC_K_121 dynamic schedule is pulled": (
        "PullDynamicScheduleUpdate",
        "dynamic_schedule",
        {"status": "accepted", "limit": 11000},
        {"status": "Accepted", "scheduleUpdate": {"limit": 11000}},
    ),
    "TC_N_105 event stream is opened": (
        "OpenPeriodicEventStream",
        "event_stream",
        {"status": "accepted"},
        {"status": "Accepted"},
    ),
    "TC_Q_103 charging needs are rejected": (
        "NotifyEVChargingNeeds",
        "charging_needs",
        {"status": "rejected"},
        {"status": "Rejected"},
    ),
    "TC_K_126 no charging profile is set": (
        "NotifyEVChargingNeeds",
        "charging_needs",
        {"status": "no_charging_profile"},
        {"status": "NoChargingProfile"},
    ),
}


@pytest.mark.parametrize("case", ASKED, ids=[case.replace(" ", "-") for case in ASKED])
async def test_what_a_station_asks(lab: Laboratory, case: str) -> None:
    """The business system decides, the station gets it in OCPP's words."""
    action, question, answer, told = ASKED[case]
    name = lab.name(ASKING)
    async with lab.business(name, {question: answer}) as business, lab.booted(VERSION, identity=name) as (station, _):
        found = await station.call(action, INBOUND_21[action])
        assert holds(found, told), found
        assert holds(business.asked, [{"question": question}])


@pytest.mark.parametrize("settled", ["Settled", "Canceled", "Rejected", "Failed"])
async def test_tc_c_113_to_120_settlements(lab: Laboratory, settled: str) -> None:
    """C20 to C22: each way that a payment may end is taken."""
    async with lab.booted(VERSION) as (station, _):
        payload = {"pspRef": "psp-1", "status": settled, "settlementAmount": 0.0, "settlementTime": at()}
        assert await station.call("NotifySettlement", payload) == {}


@pytest.mark.parametrize(
    ("trigger", "info"),
    [
        ("LimitSet", {"transactionLimit": {"maxCost": 20.0}}),
        ("EnergyLimitReached", {"transactionLimit": {"maxEnergy": 5000.0}}),
        ("TimeLimitReached", {"transactionLimit": {"maxTime": 3600}}),
        ("CostLimitReached", {"transactionLimit": {"maxCost": 20.0}}),
        ("SoCLimitReached", {"transactionLimit": {"maxSoC": 80}}),
        ("TxResumed", {"operationMode": "ChargingOnly"}),
        ("TariffChanged", {"tariffId": "guest"}),
        ("RunningCost", {"tariffId": "evening"}),
        ("OperationModeChanged", {"operationMode": "CentralSetpoint"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_tc_e_102_to_117_limits_and_resumptions(lab: Laboratory, trigger: str, info: Payload) -> None:
    """E16, E17: what a transaction's station tells of limits, costs and modes is taken and told on."""
    name = lab.name()
    async with lab.business(name) as business, lab.booted(VERSION, identity=name) as (station, _):
        transaction = Transaction()
        await station.call("TransactionEvent", transaction.started("Authorized", id_token="VALID"))
        cost = {"costDetails": INBOUND_21["TransactionEvent"]["costDetails"]} if trigger == "RunningCost" else {}
        payload = transaction.updated(trigger, info=info, **cost)
        assert await station.call("TransactionEvent", payload) == {}
        told = await business.event("transaction.updated")
        assert not told.get("violations"), told
        assert told["raw"]["triggerReason"] == trigger


async def test_tc_g_01_a_station_tells_its_state_in_2_1(lab: Laboratory) -> None:
    async with lab.booted(VERSION) as (station, operator):
        assert await station.call("StatusNotification", status()) == {}
        await operator.connector(lambda state: state["status"] == "available")
