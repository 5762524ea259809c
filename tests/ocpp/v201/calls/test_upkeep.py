"""Firmware, logs, monitors, displays, certificates, access and network settings as OCPP 2.0.1 calls."""

from typing import Any

import pytest

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.core.reports import ActiveTransaction
from gateway.ocpp.profile import Call, Ending, Station
from gateway.ocpp.v201.profile import PROFILE
from tests.ocpp.command_arguments import HASH, MONITOR, NETWORK
from tests.ocpp.dialogue import Desk

NOW = "2026-11-21T08:00:00.000Z"
AT = "2026-12-01T00:00:00+01:00"
UTC = "2026-11-30T23:00:00.000Z"
URL = "https://x.example/f"
DESK = Desk(PROFILE, Station([ActiveTransaction("tx-1", "abc", 1, 1)], next_id=lambda: 4711, now=NOW))
OCPP_HASH = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": HASH["issuer_name_hash"],
    "issuerKeyHash": HASH["issuer_key_hash"],
    "serialNumber": HASH["serial_number"],
}
TOKEN = {"idToken": "T", "type": "ISO14443"}


@pytest.mark.parametrize(
    ("command", "arguments", "call"),
    [
        (
            "update_firmware",
            {"location": URL, "install_at": AT, "signature": "s", "signing_certificate": "c", "retries": 1},
            Call(
                "UpdateFirmware",
                {
                    "requestId": 4711,
                    "retries": 1,
                    "firmware": {
                        "location": URL,
                        "retrieveDateTime": NOW,
                        "installDateTime": UTC,
                        "signingCertificate": "c",
                        "signature": "s",
                    },
                },
            ),
        ),
        (
            "get_log",
            {"location": URL, "type": "security", "oldest": AT},
            Call(
                "GetLog",
                {
                    "logType": "SecurityLog",
                    "requestId": 4711,
                    "log": {"remoteLocation": URL, "oldestTimestamp": UTC},
                },
            ),
        ),
        (
            "reserve",
            {"token": "T", "until": AT, "evse_id": 2, "connector_type": "cCCS2", "group": "G"},
            Call(
                "ReserveNow",
                {
                    "id": 4711,
                    "expiryDateTime": UTC,
                    "idToken": TOKEN,
                    "evseId": 2,
                    "connectorType": "cCCS2",
                    "groupIdToken": {"idToken": "G", "type": "Central"},
                },
            ),
        ),
        ("send_local_list", {"version": 2}, Call("SendLocalList", {"versionNumber": 2, "updateType": "Full"})),
        (
            "send_local_list",
            {
                "version": 2,
                "update": "differential",
                "tokens": [
                    {"token": "T", "status": "no_credit", "evse_ids": [1], "personal_message": "Hi", "language": "en"},
                    {"token": "U", "remove": True},
                ],
            },
            Call(
                "SendLocalList",
                {
                    "versionNumber": 2,
                    "updateType": "Differential",
                    "localAuthorizationList": [
                        {
                            "idToken": TOKEN,
                            "idTokenInfo": {
                                "status": "NoCredit",
                                "language1": "en",
                                "evseId": [1],
                                "personalMessage": {"format": "UTF8", "content": "Hi", "language": "en"},
                            },
                        },
                        {"idToken": {**TOKEN, "idToken": "U"}},
                    ],
                },
            ),
        ),
        (
            "customer_information",
            {"customer_certificate": HASH, "clear": True},
            Call(
                "CustomerInformation",
                {"requestId": 4711, "report": True, "clear": True, "customerCertificate": OCPP_HASH},
            ),
        ),
        (
            "display_message",
            {"text": "Hi", "transaction_id": "tx-1", "state": "charging", "evse_id": 1, "ends_at": AT},
            Call(
                "SetDisplayMessage",
                {
                    "message": {
                        "id": 4711,
                        "priority": "NormalCycle",
                        "message": {"format": "UTF8", "content": "Hi"},
                        "state": "Charging",
                        "endDateTime": UTC,
                        "transactionId": "abc",
                        "display": {"name": "Display", "evse": {"id": 1}},
                    }
                },
            ),
        ),
        (
            "set_monitoring",
            {"monitors": [{**MONITOR, "type": "upper_threshold", "id": 3}]},
            Call(
                "SetVariableMonitoring",
                {
                    "setMonitoringData": [
                        {
                            "component": {"name": "EVSE"},
                            "variable": {"name": "Power"},
                            "type": "UpperThreshold",
                            "value": 1.5,
                            "severity": 4,
                            "transaction": False,
                            "id": 3,
                        }
                    ]
                },
            ),
        ),
        (
            "set_network_profile",
            NETWORK,
            Call(
                "SetNetworkProfile",
                {
                    "configurationSlot": 1,
                    "connectionData": {
                        "ocppVersion": "OCPP20",
                        "ocppTransport": "JSON",
                        "ocppCsmsUrl": NETWORK["url"],
                        "messageTimeout": 30,
                        "securityProfile": 2,
                        "ocppInterface": "Wired0",
                    },
                },
            ),
        ),
        (
            "send_certificate",
            {"certificate_chain": "PEM", "type": "v2g", "request_id": 5},
            Call("CertificateSigned", {"certificateChain": "PEM", "certificateType": "V2GCertificate"}),
        ),
        ("list_certificates", {}, Call("GetInstalledCertificateIds", {})),
        (
            "list_certificates",
            {"types": ["v2g_chain", "mo_root"]},
            Call("GetInstalledCertificateIds", {"certificateType": ["V2GCertificateChain", "MORootCertificate"]}),
        ),
    ],
)
def test_one_call(command: str, arguments: dict[str, Any], call: Call) -> None:
    assert DESK.calls(command, **arguments) == [call]


