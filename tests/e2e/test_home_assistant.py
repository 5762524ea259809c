"""A real Home Assistant against mosquitto, our gateway and virtual chargers: what appears there, and what it can do."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.simulator import SimulatorOptions, Version, simulate
from tests.chaos.charger import HandCharger
from tests.support.gateway_process import GatewayProcess
from tests.support.home_assistant import HomeAssistant, home_assistant_python
from tests.support.servers import Mosquitto, Valkey

pytestmark = pytest.mark.timeout(300)
"""Home Assistant takes its time to start where others want the machine, too."""

BOX = "wallbox"
GUARDED = "guarded"
README = Path(__file__).parents[2] / "adapters" / "homeassistant" / "README.md"
SETTINGS: dict[str, dict[str, Any]] = {
    "gateway": {"log_level": "info"},
    "mqtt": {"state_interval": 2, "set_interval": 0.2},
    "homeassistant": {"gateway_url": "http://gateway.local:8080/docs"},
    f"answers.chargers.{GUARDED}": {"authorize": ["mqtt:5", "invalid"]},
    "homeassistant.chargers.wallbox": {"name": "Wallbox", "area": "Garage", "max_a": 16},
}


@dataclass
class House:
    """Everything in a home, each part of which may be stopped and started again."""

    broker: Mosquitto
    gateway: GatewayProcess
    home: HomeAssistant


@dataclass
class Charger:
    """A virtual charger: what it was told to do."""

    commands: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)

    def told(self, action: str) -> list[dict[str, Any]]:
        return [payload for name, payload in self.commands if name == action]

    async def until_told(self, action: str, number: int = 1) -> dict[str, Any]:
        """The command of this action and number, once it has come."""
        async with asyncio.timeout(60):
            while len(self.told(action)) < number:
                self.stirred.clear()
                await self.stirred.wait()
        return self.told(action)[number - 1]


@asynccontextmanager
async def charging_station(
    gateway: GatewayProcess, identity: str, version: Version = "1.6", **options: Any
) -> AsyncIterator[Charger]:
    """A virtual charger that samples twice a second, and waits for commands unless told otherwise."""
    charger, stop = Charger(), asyncio.Event()
    given = {"scenario": "idle", "interval": 0.5, "reconnect_max": 1.0, **options}
    settings = SimulatorOptions(url=gateway.charger_url, version=version, ids=(identity,), **given)

    def heard(event: Any) -> None:
        if event.kind == "command":
            charger.commands.append((event.action, event.payload))
        if event.kind == "acknowledged" and event.action == "StatusNotification":
            charger.connected.set()
        charger.stirred.set()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(simulate(settings, on_event=heard, stop=stop), name=identity)
        try:
            async with asyncio.timeout(60):
                await charger.connected.wait()
            yield charger
        finally:
            stop.set()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home_assistant_python()
    if Mosquitto.binary() is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    folder = tmp_path_factory.mktemp("home")
    valkey, broker = Valkey(folder / "valkey"), Mosquitto(folder / "mosquitto")
    gateway = GatewayProcess(folder / "gateway", redis_url=valkey.url, mqtt_url=broker.url, settings=SETTINGS)
    home = HomeAssistant(folder / "home", broker.port)
    with ExitStack() as ends:
        for part in (valkey, broker, home):
            part.start()
            ends.callback(part.stop)
        ends.callback(lambda: gateway.stop() if gateway.runs else None)
        gateway.start()
        yield House(broker, gateway, home)


@pytest.fixture(autouse=True)
def nothing_is_logged(house: House) -> Iterator[None]:
    """Home Assistant's log has no warning and no error, whatever happens."""
    house.home.logged.clear()
    yield
    assert house.home.logged == []


async def remove(house: House, identity: str) -> None:
    """Remove a charger that has left."""
    async with house.gateway.client() as client, asyncio.timeout(60):
        while (await client.delete(f"/v1/chargers/{identity}")).status_code == 409:  # noqa: ASYNC110  of Redis
            await asyncio.sleep(0.1)


