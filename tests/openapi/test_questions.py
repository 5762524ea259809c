"""What a business system is asked is as described, and its answer reaches the charger: over real sockets."""

import jsonschema_rs
import pytest

from adapters.mqtt.answer_examples import ANSWER_EXAMPLES
from adapters.mqtt.ask_schemas import ASKED_OF
from adapters.mqtt.asyncapi import document
from adapters.mqtt.json_schemas import documents
from gateway.core.answers import ANSWERS
from gateway.ocpp.profile import Profile
from gateway.ocpp.profiles import PROFILES
from tests.ocpp.schema_folder import assert_response
from tests.openapi.asking import record_asks

ALL = pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.version)


@ALL
def test_a_question_is_described_by_the_event_that_carries_the_message(profile: Profile) -> None:
    for row in profile.inbound.values():
        if row.asks not in (None, "authorize"):
            assert ASKED_OF[row.asks] == row.event


@ALL
async def test_every_question_is_as_its_schema_says_and_its_answer_is_told(profile: Profile) -> None:
    components = document()["components"]
    asked = await record_asks(profile)
    rows = profile.inbound.values()
    expected = {question for row in rows for question in (row.asks, row.asks_after) if question is not None}
    assert asked.questions.keys() == expected
    for question, asks in asked.questions.items():
        payload = components["messages"][f"ask_{question}"]["payload"]
        validator = jsonschema_rs.validator_for({**payload, "components": components})
        known = components["schemas"][payload["$ref"].rpartition("/")[2]]["properties"]
        for ask in asks:
            assert [str(error) for error in validator.iter_errors(ask)] == [], question
            assert ask.keys() <= known.keys()
            assert ask["question"] == question
            assert (len(ask["id"]), ask["charger_id"]) == (32, "CP1")
    for action, reply in asked.replies.items():
        assert_response(profile, action, reply)
        assert reply.get("status", "Accepted") in ("Accepted", "Processing")


@pytest.mark.parametrize("question", sorted(ANSWERS))
def test_the_example_of_an_answer_is_valid_and_taken(question: str) -> None:
    jsonschema_rs.validate(documents()[f"answers/{question}.json"], ANSWER_EXAMPLES[question])
    taken = ANSWERS[question].model_validate(ANSWER_EXAMPLES[question])
    assert taken.model_dump(exclude_unset=True) == ANSWER_EXAMPLES[question]
