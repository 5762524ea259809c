"""The Home Assistant add-on: its files as the Supervisor reads them, and its start on a Supervisor played by a test.

The rules are those of Home Assistant's developer documentation (add-on configuration, presentation, communication).
"""

import asyncio
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import aiomqtt
import pytest
import yaml
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from gateway import __version__
from gateway.config import Settings, load
from tests.deploy.dockerfile import DEPLOY, stages
from tests.support.mosquitto_users import guarded
from tests.support.servers import Mosquitto, free_port

ADDON = DEPLOY / "homeassistant-addon"
RUN = ADDON / "run.py"
CONFIG: dict[str, Any] = yaml.safe_load((ADDON / "config.yaml").read_text())

KINDS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("name", "version", "slug", "description", "startup", "boot", "webui", "watchdog", "backup"), str),
    **dict.fromkeys(("arch", "services", "map"), list),
    **dict.fromkeys(("ports", "ports_description", "options", "schema"), dict),
    **dict.fromkeys(("hassio_api", "ingress", "init"), bool),
    "timeout": int,
}
"""The keys that this add-on uses, each one that the Supervisor knows, and what it takes there."""

ELEMENT = re.compile(
    r"(?:str|password)(?:\(\d*,\d*\))?|bool|email|url|port|(?:int|float)(?:\(-?[\d.]*,-?[\d.]*\))?|"
    r"match\(.+\)|list\([^|()]+(?:\|[^|()]+)*\)"
)
PORT = re.compile(r"\d{1,5}/(tcp|udp)")


def own_module() -> ModuleType:
    """run.py, which is no module of the house."""
    spec = importlib.util.spec_from_file_location("addon_run", RUN)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---------------------------------------------------------------- as the Supervisor reads it


def test_the_configuration_has_the_keys_that_the_supervisor_knows() -> None:
    assert {"name", "version", "slug", "description", "arch"} <= CONFIG.keys()
    for key, value in CONFIG.items():
        assert isinstance(value, KINDS[key]), key
    assert re.fullmatch(r"[-_.A-Za-z0-9]+", CONFIG["slug"])
    assert set(CONFIG["arch"]) <= {"aarch64", "amd64", "armv7", "armhf", "i386"}
    assert CONFIG["startup"] in ("initialize", "system", "services", "application", "once")
    assert (CONFIG["boot"], CONFIG["backup"]) == ("auto", "cold")
    assert 10 <= CONFIG["timeout"] <= 300
    assert all(re.fullmatch(r"(mqtt|mysql):(provide|want|need)", service) for service in CONFIG["services"])
    kinds = {"data", "ssl", "share", "media", "addons", "backup", "addon_config", "homeassistant_config"}
    for entry in CONFIG["map"]:
        assert entry["type"] in kinds
        assert entry.keys() <= {"type", "read_only", "path"}


def test_ports_are_told_and_watched() -> None:
    assert CONFIG["ports"].keys() == CONFIG["ports_description"].keys()
    for port, host_port in CONFIG["ports"].items():
        assert PORT.fullmatch(port)
        assert host_port is None or 0 < host_port < 65536
    assert re.fullmatch(r"(?:https?|tcp)://\[HOST\]:\[PORT:8080\]/healthz", CONFIG["watchdog"])
    assert re.fullmatch(r"https?://\[HOST\]:\[PORT:8080\].*", CONFIG["webui"])
    settings = Settings()
    assert {f"{settings.chargers.port}/tcp", f"{settings.rest.port}/tcp"} == CONFIG["ports"].keys()


def test_every_option_has_a_schema_a_default_or_a_question_mark_and_words_in_both_languages() -> None:
    schema, options = CONFIG["schema"], CONFIG["options"]
    for name, element in schema.items():
        assert ELEMENT.fullmatch(element.removesuffix("?")), element
        assert (name in options) != element.endswith("?"), name
    assert options.keys() <= schema.keys()
    for language in ("en", "de"):
        words = yaml.safe_load((ADDON / "translations" / f"{language}.yaml").read_text())
        assert words.keys() == {"configuration", "network"}
        assert words["configuration"].keys() == schema.keys()
        assert all(word.keys() == {"name", "description"} for word in words["configuration"].values())
        assert words["network"].keys() == CONFIG["ports"].keys()


