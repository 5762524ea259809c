"""Meter values as chargers write them (quirks 18 to 20)."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.reports import Sample
from gateway.ocpp.profile import Notes, Quirks
from gateway.ocpp.samples import SAMPLES_2X, SAMPLES_16, SampleReader, read_meter_values, read_register_16

AT = "2026-01-01T00:00:00.000Z"


def the_sample(reader: SampleReader, fields: dict[str, Any], notes: Notes) -> Sample | None:
    """The one sample that there is; None for none."""
    samples, _ = read_meter_values({"s": {"timestamp": AT, "sampledValue": [fields]}}, "s", reader, notes)
    return samples[0] if samples else None


def sample_16(**fields: Any) -> tuple[Sample | None, list[str]]:
    notes = Notes()
    return the_sample(SAMPLES_16, fields, notes), [found["code"] for found in notes.violations]


def sample_2x(**fields: Any) -> tuple[Sample | None, list[str]]:
    notes = Notes()
    return the_sample(SAMPLES_2X, fields, notes), [found["code"] for found in notes.violations]


def test_what_a_sample_leaves_out_has_the_specifications_default() -> None:
    expected = {
        "measurand": "Energy.Active.Import.Register",
        "value": 1234,
        "unit": "Wh",
        "phase": None,
        "location": "Outlet",
        "context": "Sample.Periodic",
        "timestamp": AT,
    }
    assert sample_16(value="1234") == (expected, [])
    assert sample_2x(value=1234) == (expected, [])
    assert sample_16(value="1234", unit="", measurand="", context="", location="", phase="") == (expected, [])


def test_only_energy_has_a_default_unit() -> None:
    assert sample_16(value="5", measurand="Current.Import")[0]["unit"] is None  # type: ignore[index]
    assert sample_16(value="5", measurand="Energy.Reactive.Import.Register")[0]["unit"] == "Wh"  # type: ignore[index]


@pytest.mark.parametrize(
    ("value", "unit", "read"),
    [
        ("1.2345", "kWh", (1234.5, "Wh")),
        ("0.001", "kWh", (1, "Wh")),
        ("1e3", "Wh", (1000, "Wh")),
        ("7.4", "kW", (7400, "W")),
        ("1.1", "kvarh", (1100, "varh")),
        ("1.1", "kvar", (1100, "var")),
        ("1.1", "kVA", (1100, "VA")),
        ("0.29", "kWh", (290, "Wh")),
        ("4.35", "kW", (4350, "W")),
        ("230.10", "V", (230.1, "V")),
        ("-16.0", "A", (-16, "A")),
        (" 16 ", "A", (16, "A")),
        ("+.5", "A", (0.5, "A")),
        ("50.01", "Hz", (50.01, "Hz")),
        ("50", "Hertz", (50, "Hz")),
        ("80", "Percent", (80, "Percent")),
        ("80", "%", (80, "Percent")),
        ("21.5", "Celcius", (21.5, "Celsius")),
        ("1.5", "parsec", (1.5, "parsec")),
        ("123456789012345678", "Wh", (123456789012345678, "Wh")),
        (1234, "kWh", (1234000, "Wh")),
        (12.5, "kWh", (12500, "Wh")),
    ],
)
def test_values_are_scaled_in_decimal_to_the_base_unit(value: Any, unit: str, read: tuple[Any, str]) -> None:
    sample, violations = sample_16(value=value, unit=unit)
    assert sample is not None
    assert (sample["value"], sample["unit"]) == read
    assert type(sample["value"]) is type(read[0])
    assert violations == []


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=4, allow_nan=False))
def test_scaling_is_exact_for_any_register(kilowatt_hours: Decimal) -> None:
    sample, _ = sample_16(value=str(kilowatt_hours), unit="kWh")
    assert sample is not None
    assert Decimal(str(sample["value"])) == kilowatt_hours * 1000
    assert sample_2x(value=float(kilowatt_hours), unitOfMeasure={"unit": "kWh"})[0] == sample


@pytest.mark.parametrize(
    ("value", "measure", "read"),
    [
        (1.5, {"unit": "Wh", "multiplier": 3}, (1500, "Wh")),
        (1500, {"unit": "kWh", "multiplier": -3}, (1500, "Wh")),
        (123, {"unit": "A", "multiplier": "-1"}, (12.3, "A")),
        ("7.4", {"unit": "kW"}, (7400, "W")),
        (5, {"multiplier": 0}, (5, "Wh")),
        (5, {}, (5, "Wh")),
        (5, None, (5, "Wh")),
        (1.5, {"unit": "KWH"}, (1500, "Wh")),
        (5, {"unit": "wh"}, (5, "Wh")),
        (7.4, {"unit": " kw"}, (7400, "W")),
        (5, {"unit": "mWh"}, (5, "mWh")),
    ],
)
def test_2x_scales_by_unit_and_multiplier(value: Any, measure: Any, read: tuple[Any, str]) -> None:
    sample, violations = sample_2x(value=value, unitOfMeasure=measure)
    assert sample is not None
    assert (sample["value"], sample["unit"]) == read
    assert violations == []


def test_a_multiplier_out_of_all_reason_is_noted_and_ignored() -> None:
    for multiplier in (10**9, "many", [3]):
        sample, violations = sample_2x(value=5, unitOfMeasure={"unit": "A", "multiplier": multiplier})
        assert sample is not None
        assert (sample["value"], violations) == (5, ["field_unreadable"])


@pytest.mark.parametrize("value", ["", "n/a", "NaN", "-Infinity", "1,5", "1_000", "0x10", "1e99999", "9" * 5000, "²"])
def test_what_is_no_number_stays_text_and_is_noted(value: str) -> None:
    sample, violations = sample_16(value=value, unit="kWh")
    assert sample is not None
    assert (sample["value"], violations) == (value, ["value_not_numeric"])


@pytest.mark.parametrize("value", [None, {}, [], True, 10**400])
def test_a_sample_without_a_value_is_left_out_and_noted(value: Any) -> None:
    assert sample_16(value=value) == (None, ["field_unreadable"])
    assert sample_2x(value=value) == (None, ["field_unreadable"])


def test_signed_data_are_kept_untouched() -> None:
    sample, violations = sample_16(value="OCMF|{}|{}", format="SignedData", context="Transaction.End")
    assert sample is not None
    assert (sample["value"], sample["signed"], violations) == ("OCMF|{}|{}", "OCMF|{}|{}", [])
    signed = {"signedMeterData": "AA==", "encodingMethod": "OCMF", "vendor": 1}
    sample, violations = sample_2x(value=5, signedMeterValue=signed)
    assert sample is not None
    assert (sample["value"], sample["signed"], violations) == (5, signed, [])


def test_unknown_measurands_and_contexts_are_kept_as_written() -> None:
    sample, violations = sample_16(value="5", measurand="Vendor.Flux", context="Sample.Strange", phase="L9")
    assert sample is not None
    assert (sample["measurand"], sample["context"], sample["phase"]) == ("Vendor.Flux", "Sample.Strange", "L9")
    assert violations == []


@pytest.mark.parametrize(
    ("meter_value", "values", "time"),
    [
        (None, [], None),
        ([], [], None),
        ([{"timestamp": AT, "sampledValue": []}], [], AT),
        ([{"timestamp": AT}], [], AT),
        ({"timestamp": AT, "sampledValue": {"value": "1"}}, [1], AT),
        (
            [
                {"timestamp": "2025-12-31T23:00:00Z", "sampledValue": [{"value": "1"}]},
                {"timestamp": AT, "sampledValue": [{"value": "2"}]},
                {"timestamp": None, "sampledValue": [{"value": "3"}]},
            ],
            [1, 2, 3],
            AT,
        ),
    ],
)
def test_the_list_is_read_flat_whatever_its_shape(meter_value: Any, values: list[int], time: str | None) -> None:
    notes = Notes()
    samples, found = read_meter_values({"meterValue": meter_value}, "meterValue", SAMPLES_16, notes)
    assert ([sample["value"] for sample in samples], found) == (values, time)
    assert notes.violations == []


def test_what_is_unreadable_is_noted_at_its_place_and_the_rest_is_read() -> None:
    notes = Notes()
    payload = {
        "meterValue": [
            7,
            {"timestamp": "yesterday", "sampledValue": ["x", {"value": "5", "phase": 1}, {"value": None}]},
        ]
    }
    samples, time = read_meter_values(payload, "meterValue", SAMPLES_16, notes)
    assert [sample["value"] for sample in samples] == [5]
    assert time is None
    assert [(found["code"], found["path"]) for found in notes.violations] == [
        ("field_unreadable", "/meterValue/0"),
        ("timestamp_unreadable", "/meterValue/1/timestamp"),
        ("field_unreadable", "/meterValue/1/sampledValue/0"),
        ("field_unreadable", "/meterValue/1/sampledValue/1/phase"),
        ("field_unreadable", "/meterValue/1/sampledValue/2/value"),
    ]


# ---------------------------------------------------------------- units that do not mean what they say

REGISTER = "Energy.Active.Import.Register"
MISLABELLED = Quirks(units={(REGISTER, "Wh"): ("Wh", 3), ("Power.Active.Import", ""): ("W", 3)})


@pytest.mark.parametrize(
    ("fields", "read", "codes"),
    [
        ({"value": "361.25", "unit": "Wh"}, (361_250, "Wh"), ["unit_corrected"]),
        ({"value": "361", "unit": "kWh"}, (361_000, "Wh"), []),
        ({"value": "361"}, (361, "Wh"), []),
        ({"value": "7.4", "measurand": "Power.Active.Import"}, (7400, "W"), ["unit_corrected"]),
        ({"value": "7.4", "measurand": "Power.Active.Import", "unit": "W"}, (7.4, "W"), []),
        ({"value": "361", "measurand": "Energy.Active.Export.Register", "unit": "Wh"}, (361, "Wh"), []),
        ({"value": "odd", "unit": "Wh"}, ("odd", "Wh"), ["unit_corrected", "value_not_numeric"]),
    ],
)
def test_a_unit_that_is_known_to_be_wrong_is_corrected_and_told(
    fields: dict[str, Any], read: tuple[Any, str], codes: list[str]
) -> None:
    notes = Notes(quirks=MISLABELLED)
    sample = the_sample(SAMPLES_16, fields, notes)
    assert sample is not None
    assert (sample["value"], sample["unit"]) == read
    assert [found["code"] for found in notes.violations] == codes


def test_a_multiplier_counts_on_top_of_a_correction() -> None:
    notes = Notes(quirks=MISLABELLED)
    sample = the_sample(SAMPLES_2X, {"value": 36, "unitOfMeasure": {"unit": "Wh", "multiplier": 1}}, notes)
    assert sample is not None
    assert (sample["value"], sample["unit"]) == (360_000, "Wh")


def test_a_correction_is_told_once_a_message() -> None:
    notes = Notes(quirks=MISLABELLED)
    sampled = [{"value": "1", "unit": "Wh"}] * 3
    read_meter_values({"meterValue": [{"timestamp": AT, "sampledValue": sampled}]}, "meterValue", SAMPLES_16, notes)
    assert [(found["code"], found["path"]) for found in notes.violations] == [
        ("unit_corrected", "/meterValue/0/sampledValue/0/unit")
    ]


@pytest.mark.parametrize(
    ("quirks", "read", "codes"),
    [
        (Quirks(), 361, []),
        (MISLABELLED, 361_000, ["unit_corrected"]),
        (Quirks(units={(REGISTER, "Wh"): ("K", 0)}), 361, []),
    ],
)
def test_the_meter_of_a_transaction_is_the_register_that_samples_show(
    quirks: Quirks, read: int, codes: list[str]
) -> None:
    notes = Notes(quirks=quirks)
    assert read_register_16({"meterStart": "361"}, "meterStart", notes) == read
    assert [found["code"] for found in notes.violations] == codes
    assert read_register_16({}, "meterStop", notes) is None
    assert read_register_16({"meterStop": "much"}, "meterStop", Notes(quirks=quirks)) is None
