"""Block B: boots and how they are answered, variables, reports, resets, network profiles."""

from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.compliance.laboratory import Laboratory, boot
from tests.compliance.ocpp201.messages import VERSION, Transaction, available, status
from tests.compliance.ocpp201.orders import Order, carry_out, cases
from tests.compliance.station import CallError, Payload, at

# ---------------------------------------------------------------- boots


@pytest.mark.parametrize(
    "reason",
    [
        "ApplicationReset",
        "FirmwareUpdate",
        "LocalReset",
        "PowerUp",
        "RemoteReset",
        "ScheduledReset",
        "Triggered",
        "Unknown",
        "Watchdog",
    ],
)
async def test_b_01_a_cold_boot_is_accepted(lab: Laboratory, reason: str) -> None:
    """B01.FR.02, FR.04: the interval is the heartbeat's; what follows is answered."""
    async with lab.station(lab.name(), VERSION) as station:
        answer = await station.call("BootNotification", boot(reason=reason))
        assert (answer["status"], answer["interval"]) == ("Accepted", 300)
        assert await station.call("StatusNotification", status()) == {}
        assert await station.call("NotifyEvent", available()) == {}
        assert set(await station.call("Heartbeat", {})) == {"currentTime"}


async def test_b_02_a_pending_station_can_be_configured_and_is_accepted_later(lab: Laboratory) -> None:
    """B02.FR.01, FR.06."""
    name = lab.name()
    operator = lab.operator(name)
    await operator.register("pending")
    async with lab.station(name, VERSION) as station:
        answer = await station.call("BootNotification", boot())
        assert answer["status"] == "Pending"
        assert answer["interval"] > 0
        station.replies["SetVariables"] = set_all
        result = await operator.command("set_variables", variables=[{**OFFLINE_THRESHOLD, "value": "60"}])
        assert result["outcome"] == "accepted", result
        result = await operator.command("start", token="VALID", evse_id=1)
        assert result["outcome"] == "invalid", "B02.FR.05: no transaction may be requested of a pending station"
        await operator.register("accepted")
        assert (await station.call("BootNotification", boot()))["status"] == "Accepted"
        assert await station.call("StatusNotification", status()) == {}


@pytest.mark.parametrize("registration", ["pending", "rejected"])
async def test_b_30_what_a_station_says_that_is_not_accepted_gets_a_security_error(
    lab: Laboratory, registration: str
) -> None:
    """B02.FR.09, B03.FR.07. A TransactionEvent is money: it is recorded and answered all the same, with a token that
    is not accepted, so that the station does not lose it."""
    name = lab.name()
    operator = lab.operator(name)
    await operator.register(registration)
    async with lab.station(name, VERSION) as station:
        assert (await station.call("BootNotification", boot()))["status"] == registration.capitalize()
        for action, payload in (
            ("StatusNotification", status()),
            ("NotifyEvent", available()),
            ("Heartbeat", {}),
            ("Authorize", {"idToken": {"idToken": "VALID", "type": "Central"}}),
        ):
            assert await station.refusal(action, payload) == "SecurityError"
        transaction = Transaction()
        answer = await station.call("TransactionEvent", transaction.started("Authorized", id_token="VALID"))
        assert answer["idTokenInfo"]["status"] == "Invalid"
        record = await operator.transaction()
        assert record["ocpp_transaction_id"] == transaction.id


async def test_b_30_a_rejected_station_is_not_called(lab: Laboratory) -> None:
    """B03.FR.03, FR.08."""
    name = lab.name()
    operator = lab.operator(name)
    await operator.register("rejected")
    async with lab.station(name, VERSION) as station:
        answer = await station.call("BootNotification", boot())
        assert (answer["status"], answer["interval"] > 0) == ("Rejected", True)
        assert (await operator.command("clear_cache"))["outcome"] == "invalid"
        assert station.unread == []


