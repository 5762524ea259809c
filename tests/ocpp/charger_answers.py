"""What a willing charger answers to each call of the gateway, with every field that matters, by version."""

from tests.ocpp.payload_parts import HASH, NOW, Payloads

ACCEPTED = {"status": "Accepted"}


def _accepted(*actions: str) -> Payloads:
    return {action: dict(ACCEPTED) for action in actions}


_BOTH = (
    "CancelReservation",
    "CertificateSigned",
    "ChangeAvailability",
    "ClearCache",
    "ClearChargingProfile",
    "DeleteCertificate",
    "InstallCertificate",
    "ReserveNow",
    "Reset",
    "SendLocalList",
    "SetChargingProfile",
    "TriggerMessage",
)

ANSWERS_16: Payloads = {
    **_accepted(
        *_BOTH,
        "ChangeConfiguration",
        "ExtendedTriggerMessage",
        "RemoteStartTransaction",
        "RemoteStopTransaction",
        "SignedUpdateFirmware",
    ),
    "DataTransfer": {"status": "Accepted", "data": "pong"},
    "GetCompositeSchedule": {
        "status": "Accepted",
        "connectorId": 1,
        "scheduleStart": NOW,
        "chargingSchedule": {
            "duration": 3600,
            "startSchedule": NOW,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0, "numberPhases": 3}],
        },
    },
    "GetConfiguration": {
        "configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}],
        "unknownKey": [],
    },
    "GetDiagnostics": {"fileName": "diagnostics.zip"},
    "GetInstalledCertificateIds": {"status": "Accepted", "certificateHashData": [HASH]},
    "GetLocalListVersion": {"listVersion": 3},
    "GetLog": {"status": "Accepted", "filename": "security.log"},
    "UnlockConnector": {"status": "Unlocked"},
    "UpdateFirmware": {},
}

_VARIABLE = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}

ANSWERS_201: Payloads = {
    **_accepted(
        *_BOTH,
        "ClearDisplayMessage",
        "CustomerInformation",
        "GetBaseReport",
        "GetChargingProfiles",
        "GetDisplayMessages",
        "GetMonitoringReport",
        "GetReport",
        "PublishFirmware",
        "RequestStopTransaction",
        "SetDisplayMessage",
        "SetMonitoringBase",
        "SetMonitoringLevel",
        "SetNetworkProfile",
        "UpdateFirmware",
    ),
    "ClearVariableMonitoring": {"clearMonitoringResult": [{"status": "Accepted", "id": 3}]},
    "CostUpdated": {},
    "DataTransfer": {"status": "Accepted", "data": {"text": "pong"}},
    "GetCompositeSchedule": {
        "status": "Accepted",
        "schedule": {
            "evseId": 1,
            "duration": 3600,
            "scheduleStart": NOW,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0, "numberPhases": 3}],
        },
    },
    "GetInstalledCertificateIds": {
        "status": "Accepted",
        "certificateHashDataChain": [{"certificateType": "CSMSRootCertificate", "certificateHashData": HASH}],
    },
    "GetLocalListVersion": {"versionNumber": 3},
    "GetLog": {"status": "Accepted", "filename": "security.log"},
    "GetTransactionStatus": {"ongoingIndicator": True, "messagesInQueue": False},
    "GetVariables": {
        "getVariableResult": [
            {"attributeStatus": "Accepted", "attributeType": "Actual", "attributeValue": "300", **_VARIABLE}
        ]
    },
    "RequestStartTransaction": {"status": "Accepted", "transactionId": "c0ffee"},
    "SetVariableMonitoring": {
        "setMonitoringResult": [{"id": 3, "status": "Accepted", "type": "UpperThreshold", "severity": 4, **_VARIABLE}]
    },
    "SetVariables": {"setVariableResult": [{"attributeStatus": "Accepted", "attributeType": "Actual", **_VARIABLE}]},
    "UnlockConnector": {"status": "Unlocked"},
    "UnpublishFirmware": {"status": "Unpublished"},
}

ANSWERS_21: Payloads = {
    **ANSWERS_201,
    **_accepted(
        "AFRRSignal",
        "AdjustPeriodicEventStream",
        "ChangeTransactionTariff",
        "ClearDERControl",
        "GetDERControl",
        "NotifyAllowedEnergyTransfer",
        "RequestBatterySwap",
        "SetDefaultTariff",
        "UpdateDynamicSchedule",
        "UsePriorityCharging",
    ),
    "ClearTariffs": {"clearTariffsResult": [{"tariffId": "day", "status": "Accepted"}]},
    "GetPeriodicEventStream": {
        "constantStreamData": [{"id": 1, "variableMonitoringId": 3, "params": {"interval": 10, "values": 5}}]
    },
    "GetTariffs": {
        "status": "Accepted",
        "tariffAssignments": [{"tariffId": "day", "tariffKind": "DefaultTariff", "validFrom": NOW, "evseIds": [1]}],
    },
    "NotifyWebPaymentStarted": {},
    "SetDERControl": {"status": "Accepted", "supersededIds": ["der-0"]},
}

ANSWERS: dict[str, Payloads] = {"1.6": ANSWERS_16, "2.0.1": ANSWERS_201, "2.1": ANSWERS_21}
"""Version → action → the payload of the charger's CALLRESULT."""
