"""deploy/compose.yml: valid, tidy with its secrets, and its services work together, as processes here."""

import asyncio
import re
import ssl
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import aiomqtt
import httpx
import orjson
import pytest

from adapters.mqtt.topics import Topics
from gateway.simulator import SimulatorOptions, simulate
from tests.cluster.support import eventually, eventually_async
from tests.deploy.dockerfile import DEPLOY, stages
from tests.deploy.stack import (
    COMPOSE,
    SERVICES,
    ComposeGateway,
    ComposeHaproxy,
    ComposeMosquitto,
    ComposePrometheus,
    ComposeValkey,
    Secrets,
    mounted,
    tool,
)
from tests.deploy.watched import (
    alert_expressions,
    as_grafana_asks,
    dashboard_expressions,
    metrics_in,
    metrics_on,
)
from tests.support.servers import Server


class Stack:
    def __init__(self, folder: Path) -> None:
        self.secrets = Secrets(folder / "secrets")
        self.secrets.make()
        self.valkey = ComposeValkey(folder / "valkey", self.secrets)
        self.mosquitto = ComposeMosquitto(folder / "mosquitto", self.secrets)
        self.gateways = [
            ComposeGateway(folder / f"gateway-{n}", self.secrets, self.valkey, self.mosquitto) for n in range(2)
        ]
        self.haproxy = ComposeHaproxy(folder / "haproxy", self.secrets, self.gateways)
        self.prometheus = ComposePrometheus(folder / "prometheus", self.secrets, self.gateways[1:])
        self.ca = str(self.secrets.of("gateway") / "ca.pem")

    def servers(self) -> Iterator[Server]:
        yield from (self.valkey, self.mosquitto, *self.gateways, self.haproxy, self.prometheus)

    async def charge(self, identity: str) -> None:
        """One charger's transaction from beginning to end, by wss through HAProxy."""
        options = SimulatorOptions(
            url=f"wss://localhost:{self.haproxy.port}/ocpp",
            ids=(identity,),
            tls_ca=Path(self.ca),
            rounds=1,
            samples=2,
            interval=1.0,
            idle_time=0.1,
            speed=20.0,
        )
        async with asyncio.timeout(180):
            await simulate(options)

    def mqtt(self, user: str) -> aiomqtt.Client:
        password = (self.secrets.folder / "authority" / "mqtt-users" / user).read_text().strip()
        return aiomqtt.Client(
            "localhost",
            self.mosquitto.port,
            username=user,
            password=password,
            protocol=aiomqtt.ProtocolVersion.V5,
            timeout=60,
            tls_context=ssl.create_default_context(cafile=self.ca),
        )


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    for name in ("openssl", "mosquitto", "haproxy", "prometheus"):
        tool(name)
    stack = Stack(tmp_path)
    try:
        for server in stack.servers():
            server.start()
        yield stack
    finally:
        for server in reversed(list(stack.servers())):
            server.stop()


@pytest.mark.timeout(600)
async def test_the_services_work_together_from_charger_to_billing(stack: Stack) -> None:
    async with stack.mqtt("billing") as billing:
        await billing.subscribe("ocpp/chargers/+/event/transaction/ended", qos=1)
        for identity in ("CP-1", "CP-2"):
            await stack.charge(identity)
            await ended(billing, identity)
            # The next one finds its way without the gateway that it may have been on.
            if identity == "CP-1":
                assert stack.gateways[0].drain() == 0
    await may_see_and_command(stack)
    await eventually(lambda: "chargers/gateway0 is DOWN" in stack.haproxy.log.read_text(), seconds=60)
    await rest_is_behind_tls_and_metrics_have_a_key_of_their_own(stack, stack.gateways[1])
    await the_dashboard_has_something_to_show(stack)


async def ended(billing: aiomqtt.Client, identity: str) -> None:
    """Wait until a charger's transaction has ended; what ended before may be told again, for another gateway does."""
    source = None
    async with asyncio.timeout(60):
        while source != f"/chargers/{identity}":
            source = orjson.loads((await anext(billing.messages)).payload)["source"]


async def may_see_and_command(stack: Stack) -> None:
    """Billing only reads its topics; automation commands, and answers."""
    async with stack.mqtt("billing") as billing, stack.mqtt("automation") as automation:
        await automation.subscribe("ocpp/chargers/CP-1/#", qos=1)
        await billing.publish("ocpp/chargers/CP-1/command/reset", b'{"id": "of-billing"}', qos=1)
        await automation.publish("ocpp/chargers/CP-1/answer/nothing-asked", b'{"status": "invalid"}', qos=1)
        await automation.publish("ocpp/chargers/CP-1/command/reset", b'{"id": "of-automation"}', qos=1)
        heard = []
        async with asyncio.timeout(60):
            async for message in automation.messages:
                heard.append((message.topic.value, bytes(message.payload or b"")))
                if "/result/" in message.topic.value:
                    break
        assert orjson.loads(heard[-1][1])["id"] == "of-automation"
        assert not [payload for _, payload in heard if b"of-billing" in payload]
        assert "ocpp/chargers/CP-1/answer/nothing-asked" in [topic for topic, _ in heard]