PHASES = ("l1", "l2", "l3")
TYPED: dict[str, tuple[str | None, str | None, str | None, str | None, bool]] = {
    # entity → device class, state class, unit, category, whether it is there from the beginning
    "sensor.wallbox_status": ("enum", None, None, None, True),
    "binary_sensor.wallbox_plugged": ("plug", None, None, None, True),
    "binary_sensor.wallbox_error": ("problem", None, None, "diagnostic", True),
    "binary_sensor.wallbox_problem": ("problem", None, None, "diagnostic", True),
    "switch.wallbox_charging": (None, None, None, None, True),
    "switch.wallbox_paused": (None, None, None, None, True),
    "switch.wallbox_enabled": (None, None, None, "config", True),
    "number.wallbox_limit": ("current", None, "A", None, True),
    "button.wallbox_lift_limit": (None, None, None, "config", True),
    "sensor.wallbox_power": ("power", "measurement", "W", None, True),
    "sensor.wallbox_energy": ("energy", "total_increasing", "kWh", None, True),
    "sensor.wallbox_transaction_energy": ("energy", "total", "kWh", None, True),
    **{f"sensor.wallbox_current_{phase}": ("current", "measurement", "A", None, True) for phase in PHASES},
    **{f"sensor.wallbox_voltage_{phase}": ("voltage", "measurement", "V", None, False) for phase in PHASES},
    "sensor.wallbox_soc": ("battery", "measurement", "%", None, True),
    "sensor.wallbox_token": (None, None, None, None, True),
    "sensor.wallbox_duration": ("duration", None, "min", None, True),
    "sensor.wallbox_stop_reason": (None, None, None, "diagnostic", True),
    "event.wallbox_transaction": (None, None, None, None, True),
    "button.wallbox_unlock": (None, None, None, "config", True),
    "button.wallbox_trigger_status": (None, None, None, "diagnostic", True),
    "button.wallbox_trigger_meter": (None, None, None, "diagnostic", True),
    "button.wallbox_trigger_boot": (None, None, None, "diagnostic", False),
    "button.wallbox_reboot": ("restart", None, None, "config", True),
    "button.wallbox_clear_cache": (None, None, None, "config", False),
    "binary_sensor.wallbox_connectivity": ("connectivity", None, None, "diagnostic", True),
    "sensor.wallbox_last_boot": ("timestamp", None, None, "diagnostic", True),
    "sensor.wallbox_last_seen": ("timestamp", None, None, "diagnostic", False),
    "update.wallbox_firmware": ("firmware", None, None, "diagnostic", True),
    "event.wallbox_tag": (None, None, None, None, True),
}


async def typed(home: HomeAssistant) -> dict[str, tuple[Any, ...]]:
    """The wallbox's entities as they are registered."""
    return {
        name: (
            one["device_class"],
            (one["capabilities"] or {}).get("state_class"),
            one["unit"],
            one["category"],
            not one["disabled"],
        )
        for name, one in (await home.entities()).items()
        if one["unique_id"].startswith(f"ocpp_{BOX}_")
    }


async def recorded(house: House, identity: str) -> dict[str, Any]:
    """The latest transaction as REST tells it."""
    async with house.gateway.client() as client:
        answer = await client.get("/v1/transactions", params={"charger_id": identity, "limit": 1})
    return dict(answer.json()["items"][0])