async def test_b_31_a_pending_station_is_triggered_to_boot_before_its_interval_is_over(lab: Laboratory) -> None:
    """B02, F06."""
    name = lab.name()
    operator = lab.operator(name)
    await operator.register("pending")
    async with lab.station(name, VERSION) as station:
        assert (await station.call("BootNotification", boot()))["status"] == "Pending"
        await operator.register("accepted")
        assert (await operator.command("trigger", message="BootNotification"))["outcome"] == "accepted"
        assert await station.expect("TriggerMessage") == {"requestedMessage": "BootNotification"}
        assert (await station.call("BootNotification", boot(reason="Triggered")))["status"] == "Accepted"


async def test_b_31_a_pending_station_may_send_what_it_was_triggered_for(lab: Laboratory) -> None:
    """B02.FR.09: only a message that was not asked for is refused."""
    name = lab.name()
    operator = lab.operator(name)
    await operator.register("pending")
    async with lab.station(name, VERSION) as station:
        await station.call("BootNotification", boot())
        assert await station.refusal("StatusNotification", status()) == "SecurityError"
        await operator.command("trigger", message="StatusNotification", evse_id=1)
        assert await station.call("StatusNotification", status()) == {}


async def test_b_01_a_station_that_connects_again_without_a_boot_goes_on(lab: Laboratory) -> None:
    """B01.FR.06, and part 4: a reconnect alone needs no BootNotification."""
    name = lab.name()
    async with lab.booted(VERSION, identity=name):
        pass
    async with lab.station(name, VERSION) as station:
        assert await station.call("StatusNotification", status()) == {}


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["ocpp0.1", "ocpp2.0.1"], "ocpp2.0.1"),
        (["ocpp2.0.1", "ocpp1.6"], "ocpp2.0.1"),
        (["ocpp2.1", "ocpp2.0.1"], "ocpp2.1"),
    ],
)
async def test_b_58_the_subprotocol_is_one_that_was_offered(lab: Laboratory, offered: list[str], chosen: str) -> None:
    """Part 4, section 3.1.2."""
    names = [Subprotocol(name) for name in offered]
    async with connect(f"{lab.url}/{lab.name()}", subprotocols=names, proxy=None) as socket:
        assert socket.subprotocol == chosen


async def test_b_58_without_a_common_subprotocol_the_connection_is_closed(lab: Laboratory) -> None:
    """Part 4, section 3.2: the handshake is finished without a subprotocol, then the WebSocket is closed at once."""
    async with connect(f"{lab.url}/{lab.name()}", subprotocols=[Subprotocol("ocpp0.1")], proxy=None) as socket:
        assert socket.subprotocol is None
        with pytest.raises(ConnectionClosed):
            await socket.recv()


# ---------------------------------------------------------------- variables

OFFLINE_THRESHOLD = {"component": "OCPPCommCtrlr", "variable": "OfflineThreshold"}
REMOTE_START = {"component": "AuthCtrlr", "variable": "AuthorizeRemoteStart"}


def wire(named: dict[str, str]) -> Payload:
    """A variable as OCPP names it."""
    instance = {"instance": named["variable_instance"]} if "variable_instance" in named else {}
    return {"component": {"name": named["component"]}, "variable": {"name": named["variable"], **instance}}


def get_all(payload: Payload) -> Payload:
    found = [{**item, "attributeStatus": "Accepted", "attributeValue": "4"} for item in payload["getVariableData"]]
    return {"getVariableResult": found}


def set_all(payload: Payload, status: str = "Accepted") -> Payload:
    found = [
        {"component": item["component"], "variable": item["variable"], "attributeStatus": status}
        for item in payload["setVariableData"]
    ]
    return {"setVariableResult": found}


def got(named: dict[str, str], **fields: Any) -> Payload:
    return {"getVariableResult": [{**wire(named), **fields}]}


