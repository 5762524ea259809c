"""Block F: starting and stopping from afar, unlocking, and triggers of every kind."""

import pytest

from tests.compliance.laboratory import Laboratory
from tests.compliance.ocpp201.messages import VERSION, Transaction, available, sample, status
from tests.compliance.ocpp201.orders import Order, carry_out, cases, order_of
from tests.compliance.station import Payload

START = {"token": "VALID", "evse_id": 1, "remote_start_id": 4711}
STARTED = {"idToken": {"idToken": "VALID", "type": "Central"}, "evseId": 1, "remoteStartId": 4711}


@pytest.mark.parametrize(
    ("case", "script"),
    [
        ("TC_F_01", [("Started", "CablePluggedIn", "EVConnected", None), ("Updated", "RemoteStart", None, "VALID")]),
        ("TC_F_02", [("Started", "RemoteStart", None, "VALID"), ("Updated", "CablePluggedIn", "EVConnected", None)]),
        ("TC_F_03", [("Started", "RemoteStart", None, "VALID"), ("Updated", "CablePluggedIn", "EVConnected", None)]),
        ("TC_F_04", [("Started", "RemoteStart", None, "VALID"), ("Ended", "EVConnectTimeout", None, None)]),
    ],
    ids=[
        "TC_F_01-cable-first",
        "TC_F_02-start-first-and-authorize",
        "TC_F_03-start-first",
        "TC_F_04-no-cable-comes",
    ],
)
async def test_a_transaction_is_started_from_afar(
    lab: Laboratory, case: str, script: list[tuple[str, str, str | None, str | None]]
) -> None:
    """F01.FR.01 to FR.25, F02: remoteStartId ties the transaction to its command."""
    async with lab.booted(VERSION) as (station, operator):
        transaction = Transaction()
        if case == "TC_F_01":
            await station.call("TransactionEvent", transaction.started("CablePluggedIn", state="EVConnected"))
        order = Order(case, "start", START, "RequestStartTransaction", STARTED, result={"remote_start_id": 4711})
        await order_of(order, station, operator)
        if case == "TC_F_02":
            assert (await station.call("Authorize", {"idToken": STARTED["idToken"]}))["idTokenInfo"][
                "status"
            ] == "Accepted"
        for kind, trigger, state, token in script[1 if case == "TC_F_01" else 0 :]:
            info = {"remoteStartId": 4711} if trigger == "RemoteStart" else {}
            payload = transaction.event(kind, trigger, state=state, id_token=token, info=info)
            answer = await station.call("TransactionEvent", payload)
            assert (answer.get("idTokenInfo") or {}).get("status") == ("Accepted" if token else None)
        record = await operator.transaction()
        assert record["status"] == ("ended" if case == "TC_F_04" else "active")
        assert record["remote_start_id"] == 4711


async def test_a_start_is_followed_to_its_transaction(lab: Laboratory) -> None:
    """F02.FR.05: a station tells in its answer where a transaction was there already."""
    async with lab.booted(VERSION) as (station, operator):
        transaction = Transaction()
        await station.call("TransactionEvent", transaction.started("CablePluggedIn", state="EVConnected"))
        reply = {"status": "Accepted", "transactionId": transaction.id}
        result = {"ocpp_transaction_id": transaction.id}
        order = Order("F02.FR.05", "start", START, "RequestStartTransaction", STARTED, reply, result=result)
        await order_of(order, station, operator)


REMOTE = [
    Order(
        "TC_F_XX start rejected", "start", START, "RequestStartTransaction", STARTED, {"status": "Rejected"}, "rejected"
    ),
    Order(
        "TC_F_XX start with a group",
        "start",
        START | {"group": "FAMILY"},
        "RequestStartTransaction",
        STARTED | {"groupIdToken": {"idToken": "FAMILY", "type": "Central"}},
    ),
    Order(
        "TC_F_XX start on any EVSE",
        "start",
        {"token": "VALID", "remote_start_id": 4711},
        "RequestStartTransaction",
        {"evseId": None, "remoteStartId": 4711},
    ),
]
UNLOCK = {"evse_id": 1, "connector_id": 1}
UNLOCKS = [
    Order(
        f"TC_F_{number} unlock {reply}",
        "unlock",
        UNLOCK,
        "UnlockConnector",
        {"evseId": 1, "connectorId": 1},
        {"status": reply},
        "accepted" if reply == "Unlocked" else "rejected",
    )
    for number, reply in (
        ("06", "Unlocked"),
        ("07", "OngoingAuthorizedTransaction"),
        ("08", "UnlockFailed"),
        ("09", "UnknownConnector"),
    )
]


