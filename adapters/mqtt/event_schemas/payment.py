"""Events of ad hoc payment (OCPP 2.1)."""

from typing_extensions import TypedDict

from adapters.mqtt.event_schemas.base import Asked
from gateway.core.connector_state import Number


class ReceiptCompany(TypedDict):
    """A company and its address."""

    name: str | None
    address1: str | None
    address2: str | None
    city: str | None
    postal_code: str | None
    country: str | None


class PaymentSettled(Asked):
    """How a payment at a terminal ended: settled, canceled, rejected or failed."""

    ocpp_transaction_id: str | None
    psp_reference: str | None
    status: str | None
    info: str | None
    amount: Number | None
    settled_at: str | None
    receipt_id: str | None
    receipt_url: str | None
    vat_number: str | None
    company: ReceiptCompany | None


class VatCheck(Asked):
    """Is this VAT number good for a company's receipt?"""

    vat_number: str | None
    evse_id: int | None
