"""One realistic payload for each action that an OCPP 2.0.1 charger calls, in the order of a session."""

from typing import Any

from tests.ocpp.payload_parts import CSR, LATER, NOW, OCSP, Payloads


def _value201(measurand: str, value: float, unit: str, **more: Any) -> dict[str, Any]:
    return {
        "value": value,
        "measurand": measurand,
        "unitOfMeasure": {"unit": unit, "multiplier": 0},
        "context": "Sample.Periodic",
        **more,
    }


METER_VALUE_201 = {
    "timestamp": NOW,
    "sampledValue": [
        {
            "value": 1234.567,
            "measurand": "Energy.Active.Import.Register",
            "unitOfMeasure": {"unit": "Wh", "multiplier": 3},
            "location": "Outlet",
            "signedMeterValue": {
                "signedMeterData": "T0NNRnx7fQ==",
                "signingMethod": "ECDSA-secp256r1-SHA256",
                "encodingMethod": "OCMF",
                "publicKey": "b2NhOmJhc2UxNjo=",
            },
        },
        _value201("Power.Active.Import", 11040, "W"),
        _value201("Current.Import", 16, "A", phase="L1"),
        _value201("Current.Import", 15.9, "A", phase="L2"),
        _value201("Current.Import", 16.1, "A", phase="L3"),
        _value201("Voltage", 230.1, "V", phase="L1-N"),
        _value201("SoC", 42, "Percent", location="EV"),
    ],
}
TOKEN = {"idToken": "04A2B3C4D5E6F7", "type": "ISO14443"}
CONNECTOR = {"name": "Connector", "evse": {"id": 1, "connectorId": 1}}
_SCHEDULE: dict[str, Any] = {
    "id": 1,
    "startSchedule": NOW,
    "duration": 3600,
    "chargingRateUnit": "A",
    "minChargingRate": 6,
    "chargingSchedulePeriod": [
        {"startPeriod": 0, "limit": 16, "numberPhases": 3},
        {"startPeriod": 1800, "limit": 10, "numberPhases": 1, "phaseToUse": 2},
    ],
}

TRANSACTION_201: dict[str, Any] = {
    "eventType": "Started",
    "timestamp": NOW,
    "triggerReason": "Authorized",
    "seqNo": 0,
    "offline": False,
    "numberOfPhasesUsed": 3,
    "cableMaxCurrent": 32,
    "reservationId": 7,
    "transactionInfo": {
        "transactionId": "c0ffee",
        "chargingState": "Charging",
        "timeSpentCharging": 0,
        "remoteStartId": 4711,
    },
    "evse": {"id": 1, "connectorId": 1},
    "idToken": TOKEN,
    "meterValue": [METER_VALUE_201],
}