def test_it_is_the_version_of_the_gateway_and_says_what_changed() -> None:
    assert CONFIG["version"] == __version__
    assert f"## {__version__}" in (ADDON / "CHANGELOG.md").read_text()


def test_it_has_the_time_that_draining_takes() -> None:
    settings = Settings()
    assert CONFIG["timeout"] >= settings.gateway.shutdown_deadline + settings.rest.stop_timeout + 10


def test_each_architecture_has_a_base_and_what_is_copied_is_there() -> None:
    build = yaml.safe_load((ADDON / "build.yaml").read_text())
    assert build["build_from"].keys() == set(CONFIG["arch"])
    image = re.compile(r"([a-zA-Z\-.:\d{}]+/)*?([-\w{}]+)/([-\w{}]+)(:[.\-\w{}]+)?")
    assert all(image.fullmatch(base) for base in build["build_from"].values())
    (stage,) = stages((ADDON / "Dockerfile").read_text())
    (copied,) = stage.all("COPY")
    assert copied == "run.py *.whl /opt/add-on/"
    assert stage.command("CMD") == ["python", "/opt/add-on/run.py"]


@pytest.mark.parametrize("page", ["DOCS.md", "README.md"])
def test_every_file_that_its_pages_name_is_there(page: str) -> None:
    text = (ADDON / page).read_text()
    assert all((ADDON / link).exists() for link in re.findall(r"\]\((?!https?:)([^)\s#]+)\)", text))


# ---------------------------------------------------------------- what its options become


ALL_OPTIONS = {
    "language": "de",
    "start_token": "FAMILY",
    "log_level": "debug",
    "require_password": True,
    "default_version": "ocpp1.6",
    "api_key": "sixteen-characters",
    "ssl": True,
    "certfile": "chain.pem",
    "keyfile": "key.pem",
    "mqtt_url": "mqtts://elsewhere:8883",
    "mqtt_username": "me",
    "mqtt_password": "pässword",
}