async def test_chargers_appear_follow_what_they_do_and_go(house: House) -> None:
    """Side by side, as each waits for Home Assistant most of the time."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(a_second_connector_that_shows_up_later_makes_devices_of_them(house), name="double")
        tasks.create_task(a_wallbox_appears_complete_follows_its_charge_and_goes(house), name="wallbox")
        tasks.create_task(the_outlets_of_a_station_are_devices_behind_it_and_go_with_it(house), name="station")
        tasks.create_task(what_a_charger_tells_of_itself_appears_when_it_does(house), name="spot")


async def a_wallbox_appears_complete_follows_its_charge_and_goes(house: House) -> None:
    home = house.home
    async with charging_station(house.gateway, BOX, scenario="charge", idle_time=3600.0, samples=20) as charger:
        await home.shows("sensor.wallbox_status", "Charging")
        await home.shows("switch.wallbox_charging", "on")
        await home.until(lambda: home.number("sensor.wallbox_power") > 10_000, "it draws power")
        await home.until(lambda: home.number("sensor.wallbox_soc") > 0, "its battery is known")
        assert home.states["sensor.wallbox_token"] == "SIMULATED-TOKEN"
        assert home.attributes["sensor.wallbox_status"]["iec61851"] == "C"
        await home.shows("switch.wallbox_charging", "off")
        await home.shows("sensor.wallbox_stop_reason", "local")
        record = await recorded(house, BOX)
        await home.shows("sensor.wallbox_transaction_energy", str(record["energy_wh"] / 1000))
        await home.shows("sensor.wallbox_energy", str(record["meter_stop_wh"] / 1000))
        assert home.attributes["event.wallbox_transaction"]["energy_wh"] == record["energy_wh"]
        assert await typed(home) == TYPED
        (device,) = [one for one in await home.devices() if one["identifiers"] == [f"ocpp_{BOX}"]]
        assert device == {
            **device,
            "name": "Wallbox",
            "manufacturer": "Simulator",
            "model": "Virtual",
            "serial_number": BOX,
            "sw_version": "1.0.0",
            "area": "Garage",
            "url": "http://gateway.local:8080/docs",
            "via": None,
        }
        assert charger.connected.is_set()
    await home.shows("sensor.wallbox_status", "unavailable")
    await home.shows("binary_sensor.wallbox_connectivity", "off")
    await remove(house, BOX)
    await home.until(lambda: not [one for one in home.states if ".wallbox_" in one], "the charger is gone")
    assert f"ocpp_{BOX}" not in str(await home.devices())


async def the_outlets_of_a_station_are_devices_behind_it_and_go_with_it(house: House) -> None:
    home = house.home
    async with charging_station(house.gateway, "car/park", "2.0.1", connectors=2):
        await home.shows("sensor.car_park_1_status", "Available")
        await home.shows("sensor.car_park_2_status", "Available")
        devices = {one["name"]: one for one in await home.devices() if "car" in one["name"]}
        assert set(devices) == {"car/park", "car/park Connector 1", "car/park Connector 2"}
        assert {devices[f"car/park Connector {n}"]["via"] for n in (1, 2)} == {devices["car/park"]["id"]}
    await home.shows("sensor.car_park_1_status", "unavailable")
    await remove(house, "car%2Fpark")
    await home.until(lambda: not [one for one in home.states if "car_park" in one], "the station is gone")
    assert "car/park" not in str(await home.devices())


async def what_a_charger_tells_of_itself_appears_when_it_does(house: House) -> None:
    home = house.home
    async with HandCharger(house.gateway.charger_url, "spot") as spot:
        boot = {"chargePointVendor": "Hand", "chargePointModel": "One", "firmwareVersion": "1.0"}
        await spot.call("BootNotification", boot)
        await spot.call("StatusNotification", {"connectorId": 1, "status": "Available", "errorCode": "NoError"})
        await home.shows("sensor.spot_status", "Available")
        assert "sensor.spot_temperature" not in home.states
        sampled = [
            {"value": "31.5", "measurand": "Temperature", "unit": "Celsius"},
            {"value": "10", "measurand": "Current.Offered", "unit": "A"},
        ]
        values = [{"timestamp": "2026-01-01T00:00:00Z", "sampledValue": sampled}]
        await spot.call("MeterValues", {"connectorId": 1, "meterValue": values})
        await home.shows("sensor.spot_temperature", "31.5")
        await home.until(
            lambda: home.attributes["number.spot_limit"]["max"] == 10, "the limit has the charger's bounds"
        )

        await spot.call("FirmwareStatusNotification", {"status": "Downloading"})
        await home.until(lambda: home.attributes["update.spot_firmware"]["update_percentage"] == 25, "it is updated")
        await spot.call("FirmwareStatusNotification", {"status": "Installed"})
        await home.until(lambda: not home.attributes["update.spot_firmware"]["in_progress"], "it was updated")

        await home.call("switch.turn_on", "switch.spot_charging")
        await home.shows("switch.spot_charging", "on")
        assert home.states["sensor.spot_token"] == "unknown", "it waits for the car"
        await spot.call("StatusNotification", {"connectorId": 1, "status": "Preparing", "errorCode": "NoError"})
        await home.until(lambda: "RemoteStartTransaction" in dict(spot.commands), "it starts when the car is there")
        await home.call("switch.turn_off", "switch.spot_charging")
        await home.shows("switch.spot_charging", "off")

        await spot.call("StatusNotification", {"connectorId": 1, "status": "Faulted", "errorCode": "GroundFailure"})
        await home.shows("binary_sensor.spot_error", "on")
        assert home.attributes["binary_sensor.spot_error"]["code"] == "GroundFailure"
        await home.shows("sensor.spot_status", "Faulted")


async def a_second_connector_that_shows_up_later_makes_devices_of_them(house: House) -> None:
    home = house.home
    async with HandCharger(house.gateway.charger_url, "double") as double:
        await double.boot()
        status = {"status": "Available", "errorCode": "NoError"}
        await double.call("StatusNotification", {"connectorId": 1, **status})
        await home.shows("sensor.double_status", "Available")
        await double.call("StatusNotification", {"connectorId": 2, **status})
        for entity in ("sensor.double_1_status", "sensor.double_2_status"):
            await home.shows(entity, "Available")
        await home.until(lambda: "sensor.double_status" not in home.states, "what was of the one device is gone")


async def test_home_assistant_decides_who_may_charge_and_follows_the_sun_as_documented(house: House) -> None:
    home = house.home
    blocks = README.read_text(encoding="utf-8").split("```yaml\n")[1:]
    documented = [one for block in blocks for one in yaml.safe_load(block.partition("```")[0])["automation"]]
    for automation in documented:
        automation["id"] = automation["alias"]
        for trigger in automation["triggers"]:
            if trigger["trigger"] == "time_pattern":
                trigger["seconds"] = "/1"
    await home.ask("automate", automations=documented)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(home_assistant_decides_who_may_charge(house), name="authorize")
        tasks.create_task(the_limit_follows_the_sun(house), name="sun")
    await home.call("automation.turn_off", "all")


async def home_assistant_decides_who_may_charge(house: House) -> None:
    home = house.home
    async with HandCharger(house.gateway.charger_url, GUARDED) as guarded:
        await guarded.boot()
        await guarded.call("StatusNotification", {"connectorId": 1, "status": "Available", "errorCode": "NoError"})
        await home.shows(f"sensor.{GUARDED}_status", "Available")
        for tag, status, kind in (("04A2B3C4D5E6F7", "Accepted", "accepted"), ("STRANGER", "Invalid", "refused")):
            answer = await guarded.call("Authorize", {"idTag": tag})
            assert answer["idTagInfo"]["status"] == status
            await home.until(lambda tag=tag: tag in home.tags, f"{tag} was scanned")  # type: ignore[misc]
            await home.until(
                lambda tag=tag: home.attributes[f"event.{GUARDED}_tag"].get("token") == tag,  # type: ignore[misc]
                f"an event of {tag}",
            )
            assert home.attributes[f"event.{GUARDED}_tag"]["event_type"] == kind


async def the_limit_follows_the_sun(house: House) -> None:
    home = house.home
    async with charging_station(house.gateway, BOX) as charger:
        await home.shows("sensor.wallbox_status", "Available")
        await home.ask("pretend", entity="sensor.grid_export", state="11000")
        await home.call("switch.turn_on", "switch.wallbox_charging")
        await home.until(lambda: home.number("sensor.wallbox_power") > 10_000, "it charges")
        await home.ask("pretend", entity="sensor.grid_export", state=str(7_000 - home.number("sensor.wallbox_power")))
        await home.shows("number.wallbox_limit", "10")
        await home.ask("pretend", entity="sensor.grid_export", state="-20000")
        await home.shows("switch.wallbox_paused", "on")
        assert charger.told("SetChargingProfile")
    await home.shows("binary_sensor.wallbox_connectivity", "off")
    await remove(house, BOX)
    await home.until(lambda: "sensor.wallbox_status" not in home.states, "the charger is gone, and its pause")


async def test_the_controls_drive_the_charger_and_a_refusal_shows(house: House) -> None:
    home = house.home
    async with charging_station(house.gateway, "box") as charger:
        await home.shows("sensor.box_status", "Available")
        await home.call("number.set_value", "number.box_limit", value=10)
        await home.shows("number.box_limit", "10")
        assert limit_of(await charger.until_told("SetChargingProfile")) == 10

        await home.call("switch.turn_on", "switch.box_charging")
        assert (await charger.until_told("RemoteStartTransaction"))["idTag"] == "HOME"
        await home.shows("switch.box_charging", "on")
        await home.shows("sensor.box_token", "HOME")
        await home.until(lambda: 6_000 < home.number("sensor.box_power") < 7_000, "it draws what the limit lets it")

        await home.call("switch.turn_on", "switch.box_paused")
        await home.shows("switch.box_paused", "on")
        await home.shows("sensor.box_status", "Paused by charger")
        await home.shows("switch.box_charging", "off")
        await home.call("switch.turn_on", "switch.box_charging")
        await home.shows("switch.box_paused", "off")
        await home.shows("sensor.box_status", "Charging")
        assert len(charger.told("RemoteStartTransaction")) == 1, "it was resumed, not started again"

        await home.call("button.press", "button.box_lift_limit")
        await home.shows("number.box_limit", "unknown")
        await home.call("switch.turn_off", "switch.box_charging")
        await charger.until_told("RemoteStopTransaction")
        await home.shows("switch.box_charging", "off")
        await home.shows("sensor.box_stop_reason", "remote")

        await home.call("switch.turn_off", "switch.box_enabled")
        await home.shows("sensor.box_status", "Unavailable")
        await home.shows("switch.box_enabled", "off")
        await home.call("switch.turn_on", "switch.box_charging")
        await home.shows("binary_sensor.box_problem", "on")
        await home.until(lambda: home.attributes["switch.box_charging"].get("problem"), "the switch says why")
        assert home.states["switch.box_charging"] == "off"
        await home.call("switch.turn_on", "switch.box_enabled")
        await home.shows("binary_sensor.box_problem", "off")

        for entity, action in BUTTONS.items():
            await home.call("button.press", f"button.box_{entity}")
            await charger.until_told(action)


async def test_a_button_that_the_charger_refuses_shows_as_its_problem(house: House) -> None:
    home = house.home
    async with HandCharger(house.gateway.charger_url, "stubborn") as charger:
        charger.answers["UnlockConnector"] = {"status": "UnlockFailed"}
        await charger.boot()
        await charger.call("StatusNotification", {"connectorId": 1, "status": "Available", "errorCode": "NoError"})
        await home.shows("sensor.stubborn_status", "Available")
        await home.call("button.press", "button.stubborn_unlock")
        await home.shows("binary_sensor.stubborn_problem", "on")
        problem = home.attributes["binary_sensor.stubborn_problem"]["problem"]
        assert problem.startswith("unlock: the charger refused it")
        await home.call("button.press", "button.stubborn_trigger_status")
        await home.shows("binary_sensor.stubborn_problem", "off")
    await remove(house, "stubborn")


BUTTONS = {"unlock": "UnlockConnector", "trigger_meter": "TriggerMessage", "reboot": "Reset"}


def limit_of(payload: dict[str, Any]) -> float:
    """The limit in a SetChargingProfile."""
    limit: float = payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"]
    return limit


def parts_of(house: House) -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """How each part of a home is stopped and started."""
    return {
        "broker": (house.broker.stop, house.broker.start),
        "gateway": (house.gateway.stop, lambda: house.gateway.start(ready=False)),
        "home": (house.home.stop, house.home.start),
    }


async def commands_are_taken(house: House) -> None:
    """The gateway has found the broker again: what is published before that, nobody hears."""
    async with house.gateway.client() as client, asyncio.timeout(60):
        while (await client.get("/readyz")).json()["checks"]["mqtt control"]["level"] != "ok":  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def all_is_well_after(house: House, stopped: tuple[str, ...], started: tuple[str, ...], number: str) -> None:
    """Stop these parts in this order and start them in that one: everything is there again, and can be commanded."""
    home, parts = house.home, parts_of(house)
    for part in stopped:
        await asyncio.to_thread(parts[part][0])
    for part in started:
        await asyncio.to_thread(parts[part][1])
    await asyncio.to_thread(house.gateway.wait_ready)
    await commands_are_taken(house)
    # What is retained may be old: only what the meter counts from now on shows that all are connected.
    await home.until(lambda: home.number("sensor.lasting_energy") > 0, "the meter is known")
    known = home.number("sensor.lasting_energy")
    await home.until(lambda: home.number("sensor.lasting_energy") > known, "the meter goes on")
    await home.shows("sensor.lasting_status", "Charging")
    await home.shows("switch.lasting_charging", "on")
    await home.call("number.set_value", "number.lasting_limit", value=float(number))
    await home.shows("number.lasting_limit", number)


async def test_a_restart_of_all_parts_heals_by_itself(house: House) -> None:
    home = house.home
    async with charging_station(house.gateway, "lasting"):
        await home.shows("sensor.lasting_status", "Available")
        await home.call("switch.turn_on", "switch.lasting_charging")
        await home.shows("sensor.lasting_status", "Charging")
        await home.until(lambda: home.number("sensor.lasting_power") > 0, "all is known")
        before = await home.entities()
        await all_is_well_after(house, ("home", "gateway", "broker"), ("broker", "gateway", "home"), "7")
        assert (await home.entities()).keys() == before.keys()


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_restarts_of_all_parts_in_any_order_heal_by_themselves(house: House) -> None:
    home = house.home
    async with charging_station(house.gateway, "lasting"):
        await home.shows("sensor.lasting_status", "Available")
        await home.call("switch.turn_on", "switch.lasting_charging")
        await home.shows("sensor.lasting_status", "Charging")
        limits = iter(range(6, 32))
        orders = list(itertools.permutations(("broker", "gateway", "home")))
        for stopped, started in itertools.product((orders[0], orders[-1]), orders):
            await all_is_well_after(house, stopped, started, str(next(limits)))