INBOUND_201: Payloads = {
    "BootNotification": {
        "reason": "PowerUp",
        "chargingStation": {
            "vendorName": "Example",
            "model": "Wallbox 11",
            "serialNumber": "WB11-0001",
            "firmwareVersion": "1.2.3",
            "modem": {"iccid": "89490200001234567890", "imsi": "262011234567890"},
        },
    },
    "Heartbeat": {},
    "StatusNotification": {"timestamp": NOW, "connectorStatus": "Occupied", "evseId": 1, "connectorId": 1},
    "Authorize": {"idToken": TOKEN, "iso15118CertificateHashData": [OCSP]},
    "TransactionEvent": TRANSACTION_201,
    "MeterValues": {"evseId": 1, "meterValue": [METER_VALUE_201]},
    "ClearedChargingLimit": {"chargingLimitSource": "EMS", "evseId": 1},
    "DataTransfer": {"vendorId": "com.example", "messageId": "Ping", "data": {"text": "hello"}},
    "FirmwareStatusNotification": {"status": "Downloading", "requestId": 13},
    "Get15118EVCertificate": {
        "iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef",
        "action": "Install",
        "exiRequest": "gJgA",
    },
    "GetCertificateStatus": {"ocspRequestData": OCSP},
    "LogStatusNotification": {"status": "Uploaded", "requestId": 12},
    "NotifyChargingLimit": {
        "evseId": 1,
        "chargingLimit": {"chargingLimitSource": "EMS", "isGridCritical": True},
        "chargingSchedule": [_SCHEDULE],
    },
    "NotifyCustomerInformation": {
        "data": "token 04A2B3C4D5E6F7, 3 transactions",
        "tbc": False,
        "seqNo": 0,
        "generatedAt": NOW,
        "requestId": 14,
    },
    "NotifyDisplayMessages": {
        "requestId": 15,
        "tbc": False,
        "messageInfo": [
            {
                "id": 1,
                "priority": "NormalCycle",
                "state": "Idle",
                "startDateTime": NOW,
                "endDateTime": LATER,
                "transactionId": "c0ffee",
                "display": {"name": "MainDisplay"},
                "message": {"format": "UTF8", "language": "en", "content": "Welcome"},
            }
        ],
    },
    "NotifyEVChargingNeeds": {
        "evseId": 1,
        "maxScheduleTuples": 16,
        "chargingNeeds": {
            "requestedEnergyTransfer": "AC_three_phase",
            "departureTime": LATER,
            "acChargingParameters": {
                "energyAmount": 20000,
                "evMinCurrent": 6,
                "evMaxCurrent": 16,
                "evMaxVoltage": 230,
            },
        },
    },
    "NotifyEVChargingSchedule": {"timeBase": NOW, "evseId": 1, "chargingSchedule": _SCHEDULE},
    "NotifyEvent": {
        "generatedAt": NOW,
        "tbc": False,
        "seqNo": 0,
        "eventData": [
            {
                "eventId": 21,
                "timestamp": NOW,
                "trigger": "Alerting",
                "cause": 20,
                "actualValue": "true",
                "techCode": "E17",
                "techInfo": "residual current",
                "cleared": False,
                "transactionId": "c0ffee",
                "variableMonitoringId": 3,
                "eventNotificationType": "HardWiredNotification",
                "component": CONNECTOR,
                "variable": {"name": "Problem"},
            }
        ],
    },
    "NotifyMonitoringReport": {
        "requestId": 16,
        "tbc": False,
        "seqNo": 0,
        "generatedAt": NOW,
        "monitor": [
            {
                "component": CONNECTOR,
                "variable": {"name": "Temperature"},
                "variableMonitoring": [
                    {"id": 3, "transaction": False, "value": 80, "type": "UpperThreshold", "severity": 4}
                ],
            }
        ],
    },
    "NotifyReport": {
        "requestId": 17,
        "generatedAt": NOW,
        "tbc": False,
        "seqNo": 0,
        "reportData": [
            {
                "component": {"name": "OCPPCommCtrlr"},
                "variable": {"name": "HeartbeatInterval"},
                "variableAttribute": [
                    {
                        "type": "Actual",
                        "value": "300",
                        "mutability": "ReadWrite",
                        "persistent": True,
                        "constant": False,
                    }
                ],
                "variableCharacteristics": {
                    "dataType": "integer",
                    "unit": "s",
                    "minLimit": 10,
                    "maxLimit": 86400,
                    "supportsMonitoring": False,
                },
            }
        ],
    },
    "PublishFirmwareStatusNotification": {
        "status": "Published",
        "location": ["https://controller.local/firmware.bin"],
        "requestId": 18,
    },
    "ReportChargingProfiles": {
        "requestId": 19,
        "chargingLimitSource": "CSO",
        "tbc": False,
        "evseId": 1,
        "chargingProfile": [
            {
                "id": 5,
                "stackLevel": 1,
                "chargingProfilePurpose": "TxDefaultProfile",
                "chargingProfileKind": "Recurring",
                "recurrencyKind": "Daily",
                "validFrom": NOW,
                "validTo": LATER,
                "chargingSchedule": [_SCHEDULE],
            }
        ],
    },
    "ReservationStatusUpdate": {"reservationId": 7, "reservationUpdateStatus": "Expired"},
    "SecurityEventNotification": {"type": "TamperDetectionActivated", "timestamp": NOW, "techInfo": "lid open"},
    "SignCertificate": {"csr": CSR, "certificateType": "ChargingStationCertificate"},
}
