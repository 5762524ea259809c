"""Ad hoc payment (functional block C)."""

from typing import Any

from gateway.core.reports import Notice, Report
from gateway.ocpp.fields import identifier, integer, number, text, word
from gateway.ocpp.profile import Notes
from gateway.ocpp.shapes import Shape, one, read, time

COMPANY: Shape = {
    "name": ("name", text),
    "address1": ("address1", text),
    "address2": ("address2", text),
    "city": ("city", text),
    "postalCode": ("postal_code", text),
    "country": ("country", text),
}
"""AddressType, in the names of VatAnswer."""

_SETTLEMENT: Shape = {
    "transactionId": ("ocpp_transaction_id", identifier),
    "pspRef": ("psp_reference", text),
    "status": ("status", word),
    "statusInfo": ("info", text),
    "settlementAmount": ("amount", number),
    "settlementTime": ("settled_at", time),
    "receiptId": ("receipt_id", text),
    "receiptUrl": ("receipt_url", text),
    "vatNumber": ("vat_number", text),
    "vatCompany": ("company", one(COMPANY)),
}

_VAT_CHECK: Shape = {"vatNumber": ("vat_number", text), "evseId": ("evse_id", integer)}


def settlement(payload: dict[str, Any], notes: Notes) -> Report:
    """NotifySettlement: how a payment by terminal ended."""
    data = read(payload, _SETTLEMENT, notes)
    return Notice("ocpp.payment.settled", data, time=data["settled_at"])


def vat_check(payload: dict[str, Any], notes: Notes) -> Report:
    """VatNumberValidation: is this VAT number good for a company's receipt?"""
    return Notice("ocpp.payment.vat_check", read(payload, _VAT_CHECK, notes))
