"""The payloads that other tests send are complete, and valid by the schemas of the `ocpp` package."""

import pytest

from gateway.ocpp.profile import Profile
from gateway.ocpp.profiles import PROFILES
from tests.ocpp.charger_answers import ANSWERS
from tests.ocpp.payloads import INBOUND
from tests.ocpp.schema_folder import assert_request, assert_response

ALL = pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.version)


@ALL
def test_there_is_a_valid_payload_for_every_action_of_a_charger(profile: Profile) -> None:
    assert INBOUND[profile.version].keys() == profile.actions_in
    for action, payload in INBOUND[profile.version].items():
        assert_request(profile, action, payload)


@ALL
def test_there_is_a_valid_answer_to_every_call_to_a_charger(profile: Profile) -> None:
    assert ANSWERS[profile.version].keys() == profile.actions_out
    for action, payload in ANSWERS[profile.version].items():
        assert_response(profile, action, payload)
