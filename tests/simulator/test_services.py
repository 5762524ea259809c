"""What virtual chargers do for a CSMS that we did not write, beside charging: each job is told to its end."""

import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.simulator.certificates import CSR
from tests.simulator.csms import FakeCsms
from tests.simulator.runs import is_sample, running, transaction_messages

ONLY_2X = pytest.mark.parametrize("csms", ["2.0.1", "2.1"], indirect=True)
ONLY_21 = pytest.mark.parametrize("csms", ["2.1"], indirect=True)
HEARTBEAT = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
TOKEN = {"id_token": "APP", "type": "Central"}


def told(csms: FakeCsms, action: str) -> list[Any]:
    return [received.payload["status"] for received in csms.of(action)]


@dataclass(frozen=True, slots=True)
class Root:
    """A root certificate, and its hashes as OpenSSL would ask an OCSP responder for them."""

    pem: str
    hashes: dict[str, str]


@pytest.fixture
def root(tmp_path: Path) -> Root:
    pem = str(tmp_path / "root.pem")
    arguments = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /O=Root/CN=Root"
    openssl(*arguments.split(), "-keyout", str(tmp_path / "key.pem"), "-out", pem)
    text = openssl("ocsp", "-sha256", "-issuer", pem, "-cert", pem, "-req_text", "-no_nonce")
    named = dict(line.strip().split(": ", 1) for line in text.splitlines() if ": " in line)
    hashes = {
        "hash_algorithm": "SHA256",
        "issuer_name_hash": named["Issuer Name Hash"].lower(),
        "issuer_key_hash": named["Issuer Key Hash"].lower(),
        "serial_number": named["Serial Number"].lower().lstrip("0"),
    }
    return Root(Path(pem).read_text(), hashes)


def openssl(*arguments: str, stdin: str | None = None) -> str:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed (apt-get install openssl)")
    run = subprocess.run(["openssl", *arguments], input=stdin, check=True, capture_output=True, text=True, timeout=60)
    return run.stdout


def test_the_certificate_request_is_one() -> None:
    openssl("req", "-verify", "-noout", stdin=CSR)


async def start(csms: FakeCsms, token: str = "APP") -> str:
    if csms.version == "1.6":
        answer = await csms.call("CP1", "RemoteStartTransaction", id_tag=token, connector_id=1)
    else:
        answer = await csms.call(
            "CP1",
            "RequestStartTransaction",
            id_token={"id_token": token, "type": "Central"},
            remote_start_id=7,
            evse_id=1,
        )
    return str(answer.status)


async def limit(csms: FakeCsms, current_a: float) -> None:
    schedule = {"charging_rate_unit": "A", "charging_schedule_period": [{"start_period": 0, "limit": current_a}]}
    profile: dict[str, Any] = {
        "stack_level": 0,
        "charging_profile_purpose": "TxDefaultProfile",
        "charging_profile_kind": "Relative",
    }
    if csms.version == "1.6":
        profile |= {"charging_profile_id": 1, "charging_schedule": schedule}
        answer = await csms.call("CP1", "SetChargingProfile", connector_id=1, cs_charging_profiles=profile)
    else:
        profile |= {"id": 1, "charging_schedule": [{"id": 1, **schedule}]}
        answer = await csms.call("CP1", "SetChargingProfile", evse_id=1, charging_profile=profile)
    assert answer.status == "Accepted"


async def test_a_limit_of_nothing_suspends_and_its_lift_resumes(csms: FakeCsms) -> None:
    def states() -> list[str]:
        if csms.version == "1.6":
            return [received.payload["status"] for received in csms.of("StatusNotification")]
        return [received.payload["transactionInfo"]["chargingState"] for received in csms.of("TransactionEvent")]

    async with running(csms, scenario="idle"):
        await csms.until_received("StatusNotification")
        assert await start(csms) == "Accepted"
        await csms.until(lambda: "Charging" in states())
        await limit(csms, 0)
        await csms.until(lambda: states()[-1] == "SuspendedEVSE")
        clear = {"id": 1} if csms.version == "1.6" else {"charging_profile_id": 1}
        assert (await csms.call("CP1", "ClearChargingProfile", **clear)).status == "Accepted"
        await csms.until(lambda: states()[-1] == "Charging")
        if csms.version != "1.6":
            changes = [r.payload for r in csms.of("TransactionEvent")]
            assert [p["triggerReason"] for p in changes].count("ChargingStateChanged") >= 2