VARIABLES = [
    Order(
        "TC_B_06 get one variable",
        "get_variables",
        {"variables": [OFFLINE_THRESHOLD]},
        "GetVariables",
        {"getVariableData": [wire(OFFLINE_THRESHOLD)]},
        get_all,
        result={"variables": [{"value": "4", "status": "accepted"}], "unknown": []},
    ),
    Order(
        "TC_B_07 get several variables",
        "get_variables",
        {"variables": [OFFLINE_THRESHOLD, REMOTE_START]},
        "GetVariables",
        {"getVariableData": [wire(OFFLINE_THRESHOLD), wire(REMOTE_START)]},
        get_all,
        result={"variables": [{"value": "4"}, {"value": "4"}]},
    ),
    Order(
        "TC_B_06 get an attribute",
        "get_variables",
        {"variables": [{**OFFLINE_THRESHOLD, "attribute": "MaxSet"}]},
        "GetVariables",
        {"getVariableData": [{**wire(OFFLINE_THRESHOLD), "attributeType": "MaxSet"}]},
        lambda payload: got(OFFLINE_THRESHOLD, attributeType="MaxSet", attributeStatus="NotSupportedAttributeType"),
        "rejected",
    ),
    Order(
        "TC_B_32 get an unknown variable",
        "get_variables",
        {"variables": [{"component": "AuthCtrlr", "variable": "Nothing"}]},
        "GetVariables",
        {},
        got({"component": "AuthCtrlr", "variable": "Nothing"}, attributeStatus="UnknownVariable"),
        "rejected",
        {"variables": [], "unknown": [{"variable": "Nothing", "status": "unknown_variable"}]},
    ),
    Order(
        "TC_B_09 set one variable",
        "set_variables",
        {"variables": [{**OFFLINE_THRESHOLD, "value": "123"}]},
        "SetVariables",
        {"setVariableData": [{**wire(OFFLINE_THRESHOLD), "attributeValue": "123"}]},
        set_all,
        result={"variables": [{"status": "accepted"}]},
    ),
    Order(
        "TC_B_09 set one variable that needs a reboot",
        "set_variables",
        {"variables": [{**OFFLINE_THRESHOLD, "value": "123"}]},
        "SetVariables",
        {},
        lambda payload: set_all(payload, "RebootRequired"),
        result={"variables": [{"status": "reboot_required"}]},
    ),
    Order(
        "TC_B_11 set a variable that refuses its value",
        "set_variables",
        {"variables": [{**OFFLINE_THRESHOLD, "value": "-1"}]},
        "SetVariables",
        {},
        lambda payload: set_all(payload, "Rejected"),
        "rejected",
    ),
]


@cases(VARIABLES)
async def test_variables(order: Order, lab: Laboratory) -> None:
    """Use cases B05 and B06."""
    await carry_out(order, lab, VERSION)


async def test_b_10_several_variables_are_set_at_once(lab: Laboratory) -> None:
    """B05.FR.01."""
    async with lab.booted(VERSION) as (station, operator):
        station.replies |= {"SetVariables": set_all, "GetVariables": get_all}
        wanted = [{**OFFLINE_THRESHOLD, "value": "123"}, {**REMOTE_START, "value": "false"}]
        result = await operator.command("set_variables", variables=wanted)
        assert result["outcome"] == "accepted", result
        data = (await station.expect("SetVariables"))["setVariableData"]
        assert [item["attributeValue"] for item in data] == ["123", "false"]


def limits(action: str) -> dict[str, str]:
    return {"component": "DeviceDataCtrlr", "variable": "ItemsPerMessage", "variable_instance": action}


async def test_b_08_no_more_variables_are_asked_for_at_once_than_the_station_takes(lab: Laboratory) -> None:
    """B06.FR.05: ItemsPerMessage of GetVariables is 4 here."""
    wanted = [
        limits("GetReport"),
        limits("GetVariables"),
        {**limits("GetReport"), "variable": "BytesPerMessage"},
        {**limits("GetVariables"), "variable": "BytesPerMessage"},
        REMOTE_START,
    ]
    async with lab.booted(VERSION) as (station, operator):
        station.replies["GetVariables"] = get_all
        result = await operator.command("get_variables", variables=wanted)
        assert len(result["result"]["variables"]) == 5
        asked = [payload["getVariableData"] for action, payload in station.unread if action == "GetVariables"]
        assert [len(data) for data in asked] == [4, 1]
        assert [item for data in asked for item in data] == [wire(named) for named in wanted]


