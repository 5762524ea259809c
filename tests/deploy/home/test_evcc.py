"""deploy/home/evcc.yaml: what evcc would read and set by it, against a gateway and a wallbox that charges."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.home import evcc
from tests.deploy.home.living import FILES, PLACE, Home, home, three_phase_car
from tests.support.servers import Mosquitto, Valkey

CONFIG: dict[str, Any] = yaml.safe_load((FILES / "evcc.yaml").read_text())
CHARGER: dict[str, Any] = CONFIG["chargers"][0]


def test_the_charger_has_what_evcc_asks_of_a_custom_one_and_nothing_that_it_does_not_know() -> None:
    assert CHARGER["type"] == "custom"
    assert {"status", "enabled", "enable", "maxcurrent"} <= set(CHARGER)
    assert set(CHARGER) - {"name", "type"} == evcc.READERS | evcc.SETTERS
    assert len(CHARGER["currents"]) == 3
    assert CONFIG["loadpoints"][0]["charger"] == CHARGER["name"]
    assert {"name", "type", "power", "energy"} == set(CONFIG["meters"][0])


def readings(living: Home) -> tuple[str, bool]:
    try:
        return evcc.status(CHARGER["status"], living.retained), evcc.boolean(CHARGER["enabled"], living.retained)
    except evcc.Unreadable as error:
        return str(error), False


async def set_value(living: Home, name: str, value: bool | float) -> None:
    await living.publish(*evcc.message(CHARGER[name], name, value))


async def test_evcc_reads_and_steers_a_charge(tmp_path: Path, valkey: Valkey, mosquitto: Mosquitto) -> None:
    async with home(tmp_path / "gateway", valkey, mosquitto, "2.0.1") as living:
        shown = living.retained
        await living.until(lambda: readings(living) == ("A", True), "no car")
        await set_value(living, "enable", False)
        await living.until(lambda: readings(living) == ("A", False), "off without a car")
        living.wallbox.plug_in(three_phase_car())
        await living.until(lambda: readings(living) == ("B", False), "plugged in")
        await set_value(living, "maxcurrent", 10)
        await set_value(living, "enable", True)
        await living.until(lambda: readings(living) == ("C", True), "charges")
        await living.allows(10 * 690)
        assert evcc.string(CHARGER["identify"], shown) == "HOME"

        meter = CONFIG["meters"][0]
        await living.until(lambda: evcc.number(CHARGER["power"], shown) == 6900, "power in W")
        assert [round(evcc.number(one, shown)) for one in CHARGER["currents"]] == [10, 10, 10]
        before = evcc.number(CHARGER["energy"], shown)
        await living.until(lambda: evcc.number(CHARGER["energy"], shown) > before, "energy in kWh rises")
        assert abs(evcc.number(meter["energy"], shown) - living.wallbox.outlet.register_wh / 1000) < 2
        await set_value(living, "maxcurrentmillis", 7.3)
        await living.allows(7.3 * 690)

        transaction = living.state["transaction"]["id"]
        await set_value(living, "enable", False)
        await living.until(lambda: readings(living) == ("B", False), "a pause is no end")
        await living.allows(0)
        await set_value(living, "enable", True)
        await living.until(lambda: readings(living) == ("C", True), "goes on")
        assert living.state["transaction"]["id"] == transaction

        await living.publish(f"{PLACE}/set/charging", "OFF")
        await living.until(lambda: readings(living) == ("B", True), "a hand has stopped it")
        await set_value(living, "wakeup", True)
        await living.until(lambda: readings(living) == ("C", True), "charges again")

        living.wallbox.unplug()
        await living.until(lambda: readings(living)[0] == "A", "the car has gone")
        await living.until(lambda: evcc.number(meter["power"], shown) == 0, "and takes nothing")
        assert evcc.string(CHARGER["identify"], shown) == ""
        living.wallbox.leave()
        await living.until(lambda: readings(living) == ("invalid", False), "an offline charger has no status")


def test_what_cannot_be_read_is_an_error_to_evcc() -> None:
    """Else the test above would prove little."""
    topic = CHARGER["power"]["topic"]
    broken = {topic: '{"power_w": "much", "paused": "maybe", "iec61851": "F", "energy_register_wh": null}'}
    online = {CHARGER["status"]["valid"]["topic"]: "online"}
    for read, name in ((evcc.number, "power"), (evcc.number, "energy"), (evcc.status, "status")):
        with pytest.raises(evcc.Unreadable):
            read(CHARGER[name], {**broken, **online})
    with pytest.raises(evcc.Unreadable, match="invalid"):
        evcc.status(CHARGER["status"], {**broken, CHARGER["status"]["valid"]["topic"]: "offline"})
