"""One realistic payload for each action that an OCPP 2.1 charger calls: those of 2.0.1, changed and more."""

from typing import Any

from tests.ocpp.payload_parts import HASH, LATER, NOW, Payloads
from tests.ocpp.payloads_201 import CONNECTOR, INBOUND_201, TOKEN, TRANSACTION_201

_CURVE = {"curveData": [{"x": 50.2, "y": 100}, {"x": 51.5, "y": 40}], "priority": 0, "yUnit": "PctMaxW"}
TRANSACTION_21: dict[str, Any] = {
    **TRANSACTION_201,
    "preconditioningStatus": "Ready",
    "evseSleep": False,
    "transactionInfo": {
        **TRANSACTION_201["transactionInfo"],
        "operationMode": "ChargingOnly",
        "tariffId": "day",
        "transactionLimit": {"maxCost": 20, "maxEnergy": 30000, "maxTime": 7200, "maxSoC": 80},
    },
    "costDetails": {
        "totalCost": {"currency": "EUR", "typeOfCost": "NormalCost", "total": {"exclTax": 1.0, "inclTax": 1.19}},
        "totalUsage": {"energy": 2500, "chargingTime": 600, "idleTime": 0},
    },
}

INBOUND_21: Payloads = {
    **INBOUND_201,
    "TransactionEvent": TRANSACTION_21,
    "NotifyMonitoringReport": {
        **INBOUND_201["NotifyMonitoringReport"],
        "monitor": [
            {
                "component": CONNECTOR,
                "variable": {"name": "Temperature"},
                "variableMonitoring": [
                    {
                        "id": 3,
                        "transaction": False,
                        "value": 80,
                        "type": "UpperThreshold",
                        "severity": 4,
                        "eventNotificationType": "CustomMonitor",
                    }
                ],
            }
        ],
    },
    "NotifyEVChargingNeeds": {
        "evseId": 1,
        "maxScheduleTuples": 16,
        "timestamp": NOW,
        "chargingNeeds": {
            "requestedEnergyTransfer": "AC_BPT",
            "availableEnergyTransfer": ["AC_BPT", "AC_three_phase"],
            "controlMode": "DynamicControl",
            "mobilityNeedsMode": "EVCC_SECC",
            "departureTime": LATER,
            "v2xChargingParameters": {
                "maxChargePower": 11000,
                "maxDischargePower": 8000,
                "evTargetEnergyRequest": 20000,
                "targetSoC": 80,
            },
        },
    },
    "BatterySwap": {
        "eventType": "BatteryIn",
        "requestId": 20,
        "idToken": TOKEN,
        "batteryData": [
            {"evseId": 1, "serialNumber": "B-1", "soC": 12.5, "soH": 98, "productionDate": NOW, "vendorInfo": "x"}
        ],
    },
    "OpenPeriodicEventStream": {
        "constantStreamData": {"id": 1, "variableMonitoringId": 3, "params": {"interval": 10, "values": 5}}
    },
    "NotifyPeriodicEventStream": {
        "id": 1,
        "pending": 0,
        "basetime": NOW,
        "data": [{"t": 0, "v": "41.5"}, {"t": 2.5, "v": "41.7"}],
    },
    "ClosePeriodicEventStream": {"id": 1},
    "GetCertificateChainStatus": {
        "certificateStatusRequests": [
            {"certificateHashData": HASH, "source": "OCSP", "urls": ["http://ocsp.example.com"]}
        ]
    },
    "NotifyDERAlarm": {
        "controlType": "FreqWatt",
        "gridEventFault": "OverFrequency",
        "alarmEnded": False,
        "timestamp": NOW,
        "extraInfo": "51.1 Hz",
    },
    "NotifyDERStartStop": {"controlId": "der-1", "started": True, "timestamp": NOW, "supersededIds": ["der-0"]},
    "NotifyPriorityCharging": {"transactionId": "c0ffee", "activated": True},
    "NotifySettlement": {
        "transactionId": "c0ffee",
        "pspRef": "psp-1",
        "status": "Settled",
        "settlementAmount": 11.9,
        "settlementTime": LATER,
        "receiptId": "R-1",
        "receiptUrl": "https://pay.example.com/R-1",
        "vatNumber": "DE123456789",
        "vatCompany": {"name": "Example GmbH", "address1": "Street 1", "city": "Berlin", "country": "DE"},
    },
    "PullDynamicScheduleUpdate": {"chargingProfileId": 5},
    "ReportDERControl": {
        "requestId": 22,
        "tbc": False,
        "curve": [{"id": "der-1", "curveType": "FreqWatt", "isDefault": True, "isSuperseded": False, "curve": _CURVE}],
        "gradient": [{"id": "der-2", "gradient": {"priority": 1, "gradient": 10, "softGradient": 5}}],
    },
    "VatNumberValidation": {"vatNumber": "DE123456789", "evseId": 1},
}
