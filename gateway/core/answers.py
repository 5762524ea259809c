"""What can be answered to each question: the one shape for every policy, whoever decides.

A business system answers in this form over MQTT (`.../answer/{id}`) or as the response of a webhook; a charger gets
it in its own version's words. Statuses are OCPP's in snake_case.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gateway.core.clock import instant, rfc3339

AuthorizationStatus = Literal[
    "accepted",
    "blocked",
    "expired",
    "invalid",
    "concurrent_tx",
    "no_credit",
    "not_allowed_type_evse",
    "not_at_this_location",
    "not_at_this_time",
    "unknown",
]
"""What can be said of an id token: OCPP's AuthorizationStatus in snake_case."""


MAX_INTEGER = 2**31 - 1
"""The largest integer that every charger can read."""


class Answer(BaseModel):
    """Base of all answers. Unknown fields are ignored, so that an answer may say more than today's gateway reads."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def _in_utc(text: str) -> str:
    """A time as chargers get it: some of them read nothing else."""
    try:
        return rfc3339(instant(text))
    except (ValueError, OverflowError) as error:
        raise ValueError("this is no time in RFC 3339") from error


class AuthorizeAnswer(Answer):
    """May this token charge? The last four fields are for OCPP 2.x and are left out for 1.6."""

    status: AuthorizationStatus
    expires_at: Annotated[str, AfterValidator(_in_utc)] | None = Field(
        None, description="RFC 3339; until then charger and gateway may answer the same from memory"
    )
    group: str | None = Field(None, max_length=255, description="Group (parent) token: its members may stop each other")
    evse_ids: list[Annotated[int, Field(ge=0, le=MAX_INTEGER)]] = Field(
        default_factory=list, max_length=1000, description="The only EVSEs it may charge at; none: all"
    )
    charging_priority: int | None = Field(None, ge=-9, le=9)
    personal_message: str | None = Field(None, max_length=512, description="Text for the charger's display")
    certificate_status: (
        Literal[
            "accepted",
            "signature_error",
            "certificate_expired",
            "certificate_revoked",
            "no_certificate_available",
            "cert_chain_error",
            "contract_cancelled",
        ]
        | None
    ) = Field(None, description="What is thought of the contract certificate, where one was presented (ISO 15118)")


class BootAnswer(Answer):
    """May this charger work here?"""

    status: Literal["accepted", "pending", "rejected"]
    interval: int | None = Field(
        None,
        ge=0,
        le=MAX_INTEGER,
        description="Seconds between heartbeats; before acceptance, until the charger boots again. 0: as configured",
    )


class DataTransferAnswer(Answer):
    """What is said to a vendor's own message; `data` must be text for OCPP 1.6, else its JSON is sent."""

    status: Literal["accepted", "rejected", "unknown_message_id", "unknown_vendor_id"]
    data: Any = None


class SignCertificateAnswer(Answer):
    """Will the certificate be signed? With `certificate_chain` (PEM) the charger is sent it right after the answer;
    without, send it later by the command `send_certificate`."""

    status: Literal["accepted", "rejected"]
    certificate_chain: str | None = Field(None, min_length=1, description="PEM, the charger's certificate first")


class EvCertificateAnswer(Answer):
    """The response of the ISO 15118 certificate back-end, base64 as it came."""

    status: Literal["accepted", "failed"]
    exi_response: str = ""
    remaining_contracts: int | None = Field(None, ge=0, description="OCPP 2.1")


class CertificateStatusAnswer(Answer):
    """The OCSP status of a certificate: `ocsp_result` is the DER-encoded OCSPResponse in base64."""

    status: Literal["accepted", "failed"]
    ocsp_result: str | None = None


class CertificateInChain(Answer):
    """The status of one certificate of a chain, in the order in which they were asked for."""

    status: Literal["good", "revoked", "unknown", "failed"]
    source: Literal["crl", "ocsp"] = "ocsp"
    next_update: str | None = Field(None, description="RFC 3339; when the charger may ask again")


class CertificateChainStatusAnswer(Answer):
    """The revocation status of each certificate asked about (OCPP 2.1)."""

    certificates: list[CertificateInChain] = Field(default_factory=list)


class ChargingNeedsAnswer(Answer):
    """Can the EV's charging needs be met? `processing`: a charging profile will follow."""

    status: Literal["accepted", "rejected", "processing", "no_charging_profile"]


class AcceptAnswer(Answer):
    """Yes or no."""

    status: Literal["accepted", "rejected"]


class DynamicScheduleAnswer(Answer):
    """The values of a dynamic charging profile as they are now (OCPP 2.1), in the unit of its schedule."""

    status: Literal["accepted", "rejected"]
    limit: float | None = None
    discharge_limit: float | None = Field(None, le=0)
    setpoint: float | None = None
    setpoint_reactive: float | None = None


class VatAnswer(Answer):
    """Is the VAT number valid, and whose is it (OCPP 2.1)?"""

    status: Literal["accepted", "rejected"]
    name: str | None = Field(None, max_length=50)
    address1: str | None = Field(None, max_length=100)
    address2: str | None = Field(None, max_length=100)
    city: str | None = Field(None, max_length=100)
    postal_code: str | None = Field(None, max_length=20)
    country: str | None = Field(None, max_length=50)


class SettlementAnswer(Answer):
    """The receipt of an ad hoc payment (OCPP 2.1)."""

    receipt_url: str | None = Field(None, max_length=2000)
    receipt_id: str | None = Field(None, max_length=50)


class TransactionCostAnswer(Answer):
    """What does the transaction cost, so far or in all (OCPP 2.x)? Asked with each update and at the end; the charger
    shows it to the driver. 0 is for free; without an answer the charger is told nothing."""

    total_cost: float = Field(
        ge=0, allow_inf_nan=False, description="Including taxes, in the currency that the charger is set to"
    )


ANSWERS: Mapping[str, type[Answer]] = {
    # question → what its answer holds
    "authorize": AuthorizeAnswer,
    "boot": BootAnswer,
    "data_transfer": DataTransferAnswer,
    "sign_certificate": SignCertificateAnswer,
    "ev_certificate": EvCertificateAnswer,
    "certificate_status": CertificateStatusAnswer,
    "certificate_chain_status": CertificateChainStatusAnswer,
    "charging_needs": ChargingNeedsAnswer,
    "charging_schedule": AcceptAnswer,
    "dynamic_schedule": DynamicScheduleAnswer,
    "event_stream": AcceptAnswer,
    "vat_number": VatAnswer,
    "settlement": SettlementAnswer,
    "transaction_cost": TransactionCostAnswer,
}
"""Every question that a charger's message can ask. One question per decision, whatever the OCPP action."""
