"""Schema checks: valid payloads pass in silence, broken ones are told where and how, in every version."""

from typing import Any

import pytest

from gateway.ocpp.profile import ErrorCodes
from gateway.ocpp.profiles import PROFILES
from gateway.ocpp.schemas import SchemaSet, canonical_error, error_code

SCHEMAS = {name: SchemaSet.load(profile.schema_package) for name, profile in PROFILES.items()}
V16, V201, V21 = SCHEMAS["ocpp1.6"], SCHEMAS["ocpp2.0.1"], SCHEMAS["ocpp2.1"]


def sample(**fields: Any) -> dict[str, Any]:
    values = {"timestamp": "2026-11-21T08:00:00Z", "sampledValue": [{"value": "1", **fields}]}
    return {"connectorId": 1, "meterValue": [values]}


@pytest.mark.parametrize("version", sorted(PROFILES))
def test_every_action_has_both_schemas(version: str) -> None:
    profile, schemas = PROFILES[version], SCHEMAS[version]
    for action in profile.actions_in | profile.actions_out:
        assert schemas.knows(action)
        if action not in profile.sends:
            assert schemas.check_result(action, {"no_such_field_xyz": 1}), action


def test_valid_payloads_pass() -> None:
    assert V16.check_call("MeterValues", sample(measurand="Voltage", unit="V")) == []
    assert V16.check_call("Heartbeat", {}) == []
    assert V16.check_result("Heartbeat", {"currentTime": "2026-11-21T08:00:00.000Z"}) == []
    assert V201.check_call("Authorize", {"idToken": {"idToken": "A", "type": "ISO14443"}}) == []


def test_an_action_without_a_schema_passes() -> None:
    assert not V16.knows("Fly")
    assert V16.check_call("Fly", {"high": True}) == V16.check_result("Fly", {}) == []


@pytest.mark.parametrize(
    ("schemas", "action", "payload", "code", "path"),
    [
        (V16, "Authorize", {}, "required", ""),
        (V16, "Authorize", {"idTag": "x" * 21}, "max_length", "/idTag"),
        (V16, "Authorize", {"idTag": 7}, "type", "/idTag"),
        (V16, "Authorize", {"idTag": "A", "vendor": 1}, "additional_property", ""),
        (V16, "MeterValues", sample(unit="Hz"), "enum", "/meterValue/0/sampledValue/0/unit"),
        (V16, "MeterValues", {"connectorId": 1, "meterValue": {}}, "type", "/meterValue"),
        (V201, "MeterValues", {"evseId": 1, "meterValue": []}, "min_items", "/meterValue"),
        (V201, "MeterValues", {"evseId": -1.5, "meterValue": 1}, "type", "/evseId"),
        (V21, "NotifyPeriodicEventStream", {}, "required", ""),
    ],
)
def test_a_deviation_is_told_with_its_place(
    schemas: SchemaSet, action: str, payload: dict[str, Any], code: str, path: str
) -> None:
    assert (code, path) in [(told["code"], told["path"]) for told in schemas.check_call(action, payload)]


@pytest.mark.parametrize("text", ["2026-11-21T08:00:00", "2026-11-21 08:00", "", "+02"])
def test_a_timestamp_without_zone_is_a_deviation(text: str) -> None:
    """Row 21 of the quirks."""
    payload = {"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": text}
    assert [(told["code"], told["path"]) for told in V16.check_call("StatusNotification", payload)] == [
        ("format", "/timestamp")
    ]


def test_places_are_json_pointers() -> None:
    schemas = SchemaSet.load("ocpp.v201")
    told = schemas.check_call("DataTransfer", {"vendorId": "x", "customData": {"vendorId": 1, "a/b~c": 1}})
    assert [violation["path"] for violation in told] == ["/customData/vendorId"]


def test_what_may_be_a_token_is_not_told() -> None:
    payload = {"idToken": {"idToken": "SECRET" * 10, "type": "odd", "additionalInfo": "SECRET"}}
    told = V201.check_call("Authorize", payload)
    assert {violation["code"] for violation in told} == {"max_length", "enum", "type"}
    assert not any("SECRET" in violation["message"] for violation in told)
    assert any("'odd'" in violation["message"] for violation in told)


def test_a_long_list_of_deviations_is_cut_short() -> None:
    payload = {"connectorId": 1, "meterValue": [7] * 10_000}
    told = V16.check_call("MeterValues", payload)
    assert 0 < len(told) <= 20
    assert all(len(violation["message"]) <= 200 for violation in told)


@pytest.mark.parametrize("payload", [{"idTag": "\ud800"}, {"\ud800": 1}, {"idTag": 2**70}, {"idTag": float("nan")}, 7])
def test_what_the_validator_cannot_take_is_a_deviation(payload: Any) -> None:
    assert isinstance(V16.check_call("Authorize", payload), list)


# ---------------------------------------------------------------- error codes


@pytest.mark.parametrize(
    ("violation", "in_16", "in_2x"),
    [
        ("type", "TypeConstraintViolation", "TypeConstraintViolation"),
        ("required", "OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
        ("min_items", "OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
        ("additional_property", "FormationViolation", "FormatViolation"),
        ("enum", "PropertyConstraintViolation", "PropertyConstraintViolation"),
        ("max_length", "PropertyConstraintViolation", "PropertyConstraintViolation"),
        ("format", "PropertyConstraintViolation", "PropertyConstraintViolation"),
    ],
)
def test_each_version_spells_error_codes_its_own_way(violation: str, in_16: str, in_2x: str) -> None:
    def told(codes: ErrorCodes) -> str:
        return error_code({"code": violation, "path": "", "message": ""}, codes)

    assert [told(profile.error_codes) for profile in PROFILES.values()] == [in_16, in_2x, in_2x]


@pytest.mark.parametrize(
    ("received", "canonical"),
    [
        ("FormationViolation", "formation_violation"),
        ("FormatViolation", "formation_violation"),
        ("OccurenceConstraintViolation", "occurrence_constraint_violation"),
        ("OccurrenceConstraintViolation", "occurrence_constraint_violation"),
        ("notimplemented", "not_implemented"),
        ("NOT_SUPPORTED", "not_supported"),
        ("Rpc Framework Error", "rpc_framework_error"),
        ("MessageTypeNotSupported", "message_type_not_supported"),
        ("ErrorCode7", "generic_error"),
        ("", "generic_error"),
    ],
)
def test_every_spelling_of_an_error_code_is_understood(received: str, canonical: str) -> None:
    assert canonical_error(received) == canonical
