"""The components of a charger as a whole: its connection, its firmware, its restarts, the tags presented to it."""

import json
from collections.abc import Iterator

from adapters.homeassistant.components import CONFIG, DIAGNOSTIC, Component, Options, button, sensor, switch, told_to
from adapters.homeassistant.config import HomeCharger
from adapters.homeassistant.connector_components import bounds, limit_number, problem_sensor, where
from adapters.homeassistant.facts import ChargerFacts
from adapters.homeassistant.templates import inner, key, rendered, value

_PROGRESS = {
    "downloading": 25,
    "download_paused": 25,
    "downloaded": 50,
    "signature_verified": 55,
    "installing": 75,
    "install_rebooting": 95,
}
"""How far an update is, in percent, by the charger's `firmware_status`: OCPP tells stages, not shares."""


def charger_components(charger: str, status: str, facts: ChargerFacts, home: HomeCharger) -> list[Component]:
    """All of a charger's components, those that it has not as not shown. `charger` is its branch, `status` the topic of
    the gateway's own status."""
    # The only connector's problems are shown as the charger's.
    problem_at = where(facts.connectors[0]) if facts.is_one else "charger"
    return [
        *_connection(charger, status),
        *_firmware(charger, facts, home, problem_at),
        *_services(charger, problem_at),
        *_tags(charger),
        *_of_all_connectors(charger, facts, home),
    ]


def _connection(charger: str, status: str) -> Iterator[Component]:
    connected = {
        "state_topic": f"{charger}/availability",
        "payload_on": "online",
        "payload_off": "offline",
        "device_class": "connectivity",
        "entity_category": DIAGNOSTIC,
        # It tells of the charger's absence, so that it must not be absent then.
        "availability": [{"topic": status}],
    }
    yield Component("connectivity", "binary_sensor", connected)
    state = f"{charger}/state"
    moment: Options = {"device_class": "timestamp", "entity_category": DIAGNOSTIC}
    yield sensor("last_boot", state, value(inner("boot", "at")), **moment)
    yield sensor("last_seen", state, value(key("last_seen_at")), enabled_by_default=False, **moment)


def _firmware(charger: str, facts: ChargerFacts, home: HomeCharger, problem_at: str) -> Iterator[Component]:
    status = key("firmware_status")
    latest = key("firmware_version") if home.firmware_version is None else json.dumps(home.firmware_version)
    told = {
        "installed_version": key("firmware_version"),
        "latest_version": latest,
        "update_percentage": f"{json.dumps(_PROGRESS)}.get({status})",
    }
    parts = ", ".join(f"'{name}': {expression}" for name, expression in told.items())
    options: Options = {
        "state_topic": f"{charger}/state",
        "value_template": rendered(f"{key('firmware_version')}", "{" + parts + "}"),
        "device_class": "firmware",
        "entity_category": DIAGNOSTIC,
    }
    if home.firmware_url is not None:
        options["command_topic"] = f"{charger}/command/update_firmware"
        options["payload_install"] = told_to(problem_at, location=home.firmware_url)
        options["entity_category"] = CONFIG
        options["qos"] = 1
    yield Component("firmware", "update", options, facts.firmware_version is not None)


def _services(charger: str, problem_at: str) -> Iterator[Component]:
    reset = told_to(problem_at, type="on_idle")
    yield button("reboot", f"{charger}/command/reset", reset, device_class="restart")
    cache: Options = {"enabled_by_default": False, "icon": "mdi:card-remove"}
    yield button("clear_cache", f"{charger}/command/clear_cache", told_to(problem_at), **cache)
    boot = told_to(problem_at, message="BootNotification")
    refresh: Options = {"category": DIAGNOSTIC, "enabled_by_default": False, "icon": "mdi:refresh"}
    yield button("trigger_boot", f"{charger}/command/trigger", boot, **refresh)


def _tags(charger: str) -> Iterator[Component]:
    topic = f"{charger}/event/authorization/decided"
    presented = "(value_json.data.get('token') or {}).get('id')"
    told = {
        "event_type": "'accepted' if value_json.data.get('status') == 'accepted' else 'refused'",
        "token": presented,
        "status": "value_json.data.get('status')",
        "evse_id": "value_json.data.get('evse_id')",
        "decided_by": "value_json.data.get('decided_by')",
    }
    parts = ", ".join(f"'{name}': {expression}" for name, expression in told.items())
    options = {
        "state_topic": topic,
        "event_types": ["accepted", "refused"],
        "value_template": rendered("value_json.data is defined", "{" + parts + "}"),
        "icon": "mdi:card-account-details",
        "qos": 1,
    }
    yield Component("tag", "event", options)
    scanned = f"{{% if value_json is defined and value_json.data is defined %}}{{{{ {presented} or '' }}}}{{% endif %}}"
    yield Component("tag_scanner", "tag", {"topic": topic, "value_template": scanned})


def _of_all_connectors(charger: str, facts: ChargerFacts, home: HomeCharger) -> Iterator[Component]:
    """What is set for the charger as a whole, where that is more than its only connector."""
    state, problem = f"{charger}/state", f"{charger}/problem"
    offered = [one.max_offered_a for one in facts.connectors if one.max_offered_a is not None]
    enabled = value(f"{{true: 'ON', false: 'OFF'}}.get({key('enabled')})")
    yield switch("enabled", state, enabled, f"{charger}/set/enabled", problem, entity_category=CONFIG)
    yield limit_number(state, f"{charger}/set/limit_a", problem, bounds(home, max(offered, default=None)))
    yield button("lift_limit", f"{charger}/set/limit_a", "none", icon="mdi:speedometer")
    yield problem_sensor(problem)
