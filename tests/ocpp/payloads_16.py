"""One realistic payload for each action that an OCPP 1.6 charger calls, in the order of a session."""

from tests.ocpp.payload_parts import CSR, LATER, NOW, Payloads


def _value16(measurand: str, value: str, unit: str, **more: str) -> dict[str, str]:
    return {"value": value, "measurand": measurand, "unit": unit, "context": "Sample.Periodic", **more}


METER_VALUE_16 = {
    "timestamp": NOW,
    "sampledValue": [
        _value16("Energy.Active.Import.Register", "1234.567", "kWh", location="Outlet"),
        _value16("Power.Active.Import", "11040", "W"),
        _value16("Current.Import", "16.0", "A", phase="L1"),
        _value16("Current.Import", "15.9", "A", phase="L2"),
        _value16("Current.Import", "16.1", "A", phase="L3"),
        _value16("Voltage", "230.1", "V", phase="L1-N"),
        _value16("SoC", "42", "Percent", location="EV"),
    ],
}

INBOUND_16: Payloads = {
    "BootNotification": {
        "chargePointVendor": "Example",
        "chargePointModel": "Wallbox 11",
        "chargePointSerialNumber": "WB11-0001",
        "firmwareVersion": "1.2.3",
        "iccid": "89490200001234567890",
        "imsi": "262011234567890",
        "meterType": "MID-3P",
        "meterSerialNumber": "M-4711",
    },
    "Heartbeat": {},
    "StatusNotification": {
        "connectorId": 1,
        "status": "Faulted",
        "errorCode": "GroundFailure",
        "info": "residual current",
        "vendorId": "com.example",
        "vendorErrorCode": "E17",
        "timestamp": NOW,
    },
    "Authorize": {"idTag": "04A2B3C4D5E6F7"},
    "StartTransaction": {
        "connectorId": 1,
        "idTag": "04A2B3C4D5E6F7",
        "meterStart": 1230367,
        "reservationId": 7,
        "timestamp": NOW,
    },
    "MeterValues": {"connectorId": 1, "meterValue": [METER_VALUE_16]},
    "StopTransaction": {
        "transactionId": 1,
        "idTag": "04A2B3C4D5E6F7",
        "meterStop": 1246012,
        "timestamp": LATER,
        "reason": "EVDisconnected",
        "transactionData": [
            {
                "timestamp": LATER,
                "sampledValue": [
                    {"value": "1246.012", "measurand": "Energy.Active.Import.Register", "unit": "kWh"},
                    {"value": "OCMF|{}", "format": "SignedData", "context": "Transaction.End"},
                ],
            }
        ],
    },
    "DataTransfer": {"vendorId": "com.example", "messageId": "Ping", "data": "hello"},
    "DiagnosticsStatusNotification": {"status": "Uploading"},
    "FirmwareStatusNotification": {"status": "Downloading"},
    "LogStatusNotification": {"status": "Uploaded", "requestId": 12},
    "SecurityEventNotification": {"type": "TamperDetectionActivated", "timestamp": NOW, "techInfo": "lid open"},
    "SignCertificate": {"csr": CSR},
    "SignedFirmwareStatusNotification": {"status": "InvalidSignature", "requestId": 13},
}
