"""One answer to each question, shown in openapi/asyncapi.yaml and given by tests."""

from collections.abc import Mapping
from typing import Any

ANSWER_EXAMPLES: Mapping[str, dict[str, Any]] = {
    "authorize": {"status": "accepted", "expires_at": "2036-12-31T23:00:00.000Z", "group": "FLEET-7"},
    "boot": {"status": "accepted", "interval": 300},
    "data_transfer": {"status": "accepted", "data": "pong"},
    "sign_certificate": {"status": "accepted"},
    "ev_certificate": {"status": "accepted", "exi_response": "gJoA"},
    "certificate_status": {"status": "accepted", "ocsp_result": "MAMKAQE="},
    "certificate_chain_status": {
        "certificates": [{"status": "good", "source": "ocsp", "next_update": "2036-11-22T08:00:00.000Z"}]
    },
    "charging_needs": {"status": "processing"},
    "charging_schedule": {"status": "accepted"},
    "dynamic_schedule": {"status": "accepted", "limit": 10.0},
    "event_stream": {"status": "accepted"},
    "vat_number": {
        "status": "accepted",
        "name": "Example GmbH",
        "address1": "Street 1",
        "city": "Berlin",
        "country": "DE",
    },
    "settlement": {"receipt_url": "https://pay.example.com/R-1", "receipt_id": "R-1"},
    "transaction_cost": {"total_cost": 4.2},
}
