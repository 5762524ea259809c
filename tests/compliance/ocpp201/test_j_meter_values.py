"""Blocks I and J: what it costs so far, and meter values outside transactions and within them."""

from typing import Any

import pytest

from tests.compliance.laboratory import PRICED, Laboratory
from tests.compliance.ocpp201.messages import VERSION, Transaction, sample
from tests.compliance.ocpp201.orders import Order, order_of
from tests.compliance.station import at

SIGNED: dict[str, Any] = {
    "signedMeterValue": {
        "signedMeterData": "T0NNRnx7IkZWIjoiMS4wIn0=",
        "signingMethod": "",
        "encodingMethod": "OCMF",
        "publicKey": "",
    }
}


async def test_tc_i_01_the_running_cost_is_told(lab: Laboratory) -> None:
    """I02.FR.01."""
    async with lab.booted(VERSION) as (station, operator):
        transaction = Transaction()
        await station.call("TransactionEvent", transaction.started("Authorized", id_token="VALID", energy_wh=1000))
        sent = {"totalCost": 1.25, "transactionId": transaction.id}
        order = Order("TC_I_01", "update_cost", {"evse_id": 1, "total_cost": 1.25}, "CostUpdated", sent, {})
        await order_of(order, station, operator)


async def test_tc_i_02_the_running_and_the_final_cost_are_in_the_answers(lab: Laboratory) -> None:
    """Use cases I02 and I03."""

    def price(asked: dict[str, Any]) -> dict[str, Any]:
        return {"total_cost": 1 + asked["energy_wh"] / 1000 if asked["final"] else asked["energy_wh"] / 1000}

    async with (
        lab.business(PRICED, {"transaction_cost": price}) as business,
        lab.booted(VERSION, identity=PRICED) as (station, _),
    ):
        transaction = Transaction()
        started = transaction.started("Authorized", id_token="VALID", energy_wh=1000)
        assert "totalCost" not in await station.call("TransactionEvent", started)
        updated = transaction.updated("MeterValuePeriodic", energy_wh=1500)
        assert await station.call("TransactionEvent", updated) == {"totalCost": 0.5}
        ended = transaction.ended("StopAuthorized", energy_wh=2000)
        assert await station.call("TransactionEvent", ended) == {"totalCost": 2.0}
        told = (await business.event("transaction.ended"))["decision"]
        assert told == {"total_cost": 2.0, "decided_by": "mqtt"}


@pytest.mark.parametrize("evse_id", [0, 1])
async def test_tc_j_01_clock_aligned_without_a_transaction(lab: Laboratory, evse_id: int) -> None:
    """J01.FR.14, FR.18: EVSE 0 is the grid meter."""
    name = lab.name()
    async with lab.business(name) as business, lab.booted(VERSION, identity=name) as (station, _):
        value = sample(4200, context="Sample.Clock", location="Outlet", unitOfMeasure={"unit": "Wh", "multiplier": 0})
        assert await station.call("MeterValues", {"evseId": evse_id, "meterValue": [value]}) == {}
        told = (await business.event("meter.values"))["samples"][0]
        assert (told["value"], told["unit"], told["context"]) == (4200, "Wh", "Sample.Clock")


@pytest.mark.parametrize(
    ("case", "kind", "trigger", "context"),
    [
        ("TC_J_02", "Updated", "MeterValueClock", "Sample.Clock"),
        ("TC_J_03", "Ended", "MeterValueClock", "Sample.Clock"),
        ("TC_J_07", "Started", "Authorized", "Transaction.Begin"),
        ("TC_J_09", "Updated", "MeterValuePeriodic", "Sample.Periodic"),
        ("TC_J_10", "Ended", "StopAuthorized", "Transaction.End"),
        ("TC_J_XX", "Updated", "Trigger", "Trigger"),
        ("TC_J_XX", "Updated", "EnergyLimitReached", "Interruption.Begin"),
    ],
    ids=[
        "TC_J_02-clock-aligned-updated",
        "TC_J_03-clock-aligned-ended",
        "TC_J_07-sampled-started",
        "TC_J_09-sampled-updated",
        "TC_J_10-sampled-ended",
        "TC_J_XX-triggered",
        "TC_J_XX-interrupted",
    ],
)
async def test_meter_values_of_a_transaction(lab: Laboratory, case: str, kind: str, trigger: str, context: str) -> None:
    """J02.FR.10, FR.11: told by TransactionEvent."""
    name = lab.name()
    async with lab.business(name) as business, lab.booted(VERSION, identity=name) as (station, _):
        transaction = Transaction()
        if kind != "Started":
            await station.call("TransactionEvent", transaction.started("Authorized", id_token="VALID", energy_wh=0))
        payload = transaction.event(kind, trigger, meterValue=[sample(150.5, context=context)])
        assert await station.call("TransactionEvent", payload) == {}
        told = await business.event(f"transaction.{kind.lower()}")
        assert [(one["value"], one["context"]) for one in told["samples"]] == [(150.5, context)]


