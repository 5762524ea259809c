"""What stands in a question to a business system, for openapi/asyncapi.yaml; the answers are in `gateway.core.answers`.

A question holds what the event of the charger's message will hold, without what is only decided by the answer.
"""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from adapters.mqtt.event_schemas import EVENTS
from adapters.mqtt.event_schemas.certificates import OcspRequest
from adapters.mqtt.event_schemas.transactions import AdditionalId, TransactionEvent
from gateway.core.connector_state import TokenFacts


class Ask(TypedDict):
    """A question. `id` names this asking of it; `deadline_at` is when nobody waits for the answer any more."""

    id: str
    question: str
    charger_id: str
    deadline_at: str


class AuthorizeAsk(TypedDict):
    """The token, whether it was merely presented or starts a transaction, and what else was presented with it."""

    evse_id: int | None
    token: TokenFacts
    moment: Literal["presented", "start"]
    token_additional_info: NotRequired[list[AdditionalId]]
    certificate: NotRequired[str]
    certificate_hashes: NotRequired[list[OcspRequest]]


class TransactionCostAsk(TransactionEvent):
    """A transaction as it stands after the charger's message; `final` where that ended it."""

    final: bool


ASKED_OF: Mapping[str, str] = {
    # question → the type of the event that carries the charger's message
    "boot": "ocpp.charger.booted",
    "data_transfer": "ocpp.data.transfer",
    "sign_certificate": "ocpp.certificate.requested",
    "ev_certificate": "ocpp.certificate.ev_requested",
    "certificate_status": "ocpp.certificate.status_requested",
    "certificate_chain_status": "ocpp.certificate.chain_status_requested",
    "charging_needs": "ocpp.charging.needs",
    "charging_schedule": "ocpp.charging.schedule",
    "dynamic_schedule": "ocpp.charging.dynamic_schedule_requested",
    "event_stream": "ocpp.stream.opened",
    "vat_number": "ocpp.payment.vat_check",
    "settlement": "ocpp.payment.settled",
}
"""Every question but authorize, which comes from several, and transaction_cost, which has a model of its own."""

MODELS: Mapping[str, type] = {"authorize": AuthorizeAsk, "transaction_cost": TransactionCostAsk}

_DECIDED = {"decision", "decided_by", "violations", "raw"}
_DECIDED_OF_BOOT = {"status", "interval"}


def ask_name(question: str) -> str:
    """The name of a question's schema."""
    return "".join(word.capitalize() for word in question.split("_")) + "Ask"


def ask_schema(question: str, schemas: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The schema of a question, from those of `Ask` and of its data, which stand among `schemas`."""
    head = schemas[Ask.__name__]
    data = schemas.get(_data_name(question), {})
    left_out = _DECIDED | (_DECIDED_OF_BOOT if question == "boot" else set())
    own = {name: schema for name, schema in data.get("properties", {}).items() if name not in left_out}
    required = [name for name in data.get("required", []) if name in own]
    return {
        "title": ask_name(question),
        "type": "object",
        "properties": {**head["properties"], "question": {"const": question}, **own},
        "required": [*head["required"], *required],
    }


def _data_name(question: str) -> str:
    if question in MODELS:
        return MODELS[question].__name__
    data = EVENTS.get(ASKED_OF.get(question, ""))
    return "" if data is None else data.__name__
