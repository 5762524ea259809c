"""What OCPP 2.1 does otherwise than 2.0.1."""

from typing import Any

import pytest

from gateway.core.commands import validated_arguments
from gateway.core.errors import CommandInvalid
from gateway.core.reports import Notice, Report, Transaction
from gateway.ocpp.profile import Call, Notes, Station
from gateway.ocpp.v21.profile import PROFILE

AT = "2026-01-01T00:00:00.000Z"
STATION = Station([], next_id=lambda: 4711)


def transaction_event(**fields: Any) -> Report:
    payload = {
        "eventType": "Updated",
        "timestamp": AT,
        "triggerReason": "SoCLimitReached",
        "seqNo": 1,
        "transactionInfo": {"transactionId": "abc"},
        **fields,
    }
    return PROFILE.inbound["TransactionEvent"].translate(payload, Notes())


def calls(command: str, **arguments: Any) -> list[Call]:
    return PROFILE.outbound[command].calls(validated_arguments(command, arguments), STATION)


def test_a_transaction_event_bears_the_new_facts() -> None:
    report = transaction_event(
        preconditioningStatus="NotReady",
        evseSleep=False,
        numberOfPhasesUsed=1,
        transactionInfo={
            "transactionId": "abc",
            "operationMode": "ChargingOnly",
            "tariffId": "t1",
            "transactionLimit": {"maxCost": 12.5, "maxSoC": 80},
        },
    )
    assert isinstance(report, Transaction)
    assert report.trigger == "soc_limit_reached"
    assert report.details == {
        "phases_used": 1,
        "preconditioning_status": "not_ready",
        "evse_sleep": False,
        "operation_mode": "charging_only",
        "tariff_id": "t1",
        "transaction_limit": {"max_cost": 12.5, "max_energy_wh": None, "max_time_s": None, "max_soc_percent": 80},
    }


def test_a_transaction_event_without_them_is_that_of_2_0_1() -> None:
    assert transaction_event() == Transaction(
        "updated", AT, ocpp_transaction_id="abc", trigger="soc_limit_reached", seq_no=1
    )
    assert isinstance(transaction_event(transactionInfo="junk"), Transaction)


def test_a_periodic_event_stream_is_sent_and_never_answered() -> None:
    row = PROFILE.inbound["NotifyPeriodicEventStream"]
    said = {"id": 1, "pending": 2, "basetime": AT, "data": [{"t": 0, "v": "a"}, {"t": 2.5, "v": "b"}, {"t": 1e300}]}
    assert not row.answered
    assert row.translate(said, Notes()) == Notice(
        "ocpp.stream.data",
        {
            "stream_id": 1,
            "pending": 2,
            "base_time": AT,
            "values": [
                {"time": AT, "offset_s": 0, "value": "a"},
                {"time": "2026-01-01T00:00:02.500Z", "offset_s": 2.5, "value": "b"},
                {"time": None, "offset_s": None, "value": None},
            ],
        },
        time=AT,
    )


def test_a_token_may_be_long_and_its_type_free() -> None:
    (call,) = calls("start", token="T" * 255, token_type="EVCCID")
    assert call.payload["idToken"] == {"idToken": "T" * 255, "type": "EVCCID"}
    with pytest.raises(CommandInvalid, match="token_type"):
        calls("start", token="T", token_type="x" * 21)