async def test_tc_j_08_a_transaction_begins_before_its_evse_is_known(lab: Laboratory) -> None:
    """J02.FR.02, E03.FR.01: the values of the beginning come with the first event that knows the EVSE."""
    async with lab.booted(VERSION) as (station, operator):
        transaction = Transaction()
        await station.call("TransactionEvent", transaction.started("Authorized", id_token="VALID", knows_evse=False))
        begun = [sample(1000, context="Transaction.Begin")]
        await station.call("TransactionEvent", transaction.updated("CablePluggedIn", meterValue=begun))
        await station.call("TransactionEvent", transaction.ended("StopAuthorized", energy_wh=3500))
        record = await operator.transaction()
        assert (record["evse_id"], record["energy_wh"], record["suspect"]) == (1, 2500, [])


@pytest.mark.parametrize("case", ["TC_J_04-outside-a-transaction", "TC_J_11-in-a-transaction"])
async def test_signed_values_are_left_untouched(lab: Laboratory, case: str) -> None:
    """J01.FR.21, J02.FR.21, and the calibration laws."""
    name = lab.name()
    async with lab.business(name) as business, lab.booted(VERSION, identity=name) as (station, _):
        values = [sample(1000, context="Transaction.Begin", **SIGNED)]
        if case.startswith("TC_J_04"):
            assert await station.call("MeterValues", {"evseId": 1, "meterValue": values}) == {}
            told = await business.event("meter.values")
        else:
            started = Transaction().started("SignedDataReceived", meterValue=values)
            assert await station.call("TransactionEvent", started) == {}
            told = await business.event("transaction.started")
        assert told["raw"]["meterValue"] == values
        assert "T0NNRnx7IkZWIjoiMS4wIn0=" in str(told["samples"])


async def test_values_are_scaled_to_their_unit(lab: Laboratory) -> None:
    """SampledValueType: unitOfMeasure has a power of ten."""
    async with lab.booted(VERSION) as (station, operator):
        transaction = Transaction()

        def energy(value: float) -> list[dict[str, object]]:
            return [sample(value, context="Trigger", unitOfMeasure={"unit": "kWh", "multiplier": 0})]

        await station.call("TransactionEvent", transaction.started("Authorized", meterValue=energy(1.1)))
        await station.call("TransactionEvent", transaction.ended("StopAuthorized", meterValue=energy(3.4)))
        assert (await operator.transaction())["energy_wh"] == 2300


async def test_every_measurand_phase_and_location_is_told(lab: Laboratory) -> None:
    """MeasurandEnumType, PhaseEnumType, LocationEnumType."""
    name = lab.name()
    values = [
        {"value": 230.1, "measurand": "Voltage", "phase": "L1-N", "unitOfMeasure": {"unit": "V"}},
        {"value": 16, "measurand": "Current.Import", "phase": "L1", "location": "EV"},
        {"value": 11, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "kW"}, "location": "Inlet"},
        {"value": 55, "measurand": "SoC", "unitOfMeasure": {"unit": "Percent"}},
        {"value": 50.01, "measurand": "Frequency"},
    ]
    async with lab.business(name) as business, lab.booted(VERSION, identity=name) as (station, _):
        await station.call("MeterValues", {"evseId": 1, "meterValue": [{"timestamp": at(), "sampledValue": values}]})
        told = (await business.event("meter.values"))["samples"]
        assert [one["measurand"] for one in told] == [value["measurand"] for value in values]
        assert [one["value"] for one in told] == [230.1, 16, 11000, 55, 50.01]
