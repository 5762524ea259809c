"""What a business system is asked when chargers say all that they can, and what they get told."""

from dataclasses import dataclass, field
from typing import Any

from adapters.mqtt.answer_examples import ANSWER_EXAMPLES
from gateway.core.ports import Ask
from gateway.ocpp.profile import Profile
from tests.chargers.harness import running
from tests.core.answering import FakeAsker, house
from tests.ocpp.payloads import INBOUND
from tests.openapi.normalising import Clock


@dataclass
class Asked:
    """The questions of a session as a business system gets them, by name; the replies that followed, by action."""

    questions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    replies: dict[str, dict[str, Any]] = field(default_factory=dict)


async def record_asks(profile: Profile) -> Asked:
    """Every action of the version that asks something, sent once; each question gets its example as answer."""
    found, clock = Asked(), Clock()

    def answer(ask: Ask) -> Any:
        found.questions.setdefault(ask.kind, []).append(clock.normalised(ask.as_dict()))
        return ANSWER_EXAMPLES[ask.kind]

    made = house(FakeAsker("mqtt", answer), **{question: ["mqtt"] for question in ANSWER_EXAMPLES})
    session: Any = {"subprotocol": profile.subprotocol, "boot": False}
    async with running(responder=made.responder) as node, node.charger("CP1", **session) as charger:
        for action, payload in INBOUND[profile.version].items():
            if profile.inbound[action].asks is not None:
                found.replies[action] = clock.normalised(await charger.call(action, clock.moved(payload)))
            if profile.inbound[action].asks_after is not None:
                more = {**payload, "eventType": "Updated", "triggerReason": "MeterValuePeriodic", "seqNo": 1}
                found.replies[action] = clock.normalised(await charger.call(action, clock.moved(more)))
    return found
