"""The channels and operations of openapi/asyncapi.yaml, made from topics, event schemas, commands and answers."""

from collections.abc import Iterator
from inspect import getdoc
from typing import Any

from pydantic import BaseModel, create_model

from adapters.mqtt.answer_examples import ANSWER_EXAMPLES
from adapters.mqtt.ask_schemas import ask_name
from adapters.mqtt.asyncapi_parts import Channel, Object, Operation, example, message, ref
from adapters.mqtt.commands import terms_of
from adapters.mqtt.event_schemas import EVENTS, RawMessage
from adapters.mqtt.json_schemas import meaning
from adapters.mqtt.topics import Topics
from gateway.core.answers import ANSWERS
from gateway.core.arguments.examples import ARGUMENTS
from gateway.core.commands import COMMANDS, wants_arguments
from gateway.core.events import CONTENT_TYPE
from gateway.core.identity import ChargerId

Part = Channel | Operation

_CHARGER = ChargerId("{charger_id}")


def _alone(
    name: str,
    address: str,
    told: str,
    payload: Object,
    *,
    retain: bool = False,
    content_type: str = "application/json",
    shown: Any = None,
) -> Iterator[Part]:
    """A topic with one kind of message, that the gateway publishes."""
    said = message(name, told, payload, content_type=content_type, examples=[shown])
    yield Channel(name, address, told, {name: said})
    yield Operation(name, "send", name, told, retain=retain)


def state(topics: Topics) -> Iterator[Part]:
    """What is retained."""
    text: Object = {"type": "string", "enum": ["online", "offline"]}
    plain: Any = {"retain": True, "content_type": "text/plain"}
    yield from _alone("status", topics.status, "The gateway as a whole.", text, **plain)
    yield from _alone("info", topics.info, "Versions and nodes.", ref("schemas", "Info"), retain=True)
    told = "Whether a charger is connected; valid while the gateway's status is online."
    yield from _alone("availability", topics.availability(_CHARGER), told, text, **plain)
    told = "The charger as it stands."
    shown = example("state/charger.json")
    payload = ref("schemas", "ChargerState")
    yield from _alone("state", topics.state(_CHARGER), told, payload, retain=True, shown=shown)
    told = "A connector as it stands; every key is there, null if unknown."
    address = topics.connector_state(_CHARGER, "{evse_id}", "{connector_id}")
    shown = example("state/connector.json")
    payload = ref("schemas", "ConnectorState")
    yield from _alone("connector_state", address, told, payload, retain=True, shown=shown)


def events(topics: Topics) -> Iterator[Part]:
    """What happened."""
    for event_type, data in EVENTS.items():
        name = "event_" + event_type.removeprefix("ocpp.").replace(".", "_")
        address = topics.event(_CHARGER, event_type)
        payload = _event(event_type, data)
        shown = example(f"events/{event_type}.json")
        yield from _alone(name, address, meaning(event_type), payload, content_type=CONTENT_TYPE, shown=shown)
    address = f"{topics.charger(_CHARGER)}/message/{{action}}"
    payload = _event("ocpp.message", RawMessage)
    shown = example("events/ocpp.message.json")
    yield from _alone("message", address, _doc(RawMessage), payload, content_type=CONTENT_TYPE, shown=shown)


def _event(event_type: str, data: type) -> Object:
    own = {"type": {"const": event_type}, "data": ref("schemas", data.__name__)}
    return {"allOf": [ref("schemas", "Envelope"), {"type": "object", "required": ["data"], "properties": own}]}


def commands(topics: Topics) -> Iterator[Part]:
    """What the gateway is told to do, and how it ended."""
    branch = topics.charger(_CHARGER)
    results: dict[str, Object] = {}
    for name, model in COMMANDS.items():
        own, ended = f"command_{name}", f"result_{name}"
        told = _doc(model) if wants_arguments(name) else f"{_doc(model)} Send {{}} where no argument is wanted."
        payload = ref("schemas", command_model(model).__name__)
        said = message(own, told, payload, examples=[ARGUMENTS.get(name)])
        yield Channel(own, f"{branch}/command/{name}", told, {own: said})
        yield Operation(own, "receive", own, told, reply=("reply", ended), reply_to_header=True)
        results[ended] = _result(ended, f"How {name} ended.", example(f"results/{name}.json"))
    told = (
        "Any OCPP call.\n\nThe payload is OCPP's own; or, to say more, an object with OCPP's under `payload` and `id`, "
        "`timeout`, `expires_at`, `queue_for` and `problem_at` beside it."
    )
    said = message("call", told, {"anyOf": [ref("schemas", "CallEnvelope"), {"type": "object"}]})
    yield Channel("call", f"{branch}/call/{{action}}", told, {"call": said})
    yield Operation("call", "receive", "call", told, reply=("reply", "result"), reply_to_header=True)
    told = "How a command ended that gave no Response Topic."
    result = {"result": _result("result", "How a command ended.", None)}
    yield Channel("result", topics.result(_CHARGER, "{command}"), told, result)
    yield Operation("result", "send", "result", told)
    told = "How a command ended: on the Response Topic that it gave, with its Correlation Data."
    yield Channel("reply", None, told, {**results, **result})


def _result(name: str, told: str, shown: Any) -> Object:
    return message(name, told, ref("schemas", "Result"), examples=[shown])


def questions(topics: Topics) -> Iterator[Part]:
    """What a business system is asked, and its answers."""
    asks: dict[str, Object] = {}
    answers: dict[str, Object] = {}
    for question, model in ANSWERS.items():
        told = _doc(model)
        ask, answer = f"ask_{question}", f"answer_{question}"
        shown = example(f"asks/{question}.json")
        asks[ask] = message(ask, told, ref("schemas", ask_name(question)), examples=[shown])
        shown = ANSWER_EXAMPLES.get(question)
        payload = ref("schemas", model.__name__)
        answers[answer] = message(answer, f"The answer to {question}.", payload, examples=[shown])
        yield Operation(ask, "send", "ask", told, messages=[ask], reply=("answer", answer))
    told = (
        "A decision is wanted: one question for each decision, whatever the OCPP action.\n\nAnswer before "
        "`deadline_at` to its Response Topic, which is `answer/{ask_id}`; what comes later is not heeded."
    )
    yield Channel("ask", topics.ask(_CHARGER, "{question}"), told, asks)
    told = "The answer to a question. Publish it without the retain flag."
    yield Channel("answer", f"{topics.charger(_CHARGER)}/answer/{{ask_id}}", told, answers)


def command_model(model: type[BaseModel]) -> type[BaseModel]:
    """A command's arguments and terms in one."""
    terms = terms_of(next(name for name, known in COMMANDS.items() if known is model))
    return create_model(f"{model.__name__}Command", __base__=(model, terms), __doc__=_doc(model))


def _doc(item: type) -> str:
    return getdoc(item) or ""