async def test_a_composite_schedule_is_what_the_limits_come_to(csms: FakeCsms) -> None:
    async with running(csms, scenario="idle"):
        await csms.until_received("StatusNotification")
        await limit(csms, 10)
        where = {"connector_id": 1} if csms.version == "1.6" else {"evse_id": 1}
        answer = await csms.call("CP1", "GetCompositeSchedule", duration=600, charging_rate_unit="A", **where)
        schedule = answer.charging_schedule if csms.version == "1.6" else answer.schedule
        assert schedule["charging_schedule_period"] == [{"start_period": 0, "limit": 10}]


async def reserve(csms: FakeCsms, seconds: float) -> str:
    expires = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    if csms.version == "1.6":
        answer = await csms.call(
            "CP1", "ReserveNow", connector_id=1, expiry_date=expires, id_tag="APP", reservation_id=9
        )
    else:
        answer = await csms.call("CP1", "ReserveNow", id=9, expiry_date_time=expires, id_token=TOKEN, evse_id=1)
    return str(answer.status)


def statuses(csms: FakeCsms) -> list[str]:
    told = [received.payload for received in csms.of("StatusNotification")]
    return [str(payload.get("status", payload.get("connectorStatus"))) for payload in told]


async def test_a_reserved_connector_charges_for_its_token_alone(csms: FakeCsms) -> None:
    async with running(csms, scenario="idle"):
        await csms.until_received("StatusNotification")
        assert await reserve(csms, 3600) == "Accepted"
        await csms.until(lambda: statuses(csms)[-1] == "Reserved")
        assert await start(csms, "STRANGER") == "Rejected"
        assert await start(csms, "app") == "Accepted"
        await csms.until(lambda: transaction_messages(csms)[:1] == ["Started"])
        started = next(r for r in csms.received if r.action in ("StartTransaction", "TransactionEvent"))
        assert started.payload["reservationId"] == 9


async def test_a_reservation_ends_by_being_cancelled_or_by_expiring(csms: FakeCsms) -> None:
    async with running(csms, scenario="idle"):
        await csms.until_received("StatusNotification")
        assert await reserve(csms, 3600) == "Accepted"
        await csms.until(lambda: statuses(csms)[-1] == "Reserved")
        assert (await csms.call("CP1", "CancelReservation", reservation_id=9)).status == "Accepted"
        await csms.until(lambda: statuses(csms)[-1] == "Available")
        assert (await csms.call("CP1", "CancelReservation", reservation_id=9)).status == "Rejected"
        assert await reserve(csms, 3) == "Accepted"
        await csms.until(lambda: statuses(csms)[-4:] == ["Reserved", "Available"] * 2)
        if csms.version != "1.6":
            update = (await csms.until_received("ReservationStatusUpdate")).payload
            assert update == {"reservationId": 9, "reservationUpdateStatus": "Expired"}


async def test_a_log_is_uploaded_and_told_of(csms: FakeCsms) -> None:
    async with running(csms, scenario="idle"):
        await csms.until_received("StatusNotification")
        log = {"remote_location": "https://logs.example/x"}
        answer = await csms.call("CP1", "GetLog", log=log, log_type="DiagnosticsLog", request_id=4)
        assert answer.status == "Accepted"
        assert answer.filename
        await csms.until(lambda: told(csms, "LogStatusNotification") == ["Uploading", "Uploaded"])
        assert {r.payload["requestId"] for r in csms.of("LogStatusNotification")} == {4}
        if csms.version == "1.6":
            assert (await csms.call("CP1", "GetDiagnostics", location="https://logs.example/x")).file_name
            await csms.until(lambda: told(csms, "DiagnosticsStatusNotification") == ["Uploading", "Uploaded"])


async def test_firmware_is_updated_and_told_of(csms: FakeCsms) -> None:
    firmware = {"location": "https://files.example/fw", "retrieve_date_time": "2026-01-01T00:00:00Z"}
    stages = ["Downloading", "Downloaded", "Installing", "Installed"]
    async with running(csms, scenario="idle"):
        await csms.until_received("StatusNotification")
        if csms.version == "1.6":
            await csms.call(
                "CP1", "UpdateFirmware", location=firmware["location"], retrieve_date=firmware["retrieve_date_time"]
            )
        else:
            answer = await csms.call("CP1", "UpdateFirmware", request_id=4, firmware=firmware)
            assert answer.status == "Accepted"
        await csms.until(lambda: told(csms, "FirmwareStatusNotification") == stages)


