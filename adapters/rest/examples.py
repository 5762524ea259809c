"""Raw calls, shown in OpenAPI; the neutral commands' examples are in `gateway.core.arguments.examples`."""

from fastapi.openapi.models import Example

CALL: dict[str, Example] = {
    "reserve": {
        "summary": "ReserveNow on OCPP 1.6",
        "value": {
            "connectorId": 1,
            "expiryDate": "2026-11-21T18:00:00.000Z",
            "idTag": "04A2B3C4D5E6F7",
            "reservationId": 7,
        },
    },
    "empty": {"summary": "A call without fields", "value": {}},
}
