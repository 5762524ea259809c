"""Block E: how transactions start, run and stop, and what their station may be asked of them."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.compliance.laboratory import ASKING, Laboratory
from tests.compliance.ocpp201.messages import VERSION, Transaction, available, sample, status
from tests.compliance.ocpp201.orders import Order, order_of
from tests.compliance.station import Payload, at


@dataclass(frozen=True)
class Event:
    """One TransactionEvent of a script: kind, trigger, chargingState, and whether the token is told with it."""

    kind: str
    trigger: str
    state: str | None = None
    token: str | None = None
    more: dict[str, Any] | None = None


def started(trigger: str, state: str | None = None, token: str | None = None) -> Event:
    return Event("Started", trigger, state, token)


def updated(trigger: str, state: str | None = None, token: str | None = None) -> Event:
    return Event("Updated", trigger, state, token)


def ended(trigger: str, reason: str, state: str | None = None, token: str | None = None) -> Event:
    return Event("Ended", trigger, state, token, {"info": {"stoppedReason": reason}})


PLUGGED = updated("CablePluggedIn", "EVConnected")
AUTHORIZED = updated("Authorized", "EVConnected", "VALID")
CHARGING = updated("ChargingStateChanged", "Charging")
UNPLUGGED = ended("EVCommunicationLost", "EVDisconnected", "Idle")

SCRIPTS: dict[str, tuple[list[Event], str | None]] = {
    # case → what the station says, and the reason of the end (None: it goes on)
    "TC_E_01 starts with the power path closed": ([started("ChargingStateChanged", "SuspendedEVSE", "VALID")], None),
    "TC_E_02 starts with the energy": ([started("ChargingStateChanged", "Charging", "VALID")], None),
    "TC_E_03 cable first": ([started("CablePluggedIn", "EVConnected"), AUTHORIZED, CHARGING], None),
    "TC_E_04 authorization first": ([started("Authorized", None, "VALID"), PLUGGED, CHARGING], None),
    "TC_E_09 starts with the cable": ([started("CablePluggedIn", "EVConnected")], None),
    "TC_E_10 starts with the authorization": ([started("Authorized", "EVConnected", "VALID")], None),
    "TC_E_11 starts with signed data": ([started("SignedDataReceived", "EVConnected", "VALID")], None),
    "TC_E_12 starts with the parking bay": ([started("EVDetected"), PLUGGED, AUTHORIZED, CHARGING], None),
    "TC_E_38 the EV is not ready": (
        [started("CablePluggedIn", "EVConnected"), AUTHORIZED, updated("ChargingStateChanged", "SuspendedEV")],
        None,
    ),
    "TC_E_07 stops with the power path": (
        [
            started("Authorized", "EVConnected", "VALID"),
            CHARGING,
            ended("StopAuthorized", "Local", "EVConnected", "VALID"),
        ],
        "local",
    ),
    "TC_E_08 stops with the energy": (
        [
            started("Authorized", "EVConnected", "VALID"),
            CHARGING,
            updated("StopAuthorized", "EVConnected", "VALID"),
            ended("ChargingStateChanged", "Local", "EVConnected"),
        ],
        "local",
    ),
    "TC_E_14 unplugged at the station": (
        [started("CablePluggedIn", "EVConnected"), AUTHORIZED, UNPLUGGED],
        "ev_disconnected",
    ),
    "TC_E_15 stops with the authorization": (
        [
            started("Authorized", "EVConnected", "VALID"),
            CHARGING,
            ended("StopAuthorized", "Local", "Charging", "VALID"),
        ],
        "local",
    ),
    "TC_E_17 deauthorized by pulling the cable": (
        [started("Authorized", "EVConnected", "VALID"), CHARGING, ended("EVCommunicationLost", "DeAuthorized", "Idle")],
        "de_authorized",
    ),
    "TC_E_19 stops with the parking bay": (
        [
            started("EVDetected", None, "VALID"),
            CHARGING,
            updated("EVCommunicationLost", "Idle"),
            ended("EVDeparted", "Local"),
        ],
        "local",
    ),
    "TC_E_20 unplugged at the EV": ([started("Authorized", None, "VALID"), CHARGING, UNPLUGGED], "ev_disconnected"),
    "TC_E_22 stops when the EV suspends": (
        [started("Authorized", None, "VALID"), CHARGING, ended("ChargingStateChanged", "StoppedByEV", "SuspendedEV")],
        "stopped_by_ev",
    ),
    "TC_E_26 unplugged at the EV and suspended": (
        [
            started("Authorized", None, "VALID"),
            CHARGING,
            updated("EVCommunicationLost", "Idle"),
            updated("CablePluggedIn", "EVConnected"),
            CHARGING,
        ],
        None,
    ),
    "TC_E_39 deauthorized by a timeout": (
        [started("Authorized", None, "VALID"), ended("EVConnectTimeout", "Timeout")],
        "timeout",
    ),
    "TC_E_XX an unusual end": (
        [started("Authorized", None, "VALID"), ended("AbnormalCondition", "GroundFault")],
        "ground_fault",
    ),
}


@pytest.mark.parametrize("case", SCRIPTS, ids=[case.replace(" ", "-") for case in SCRIPTS])
async def test_transactions(lab: Laboratory, case: str) -> None:
    """E01 to E06: each event is answered, with idTokenInfo where it tells a token (E01.FR.09, E03.FR.06), and the
    record of the transaction tells what happened."""
    script, reason = SCRIPTS[case]
    async with lab.booted(VERSION) as (station, operator):
        transaction = Transaction()
        for number, event in enumerate(script):
            payload = transaction.event(
                event.kind,
                event.trigger,
                state=event.state,
                id_token=event.token,
                energy_wh=1000 + 500 * number,
                **(event.more or {}),
            )
            answer = await station.call("TransactionEvent", payload)
            assert (answer.get("idTokenInfo") or {}).get("status") == ("Accepted" if event.token else None)
        record = await operator.transaction()
        assert record["ocpp_transaction_id"] == transaction.id
        assert record["status"] == ("active" if reason is None else "ended")
        assert record["stop_reason"] == reason
        assert record["energy_wh"] == 500 * (len(script) - 1)
        assert not record["suspect"]
        token = next((event.token for event in script if event.token), None)
        assert (record["token"] or {}).get("id") == token


@pytest.mark.parametrize("status_told", ["INVALID", "BLOCKED"])
async def test_tc_e_16_a_transaction_is_deauthorized(lab: Laboratory, status_told: str) -> None:
    """E05.FR.02, E06.FR.04: a station that went on by itself is told that the token is not accepted, and stops."""
    async with lab.booted(VERSION) as (station, operator):
        transaction = Transaction()
        answer = await station.call("TransactionEvent", transaction.started("Authorized", id_token=status_told))
        assert answer["idTokenInfo"]["status"] == status_told.capitalize()
        await station.call("TransactionEvent", transaction.updated("Deauthorized", state="SuspendedEVSE"))
        await station.call("TransactionEvent", transaction.ended("Deauthorized", "DeAuthorized"))
        assert (await operator.transaction())["stop_reason"] == "de_authorized"


async def test_tc_e_21_a_transaction_is_stopped_from_afar(lab: Laboratory) -> None:
    """F03.FR.02, E06."""
    async with lab.booted(VERSION) as (station, operator):
        transaction = Transaction()
        await station.call("TransactionEvent", transaction.started("Authorized", id_token="VALID"))
        order = Order("TC_E_21", "stop", {"evse_id": 1}, "RequestStopTransaction", {"transactionId": transaction.id})
        await order_of(order, station, operator)
        await station.call("TransactionEvent", transaction.ended("RemoteStop", "Remote"))
        assert (await operator.transaction())["stop_reason"] == "remote"


async def test_tc_e_53_numbers_begin_with_0_in_each_transaction(lab: Laboratory) -> None:
    """E01.FR.07."""
    async with lab.booted(VERSION) as (station, operator):
        for _ in range(2):
            transaction = Transaction()
            await station.call("TransactionEvent", transaction.started("Authorized", id_token="VALID"))
            await station.call("TransactionEvent", transaction.ended("StopAuthorized", id_token="VALID"))
        records = await operator.transactions()
        assert [(record["status"], record["suspect"]) for record in records] == [("ended", [])] * 2


async def test_numbers_may_go_on_over_transactions(lab: Laboratory) -> None:
    """E01.FR.07: a counter that is never reset is as good."""
    async with lab.booted(VERSION) as (station, operator):
        transaction = Transaction(first_seq_no=4711)
        await station.call("TransactionEvent", transaction.started("Authorized", id_token="VALID"))
        await station.call("TransactionEvent", transaction.ended("StopAuthorized", id_token="VALID"))
        assert (await operator.transaction())["status"] == "ended"


# ---------------------------------------------------------------- offline, gaps, repeats


async def test_e04_what_happened_offline_is_told_afterwards(lab: Laboratory) -> None:
    """E04.FR.01, E12.FR.01, E13: offline events keep their own times; a token that was not good is told so."""
    name = lab.name()
    transaction = Transaction()
    async with lab.booted(VERSION, identity=name) as (station, _):
        await station.call("TransactionEvent", transaction.started("Authorized", id_token="VALID", energy_wh=0))
    async with lab.booted(VERSION, identity=name) as (station, operator):
        late = transaction.updated("MeterValuePeriodic", energy_wh=100, offline=True) | {"timestamp": at(-600)}
        assert await station.call("TransactionEvent", late) == {}
        last = transaction.ended("EVCommunicationLost", "EVDisconnected", energy_wh=300, offline=True)
        assert await station.call("TransactionEvent", last) == {}
        begun = Transaction()
        invalid = begun.started("Authorized", id_token="INVALID", offline=True)
        assert (await station.call("TransactionEvent", invalid))["idTokenInfo"]["status"] == "Invalid"
        records = {record["ocpp_transaction_id"]: record for record in await operator.transactions()}
        assert records[transaction.id]["energy_wh"] == 300


async def test_a_gap_in_the_numbers_is_filled_later(lab: Laboratory) -> None:
    """E01.FR.08: the end waits for what is missing."""
    async with lab.booted(VERSION) as (station, operator):
        transaction = Transaction()
        begun = {"timestamp": at(-9), "meterValue": [sample(0, context="Transaction.Begin") | {"timestamp": at(-9)}]}
        await station.call("TransactionEvent", transaction.started("Authorized", id_token="VALID", **begun))
        late = {"timestamp": at(-5), "meterValue": [sample(50) | {"timestamp": at(-5)}]}
        missing = transaction.updated("MeterValuePeriodic", **late)
        await station.call("TransactionEvent", transaction.ended("StopAuthorized", energy_wh=80))
        assert (await operator.transaction())["status"] != "ended"
        await station.call("TransactionEvent", missing)
        record = await operator.transaction(lambda record: record["status"] == "ended")
        assert (record["energy_wh"], record["suspect"]) == (80, [])


@pytest.mark.parametrize("same_id", [True, False], ids=["with-its-message-id", "with-another"])
async def test_a_message_that_is_sent_again_counts_once(lab: Laboratory, same_id: bool) -> None:
    """E13.FR.02: the same answer, and nothing twice."""
    name = lab.name()
    async with lab.business(name) as business, lab.booted(VERSION, identity=name) as (station, operator):
        transaction = Transaction()
        payload = transaction.started("Authorized", id_token="VALID")
        first = await station.call("TransactionEvent", payload, message_id="first")
        again = await station.call("TransactionEvent", payload, message_id="first" if same_id else "again")
        assert first == again
        await station.call("TransactionEvent", transaction.ended("StopAuthorized"))
        await business.event("transaction.ended")
        begun = [event for event in business.events if event["type"] == "ocpp.transaction.started"]
        assert (len(begun), len(await operator.transactions())) == (1, 1)


# ---------------------------------------------------------------- its status, its connector


def _status(case: str, named: bool, reply: Payload, ongoing: bool | None) -> tuple[str, bool, Payload, bool | None]:
    return case, named, reply, ongoing


@pytest.mark.parametrize(
    ("case", "named", "reply", "ongoing"),
    [
        _status("TC_E_29", True, {"ongoingIndicator": True, "messagesInQueue": True}, True),
        _status("TC_E_30", True, {"ongoingIndicator": True, "messagesInQueue": False}, True),
        _status("TC_E_31", True, {"ongoingIndicator": False, "messagesInQueue": True}, False),
        _status("TC_E_32", True, {"ongoingIndicator": False, "messagesInQueue": False}, False),
        _status("TC_E_33", False, {"messagesInQueue": True}, None),
        _status("TC_E_34", False, {"messagesInQueue": False}, None),
    ],
    ids=["TC_E_29", "TC_E_30", "TC_E_31", "TC_E_32", "TC_E_33", "TC_E_34"],
)
async def test_get_transaction_status(
    lab: Laboratory, case: str, named: bool, reply: Payload, ongoing: bool | None
) -> None:
    """E14.FR.01 to FR.08."""
    async with lab.booted(VERSION) as (station, operator):
        transaction = Transaction()
        await station.call("TransactionEvent", transaction.started("Authorized", id_token="VALID"))
        if ongoing is False:
            await station.call("TransactionEvent", transaction.ended("StopAuthorized"))
        arguments = {"transaction_id": transaction.id} if named else {}
        sent = {"transactionId": transaction.id if named else None}
        result = {"ongoing": ongoing, "messages_in_queue": reply["messagesInQueue"]}
        order = Order(case, "get_transaction_status", arguments, "GetTransactionStatus", sent, reply, result=result)
        await order_of(order, station, operator)


async def test_a_connector_shows_the_state_of_its_transaction(lab: Laboratory) -> None:
    """G01, E02: StatusNotification tells Occupied, the chargingState what that means."""
    async with lab.booted(VERSION) as (station, operator):
        await station.call("StatusNotification", status())
        await operator.connector(lambda state: state["status"] == "available")
        await station.call("StatusNotification", status("Occupied"))
        await station.call("NotifyEvent", available("Occupied"))
        transaction = Transaction()
        await station.call("TransactionEvent", transaction.started("CablePluggedIn", state="EVConnected"))
        await operator.connector(lambda state: state["status"] == "preparing" and state["plugged"])
        for charging_state, shown in (
            ("Charging", "charging"),
            ("SuspendedEV", "suspended_ev"),
            ("SuspendedEVSE", "suspended_evse"),
        ):
            payload = transaction.updated("ChargingStateChanged", state=charging_state)
            await station.call("TransactionEvent", payload)
            state = await operator.connector(lambda state, shown=shown: state["status"] == shown)  # type: ignore[misc]
            assert state["charging"] is (shown == "charging")


async def test_a_transaction_event_is_never_refused(lab: Laboratory) -> None:
    """Not of OCPP but a law of the gateway: money is never answered with a CALLERROR, however broken the message is."""
    name = lab.name(ASKING)
    async with lab.booted(VERSION, identity=name, vendor="Strict") as (station, operator):
        broken = Transaction().started("WhateverThisIs")
        del broken["timestamp"]
        assert await station.call("TransactionEvent", broken) == {}
        assert (await operator.transaction())["status"] == "active"