async def test_a_signed_update_needs_a_certificate(csms: FakeCsms, root: Root) -> None:
    action, heard = (
        ("SignedUpdateFirmware", "SignedFirmwareStatusNotification")
        if csms.version == "1.6"
        else ("UpdateFirmware", "FirmwareStatusNotification")
    )
    firmware = {
        "location": "https://files.example/fw",
        "retrieve_date_time": "2026-01-01T00:00:00Z",
        "signing_certificate": "none",
        "signature": "c2lnbmF0dXJl",
    }
    async with running(csms, scenario="idle"):
        await csms.until_received("StatusNotification")
        answer = await csms.call("CP1", action, request_id=4, firmware=firmware)
        assert answer.status == "InvalidCertificate"
        await csms.until_received("SecurityEventNotification")
        firmware["signing_certificate"] = root.pem
        answer = await csms.call("CP1", action, request_id=5, firmware=firmware)
        assert answer.status == "Accepted"
        stages = ["Downloading", "Downloaded", "SignatureVerified", "Installing", "Installed"]
        await csms.until(lambda: told(csms, heard) == stages)
        assert {r.payload["requestId"] for r in csms.of(heard)} == {5}


async def test_root_certificates_are_kept_under_the_hashes_that_others_compute(csms: FakeCsms, root: Root) -> None:
    kind = "CentralSystemRootCertificate" if csms.version == "1.6" else "CSMSRootCertificate"
    wanted = kind if csms.version == "1.6" else [kind]
    async with running(csms, scenario="idle"):
        await csms.until_received("StatusNotification")
        answer = await csms.call("CP1", "InstallCertificate", certificate_type=kind, certificate="none")
        assert answer.status == "Rejected"
        answer = await csms.call("CP1", "InstallCertificate", certificate_type=kind, certificate=root.pem)
        assert answer.status == "Accepted"
        answer = await csms.call("CP1", "GetInstalledCertificateIds", certificate_type=wanted)
        if csms.version == "1.6":
            assert answer.certificate_hash_data == [root.hashes]
        else:
            assert answer.certificate_hash_data_chain == [
                {"certificate_type": kind, "certificate_hash_data": root.hashes}
            ]
        for status in ("Accepted", "NotFound"):
            answer = await csms.call("CP1", "DeleteCertificate", certificate_hash_data=root.hashes)
            assert answer.status == status
        answer = await csms.call("CP1", "GetInstalledCertificateIds", certificate_type=wanted)
        assert answer.status == "NotFound"


async def test_a_certificate_is_asked_for_on_demand(csms: FakeCsms, root: Root) -> None:
    async with running(csms, scenario="idle"):
        await csms.until_received("StatusNotification")
        if csms.version == "1.6":
            await csms.call("CP1", "ExtendedTriggerMessage", requested_message="SignChargePointCertificate")
        else:
            await csms.call("CP1", "TriggerMessage", requested_message="SignChargingStationCertificate")
        request = await csms.until_received("SignCertificate")
        assert request.payload["csr"] == CSR
        answer = await csms.call("CP1", "CertificateSigned", certificate_chain=root.pem)
        assert answer.status == "Accepted"
        answer = await csms.call("CP1", "CertificateSigned", certificate_chain="none")
        assert answer.status == "Rejected"
        await csms.until_received("SecurityEventNotification")


@ONLY_2X
async def test_a_pending_charger_reports_itself_before_it_is_accepted(csms: FakeCsms) -> None:
    csms.manners.boots.append(("Pending", 100_000))
    async with running(csms, scenario="idle"):
        await csms.until_received("BootNotification")
        await csms.until(lambda: "CP1" in csms.chargers)
        answer = await csms.call("CP1", "GetBaseReport", request_id=3, report_base="FullInventory")
        assert answer.status == "Accepted"
        await csms.until(lambda: any(r.payload["tbc"] is False for r in csms.of("NotifyReport")))
        assert await start(csms) == "Rejected"
        assert csms.of("StatusNotification") == []
        await csms.call("CP1", "TriggerMessage", requested_message="BootNotification")
        await csms.until_received("StatusNotification")