@pytest.mark.parametrize(
    ("command", "arguments", "error", "told"),
    [
        ("update_firmware", {"location": URL + "f" * 512}, CommandInvalid, "512"),
        ("update_firmware", {"location": URL, "signature": "s"}, CommandInvalid, "signing_certificate"),
        ("update_firmware", {"location": URL, "signing_certificate": "c"}, CommandInvalid, "signature"),
        ("get_log", {"location": URL, "type": "data_collector"}, CommandUnsupported, r"2\.1"),
        ("reserve", {"token": "T", "until": AT, "connector_type": "plug"}, CommandInvalid, "cCCS2"),
        ("reserve", {"token": "T", "until": AT, "token_type": "EVCCID"}, CommandInvalid, "eMAID"),
        ("reserve", {"token": "T" * 37, "until": AT}, CommandInvalid, "36"),
        ("customer_information", {}, CommandInvalid, "name the customer"),
        ("customer_information", {"token": "T", "customer_identifier": "c"}, CommandInvalid, "name the customer"),
        ("customer_information", {"token": "T", "report": False}, CommandInvalid, "nothing is wanted"),
        ("display_message", {"text": "x", "format": "qrcode"}, CommandUnsupported, r"2\.1"),
        ("display_message", {"text": "x" * 513}, CommandInvalid, "512"),
        ("display_message", {"text": "x", "extra": [{"text": "y"}]}, CommandUnsupported, r"2\.1"),
        ("set_monitoring", {"monitors": [{**MONITOR, "type": "target_delta"}]}, CommandUnsupported, r"2\.1"),
        ("set_monitoring", {"monitors": [{**MONITOR, "event_stream": {}}]}, CommandUnsupported, r"2\.1"),
        ("set_network_profile", {**NETWORK, "identity": "CP1"}, CommandUnsupported, r"2\.1"),
        ("set_network_profile", {**NETWORK, "interface": "any"}, CommandUnsupported, r"2\.1"),
        (
            "set_network_profile",
            {**NETWORK, "apn": {"name": "a", "password": "p" * 21}},
            CommandInvalid,
            "apn.password",
        ),
        ("install_certificate", {"type": "oem_root", "certificate": "PEM"}, CommandUnsupported, r"2\.1"),
        ("install_certificate", {"type": "mo_root", "certificate": "P" * 5501}, CommandInvalid, "5500"),
    ],
)
def test_what_2_0_1_cannot_carry_is_refused(
    command: str, arguments: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        DESK.calls(command, **arguments)


def test_a_refused_secret_is_not_in_the_message() -> None:
    with pytest.raises(CommandInvalid) as caught:
        DESK.calls("set_network_profile", **NETWORK, apn={"name": "a", "password": "s3cret" * 5})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("command", "arguments", "answer", "ending"),
    [
        (
            "update_firmware",
            {"location": URL},
            {"status": "AcceptedCanceled"},
            Ending(Outcome.ACCEPTED, "AcceptedCanceled", {"status": "accepted_canceled", "request_id": 4711}),
        ),
        (
            "unpublish_firmware",
            {"checksum": "0" * 32},
            {"status": "Unpublished"},
            Ending(Outcome.ACCEPTED, None, {"status": "unpublished"}),
        ),
        (
            "unpublish_firmware",
            {"checksum": "0" * 32},
            {"status": "NoFirmware"},
            Ending(Outcome.REJECTED, "NoFirmware", {"status": "no_firmware"}),
        ),
        (
            "display_message",
            {"text": "Hi"},
            {"status": "NotSupportedPriority"},
            Ending(Outcome.REJECTED, "NotSupportedPriority", {"status": "not_supported_priority", "message_id": 4711}),
        ),
        (
            "clear_monitoring",
            {"ids": [2]},
            {"clearMonitoringResult": [{"id": 2, "status": "NotFound"}]},
            Ending(Outcome.REJECTED, "NotFound", {"monitors": [{"id": 2, "status": "not_found"}]}),
        ),
        (
            "list_certificates",
            {},
            {
                "status": "Accepted",
                "certificateHashDataChain": [
                    {
                        "certificateType": "V2GCertificateChain",
                        "certificateHashData": OCPP_HASH,
                        "childCertificateHashData": [OCPP_HASH],
                    }
                ],
            },
            Ending(
                Outcome.ACCEPTED,
                None,
                {"status": "accepted", "certificates": [{"type": "v2g_chain", **HASH, "children": [HASH]}]},
            ),
        ),
        (
            "list_certificates",
            {},
            {"status": "NotFound"},
            Ending(Outcome.ACCEPTED, None, {"status": "not_found", "certificates": []}),
        ),
        (
            "get_local_list_version",
            {},
            {"versionNumber": 3},
            Ending(Outcome.ACCEPTED, None, {"version": 3}),
        ),
    ],
)
def test_how_it_ends(command: str, arguments: dict[str, Any], answer: dict[str, Any], ending: Ending) -> None:
    assert DESK.ended(command, arguments, answer) == ending


def test_a_monitor_that_was_set_tells_its_id() -> None:
    answer = {
        "setMonitoringResult": [
            {
                "id": 3,
                "status": "Accepted",
                "type": "Delta",
                "severity": 4,
                "component": {"name": "EVSE"},
                "variable": {"name": "Power"},
            }
        ]
    }
    ending = DESK.ended("set_monitoring", {"monitors": [MONITOR]}, answer)
    assert ending.outcome is Outcome.ACCEPTED
    assert ending.result is not None
    (monitor,) = ending.result["monitors"]
    assert (monitor["id"], monitor["type"], monitor["component"]) == (3, "delta", "EVSE")
