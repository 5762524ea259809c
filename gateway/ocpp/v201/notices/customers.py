"""What a charger knows of a customer (use case N09)."""

from typing import Any

from gateway.core.reports import Notice, Part, Report
from gateway.ocpp.fields import boolean, integer, text
from gateway.ocpp.profile import Notes
from gateway.ocpp.shapes import time


def customer_information(payload: dict[str, Any], notes: Notes) -> Report:
    """NotifyCustomerInformation: a text in numbered pieces."""
    request_id = integer(payload, "requestId", notes)
    number = integer(payload, "seqNo", notes)
    more = boolean(payload, "tbc", notes) or False
    piece = text(payload, "data", notes)
    data = {
        "request_id": request_id,
        "pieces": [] if piece is None else [piece],
        "data": None,
        "sequence_number": number,
        "to_be_continued": more,
    }
    part = Part("pieces", request_id, last=not more, sequence=number, text="data")
    return Notice("ocpp.customer.information", data, time=time(payload, "generatedAt", notes), part=part)