@pytest.mark.parametrize("count", [5, 12])
async def test_b_08_the_limit_is_asked_for_where_it_is_not_known(lab: Laboratory, count: int) -> None:
    """B06.FR.05, B05.FR.11."""
    named = [{"component": "Ctrlr", "variable": f"V{number}"} for number in range(count)]
    async with lab.booted(VERSION) as (station, operator):
        station.replies |= {"GetVariables": get_all, "SetVariables": set_all}
        read = await operator.command("get_variables", variables=named)
        assert [item["variable"] for item in read["result"]["variables"]] == [item["variable"] for item in named]
        written = await operator.command("set_variables", variables=[{**item, "value": "1"} for item in named])
        assert len(written["result"]["variables"]) == count
        sizes = [len(payload.get("getVariableData") or payload["setVariableData"]) for _, payload in station.unread]
        assert max(sizes) <= 4


# ---------------------------------------------------------------- reports


def report(payload: Payload, *parts: list[tuple[str, str]]) -> list[tuple[str, Payload]]:
    """NotifyReports: each part has these variables and values."""
    told = []
    for number, part in enumerate(parts):
        data = [
            {
                "component": {"name": "OCPPCommCtrlr"},
                "variable": {"name": name},
                "variableAttribute": [{"type": "Actual", "value": value}],
            }
            for name, value in part
        ]
        told.append(
            (
                "NotifyReport",
                {
                    "requestId": payload["requestId"],
                    "generatedAt": at(),
                    "seqNo": number,
                    "tbc": number < len(parts) - 1,
                    "reportData": data,
                },
            )
        )
    return told


def _base(case: str, base: str, wanted: str, **more: Any) -> Order:
    return Order(
        case,
        "get_report",
        {"base": base},
        "GetBaseReport",
        {"reportBase": wanted},
        **{
            "follow": lambda payload: report(payload, [("OfflineThreshold", "60")], [("HeartbeatInterval", "300")]),
            "result": {"variables": [{"variable": "OfflineThreshold"}, {"variable": "HeartbeatInterval"}]},
            **more,
        },
    )