def test_every_option_becomes_a_setting_that_the_gateway_takes(
    tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, key = certificate
    chain.rename(tmp_path / "chain.pem")
    key.rename(tmp_path / "key.pem")
    assert ALL_OPTIONS.keys() == CONFIG["schema"].keys()
    monkeypatch.setenv("ADDON_SSL", str(tmp_path))
    monkeypatch.setenv("ADDON_DATA", str(tmp_path))
    for name in [name for name in os.environ if name.startswith("OCPP_GATEWAY") or name in ("MQTT_URL", "REDIS_URL")]:
        monkeypatch.delenv(name)
    for name, value in own_module().environment(ALL_OPTIONS, {"host": "unused", "port": 1}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    settings = load().settings
    assert settings.gateway.log_level == "debug"
    assert (settings.homeassistant.language, settings.mqtt.start_token) == ("de", "FAMILY")
    assert settings.chargers.require_password
    assert settings.chargers.default_subprotocol == "ocpp1.6"
    assert settings.chargers.tls_certificate == (tmp_path / "chain.pem",)
    assert settings.rest.admin_key is not None
    assert settings.rest.admin_key.get_secret_value() == "sixteen-characters"
    assert (settings.mqtt.url, settings.mqtt.username) == ("mqtts://elsewhere:8883", "me")
    assert settings.mqtt.password is not None
    assert settings.mqtt.password.get_secret_value() == "pässword"
    assert settings.gateway.data_dir == tmp_path


def test_a_broker_may_be_named_by_an_ipv6_address() -> None:
    service = {"host": "fd00::1", "port": 1883}
    assert own_module().environment(CONFIG["options"], service)["OCPP_GATEWAY__MQTT__URL"] == "mqtt://[fd00::1]:1883"


def test_without_a_broker_wallboxes_are_served_all_the_same() -> None:
    assert own_module().environment(CONFIG["options"], None)["OCPP_GATEWAY__GATEWAY__ADAPTERS"] == "rest,webhooks"


# ---------------------------------------------------------------- its start


TOKEN = "token-of-the-supervisor"


@contextmanager
def supervisor(answers: dict[str, Any]) -> Iterator[str]:
    """A Supervisor that answers so, by path, whoever has its token; as the real one it says no to all else."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            allowed = self.headers.get("Authorization") == f"Bearer {TOKEN}"
            found = answers.get(self.path) if allowed else None
            status = 200 if found is not None else 400 if allowed else 401
            body = {"result": "ok", "data": found} if found is not None else {"result": "error", "message": "no"}
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def surroundings(folder: Path, url: str, **options: Any) -> dict[str, str]:
    """The environment and /data of the add-on's container."""
    data = folder / "data"
    data.mkdir()
    (data / "options.json").write_text(json.dumps({**CONFIG["options"], **options}))
    own = {name: value for name, value in os.environ.items() if not name.startswith("OCPP_GATEWAY")}
    for name in ("MQTT_URL", "REDIS_URL"):
        own.pop(name, None)
    return {
        **own,
        "PATH": f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}",
        "PYTHONPATH": str(DEPLOY.parent),
        "SUPERVISOR_URL": url,
        "SUPERVISOR_TOKEN": TOKEN,
        "ADDON_DATA": str(data),
        "ADDON_CONFIG": str(folder),
    }


@pytest.fixture
def home_broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """Home Assistant's broker, which lets add-ons in by a login that the Supervisor knows."""
    if Mosquitto.binary() is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    server = guarded(tmp_path / "mosquitto", user="addons", password="p@ss/word", acl="topic readwrite #")
    server.start()
    yield server
    server.stop()


async def test_it_starts_the_gateway_on_the_broker_of_home_assistant(tmp_path: Path, home_broker: Mosquitto) -> None:
    chargers = free_port()
    service = {"host": "127.0.0.1", "port": home_broker.port, "ssl": False, "username": "addons"}
    answers = {
        "/services/mqtt": {**service, "password": "p@ss/word", "protocol": "3.1.1"},
        "/addons/self/info": {"network": {"9000/tcp": 9001, "8080/tcp": None}},
        "/network/info": {"interfaces": [{"ipv4": {"address": ["192.168.1.10/24"]}}, {"ipv4": None}]},
    }
    (tmp_path / "ocpp-gateway.toml").write_text(f"[chargers]\nport = {chargers}\n[rest]\nport = {free_port()}\n")
    with supervisor(answers) as url:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(RUN)),
            env=surroundings(tmp_path, url),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said = ""
        try:
            assert process.stdout is not None
            async with asyncio.timeout(90):
                while "chargers may connect" not in said:
                    line = await process.stdout.readline()
                    assert line, said
                    said += line.decode()
                await a_wallbox_is_seen(home_broker, chargers)
            process.send_signal(signal.SIGTERM)
            rest, _ = await asyncio.wait_for(process.communicate(), 60)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert process.returncode == 0, said + rest.decode()
    assert "type into the wallbox: ws://192.168.1.10:9001/<charger id>\n" in said
    assert (tmp_path / "data" / "valkey" / "appendonlydir").is_dir(), "its database is in no backup"


async def a_wallbox_is_seen(broker: Mosquitto, port: int) -> None:
    """A wallbox that connects to the add-on is online at the broker."""
    client = aiomqtt.Client("127.0.0.1", broker.port, username="addons", password="p@ss/word")
    async with client, connect(f"ws://127.0.0.1:{port}/WB", subprotocols=[Subprotocol("ocpp1.6")], proxy=None):
        await client.subscribe("ocpp/chargers/WB/availability")
        async for message in client.messages:
            if message.payload == b"online":
                return


def test_a_supervisor_that_says_no_ends_it_with_the_reason_and_no_broker_is_a_warning(tmp_path: Path) -> None:
    module = own_module()
    with supervisor({}) as url:
        module.SUPERVISOR = url
        with pytest.raises(OSError, match="does not say which MQTT broker there is: HTTP Error 401"):
            module.broker(0)
        # What the rest of its start does is seen by a command that only prints its settings.
        environment = surroundings(tmp_path, url)
        done = subprocess.run(
            [sys.executable, str(RUN), "check-config", "--brief"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "warning: Home Assistant has no MQTT broker" in done.stdout
    assert "the addresses of this machine are not known" in done.stdout
    assert 'adapters = ["rest", "webhooks"]' in done.stdout
