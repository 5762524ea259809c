"""Firmware and logs as OCPP 1.6 calls."""

from typing import Any

import pytest

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.ocpp.profile import Answered, Call, Ending, Refused, Station
from gateway.ocpp.v16.profile import PROFILE
from tests.ocpp.dialogue import Desk

NOW = "2026-11-21T08:00:00.000Z"
DESK = Desk(PROFILE, Station([], next_id=lambda: 9, now=NOW))
URL = "https://x.example/f"
SIGNED = {"signature": "c2ln", "signing_certificate": "PEM"}
DIAGNOSTICS = Call("GetDiagnostics", {"location": URL})
SECURITY = Call("GetLog", {"logType": "SecurityLog", "requestId": 9, "log": {"remoteLocation": URL}})
NOT_KNOWN = Refused("NotImplemented", "not_implemented")


def test_a_firmware_without_a_signature() -> None:
    wanted = {"location": URL, "retries": 2, "retry_interval_s": 60}
    payload = {"location": URL, "retrieveDate": NOW, "retries": 2, "retryInterval": 60}
    assert DESK.calls("update_firmware", **wanted) == [Call("UpdateFirmware", payload)]
    assert DESK.ended("update_firmware", wanted, {}) == Ending(
        Outcome.ACCEPTED, None, {"status": "accepted", "request_id": None}
    )


def test_a_firmware_with_a_signature() -> None:
    wanted = {"location": URL, "retrieve_at": "2026-12-01T00:00:00+01:00", "install_at": NOW, **SIGNED}
    firmware = {
        "location": URL,
        "retrieveDateTime": "2026-11-30T23:00:00.000Z",
        "installDateTime": NOW,
        "signature": "c2ln",
        "signingCertificate": "PEM",
    }
    assert DESK.calls("update_firmware", **wanted) == [
        Call("SignedUpdateFirmware", {"requestId": 9, "firmware": firmware})
    ]
    ending = DESK.ended("update_firmware", wanted, {"status": "AcceptedCanceled"})
    assert (ending.outcome, ending.reason) == (Outcome.ACCEPTED, "AcceptedCanceled")
    assert ending.result == {"status": "accepted_canceled", "request_id": 9}
    assert DESK.ended("update_firmware", wanted, {"status": "InvalidCertificate"}).outcome is Outcome.REJECTED


@pytest.mark.parametrize(
    ("command", "arguments", "error"),
    [
        ("update_firmware", {"location": URL, "signature": "c2ln"}, CommandInvalid),
        ("update_firmware", {"location": URL, "install_at": NOW}, CommandUnsupported),
        ("update_firmware", {"location": URL, "retrieve_at": "soon"}, CommandInvalid),
        ("update_firmware", {"location": URL + "f" * 512, **SIGNED}, CommandInvalid),
        ("get_log", {"location": URL, "type": "data_collector"}, CommandUnsupported),
        ("get_log", {"location": URL, "oldest": "2026-01-01T00:00:00"}, CommandInvalid),
    ],
)
def test_what_1_6_cannot_carry_is_refused(command: str, arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        DESK.calls(command, **arguments)


def played(kind: str, *answers: Any) -> tuple[list[Call], Ending]:
    waiting = iter(answers)

    def answer(call: Call) -> Any:
        found = next(waiting)
        return found if isinstance(found, Refused) else Answered(found)

    return DESK.talk("get_log", {"location": URL, "type": kind}, answer)


def test_each_kind_of_log_has_its_own_call() -> None:
    calls, ending = played("diagnostics", {"fileName": "d.zip"})
    assert calls == [DIAGNOSTICS]
    told = {"status": "accepted", "request_id": None, "type": "diagnostics", "filename": "d.zip"}
    assert ending == Ending(Outcome.ACCEPTED, None, told)
    calls, ending = played("security", {"status": "Accepted", "filename": "s.log"})
    assert calls == [SECURITY]
    told = {"status": "accepted", "request_id": 9, "type": "security", "filename": "s.log"}
    assert ending == Ending(Outcome.ACCEPTED, None, told)


@pytest.mark.parametrize("refusal", [NOT_KNOWN, Refused("NotSupported", "not_supported")])
def test_what_a_charger_has_not_got_gives_way_to_the_other(refusal: Refused) -> None:
    calls, ending = played("security", refusal, {"fileName": "d.zip"})
    assert calls == [SECURITY, DIAGNOSTICS]
    assert ending.result is not None
    assert (ending.outcome, ending.result["type"]) == (Outcome.ACCEPTED, "diagnostics")
    calls, ending = played("diagnostics", refusal, {"status": "Accepted"})
    assert [call.action for call in calls] == ["GetDiagnostics", "GetLog"]
    assert calls[1].payload["logType"] == "DiagnosticsLog"
    assert ending.outcome is Outcome.ACCEPTED


def test_any_other_refusal_ends_it() -> None:
    calls, ending = played("security", Refused("InternalError", "internal_error", "disk"))
    assert (len(calls), ending.outcome, ending.reason) == (1, Outcome.ERROR, "InternalError: disk")
    _, ending = played("security", NOT_KNOWN, NOT_KNOWN)
    assert (ending.outcome, ending.reason) == (Outcome.ERROR, "NotImplemented")


def test_no_file_name_means_that_there_is_nothing_to_upload() -> None:
    _, ending = played("diagnostics", {})
    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, "NoDiagnostics")


@pytest.mark.parametrize(
    ("told", "ends"), [({"status": "uploaded"}, True), ({"status": "uploaded", "request_id": 3}, False)]
)
def test_diagnostics_end_by_a_status_without_a_request_id(told: dict[str, Any], ends: bool) -> None:
    ending = DESK.followed("get_log", {"location": URL}, [{"fileName": "d.zip"}], {"request_id": None, **told})
    assert (ending is not None) is ends
