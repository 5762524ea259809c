"""The table of standard variables: complete for what OCPP 1.6 defines, and the same both ways."""

import pytest
from ocpp.v16.enums import ConfigurationKey

from gateway.ocpp.standard_variables import (
    STANDARD_VARIABLES,
    Standard,
    by_key,
    by_name,
    neutral_reference,
    with_key,
)

WITHOUT_COUNTERPART = {
    "BlinkRepeat",
    "ConnectorPhaseRotation",
    "ConnectorPhaseRotationMaxLength",
    "LightIntensity",
    "LocalAuthListMaxLength",
    "MaxChargingProfilesInstalled",
    "MeterValuesAlignedDataMaxLength",
    "MeterValuesSampledDataMaxLength",
    "NumberOfConnectors",
    "StopTxnAlignedDataMaxLength",
    "StopTxnSampledDataMaxLength",
    "SupportedFeatureProfiles",
    "SupportedFeatureProfilesMaxLength",
}
LATER = {"SupportedFileTransferProtocols"}
"""Keys of the errata, which the `ocpp` package does not list."""


def test_every_standard_key_of_1_6_has_a_counterpart_or_is_known_to_have_none() -> None:
    keys = [standard.key for standard in STANDARD_VARIABLES]
    assert len(keys) == len(set(keys))
    assert set(keys) - LATER == {key.value for key in ConfigurationKey} - WITHOUT_COUNTERPART


def test_no_two_keys_are_the_same_variable() -> None:
    names = [(standard.component, standard.variable) for standard in STANDARD_VARIABLES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("standard", STANDARD_VARIABLES, ids=lambda standard: standard.key)
def test_key_and_name_lead_to_each_other(standard: Standard) -> None:
    assert by_key(standard.key.upper()) is standard
    assert by_name(standard.component, standard.variable, standard.instance) is standard
    assert by_name(standard.component.lower(), standard.variable.upper(), None) is standard
    assert by_name(standard.component, standard.variable, "another") is None
    reference = neutral_reference(standard.key)
    assert with_key({name: value for name, value in reference.items() if name != "key"}) == reference


def test_what_has_no_counterpart_keeps_its_key() -> None:
    assert by_key("BlinkRepeat") is None
    reference = neutral_reference("BlinkRepeat")
    assert (reference["component"], reference["variable"], reference["key"]) == (None, "BlinkRepeat", "BlinkRepeat")
    assert by_name(None, "HeartbeatInterval", None) is None