@ONLY_2X
async def test_a_monitor_tells_of_the_change_that_sets_it_off(csms: FakeCsms) -> None:
    async with running(csms, scenario="idle"):
        await csms.until_received("StatusNotification")
        monitor = {**HEARTBEAT, "type": "UpperThreshold", "value": 500, "severity": 3}
        answer = await csms.call("CP1", "SetVariableMonitoring", set_monitoring_data=[monitor])
        number = answer.set_monitoring_result[0]["id"]
        await csms.call("CP1", "SetVariables", set_variable_data=[{**HEARTBEAT, "attribute_value": "600"}])
        event = (await csms.until_received("NotifyEvent")).payload["eventData"][0]
        assert (event["variableMonitoringId"], event["actualValue"], event["trigger"]) == (number, "600", "Alerting")
        await csms.call("CP1", "GetMonitoringReport", request_id=8)
        report = (await csms.until_received("NotifyMonitoringReport")).payload
        assert report["monitor"][0]["variableMonitoring"][0]["id"] == number


@ONLY_2X
async def test_charging_profiles_are_reported_by_evse(csms: FakeCsms) -> None:
    async with running(csms, scenario="idle"):
        await csms.until_received("StatusNotification")
        answer = await csms.call("CP1", "GetChargingProfiles", request_id=2, charging_profile={})
        assert answer.status == "NoProfiles"
        await limit(csms, 16)
        await csms.call("CP1", "GetChargingProfiles", request_id=2, charging_profile={})
        report = (await csms.until_received("ReportChargingProfiles")).payload
        assert (report["evseId"], report["tbc"], report["chargingProfile"][0]["id"]) == (1, False, 1)


@ONLY_21
async def test_a_monitor_may_have_a_stream_that_is_adjusted_and_closed(csms: FakeCsms) -> None:
    monitor = {
        **HEARTBEAT,
        "type": "Periodic",
        "value": 1,
        "severity": 3,
        "periodic_event_stream": {"interval": 10, "values": 1},
    }
    async with running(csms, scenario="idle"):
        await csms.until_received("StatusNotification")
        answer = await csms.call("CP1", "SetVariableMonitoring", set_monitoring_data=[monitor])
        number = answer.set_monitoring_result[0]["id"]
        await csms.until_received("NotifyPeriodicEventStream", times=2)
        answer = await csms.call("CP1", "AdjustPeriodicEventStream", id=number, params={"interval": 5})
        assert answer.status == "Accepted"
        answer = await csms.call("CP1", "GetPeriodicEventStream")
        assert answer.constant_stream_data[0]["params"] == {"interval": 5, "values": 1}
        await csms.call("CP1", "ClearVariableMonitoring", id=[number])
        await csms.until_received("ClosePeriodicEventStream")


@ONLY_21
async def test_der_controls_supersede_each_other_and_are_reported(csms: FakeCsms) -> None:
    async with running(csms, scenario="idle"):
        await csms.until_received("StatusNotification")
        for name, priority in (("old", 5), ("new", 1)):
            setting = {"priority": priority, "setpoint": 10, "unit": "PctMaxVar"}
            answer = await csms.call(
                "CP1",
                "SetDERControl",
                is_default=True,
                control_id=name,
                control_type="FixedVar",
                fixed_var=setting,
            )
            assert answer.status == "Accepted"
        assert answer.superseded_ids == ["old"]
        await csms.call("CP1", "GetDERControl", request_id=6, control_type="FixedVar")
        report = (await csms.until_received("ReportDERControl")).payload
        assert [(entry["id"], entry["isSuperseded"]) for entry in report["fixedVar"]] == [("old", True), ("new", False)]


@ONLY_21
async def test_a_restart_may_leave_the_transaction_running(csms: FakeCsms) -> None:
    async with running(csms, scenario="idle"):
        await csms.until_received("StatusNotification")
        assert await start(csms) == "Accepted"
        await csms.until(lambda: any(is_sample(r) for r in csms.received))
        assert (await csms.call("CP1", "Reset", type="ImmediateAndResume")).status == "Accepted"
        boot = await csms.until_received("BootNotification", times=2)
        assert boot.payload["reason"] == "RemoteReset"
        await csms.until(lambda: any(r.payload.get("triggerReason") == "TxResumed" for r in csms.received))
        assert "Ended" not in transaction_messages(csms)
