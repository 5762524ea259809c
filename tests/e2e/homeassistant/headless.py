"""A real Home Assistant without a face, run by a Python of its own: only MQTT and what it needs, no network but that.

    python headless.py CONFIG_FOLDER BROKER_PORT HTTP_PORT

It is told what to do by JSON lines on stdin, `{"id": 1, "do": "call", ...}`, and answers and tells what happens by JSON
lines on stdout: `answer`, `state`, `gone`, `tag`, `log`, `ready`. It ends when stdin does.
"""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable
from typing import Any

# What stands in its own entry need not be read from the network's interfaces.
from homeassistant import config_entries, core, loader
from homeassistant.auth import auth_manager_from_config
from homeassistant.bootstrap import async_load_base_functionality
from homeassistant.config_entries import ConfigEntries
from homeassistant.const import EVENT_HOMEASSISTANT_CLOSE
from homeassistant.helpers import area_registry, device_registry, entity_registry
from homeassistant.setup import async_setup_component

ENTRY = "mqtt-entry"
WIRE = os.fdopen(os.dup(1), "w", encoding="utf-8")


def say(kind: str, **what: Any) -> None:
    WIRE.write(json.dumps({"kind": kind, **what}, default=str) + "\n")
    WIRE.flush()


class Telling(logging.Handler):
    """Tells every line of the log from warnings on."""

    def emit(self, record: logging.LogRecord) -> None:
        told = self.format(record)
        say("log", logger=record.name, level=record.levelname, text=told)


def prefilled(folder: str, broker: int) -> None:
    """The configuration that a user would have clicked together."""
    storage = os.path.join(folder, ".storage")
    if os.path.exists(os.path.join(storage, "core.config_entries")):
        return
    os.makedirs(storage, exist_ok=True)
    entry = {
        "created_at": "2025-01-01T00:00:00+00:00",
        "modified_at": "2025-01-01T00:00:00+00:00",
        "data": {"broker": "127.0.0.1", "port": broker, "protocol": "5"},
        "disabled_by": None,
        "discovery_keys": {},
        "domain": "mqtt",
        "entry_id": ENTRY,
        "minor_version": 2 if config_entries_have_options() else 1,
        "options": {"discovery": True},
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "user",
        "subentries": [],
        "title": "broker",
        "unique_id": None,
        "version": 1,
    }
    stored = {"version": 1, "minor_version": 5, "key": "core.config_entries", "data": {"entries": [entry]}}
    with open(os.path.join(storage, "core.config_entries"), "w", encoding="utf-8") as file:
        json.dump(stored, file)


def config_entries_have_options() -> bool:
    from homeassistant.components.mqtt.config_flow import FlowHandler

    return FlowHandler.MINOR_VERSION >= 2


async def started(folder: str, http_port: int) -> core.HomeAssistant:
    hass = core.HomeAssistant(folder)
    hass.config.skip_pip = True
    hass.config.legacy_templates = False
    loader.async_setup(hass)
    hass.config_entries = ConfigEntries(hass, {})
    await async_load_base_functionality(hass)
    hass.auth = await auth_manager_from_config(hass, [], [])
    config = {"http": {"server_host": "127.0.0.1", "server_port": http_port}, "homeassistant": {}}
    for component in ("homeassistant", "http", "tag"):
        if not await async_setup_component(hass, component, config):
            raise RuntimeError(f"{component} cannot be set up")
    hass.bus.async_listen(core.EVENT_STATE_CHANGED, changed)
    hass.bus.async_listen("tag_scanned", lambda event: say("tag", **event.data))
    for entry in hass.config_entries.async_entries():
        await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_start()
    return hass


@core.callback
def changed(event: core.Event) -> None:
    state = event.data["new_state"]
    if state is None:
        say("gone", entity=event.data["entity_id"])
    else:
        say("state", entity=state.entity_id, state=state.state, attributes=dict(state.attributes))


class Doings:
    """What can be asked for, each a method."""

    def __init__(self, hass: core.HomeAssistant) -> None:
        self.hass = hass

    async def call(self, domain: str, service: str, data: dict[str, Any]) -> None:
        await self.hass.services.async_call(domain, service, data, blocking=True)

    async def entities(self) -> list[dict[str, Any]]:
        found = entity_registry.async_get(self.hass).entities.values()
        return [
            {
                "entity": one.entity_id,
                "unique_id": one.unique_id,
                "device": one.device_id,
                "category": one.entity_category,
                "disabled": one.disabled_by is not None,
                "name": one.original_name,
                "capabilities": one.capabilities,
                "device_class": one.original_device_class,
                "unit": one.unit_of_measurement,
            }
            for one in found
        ]

    async def devices(self) -> list[dict[str, Any]]:
        areas = area_registry.async_get(self.hass)
        found = device_registry.async_get(self.hass).devices.values()
        return [
            {
                "id": one.id,
                "identifiers": sorted(pair[1] for pair in one.identifiers),
                "name": one.name,
                "manufacturer": one.manufacturer,
                "model": one.model,
                "serial_number": one.serial_number,
                "sw_version": one.sw_version,
                "url": one.configuration_url,
                "via": one.via_device_id,
                "area": None if one.area_id is None else areas.async_get_area(one.area_id).name,
            }
            for one in found
        ]

    async def enable(self, entity: str) -> None:
        entity_registry.async_get(self.hass).async_update_entity(entity, disabled_by=None)

    async def pretend(self, entity: str, state: str) -> None:
        self.hass.states.async_set(entity, state)

    async def automate(self, automations: list[dict[str, Any]]) -> None:
        if not await async_setup_component(self.hass, "automation", {"automation": automations}):
            raise RuntimeError("the automations cannot be set up")
        await self.hass.async_block_till_done()


async def obey(hass: core.HomeAssistant) -> None:
    reader = asyncio.StreamReader()
    await hass.loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    doings = Doings(hass)
    while line := await reader.readline():
        asked = json.loads(line)
        number, name = asked.pop("id"), asked.pop("do")
        method: Callable[..., Any] = getattr(doings, name)
        try:
            say("answer", id=number, result=await method(**asked))
        except Exception as error:
            say("answer", id=number, error=f"{type(error).__name__}: {error}")


async def main() -> None:
    folder, broker, http = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    logging.getLogger().addHandler(Telling(logging.WARNING))
    prefilled(folder, broker)
    hass = await started(folder, http)
    say("ready", version=config_entries.__name__ and core.__name__ and _version())
    try:
        await obey(hass)
    finally:
        await hass.async_stop(force=True)
        hass.bus.async_fire(EVENT_HOMEASSISTANT_CLOSE)


def _version() -> str:
    from homeassistant.const import __version__

    return str(__version__)


if __name__ == "__main__":
    asyncio.run(main())
