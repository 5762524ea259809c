"""The tables of every version against the schemas: complete, and valid in all that they send."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.commands import validated_arguments
from gateway.core.errors import CommandInvalid
from gateway.core.reports import ActiveTransaction, BootDecision, TokenDecision, Verdict
from gateway.ocpp.profile import Notes, Profile, Station
from gateway.ocpp.profiles import PROFILES
from tests.ocpp.schema_folder import actions, assert_response, property_names

NOW = "2026-11-21T08:00:00.000Z"

VERDICTS = [
    Verdict(NOW),
    Verdict(NOW, TokenDecision("accepted"), BootDecision("accepted", 300), 7),
    Verdict(NOW, TokenDecision("blocked", expires_at=NOW, group="fleet"), BootDecision("pending", 0), 2**31 - 1),
    Verdict(NOW, TokenDecision("expired", group="g" * 300), BootDecision("rejected", 60)),
    *(
        Verdict(NOW, TokenDecision(status))
        for status in (
            "invalid",
            "concurrent_tx",
            "no_credit",
            "not_allowed_type_evse",
            "not_at_this_location",
            "not_at_this_time",
            "unknown",
            "never_heard_of",
        )
    ),
]

STATION = Station([ActiveTransaction("tx-1", "42", 1, 1)], next_id=lambda: 4711)


@pytest.fixture(params=sorted(PROFILES))
def profile(request: pytest.FixtureRequest) -> Profile:
    return PROFILES[request.param]


def test_the_table_names_profiles_by_their_subprotocol() -> None:
    assert {name: profile.subprotocol for name, profile in PROFILES.items()} == {name: name for name in PROFILES}
    assert [profile.version for profile in PROFILES.values()] == ["1.6", "2.0.1", "2.1"]


def test_every_action_of_the_schemas_has_a_direction(profile: Profile) -> None:
    assert profile.actions_in | profile.actions_out == actions(profile.version)
    assert profile.actions_in & profile.actions_out == {"DataTransfer"}
    assert set(profile.inbound) == profile.actions_in
    assert profile.sends == ({"NotifyPeriodicEventStream"} if profile.version == "2.1" else frozenset())
    assert profile.sends == {action for action, row in profile.inbound.items() if not row.answered}


def test_money_messages_are_marked(profile: Profile) -> None:
    money = {action for action, row in profile.inbound.items() if row.money}
    assert money == {"StartTransaction", "StopTransaction", "TransactionEvent", "MeterValues"} & profile.actions_in


def test_every_reply_is_valid_whatever_was_decided(profile: Profile) -> None:
    for action in profile.actions_in - profile.sends:
        for verdict in VERDICTS:
            assert_response(profile, action, profile.inbound[action].reply(verdict))


@pytest.mark.parametrize(
    ("running", "arguments", "told"),
    [
        ([], {}, "no transaction runs"),
        ([("a", "1", 1), ("b", "2", 2)], {}, "more than one.*a .*EVSE 1; b .*EVSE 2"),
        ([("a", "1", 1)], {"transaction_id": "z"}, "no such transaction.*a "),
        ([("a", "1", 1)], {"evse_id": 2}, "no such transaction"),
        ([("a", "1", 1), ("b", "2", 2)], {"transaction_id": "a", "evse_id": 2}, "no such transaction"),
    ],
)
def test_stop_without_its_one_transaction_says_which_run(
    profile: Profile, running: list[tuple[str, str, int]], arguments: dict[str, Any], told: str
) -> None:
    station = Station([ActiveTransaction(id_, ocpp, evse, 1) for id_, ocpp, evse in running], lambda: 1)
    with pytest.raises(CommandInvalid, match=told):
        profile.outbound["stop"].calls(validated_arguments("stop", arguments), station)


def _payloads(version: str) -> st.SearchStrategy[dict[str, Any]]:
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.just(10**400),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(["1e999999", "9" * 5000, "2026-01-01T00:00:00+99", "Ended", "Started", "kWh", "\ud800", "²"]),
    )
    names = st.sampled_from(property_names(version))
    values = st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=4)),
        max_leaves=12,
    )
    return st.dictionaries(names, values, max_size=8)


@pytest.mark.parametrize("name", sorted(PROFILES))
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_payload_makes_a_translation_raise(name: str, data: st.DataObject) -> None:
    profile = PROFILES[name]
    payload = data.draw(_payloads(profile.version))
    for row in profile.inbound.values():
        row.translate(payload, Notes())


@pytest.mark.parametrize("name", sorted(PROFILES))
@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_field_of_any_type_in_a_sound_payload_raises_nothing(name: str, data: st.DataObject) -> None:
    profile = PROFILES[name]
    junk = data.draw(_payloads(profile.version).map(lambda found: next(iter(found.values()), None)))
    for action, payload in SOUND[profile.version].items():
        for damaged in _damaged(payload, junk):
            profile.inbound[action].translate(damaged, Notes())


def _damaged(node: Any, junk: Any) -> list[Any]:
    """Copies of a payload, each with another one of its values replaced by junk."""
    if isinstance(node, dict):
        return [{**node, name: replaced} for name, item in node.items() for replaced in [junk, *_damaged(item, junk)]]
    if isinstance(node, list):
        return [
            [*node[:place], replaced, *node[place + 1 :]]
            for place, item in enumerate(node)
            for replaced in [junk, *_damaged(item, junk)]
        ]
    return []


_SAMPLES_16 = [{"timestamp": NOW, "sampledValue": [{"value": "1.5", "unit": "kWh", "measurand": "SoC", "phase": "L1"}]}]
_SAMPLES_2X = [
    {
        "timestamp": NOW,
        "sampledValue": [
            {
                "value": 1.5,
                "unitOfMeasure": {"unit": "kWh", "multiplier": 1},
                "signedMeterValue": {"signedMeterData": "", "encodingMethod": ""},
            }
        ],
    }
]
_VARIABLE = {
    "component": {"name": "EVSE", "evse": {"id": 1, "connectorId": 1}},
    "variable": {"name": "Available", "instance": "x"},
}
_SOUND_2X: dict[str, dict[str, Any]] = {
    "BootNotification": {
        "reason": "PowerUp",
        "chargingStation": {"model": "m", "vendorName": "v", "modem": {"imsi": ""}},
    },
    "MeterValues": {"evseId": 1, "meterValue": _SAMPLES_2X},
    "TransactionEvent": {
        "eventType": "Ended",
        "timestamp": NOW,
        "triggerReason": "StopAuthorized",
        "seqNo": 3,
        "transactionInfo": {"transactionId": "t", "stoppedReason": "Local", "transactionLimit": {"maxCost": 1.5}},
        "idToken": {"idToken": "t", "type": "Local"},
        "evse": {"id": 1, "connectorId": 1},
        "meterValue": _SAMPLES_2X,
    },
    "NotifyEvent": {
        "generatedAt": NOW,
        "seqNo": 0,
        "eventData": [{"eventId": 1, "timestamp": NOW, "trigger": "Delta", "actualValue": "1", **_VARIABLE}],
    },
    "NotifyReport": {
        "requestId": 1,
        "generatedAt": NOW,
        "seqNo": 0,
        "reportData": [
            {
                **_VARIABLE,
                "variableAttribute": [{"value": "1"}],
                "variableCharacteristics": {"dataType": "integer", "supportsMonitoring": False},
            }
        ],
    },
}
SOUND: dict[str, dict[str, dict[str, Any]]] = {
    "1.6": {
        "MeterValues": {"connectorId": 1, "transactionId": 5, "meterValue": _SAMPLES_16},
        "StartTransaction": {"connectorId": 1, "idTag": "t", "meterStart": 0, "timestamp": NOW, "reservationId": 1},
        "StopTransaction": {"transactionId": 5, "meterStop": 9, "timestamp": NOW, "transactionData": _SAMPLES_16},
        "StatusNotification": {"connectorId": 1, "status": "Charging", "errorCode": "NoError", "timestamp": NOW},
    },
    "2.0.1": _SOUND_2X,
    "2.1": _SOUND_2X,
}