CUSTOM = {"variables": [{"component": "EVSE", "evse_id": 1, "variable": "AvailabilityState"}]}
CUSTOM_SENT = {
    "componentVariable": [{"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "AvailabilityState"}}]
}
REPORTS = [
    _base("TC_B_12 configuration inventory", "configuration", "ConfigurationInventory"),
    _base("TC_B_13 full inventory", "full", "FullInventory"),
    _base("TC_B_14 summary inventory", "summary", "SummaryInventory"),
    _base(
        "TC_B_15 a base that is not supported",
        "summary",
        "SummaryInventory",
        reply={"status": "NotSupported"},
        outcome="rejected",
        follow=None,
        result={},
    ),
    Order(
        "TC_B_18 a report by criteria without result",
        "get_report",
        {"criteria": ["problem"]} | CUSTOM,
        "GetReport",
        {"componentCriteria": ["Problem"]} | CUSTOM_SENT,
        {"status": "EmptyResultSet"},
        result={"variables": []},
    ),
    Order(
        "TC_B_18 a report by criteria and variables",
        "get_report",
        {"criteria": ["available"]} | CUSTOM,
        "GetReport",
        {"componentCriteria": ["Available"]} | CUSTOM_SENT,
        follow=lambda payload: report(payload, [("AvailabilityState", "Available")]),
        result={"variables": [{"variable": "AvailabilityState"}]},
    ),
]


@cases(REPORTS)
async def test_reports(order: Order, lab: Laboratory) -> None:
    """Use cases B07 and B08: each part is answered, and the command ends with the whole."""
    await carry_out(order, lab, VERSION)


# ---------------------------------------------------------------- resets and network profiles

PROFILE = {
    "slot": 1,
    "url": "wss://csms.example.com/ocpp",
    "interface": "wired0",
    "message_timeout_s": 30,
    "security_profile": 2,
    "ocpp_version": "2.0.1",
}
PROFILE_SENT = {
    "configurationSlot": 1,
    "connectionData": {
        "ocppCsmsUrl": "wss://csms.example.com/ocpp",
        "ocppInterface": "Wired0",
        "ocppTransport": "JSON",
        "ocppVersion": "OCPP20",
        "messageTimeout": 30,
        "securityProfile": 2,
    },
}


def _reset(case: str, kind: str, evse_id: int | None, reply: str) -> Order:
    arguments = {"type": kind} | ({} if evse_id is None else {"evse_id": evse_id})
    sent = {"type": {"on_idle": "OnIdle", "immediate": "Immediate"}[kind], "evseId": evse_id}
    outcome = "rejected" if reply == "Rejected" else "accepted"
    return Order(case, "reset", arguments, "Reset", sent, {"status": reply}, outcome, {"status": reply.lower()})


SERVICE = [
    _reset("TC_B_20 reset without a transaction on idle", "on_idle", None, "Accepted"),
    _reset("TC_B_21 reset with a transaction on idle", "on_idle", None, "Scheduled"),
    _reset("TC_B_22 reset with a transaction at once", "immediate", None, "Accepted"),
    _reset("TC_B_24 reset rejected", "immediate", None, "Rejected"),
    _reset("TC_B_25 reset of an EVSE", "on_idle", 1, "Accepted"),
    _reset("TC_B_26 reset of an EVSE with a transaction on idle", "on_idle", 1, "Scheduled"),
    _reset("TC_B_27 reset of an EVSE with a transaction at once", "immediate", 1, "Accepted"),
    Order("TC_B_42 network profile accepted", "set_network_profile", PROFILE, "SetNetworkProfile", PROFILE_SENT),
    Order(
        "TC_B_43 network profile rejected",
        "set_network_profile",
        PROFILE,
        "SetNetworkProfile",
        PROFILE_SENT,
        {"status": "Rejected"},
        "rejected",
    ),
    Order(
        "TC_B_44 network profile failed",
        "set_network_profile",
        PROFILE,
        "SetNetworkProfile",
        PROFILE_SENT,
        {"status": "Failed"},
        "rejected",
        {"status": "failed"},
    ),
    Order(
        "TC_B_XX a station that answers with an error",
        "clear_cache",
        {},
        "ClearCache",
        {},
        CallError("InternalError"),
        "error",
    ),
]


@cases(SERVICE)
async def test_resets_and_network_profiles(order: Order, lab: Laboratory) -> None:
    """Use cases B09, B11 and B12."""
    await carry_out(order, lab, VERSION)


async def test_b_21_a_transaction_that_a_reset_ends_is_recorded(lab: Laboratory) -> None:
    """B12.FR.03: it ends with the reason ImmediateReset, then the station boots."""
    async with lab.booted(VERSION) as (station, operator):
        transaction = Transaction()
        await station.call("TransactionEvent", transaction.started("Authorized", id_token="VALID", energy_wh=1000))
        assert (await operator.command("reset", type="immediate"))["outcome"] == "accepted"
        ended = transaction.ended("ResetCommand", "ImmediateReset", energy_wh=1500)
        await station.call("TransactionEvent", ended)
        assert (await station.call("BootNotification", boot(reason="RemoteReset")))["status"] == "Accepted"
        record = await operator.transaction(lambda record: record["status"] == "ended")
        assert (record["energy_wh"], record["stop_reason"]) == (500, "immediate_reset")
