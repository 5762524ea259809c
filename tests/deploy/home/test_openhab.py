"""deploy/home/openhab: the channels of the thing and their items, against a gateway and a wallbox that charges."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.deploy.home.living import FILES, Home, home, three_phase_car
from tests.support.servers import Mosquitto, Valkey

THINGS = (FILES / "openhab" / "wallbox.things").read_text()
ITEMS = (FILES / "openhab" / "wallbox.items").read_text()
OPTIONS = {"stateTopic", "transformationPattern", "commandTopic", "on", "off", "unit", "min", "max", "step"}
"""What the MQTT binding knows of these channels (https://www.openhab.org/addons/bindings/mqtt.generic)."""
ITEM_OF = {"string": ("String",), "switch": ("Switch",), "number": ("Number",)}
DIMENSIONS = {"W": "Power", "Wh": "Energy", "A": "ElectricCurrent", "%": "Dimensionless"}

_CHANNEL = re.compile(r'^\s*Type (\w+) : (\w+) "[^"]+" \[ (.+) \]$', re.MULTILINE)
_OPTION = re.compile(r'(\w+)=(?:"([^"]*)"|(\d+))(?:, |$)')
_ITEM = re.compile(r'^(\w+)(?::(\w+))?\s+(\w+)\s+"[^"]+"\s+<\w+>\s+\(\w+\)\s+\{ channel="([\w:]+)" \}$', re.MULTILINE)
_PATH = re.compile(r"JSONPATH:\$((?:\.\w+)+)")


@dataclass(frozen=True)
class Channel:
    kind: str
    options: dict[str, str]

    def read(self, living: Home) -> Any:
        """What the channel shows: a number, "ON" or "OFF", a text; None where it is null."""
        path = _PATH.fullmatch(self.options["transformationPattern"])
        assert path is not None, self.options
        value = json.loads(living.retained[self.options["stateTopic"]])
        for name in path[1].split(".")[1:]:
            # A path that leads through null finds nothing.
            value = None if value is None else value[name]
        if value is None or self.kind == "string":
            return value
        text = str(value).lower()
        if self.kind == "number":
            return float(text)
        return {self.options["on"]: "ON", self.options["off"]: "OFF"}[text]

    async def command(self, living: Home, value: str) -> None:
        """What an item's command publishes."""
        plain = {"ON": self.options.get("on"), "OFF": self.options.get("off")}.get(value) or value
        await living.publish(self.options["commandTopic"], plain)


CHANNELS = {
    name: Channel(kind, {key: text or digits for key, text, digits in _OPTION.findall(options)})
    for kind, name, options in _CHANNEL.findall(THINGS)
}


def test_every_line_is_understood_and_every_channel_has_its_item() -> None:
    assert len(CHANNELS) == THINGS.count("Type ")
    for name, channel in CHANNELS.items():
        assert set(channel.options) <= OPTIONS, name
        assert channel.kind in ITEM_OF, name
        assert {"on", "off"} <= set(channel.options) or channel.kind != "switch", name
    items = _ITEM.findall(ITEMS)
    assert len(items) == ITEMS.count("channel=")
    assert len({name for _, _, name, _ in items}) == len(items)
    assert {uid.rpartition(":")[0] for *_, uid in items} == {"mqtt:topic:home:wallbox"}
    assert {uid.rpartition(":")[2] for *_, uid in items} == set(CHANNELS)
    for kind, dimension, name, uid in items:
        channel = CHANNELS[uid.rpartition(":")[2]]
        assert kind in ITEM_OF[channel.kind], name
        assert dimension == DIMENSIONS.get(channel.options.get("unit", ""), ""), name


async def test_openhab_reads_and_steers_a_charge(tmp_path: Path, valkey: Valkey, mosquitto: Mosquitto) -> None:
    async with home(tmp_path / "gateway", valkey, mosquitto) as living:

        def shows(name: str, value: Any) -> bool:
            return bool(CHANNELS[name].read(living) == value)

        async def until(name: str, value: Any) -> None:
            await living.until(lambda: shows(name, value), f"{name} is not {value}")

        await until("plugged", "OFF")
        await CHANNELS["limit"].command(living, "10")
        living.wallbox.plug_in(three_phase_car())
        await until("plugged", "ON")
        await CHANNELS["charging"].command(living, "ON")
        for name, value in (("charging", "ON"), ("limit", 10.0), ("power", 6900.0), ("status", "charging")):
            await until(name, value)
        await living.until(lambda: (CHANNELS["transaction_energy"].read(living) or 0) > 0, "nothing was charged")
        for phase in ("current_l1", "current_l2", "current_l3"):
            assert round(CHANNELS[phase].read(living)) == 10
        assert abs(CHANNELS["energy"].read(living) - living.wallbox.outlet.register_wh) < 2000
        assert 40 <= CHANNELS["soc"].read(living) <= 100
        await CHANNELS["paused"].command(living, "ON")
        await until("paused", "ON")
        await until("charging", "OFF")
        await CHANNELS["paused"].command(living, "OFF")
        await until("charging", "ON")
        await CHANNELS["limit"].command(living, "many")
        await living.until(lambda: "number of ampere" in (CHANNELS["problem"].read(living) or ""), "no problem is told")
        await CHANNELS["limit"].command(living, "12")
        await living.allows(12 * 690)
        await until("problem", None)
        await CHANNELS["charging"].command(living, "OFF")
        await living.until(lambda: living.state["transaction"] is None, "it charges on")
        living.wallbox.unplug()
        await until("plugged", "OFF")
        await CHANNELS["enabled"].command(living, "OFF")
        await until("enabled", "OFF")
