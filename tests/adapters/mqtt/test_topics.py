"""Names to topics and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mqtt.topics import AnswerTopic, CommandTopic, GetTopic, SetTopic, Topics
from gateway.core.identity import ChargerId

TOPICS = Topics("home/ocpp")
CP = ChargerId("CP/1 #ü")
BRANCH = "home/ocpp/chargers/CP%2F1 %23%C3%BC"

IDENTITIES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=48)


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        (TOPICS.status, "home/ocpp/status"),
        (TOPICS.info, "home/ocpp/info"),
        (TOPICS.event(CP, "ocpp.transaction.ended"), f"{BRANCH}/event/transaction/ended"),
        (TOPICS.event(CP, "vendor.thing"), f"{BRANCH}/event/vendor/thing"),
        (TOPICS.message(CP, "BootNotification"), f"{BRANCH}/message/BootNotification"),
        (TOPICS.message(CP, "a/+"), f"{BRANCH}/message/a%2F%2B"),
        (TOPICS.availability(CP), f"{BRANCH}/availability"),
        (TOPICS.state(CP), f"{BRANCH}/state"),
        (TOPICS.connector_state(CP, 2, 1), f"{BRANCH}/evse/2/connector/1/state"),
        (TOPICS.problem(CP, (2, 1)), f"{BRANCH}/evse/2/connector/1/problem"),
        (TOPICS.problem(CP, None), f"{BRANCH}/problem"),
        (TOPICS.result(CP, "reset"), f"{BRANCH}/result/reset"),
        (TOPICS.result(CP, "call/Reset"), f"{BRANCH}/result/Reset"),
    ],
)
def test_topics_are_those_of_the_contract(topic: str, expected: str) -> None:
    assert topic == expected


@given(IDENTITIES)
def test_every_identity_is_one_level_and_comes_back(identity: str) -> None:
    charger = ChargerId(identity)
    topic = f"{TOPICS.charger(charger)}/command/reset"
    assert topic.count("/") == 5
    assert not set("+#\0") & set(topic)
    assert TOPICS.parse_command(topic) == CommandTopic(charger, "command", "reset")


@pytest.mark.parametrize(
    "topic",
    [
        "ocpp/chargers/CP/command/reset",
        "home/ocpp/chargers/CP/event/reset",
        "home/ocpp/chargers/CP/command",
        "home/ocpp/chargers//command/reset",
        "home/ocpp/chargers/CP/command/",
        "home/ocpp/chargers/CP/command/reset/now",
        "home/ocpp/chargers/%FF/command/reset",
        "",
    ],
)
def test_what_is_no_command_topic(topic: str) -> None:
    assert TOPICS.parse_command(topic) is None


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_an_answer_topic_leads_back_to_what_it_answers(identity: str, ask_id: str) -> None:
    topic = TOPICS.answer(ChargerId(identity), ask_id)
    assert topic.count("/") == 5
    assert TOPICS.parse_answer(topic) == AnswerTopic(ChargerId(identity), ask_id)
    assert TOPICS.parse_command(topic) is None


@pytest.mark.parametrize("topic", ["ocpp/chargers/CP/answer/1", "home/ocpp/chargers/CP/answer/", "home/ocpp/status"])
def test_what_is_no_answer_topic(topic: str) -> None:
    assert TOPICS.parse_answer(topic) is None


@pytest.mark.parametrize(
    ("response_topic", "allowed"),
    [
        ("replies/me", True),
        ("home/ocpp/reply/me", True),
        ("home/ocppx/status", True),
        ("home/ocpp", False),
        ("home/ocpp/status", False),
        ("home/ocpp/chargers/CP/state", False),
        ("home/ocpp/replyx/me", False),
        ("replies/#", False),
        ("replies/+", False),
        ("re\0plies", False),
        ("", False),
    ],
)
def test_nobody_can_have_the_gateways_own_topics_forged(response_topic: str, allowed: bool) -> None:
    assert TOPICS.may_reply_to(response_topic) is allowed


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        (f"{BRANCH}/set", SetTopic(CP, None)),
        (f"{BRANCH}/set/limit_a", SetTopic(CP, None, "limit_a")),
        (f"{BRANCH}/evse/2/connector/1/set", SetTopic(CP, (2, 1))),
        (f"{BRANCH}/evse/2/connector/1/set/charging", SetTopic(CP, (2, 1), "charging")),
        (f"{BRANCH}/get", GetTopic(CP, None)),
        (f"{BRANCH}/evse/12/connector/1/get", GetTopic(CP, (12, 1))),
        ("ocpp/chargers/CP/set", None),
        ("home/ocpp/chargers//set", None),
        (f"{BRANCH}/set/", None),
        (f"{BRANCH}/set/limit_a/now", None),
        (f"{BRANCH}/get/state", None),
        (f"{BRANCH}/evse/0/connector/1/set", None),
        (f"{BRANCH}/evse/1/connector/x/get", None),
        (f"{BRANCH}/evse/1/connector/1", None),
        (f"{BRANCH}/evse/1/set", None),
        ("home/ocpp/chargers/%FF/set", None),
    ],
)
def test_what_a_home_sends_is_of_a_connector_or_of_the_charger(topic: str, said: SetTopic | GetTopic | None) -> None:
    assert TOPICS.parse_home(topic) == said