async def rest_is_behind_tls_and_metrics_have_a_key_of_their_own(stack: Stack, gateway: ComposeGateway) -> None:
    admin = {"Authorization": f"Bearer {stack.secrets.text('gateway', 'rest.admin_key')}"}
    prometheus = {"Authorization": f"Bearer {stack.secrets.text('prometheus', 'metrics_key')}"}
    own, shared = f"http://127.0.0.1:{gateway.rest_port}", f"https://localhost:{stack.haproxy.rest_port}"
    context = ssl.create_default_context(cafile=stack.ca)
    async with httpx.AsyncClient(verify=context, trust_env=False, timeout=60) as client:
        asking = partial(client.get, f"{shared}/v1/chargers", headers=admin)
        # HAProxy says 503 where it thinks that nobody is there.
        listed = (await eventually_async(asking, lambda answer: answer.status_code != 503, seconds=60)).json()
        assert {item["id"] for item in listed["items"]} == {"CP-1", "CP-2"}
        assert (await client.get(f"{shared}/v1/chargers", headers=prometheus)).status_code == 403
        assert (await client.get(f"{shared}/metrics", headers=admin)).status_code == 404
        page = (await client.get(f"{own}/metrics", headers=prometheus)).text
    for expression in (*dashboard_expressions(), *alert_expressions()):
        missing = metrics_in(expression) - metrics_on(page)
        assert not missing, f"{missing} of {expression!r} is not in /metrics"


NOT_HERE = ("handshakes_refused", "undelivered", "charger_violations", "offset 1d")
"""What a stack that is well for a minute has not met."""


async def the_dashboard_has_something_to_show(stack: Stack) -> None:
    """Prometheus reads the gateways with its own key, and answers every panel; no alert has anything to tell."""
    url = f"http://127.0.0.1:{stack.prometheus.port}/api/v1/query"
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:

        async def ask(expression: str) -> list[object]:
            answer = (await client.get(url, params={"query": as_grafana_asks(expression)})).json()
            assert answer["status"] == "success", (expression, answer)
            found: list[object] = answer["data"]["result"]
            return found

        for expression in dashboard_expressions():
            if not any(word in expression for word in NOT_HERE):
                await eventually_async(partial(ask, expression), seconds=60)
        assert await ask('ALERTS{alertstate="firing"}') == []


# ------------------------------------------------------------ without running it


def test_what_is_there_already_is_never_made_anew(tmp_path: Path) -> None:
    tool("openssl")
    secrets = Secrets(tmp_path)

    def files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    assert "REST API key" not in secrets.make(), "a log is no place for keys"
    first = files()
    assert secrets.text("gateway", "rest.admin_key") in secrets.make("--show")
    assert files() == first
    (secrets.of("haproxy") / "server.pem").unlink()
    secrets.make()
    assert {path for path, text in files().items() if first[path] != text} == {secrets.of("haproxy") / "server.pem"}


def test_a_service_sees_no_secrets_but_its_own() -> None:
    seen: dict[str, list[str]] = {}
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            if ":/run/secrets" in volume:
                assert volume.endswith(":ro"), volume
                seen.setdefault(volume.partition(":")[0], []).append(name)
    assert len(seen) == 6
    assert all(len(services) == 1 for services in seen.values()), seen
    text = (DEPLOY / "compose.yml").read_text()
    assert not re.search(r"(?i)password: *[^/\s]*$", text, re.MULTILINE)


def test_every_service_is_confined_and_of_a_named_version() -> None:
    for name, service in SERVICES.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["image"] == "ocpp-gateway" or re.search(r":v?\d+\.\d+", service["image"]), name
    assert COMPOSE["services"]["gateway"]["deploy"]["replicas"] == 2


def test_every_file_that_is_mounted_is_there() -> None:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            if volume.startswith("./"):
                assert mounted(name, volume.split(":")[1]).exists(), volume


def test_automation_may_write_where_the_gateway_listens_and_nowhere_else() -> None:
    topics, rules = Topics("ocpp"), mounted("mosquitto", "/mosquitto/config/acl").read_text()
    granted = re.findall(r"^topic write (\S+)$", rules.partition("user automation\n")[2], re.MULTILINE)
    heard = {*topics.command_filters, *topics.home_filters, topics.answer_filter}
    # Of `set` alone, `set/#` is also the right: the level before the # is part of it.
    covered = [{one for one in heard if aiomqtt.Topic(one.replace("+", "x")).matches(rule)} for rule in granted]
    assert set().union(*covered) == heard
    assert all(covered), "what is granted is heard"


def test_gateways_have_the_time_that_they_need_to_drain() -> None:
    from gateway.config import Settings

    settings = Settings()
    seconds = int(SERVICES["gateway"]["stop_grace_period"].removesuffix("s"))
    assert seconds >= settings.gateway.shutdown_deadline + settings.rest.stop_timeout + 10


def test_haproxy_takes_its_configuration(tmp_path: Path) -> None:
    tool("openssl")
    secrets = Secrets(tmp_path / "secrets")
    secrets.make()
    text = mounted("haproxy", "/usr/local/etc/haproxy/haproxy.cfg").read_text()
    config = tmp_path / "haproxy.cfg"
    config.write_text(text.replace("/run/secrets/", f"{secrets.of('haproxy')}/"))
    done = subprocess.run([tool("haproxy"), "-c", "-f", str(config)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr


def test_ports_are_those_that_the_image_opens() -> None:
    _, image = stages((DEPLOY / "Dockerfile").read_text())
    text = mounted("haproxy", "/usr/local/etc/haproxy/haproxy.cfg").read_text()
    assert set(re.findall(r"gateway:(\d+)", text)) == set(image.one("EXPOSE").split())
