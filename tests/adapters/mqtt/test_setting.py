"""What a home sets becomes ordinary commands, and what is wrong with it is said in words that a home understands."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mqtt.commands import Received, Request
from adapters.mqtt.setting import ATTRIBUTES, Manner, read_settings
from adapters.mqtt.topics import SetTopic
from gateway.core.commands import validated_arguments
from gateway.core.identity import ChargerId

CP = ChargerId("CP-1")
NOW = 1_000_000.0
MANNER = Manner("HOME", timeout=30, interval=5)


def read(
    payload: bytes | str, attribute: str | None = None, *, place: tuple[int, int] | None = (2, 1), **received: Any
) -> list[Request]:
    body = payload.encode() if isinstance(payload, str) else payload
    topic = SetTopic(CP, place, attribute)
    message = Received(body, received.pop("retain", False), NOW, **received)
    return read_settings(topic, message, MANNER, unnamed=lambda: ("an-id", "an-alias"))


def asked(payload: str, attribute: str, *, place: tuple[int, int] | None = (2, 1)) -> tuple[str, dict[str, Any]]:
    (request,) = read(payload, attribute, place=place)
    assert request.problem is None
    assert request.arguments is not None
    return request.name, request.arguments


@pytest.mark.parametrize("spelt", ["ON", "on", "true", "True", "1", '"ON"', " on\n"])
def test_whatever_a_home_calls_on_is_on(spelt: str) -> None:
    assert asked(spelt, "paused") == ("pause", validated_arguments("pause", {"evse_id": 2}))


@pytest.mark.parametrize("spelt", ["OFF", "off", "false", "0", '"OFF"'])
def test_whatever_a_home_calls_off_is_off(spelt: str) -> None:
    assert asked(spelt, "paused") == ("resume", validated_arguments("resume", {"evse_id": 2}))


@pytest.mark.parametrize(("spelt", "value"), [("16", 16.0), ("6.5", 6.5), ('"10"', 10.0), ("0", 0.0), ("1e1", 10.0)])
def test_a_limit_is_a_number(spelt: str, value: float) -> None:
    name, arguments = asked(spelt, "limit_a")
    assert (name, arguments["current_a"], arguments["power_w"], arguments["evse_id"]) == (
        "set_charging_limit",
        value,
        None,
        2,
    )
    name, arguments = asked(spelt, "limit_w", place=None)
    assert (arguments["current_a"], arguments["power_w"], arguments["evse_id"]) == (None, value, 0)


@pytest.mark.parametrize("spelt", ["none", "None", "null", '"null"'])
def test_none_lifts_a_limit(spelt: str) -> None:
    assert asked(spelt, "limit_a") == ("clear_charging_limit", {"evse_id": 2})
    assert asked(spelt, "limit_w", place=None) == ("clear_charging_limit", {"evse_id": 0})


def test_charging_starts_with_the_configured_token_and_stops_what_runs() -> None:
    name, arguments = asked("ON", "charging")
    assert (name, arguments["token"], arguments["evse_id"], arguments["if_needed"]) == ("start", "HOME", 2, True)
    assert asked("OFF", "charging") == ("stop", {"transaction_id": None, "evse_id": 2, "if_needed": True})


def test_enabled_is_of_a_connector_or_of_the_charger() -> None:
    assert asked("OFF", "enabled")[1] == {"available": False, "evse_id": 2, "connector_id": 1}
    assert asked("ON", "enabled", place=None)[1] == {"available": True, "evse_id": 0, "connector_id": None}


def test_an_object_makes_a_request_of_each_attribute_in_an_order_that_makes_sense() -> None:
    attributes = ["enabled", "limit_a", "paused", "charging"]
    body = {"charging": True, "paused": False, "limit_a": 10, "enabled": "ON"}
    requests = read(json.dumps(body))
    names = ["set_availability", "set_charging_limit", "resume", "start"]
    assert [request.name for request in requests] == names
    assert [request.id for request in requests] == [f"an-id-{name}" for name in attributes]
    assert requests[0].aliases == ("an-alias-enabled",)
    assert [request.sets for request in requests] == [SetTopic(CP, (2, 1), name) for name in attributes]


@pytest.mark.parametrize("limits", [{"limit_a": 16, "limit_w": None}, {"limit_w": "none", "limit_a": "16"}])
def test_the_limits_as_the_state_shows_them_are_one_limit(limits: dict[str, Any]) -> None:
    (request,) = read(json.dumps(limits))
    assert request.name == "set_charging_limit"
    assert request.arguments is not None
    assert request.arguments["current_a"] == 16


def test_what_is_wrong_with_one_attribute_does_not_hold_up_the_others() -> None:
    good, bad, unknown = read('{"limit_a": "lots", "volume": 11, "enabled": true}')
    assert (good.name, good.problem) == ("set_availability", None)
    assert bad.problem == "limit_a is a number of ampere, 0 or more, or none; not 'lots'"
    assert bad.sets == SetTopic(CP, (2, 1), "limit_a")
    assert unknown.problem == (
        "there is no attribute 'volume' to set; there are enabled, limit_a, limit_w, paused, charging"
    )


@pytest.mark.parametrize(
    ("attribute", "payload", "told"),
    [
        ("limit_a", "-1", "limit_a is a number of ampere, 0 or more, or none; not '-1'"),
        ("limit_w", "true", "limit_w is a number of watt, 0 or more, or none; not 'true'"),
        ("limit_a", "nan", "0 or more"),
        ("limit_a", "1e400", "0 or more"),
        ("limit_a", "1_6", "not '1_6'"),
        ("limit_a", "١٦", "0 or more"),
        ("limit_a", "[6]", "not a list"),
        ("limit_a", "[" * 300 + "]" * 300, "not a list"),
        (None, '{"charging": ' + '{"a":' * 300 + "1" + "}" * 301, "not an object"),
        ("charging" * 6, "1", "there is no attribute 'chargingcharging"),
        (None, '{"' + "x" * 60_000 + '": 1}', "there is no attribute 'xxx"),
        ("charging", "maybe", "charging is ON or OFF (also true, false, 1, 0), not 'maybe'"),
        ("paused", "none", "paused is ON or OFF"),
        ("enabled", "2", "enabled is ON or OFF"),
        ("enabled", b"\xff\x00", "enabled is ON or OFF"),
        ("charging", b"", "an empty message sets nothing"),
        ("status", "charging", "there is no attribute 'status' to set"),
        (None, "6", "set takes a JSON object of attributes, enabled, limit_a"),
        (None, "{}", "one or more of the attributes"),
        (None, "{", "set takes a JSON object"),
        (None, '{"limit_a": 6, "limit_w": 1000}', "set takes one limit, either limit_a or limit_w"),
    ],
)
def test_nonsense_is_refused_with_what_would_make_sense(attribute: str | None, payload: bytes | str, told: str) -> None:
    (request,) = read(payload, attribute)
    assert len(request.id) < 40
    assert len(request.problem or "") < 300
    assert request.sets is None or len(request.sets.attribute or "") <= 40
    assert request.arguments is None
    assert told in (request.problem or "")


@pytest.mark.parametrize("attribute", ["charging", "paused"])
def test_what_only_a_connector_has_is_not_set_on_the_charger(attribute: str) -> None:
    (request,) = read("ON", attribute, place=None)
    assert request.problem == f"{attribute} is set on a connector: .../evse/1/connector/1/set/{attribute}"


def test_a_retained_setting_is_refused() -> None:
    (request,) = read("ON", "charging", retain=True)
    assert "retained commands are refused" in (request.problem or "")


def test_a_setting_has_the_usual_time_and_a_paced_one_that_of_the_pace_on_top_but_none_beyond_its_expiry() -> None:
    assert [request.deadline for request in read('{"limit_a": 6, "charging": "on"}')] == [NOW + 35, NOW + 30]
    (request,) = read("6", "limit_a", message_expiry=7)
    assert (request.deadline, request.expiry) == (NOW + 7, NOW + 7)


def test_a_newer_setting_takes_the_place_of_one_of_the_same_attribute_alone() -> None:
    def kind(payload: str, attribute: str, place: tuple[int, int] | None = (2, 1)) -> str | None:
        return read(payload, attribute, place=place)[0].kind

    assert kind("6", "limit_a") == kind("none", "limit_a") == kind("1000", "limit_w")
    assert kind("ON", "paused") == kind("OFF", "paused")
    assert kind("ON", "charging") == kind("OFF", "charging")
    several = [kind("6", "limit_a", place) for place in (None, (2, 1), (1, 1))]
    several += [kind("ON", name) for name in ("paused", "charging", "enabled")]
    assert len(set(several)) == len(several)
    assert kind("lots", "limit_a") is None


@given(st.binary(max_size=60), st.sampled_from([None, *ATTRIBUTES, "x"]), st.sampled_from([None, (1, 1)]))
def test_nothing_that_is_sent_breaks_the_reading(
    payload: bytes, attribute: str | None, place: tuple[int, int] | None
) -> None:
    for request in read(payload, attribute, place=place):
        assert (request.arguments is None) == (request.problem is not None)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*ATTRIBUTES, "x"]), _JSON))
def test_no_json_object_breaks_the_reading(body: dict[str, Any]) -> None:
    for request in read(json.dumps(body)):
        assert (request.arguments is None) == (request.problem is not None)
