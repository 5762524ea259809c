"""A mosquitto that denies a subscription, until it is told to allow it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import pytest

from tests.adapters.mqtt.commanding import commander
from tests.support.servers import Mosquitto


@dataclass
class Guarded:
    """A broker that lets nobody subscribe to `denied`."""

    broker: Mosquitto
    denied: str

    async def allow(self) -> None:
        """The broker then puts every client out whom the rule concerned."""
        command = {"command": "removeRoleACL", "rolename": "guests", **_rule(self.denied)}
        with suppress(aiomqtt.MqttError):
            async with commander(self.broker, "nothing") as someone:
                someone.client.timeout = 1
                await someone.send("$CONTROL/dynamic-security/v1", {"commands": [command]})


@contextmanager
def guarded_against(denied: str, folder: Path, *, publishing: bool = False) -> Iterator[Guarded]:
    """The broker, with its files in a folder; the test is skipped where the machine has no such broker. It denies what
    is subscribed to, or with `publishing` what is published to a filter."""
    plugin = next(Path("/usr/lib").glob("**/mosquitto_dynamic_security.so"), None)
    if plugin is None or Mosquitto.binary() is None:
        pytest.skip("there is no mosquitto with its dynamic security plugin")
    rule = {"acltype": "publishClientSend", "topic": denied} if publishing else _rule(denied)
    everything = dict.fromkeys(("publishClientSend", "publishClientReceive", "subscribe", "unsubscribe"), True)
    control = {"acltype": "publishClientSend", "topic": "$CONTROL/#", "priority": 0, "allow": True}
    rules = {
        "defaultACLAccess": everything,
        "roles": [{"rolename": "guests", "acls": [{**rule, "priority": 0, "allow": False}, control]}],
        "groups": [{"groupname": "all", "roles": [{"rolename": "guests"}]}],
        "clients": [],
        "anonymousGroup": "all",
    }
    file = folder / "rules.json"
    file.write_text(json.dumps(rules))
    broker = Mosquitto(folder / "guarded", f"plugin {plugin}", f"plugin_opt_config_file {file}")
    broker.start()
    try:
        yield Guarded(broker, denied)
    finally:
        broker.stop()


def _rule(topic: str) -> dict[str, str]:
    return {"acltype": "subscribeLiteral", "topic": topic}
