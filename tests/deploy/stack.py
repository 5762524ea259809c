"""The services of deploy/compose.yml as processes here: their own files, with other paths, ports and host names."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.dockerfile import DEPLOY
from tests.support.servers import Mosquitto, Server, Valkey, free_port

COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SBIN = f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin"


def tool(name: str, package: str | None = None) -> str:
    """The path of a program, where it is installed; else the test is skipped."""
    found = shutil.which(name, path=SBIN)
    if found is None:
        pytest.skip(f"{name} is not installed (apt-get install {package or name})")
    return found


def mounted(service: str, path: str) -> Path:
    """The file of the repository that a service sees at a path."""
    for volume in SERVICES[service]["volumes"]:
        source, target, *_ = volume.split(":")
        if source.startswith("./") and (path == target or path.startswith(f"{target}/")):
            return DEPLOY / source / path.removeprefix(target).lstrip("/")
    raise AssertionError(f"{service} mounts nothing at {path}")


class Secrets:
    """What the service `secrets` makes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self, *options: str) -> str:
        _, script, _ = SERVICES["secrets"]["entrypoint"]
        command = [sys.executable, str(mounted("secrets", script)), str(self.folder), *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def of(self, service: str) -> Path:
        """The folder that a service sees as /run/secrets."""
        (volume,) = (v for v in SERVICES[service]["volumes"] if v.endswith(":/run/secrets:ro"))
        for own in SERVICES["secrets"]["volumes"]:
            source, target = own.split(":")[:2]
            if source == volume.partition(":")[0]:
                return self.folder / Path(target).relative_to("/run/made")
        raise AssertionError(f"nothing is made for {service}")

    def text(self, service: str, name: str) -> str:
        return (self.of(service) / name).read_text().strip()


class ComposeValkey(Valkey):
    def __init__(self, folder: Path, secrets: Secrets) -> None:
        super().__init__(folder)
        self.secrets = secrets

    @property
    def url(self) -> str:
        return self.secrets.text("gateway", "redis.url").replace("@valkey:6379", f"@127.0.0.1:{self.port}")

    def command(self) -> list[str]:
        _, config, *options = SERVICES["valkey"]["command"]
        there = {"/data": str(self.folder), "/run/secrets/users.acl": str(self.secrets.of("valkey") / "users.acl")}
        moved = [there.get(option, option) for option in options]
        here = ["--port", str(self.port), "--bind", "127.0.0.1"]
        return [self.binary(), str(mounted("valkey", config)), *moved, *here]


class ComposeMosquitto(Mosquitto):
    def __init__(self, folder: Path, secrets: Secrets) -> None:
        super().__init__(folder)
        self.secrets = secrets

    def command(self) -> list[str]:
        text = mounted("mosquitto", "/mosquitto/config/mosquitto.conf").read_text()
        text = text.replace("listener 8883", f"listener {self.port}")
        text = text.replace("/run/secrets/", f"{self.secrets.of('mosquitto')}/")
        text = text.replace("/mosquitto/config/acl", str(mounted("mosquitto", "/mosquitto/config/acl")))
        text = text.replace("/mosquitto/data/", f"{self.folder}/")
        config = self.folder / "mosquitto.conf"
        config.write_text(f"{text}\n" + ("user root\n" if os.geteuid() == 0 else ""))
        return [tool("mosquitto"), "-c", str(config)]


class ComposeGateway(Server):
    """One replica; `port` is the chargers' one."""

    start_seconds = 120.0

    def __init__(self, folder: Path, secrets: Secrets, valkey: ComposeValkey, mosquitto: ComposeMosquitto) -> None:
        super().__init__(folder)
        self.secrets, self.valkey, self.mosquitto = secrets, valkey, mosquitto
        self.rest_port = free_port()

    def command(self) -> list[str]:
        environment: dict[str, str] = dict(SERVICES["gateway"]["environment"])
        config = self.folder / "ocpp-gateway.toml"
        text = mounted("gateway", environment["OCPP_GATEWAY_CONFIG"]).read_text()
        text = text.replace("/run/secrets/", f"{self.secrets.of('gateway')}/")
        config.write_text(text.replace("mosquitto:8883", f"localhost:{self.mosquitto.port}"))
        environment |= {
            "OCPP_GATEWAY_CONFIG": str(config),
            "OCPP_GATEWAY_SECRETS": str(self.secrets.of("gateway")),
            "OCPP_GATEWAY__REDIS__URL": self.valkey.url,
            "OCPP_GATEWAY__CHARGERS__PORT": str(self.port),
            "OCPP_GATEWAY__REST__PORT": str(self.rest_port),
            "OCPP_GATEWAY__REST__HOST": "127.0.0.1",
            "PYTHONPATH": str(DEPLOY.parent),
        }
        pairs = [f"{name}={value}" for name, value in environment.items()]
        return ["env", "-u", "REDIS_URL", "-u", "MQTT_URL", *pairs, sys.executable, "-m", "gateway", "serve"]

    def drain(self) -> int:
        """Stop it as Docker does; its exit code."""
        process = self._process
        assert process is not None
        process.terminate()
        self._process = None
        try:
            return process.wait(90)
        finally:
            process.kill()


class ComposeHaproxy(Server):
    """`port` is the chargers' one, by TLS."""

    def __init__(self, folder: Path, secrets: Secrets, gateways: list[ComposeGateway]) -> None:
        super().__init__(folder)
        self.secrets, self.gateways = secrets, gateways
        self.rest_port = free_port()

    def config(self) -> Path:
        text = mounted("haproxy", "/usr/local/etc/haproxy/haproxy.cfg").read_text()
        text = text.replace("bind :8443 ", f"bind 127.0.0.1:{self.port} ")
        text = text.replace("bind :8444 ", f"bind 127.0.0.1:{self.rest_port} ")
        text = text.replace("/run/secrets/", f"{self.secrets.of('haproxy')}/")
        text = text.replace("maxconn 60000", "maxconn 400")  # what a small machine's limit on open files allows
        text = re.sub(r"^ *server-template .*$", self._servers, text, flags=re.MULTILINE)
        config = self.folder / "haproxy.cfg"
        config.write_text(text)
        return config

    def _servers(self, template: re.Match[str]) -> str:
        """The servers that Docker's DNS would name."""
        line = template[0]
        return "\n".join(
            re.sub(r" resolvers docker init-addr none", "", line)
            .replace("server-template gateway 1-10", f"server gateway{number}")
            .replace("gateway:9000", f"127.0.0.1:{gateway.port}")
            .replace("gateway:8080", f"127.0.0.1:{gateway.rest_port}")
            .replace("check port 8080", f"check port {gateway.rest_port}")
            for number, gateway in enumerate(self.gateways)
        )

    def command(self) -> list[str]:
        return [tool("haproxy"), "-db", "-f", str(self.config())]


class ComposePrometheus(Server):
    """It asks the gateways every half second."""

    start_seconds = 120.0

    def __init__(self, folder: Path, secrets: Secrets, gateways: list[ComposeGateway]) -> None:
        super().__init__(folder)
        self.secrets, self.gateways = secrets, gateways

    def command(self) -> list[str]:
        text = mounted("prometheus", "/etc/prometheus/prometheus.yml").read_text()
        config: dict[str, Any] = yaml.safe_load(text.replace("/run/secrets/", f"{self.secrets.of('prometheus')}/"))
        config["global"] = {"scrape_interval": "500ms", "evaluation_interval": "500ms"}
        config["rule_files"] = [str(mounted("prometheus", f"/etc/prometheus/{name}")) for name in config["rule_files"]]
        (job,) = config["scrape_configs"]
        (found,) = job.pop("dns_sd_configs")
        assert found["names"] == ["gateway"]
        job["static_configs"] = [{"targets": [f"127.0.0.1:{gateway.rest_port}" for gateway in self.gateways]}]
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        there = {"--config.file": "prometheus.yml", "--storage.tsdb.path": "data"}
        options = [option.partition("=") for option in SERVICES["prometheus"]["command"]]
        moved = [f"{name}={self.folder / there[name] if name in there else value}" for name, _, value in options]
        return [tool("prometheus"), *moved, f"--web.listen-address=127.0.0.1:{self.port}"]
