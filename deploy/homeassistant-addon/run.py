"""The add-on's start: makes its options, and the broker that the Supervisor knows, the gateway's environment, and
becomes the gateway."""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

SUPERVISOR = os.environ.get("SUPERVISOR_URL", "http://supervisor")
DATA = Path(os.environ.get("ADDON_DATA", "/data"))
CONFIG = Path(os.environ.get("ADDON_CONFIG", "/config")) / "ocpp-gateway.toml"
CERTIFICATES = Path(os.environ.get("ADDON_SSL", "/ssl"))

PATIENCE = 60.0
"""Seconds in which the Supervisor must have said which broker there is; it may be starting itself."""
CHARGERS_PORT = "9000/tcp"
_PREFIX = "OCPP_GATEWAY__"

_AS_THEY_ARE = {
    "language": "HOMEASSISTANT__LANGUAGE",
    "start_token": "MQTT__START_TOKEN",
    "log_level": "GATEWAY__LOG_LEVEL",
    "require_password": "CHARGERS__REQUIRE_PASSWORD",
    "default_version": "CHARGERS__DEFAULT_SUBPROTOCOL",
    "api_key": "REST__ADMIN_KEY",
    "mqtt_username": "MQTT__USERNAME",
    "mqtt_password": "MQTT__PASSWORD",
}
"""The add-on's options → the gateway's."""


def ask(path: str) -> Any:
    """What the Supervisor says. Raises OSError, also for a refusal, and ValueError."""
    token = os.environ.get("SUPERVISOR_TOKEN", "")
    request = Request(f"{SUPERVISOR}/{path}", headers={"Authorization": f"Bearer {token}"})
    with build_opener(ProxyHandler({})).open(request, timeout=10) as answer:
        return json.load(answer)["data"]


def broker(patience: float) -> Mapping[str, Any] | None:
    """The broker that Home Assistant uses; None where it has none. Raises OSError where nobody says."""
    deadline = time.monotonic() + patience
    while True:
        try:
            service: Mapping[str, Any] = ask("services/mqtt")
            return service
        except HTTPError as error:
            if error.code in (400, 404):
                return None
            problem: OSError | ValueError = error
        except (OSError, ValueError) as error:
            problem = error
        if time.monotonic() >= deadline:
            raise OSError(f"the Supervisor does not say which MQTT broker there is: {problem}")
        time.sleep(1)


def environment(options: Mapping[str, Any], service: Mapping[str, Any] | None) -> dict[str, str]:
    """The gateway's settings."""
    settings = {
        "GATEWAY__DATA_DIR": str(DATA),
        "GATEWAY__LOG_FORMAT": "console",
        "REST__HOST": "0.0.0.0",  # noqa: S104 (of the container; the port is published where the user says so)
    }
    for name, option in _AS_THEY_ARE.items():
        if options.get(name) not in (None, ""):
            settings[option] = str(options[name]).lower() if isinstance(options[name], bool) else str(options[name])
    if options.get("ssl"):
        settings["CHARGERS__TLS_CERTIFICATE"] = str(CERTIFICATES / str(options.get("certfile")))
        settings["CHARGERS__TLS_KEY"] = str(CERTIFICATES / str(options.get("keyfile")))
    if options.get("mqtt_url"):
        settings["MQTT__URL"] = str(options["mqtt_url"])
    elif service is not None:
        scheme = "mqtts" if service.get("ssl") else "mqtt"
        host = str(service["host"])
        settings["MQTT__URL"] = f"{scheme}://{f'[{host}]' if ':' in host else host}:{service['port']}"
        settings.setdefault("MQTT__USERNAME", str(service.get("username") or ""))
        settings.setdefault("MQTT__PASSWORD", str(service.get("password") or ""))
    else:
        settings["GATEWAY__ADAPTERS"] = "rest,webhooks"
    return {_PREFIX + option: value for option, value in settings.items() if value != ""}


def addresses(options: Mapping[str, Any]) -> Iterator[str]:
    """What to type into a wallbox: the host's addresses, which this container does not see itself."""
    port = (ask("addons/self/info").get("network") or {}).get(CHARGERS_PORT)
    if port is None:
        say(f"the port {CHARGERS_PORT} is published nowhere: set it in the add-on's network settings")
        return
    scheme = "wss" if options.get("ssl") else "ws"
    for interface in ask("network/info").get("interfaces") or ():
        for address in (interface.get("ipv4") or {}).get("address") or ():
            yield f"{scheme}://{str(address).partition('/')[0]}:{port}/<charger id>"


def say(text: str) -> None:
    """Into the add-on's log."""
    print(text, flush=True)  # noqa: T201


def wanted(options: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The broker to be used where the options name none. Ends the add-on where nobody says which there is."""
    if options.get("mqtt_url"):
        return None
    try:
        service = broker(PATIENCE)
    except OSError as error:
        sys.exit(f"error: {error}")
    if service is None:
        say(
            "warning: Home Assistant has no MQTT broker, so that wallboxes are served, and Home Assistant does not see "
            "them. Install the add-on Mosquitto broker, or set mqtt_url, and restart this one"
        )
    return service


def main() -> None:
    """Become the gateway."""
    options = json.loads((DATA / "options.json").read_text())
    settings = environment(options, wanted(options))
    if CONFIG.is_file():
        settings["OCPP_GATEWAY_CONFIG"] = str(CONFIG)
    try:
        for address in addresses(options):
            say(f"type into the wallbox: {address}")
    except (OSError, ValueError, KeyError, AttributeError) as error:
        say(f"the addresses of this machine are not known: {error}")
    os.chdir(DATA)
    command = ["ocpp-gateway", *(sys.argv[1:] or ["serve"])]
    os.execvpe(command[0], command, {**settings, **os.environ})


if __name__ == "__main__":
    main()