def _trigger(
    case: str, message: str, evse_id: int | None, sends: list[tuple[str, Payload]], reply: str = "Accepted"
) -> Order:
    where = {} if evse_id is None else {"evse_id": evse_id}
    evse: Payload | None = None if evse_id is None else {"id": evse_id}
    if message == "StatusNotification":
        evse = {"id": evse_id, "connectorId": 1}
    return Order(
        case,
        "trigger",
        {"message": message} | where,
        "TriggerMessage",
        {"requestedMessage": message, "evse": evse},
        {"status": reply},
        "accepted" if reply == "Accepted" else "rejected",
        follow=lambda payload: sends,
    )


def metered(evse_id: int) -> tuple[str, Payload]:
    return "MeterValues", {"evseId": evse_id, "meterValue": [sample(1000, context="Trigger")]}


def told() -> tuple[str, Payload]:
    return "TransactionEvent", Transaction(first_seq_no=5).updated("Trigger", state="Charging", energy_wh=1000)


TRIGGERS = [
    _trigger("TC_F_11 MeterValues of an EVSE", "MeterValues", 1, [metered(1)]),
    _trigger("TC_F_12 MeterValues of all", "MeterValues", None, [metered(1), metered(2)]),
    _trigger("TC_F_13 TransactionEvent of an EVSE", "TransactionEvent", 1, [told()]),
    _trigger("TC_F_14 TransactionEvent of all", "TransactionEvent", None, [told(), told()]),
    _trigger(
        "TC_F_15 LogStatusNotification", "LogStatusNotification", None, [("LogStatusNotification", {"status": "Idle"})]
    ),
    _trigger(
        "TC_F_18 FirmwareStatusNotification",
        "FirmwareStatusNotification",
        None,
        [("FirmwareStatusNotification", {"status": "Idle"})],
    ),
    _trigger(
        "TC_F_XX PublishFirmwareStatusNotification",
        "PublishFirmwareStatusNotification",
        None,
        [("PublishFirmwareStatusNotification", {"status": "Idle"})],
    ),
    _trigger("TC_F_20 Heartbeat", "Heartbeat", None, [("Heartbeat", {})]),
    _trigger(
        "TC_F_23 StatusNotification available",
        "StatusNotification",
        1,
        [("StatusNotification", status()), ("NotifyEvent", available())],
    ),
    _trigger(
        "TC_F_24 StatusNotification occupied", "StatusNotification", 1, [("StatusNotification", status("Occupied"))]
    ),
    _trigger("TC_F_26 rejected", "Heartbeat", None, [], "Rejected"),
    _trigger("TC_F_27 not implemented", "MeterValues", 1, [], "NotImplemented"),
]


@cases(REMOTE, UNLOCKS, TRIGGERS)
async def test_remote_control(order: Order, lab: Laboratory) -> None:
    """Use cases F01, F02, F05 and F06 (F06.FR.01, FR.04, FR.13): what is triggered is answered."""
    await carry_out(order, lab, VERSION)


async def test_tc_f_xx_stopping_what_does_not_run(lab: Laboratory) -> None:
    """F03: a station says no; without any transaction there is nothing to send."""
    async with lab.booted(VERSION) as (station, operator):
        assert (await operator.command("stop", evse_id=1))["outcome"] == "invalid"
        order = Order(
            "F03",
            "RequestStopTransaction",
            {"transactionId": "gone"},
            "RequestStopTransaction",
            {},
            {"status": "Rejected"},
            "rejected",
        )
        await order_of(order, station, operator)
