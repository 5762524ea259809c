"""`ocpp-gateway doctor`: what it finds, with real servers in each state, and what it says to do."""

import asyncio
import itertools
import json
import re
import socket
import ssl
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from pydantic import SecretStr
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from adapters.mqtt.config import MqttConfig
from gateway.chargers.config import ChargersConfig
from gateway.cli.doctor.broker import Probe
from gateway.cli.doctor.certificates import examine_tls
from gateway.cli.doctor.examination import _Examination, diagnosis
from gateway.cli.doctor.findings import Finding
from gateway.cli.doctor.handshakes import examine_handshakes, told
from gateway.cli.doctor.machine import examine_clock, examine_disk, is_kept
from gateway.cli.doctor.ports import examine_firewall, examine_reach
from gateway.cli.doctor.running import RunningGateway
from gateway.config import GatewayConfig, Settings
from gateway.interfaces import addresses
from tests.chargers.harness import running
from tests.support.acl import PASSWORD, login, users
from tests.support.certificates import Authority
from tests.support.gateway_process import GatewayProcess
from tests.support.mosquitto_users import guarded as guarded_mosquitto
from tests.support.servers import Mosquitto, Valkey, free_port
from tests.test_cli import run


@pytest.fixture(autouse=True)
def no_variables_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MQTT_URL", "REDIS_URL", "OCPP_GATEWAY_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is not what the doctor is to find here."""
    for name in ("broker.PROBE_SECONDS", "broker.ECHO_SECONDS", "running.SECONDS"):
        monkeypatch.setattr(f"gateway.cli.doctor.{name}", 60.0)
    monkeypatch.setattr("adapters.mqtt.control_dialer.CALL_SECONDS", 60.0)


def written(folder: Path, **sections: dict[str, Any]) -> Path:
    """A configuration on free ports, with these sections."""
    base: dict[str, dict[str, Any]] = {
        "gateway": {"data_dir": str(folder / "data")},
        "chargers": {"port": free_port(), "host": "127.0.0.1"},
        "rest": {"port": free_port()},
        "mqtt": {"embedded_port": free_port()},
    }
    lines = []
    for name in base.keys() | sections.keys():
        options = {**base.get(name, {}), **sections.get(name, {})}
        lines += [f"[{name}]", *(f"{option} = {json.dumps(value)}" for option, value in options.items())]
    path = folder / "doctor.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


async def found(config: Path, key: str | None = None) -> list[Finding]:
    return [finding async for finding in diagnosis(config, {}, key=key)]


def of(findings: list[Finding], area: str) -> list[Finding]:
    return [finding for finding in findings if finding.area == area]


def only(findings: list[Finding], level: str, area: str) -> Finding:
    (finding,) = [finding for finding in of(findings, area) if finding.level == level]
    return finding


# ---------------------------------------------------------------- as a program


def test_on_a_fresh_machine_there_is_no_problem_and_what_is_embedded_was_tried(tmp_path: Path) -> None:
    config = written(tmp_path)
    done = run(tmp_path, "doctor", "--config", str(config))
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    for expected in (
        "ok        gateway: none runs here now",
        "ok        redis: none is configured: the gateway starts the embedded Valkey, which works on this machine",
        "ok        mqtt: none is configured: the gateway starts the embedded one, which works on this machine",
    ):
        assert expected in lines, done.stdout
    assert lines[-1].startswith("no problems, ")
    assert not (tmp_path / "data").exists(), "it leaves nothing behind"


def test_a_configuration_that_cannot_be_read_is_the_problem_and_the_exit_code_says_so(tmp_path: Path) -> None:
    config = written(tmp_path, chargers={"prot": 1})
    done = run(tmp_path, "doctor", "--json", "--config", str(config))
    assert done.returncode == 1
    told_of = json.loads(done.stdout)
    assert told_of["ok"] is False
    (finding,) = told_of["findings"]
    assert (finding["area"], finding["level"]) == ("configuration", "problem")
    assert "did you mean 'port'?" in finding["text"]


# ---------------------------------------------------------------- beside a running gateway


@pytest.fixture
def home() -> Iterator[GatewayProcess]:
    """A gateway as at home: with a Valkey and a broker of its own."""
    settings = {"mqtt": {"embedded_port": free_port()}, "chargers": {"require_password": True}}
    # In a folder of a short name, as Valkey's socket lies in the data folder only where its path is short enough.
    with (
        tempfile.TemporaryDirectory() as short,
        GatewayProcess(Path(short), redis_url=None, mqtt_url=None, settings=settings) as gateway,
    ):
        yield gateway


async def test_beside_a_running_gateway_it_explains_whom_that_refused(home: GatewayProcess) -> None:
    protocols = [Subprotocol("ocpp1.6")]
    with pytest.raises(InvalidStatus):
        async with connect(f"{home.charger_url}/WALLBOX", subprotocols=protocols, proxy=None, open_timeout=60):
            pass
    configured = home.folder / f"{home.node}.toml"
    findings = await found(configured)
    assert [finding for finding in findings if finding.level == "problem"] == []
    assert "commands can be heard" in of(findings, "mqtt")[1].text
    assert "command topic" not in home.log, "the gateway takes nothing of it for a command"
    refused = only(findings, "warning", "handshakes")
    assert "charger WALLBOX from 127.0.0.1, once, last at " in refused.text
    assert "needs its password" in refused.text
    assert "enter the password in the wallbox" in str(refused.advice)
    texts = [f"{finding.area}: {finding.text}" for finding in findings]
    assert f"chargers' port: the gateway listens on port {home.charger_port}" in texts
    assert f"rest port: the gateway listens on port {home.rest_port}" in texts
    assert any(text.startswith("mqtt: a message below ocpp/ was published and came back") for text in texts)
    assert any(text.startswith("redis: Valkey ") for text in texts)

    # Without a key it makes itself one, which is gone afterwards, but never the first.
    keyless = home.folder / "keyless.toml"
    keyless.write_text("\n".join(line for line in configured.read_text().splitlines() if "admin_key" not in line))
    assert only(await found(keyless), "warning", "handshakes").text.endswith("(HTTP 401)")
    async with home.client() as client:
        await client.post("/v1/api-keys", json={"name": "mine", "scope": "read"})
        assert "charger WALLBOX" in only(await found(keyless), "warning", "handshakes").text
        keys = (await client.get("/v1/api-keys")).json()["items"]
    assert [key["name"] for key in keys] == ["mine"]
    assert only(await found(keyless, "ogw_wrong"), "warning", "handshakes").text.endswith("(HTTP 401)")


# ---------------------------------------------------------------- what may be wrong


async def test_servers_that_are_away_and_a_port_that_is_taken_are_problems_with_advice(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        config = written(
            tmp_path,
            redis={"url": f"redis://127.0.0.1:{free_port()}/0"},
            mqtt={"url": f"mqtt://127.0.0.1:{free_port()}"},
            chargers={"port": other.getsockname()[1]},
        )
        findings = await found(config)
    assert "cannot be used at 127.0.0.1" in only(findings, "problem", "redis").text
    assert "MQTT_URL" in str(only(findings, "problem", "mqtt").advice)
    taken = only(findings, "problem", "chargers' port")
    assert "is taken by " in taken.text
    assert "set [chargers] port" in str(taken.advice)
    assert "only this machine can connect" in only(findings, "warning", "chargers' port").text


async def test_a_redis_that_may_forget_is_a_warning(tmp_path: Path) -> None:
    server = Valkey(tmp_path / "forgetful", "--appendonly", "no", "--maxmemory-policy", "allkeys-lru")
    server.start()
    try:
        findings = await found(written(tmp_path, redis={"url": server.url}, gateway={"adapters": ["rest"]}))
    finally:
        server.stop()
    warnings = [finding for finding in of(findings, "redis") if finding.level == "warning"]
    assert [warning.advice for warning in warnings] == [
        "set appendonly yes and appendfsync always in its configuration",
        "set noeviction",
    ]
    assert only(findings, "ok", "mqtt").text == "the adapter mqtt is off"


@pytest.mark.parametrize(
    ("without", "password", "expected"),
    [("+xadd", PASSWORD, r"refuses xadd: "), ("+info", PASSWORD, "info"), ("", "wrong", "WRONGPASS|password")],
)
async def test_what_redis_refuses_is_named(tmp_path: Path, without: str, password: str, expected: str) -> None:
    server = Valkey(tmp_path / "guarded", "--aclfile", str(users(tmp_path, without=without)))
    server.start()
    try:
        url = login(server).replace(PASSWORD, password)
        findings = await found(written(tmp_path, redis={"url": url}, gateway={"adapters": ["rest"]}))
    finally:
        server.stop()
    refused = only(findings, "problem", "redis")
    assert re.search(expected, refused.text)
    assert PASSWORD not in refused.text


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Mosquitto]:
    """A mosquitto that knows one user, who may do everything but publish below ocpp/."""
    if Mosquitto.binary() is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    acl = "topic read #\ntopic write right/#"
    server = guarded_mosquitto(tmp_path / "mosquitto", user="gateway", password="secret", acl=acl)
    server.start()
    yield server
    server.stop()


async def test_a_login_that_the_broker_refuses_is_told_apart_from_rights_that_are_missing(
    tmp_path: Path, guarded: Mosquitto
) -> None:
    url = guarded.url.replace("mqtt://", "mqtt://gateway:{}@")
    redis = {"url": f"redis://127.0.0.1:{free_port()}/0"}
    wrong = only(await found(written(tmp_path, mqtt={"url": url.format("wrong")}, redis=redis)), "problem", "mqtt")
    assert "mend user and password" in str(wrong.advice)
    findings = await found(written(tmp_path, mqtt={"url": url.format("secret")}, redis=redis))
    refused = only(findings, "problem", "mqtt")
    assert refused.text == "publishing below ocpp/ is refused: reason code 0x87"
    assert refused.advice == "let the gateway's user read and write ocpp/# (deploy/brokers.md)"
    assert "lets us in, with MQTT 5" in of(findings, "mqtt")[0].text
    only_announcing = {"url": url.format("secret"), "prefix": "right"}
    findings = await found(written(tmp_path, mqtt=only_announcing, redis=redis))
    assert [finding.level for finding in of(findings, "mqtt")] == ["ok", "ok"]
    refused = only(findings, "problem", "home assistant")
    assert refused.text == "the broker does not let us write below homeassistant/"


RIGHTS = (
    *("doctor/#", "chargers/+/event/#", "chargers/+/problem", "chargers/+/evse/+/connector/+/problem"),
    *("chargers/+/command/#", "chargers/+/call/#", "chargers/+/answer/#", "chargers/+/set/#", "chargers/+/get"),
    *("chargers/+/evse/+/connector/+/set/#", "chargers/+/evse/+/connector/+/get"),
)


@pytest.mark.parametrize(
    ("withdrawn", "left", "expected"),
    [
        (
            "chargers/+/command/#",
            "write",
            "what is sent to the gateway does not reach it, as at ocpp/chargers/{id}/command/1",
        ),
        (
            "chargers/+/evse/+/connector/+/set/#",
            "write",
            "what is sent to the gateway does not reach it, as at ocpp/chargers/{id}/evse/1/connector/1/set",
        ),
        (
            "chargers/+/problem",
            "read",
            "publishing at ocpp/chargers/{id}/problem is refused, by which refusals are told",
        ),
        ("chargers/+/command/#", "read", None),
        ("chargers/+/event/#", "write", None),
    ],
)
async def test_what_a_broker_grants_and_does_not_carry_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, withdrawn: str, left: str, expected: str | None
) -> None:
    """Mosquitto lets everybody subscribe. That the gateway may not publish commands itself harms nothing."""
    if Mosquitto.binary() is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    if expected is not None:
        monkeypatch.setattr("gateway.cli.doctor.broker.ECHO_SECONDS", 1.0)
    acl = "\n".join(f"topic {left if right == withdrawn else 'readwrite'} ocpp/{right}" for right in RIGHTS)
    server = guarded_mosquitto(tmp_path / "mosquitto", user="gateway", password="secret", acl=acl)
    server.start()
    try:
        config = MqttConfig(url=server.url, username="gateway", password=SecretStr("secret"))
        findings = [finding async for finding in Probe(config, "homeassistant").run()]
    finally:
        server.stop()
    assert [finding.text for finding in findings if finding.level == "problem"] == ([expected] if expected else [])


async def test_what_is_retained_for_home_assistant_is_counted(tmp_path: Path, mosquitto: Mosquitto) -> None:
    config = MqttConfig(url=mosquitto.url)
    async with aiomqtt.Client("127.0.0.1", mosquitto.port, timeout=60) as client:
        await client.publish("ha/status", "online", retain=True)
        await client.publish("ocpp/status", "online", retain=True)
        for number in range(150):
            await client.publish(f"ha/sensor/lamp{number}/config", '{"o": {"name": "zigbee2mqtt"}}', retain=True)
        payload = json.dumps({"origin": {"name": "OCPP gateway"}})
        await client.publish("ha/device/ocpp_CP1/config", payload, qos=1, retain=True)
    probe = Probe(config, "ha", announces=True)
    assert [finding.level async for finding in probe.run()] == ["ok", "ok"]
    elsewhere, discovery = probe.after(is_running=False)
    assert elsewhere.text == "a gateway is online under ocpp/, and none runs here"
    assert discovery.text == (
        "151 discovery configurations below ha/, 1 of them of this gateway; Home Assistant says online"
    )


# ---------------------------------------------------------------- certificates, clock, disk, firewall


def test_a_certificate_is_told_with_its_names_and_its_end(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    now = time.time()
    lasting = authority.issue("/CN=gateway", names="DNS:gateway.home,IP:192.0.2.7", days=400)
    (good,) = examine_tls(ChargersConfig(tls_certificate=lasting[:1], tls_key=lasting[1:]))
    assert good.level == "ok"
    assert good.text.endswith("chargers must connect to one of its names: gateway.home, 192.0.2.7")
    assert time.strftime("%Y-%m-%d", time.gmtime(now + 400 * 86400)) in good.text
    soon, nameless = authority.issue("/CN=x", names="DNS:x"), authority.issue("/CN=x", days=90)
    both = examine_tls(ChargersConfig(tls_certificate=(soon[0], nameless[0]), tls_key=(soon[1], nameless[1])))
    assert ["which is soon" in finding.text or "names no host" in finding.text for finding in both] == [True, True]
    ended = authority.issue("/CN=x", names="DNS:x", days=-1)
    (bad,) = examine_tls(ChargersConfig(tls_certificate=ended[:1], tls_key=ended[1:]))
    assert (bad.level, "expired" in bad.text) == ("problem", True)
    (mixed,) = examine_tls(ChargersConfig(tls_certificate=soon[:1], tls_key=nameless[1:]))
    assert mixed.level == "problem"


@pytest.mark.parametrize(
    ("ahead", "kept", "level"),
    [(0.1, True, "ok"), (None, None, "ok"), (None, False, "warning"), (-5.0, True, "warning"), (40.0, True, "problem")],
)
def test_the_clock_is_held_against_redis_and_ntp(ahead: float | None, kept: bool | None, level: str) -> None:
    (finding,) = examine_clock(ahead=ahead, kept=kept)
    assert finding.level == level
    assert (finding.advice is None) == (level == "ok")


def test_a_clock_without_a_battery_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 60.0)
    (finding,) = examine_clock(ahead=None, kept=True)
    assert (finding.level, "1970-01-01" in finding.text) == ("problem", True)


def test_the_system_says_whether_its_clock_is_kept() -> None:
    assert is_kept() in (True, False, None)


@pytest.mark.parametrize(("free", "level"), [(10**8, "problem"), (5 * 10**8, "warning"), (10**11, "ok")])
def test_room_on_the_disk_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: str) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": free}))
    (finding,) = examine_disk(tmp_path / "not" / "there")
    assert finding.level == level


def test_a_firewall_without_a_rule_for_the_port_is_told_with_the_command_that_adds_it(tmp_path: Path) -> None:
    (tmp_path / "etc/ufw").mkdir(parents=True)
    (tmp_path / "etc/ufw/ufw.conf").write_text("# on\nENABLED=yes\n")
    (hidden,) = examine_firewall(9000, tmp_path)
    assert (hidden.level, hidden.advice) == ("ok", "if not: sudo ufw allow 9000/tcp")
    rules = tmp_path / "etc/ufw/user.rules"
    rules.write_text("-A ufw-user-input -p tcp --dport 90001 -j ACCEPT\n")
    (missing,) = examine_firewall(9000, tmp_path)
    assert (missing.level, missing.advice) == ("warning", "sudo ufw allow 9000/tcp")
    rules.write_text("-A ufw-user-input -p tcp --dport 9000 -j ACCEPT\n")
    (there,) = examine_firewall(9000, tmp_path)
    assert there.level == "ok"


def test_an_address_that_does_not_answer_beside_a_running_gateway_is_a_problem() -> None:
    config = ChargersConfig(port=free_port())
    silent = [finding for finding in examine_reach(config, is_running=True) if "does not answer" in finding.text]
    assert len(silent) == len(addresses(config.host))
    assert {finding.level for finding in silent} <= {"problem"}


def test_an_address_that_answers_is_no_problem() -> None:
    with socket.create_server(("0.0.0.0", 0)) as listening:
        config = ChargersConfig(port=listening.getsockname()[1])
        problems = [finding.text for finding in examine_reach(config, is_running=True) if finding.level == "problem"]
    assert [text for text in problems if "does not answer" in text] == []


async def test_knocking_at_a_port_with_tls_is_not_taken_for_a_charger_that_fails(
    certificate: tuple[Path, Path],
) -> None:
    chain, key = certificate
    async with running(tls_certificate=chain, tls_key=key, host="0.0.0.0") as node:
        config = ChargersConfig(tls_certificate=(chain,), tls_key=(key,), port=node.server.port)
        found = await asyncio.to_thread(lambda: list(examine_reach(config, is_running=True)))
        assert "does not answer" not in str(found)
        async with node.charger(ssl_context=ssl.create_default_context(cafile=str(chain))):
            assert node.refusals.latest() == []


def test_refusals_are_told_in_words_and_no_more_than_fit_a_screen() -> None:
    item = {
        "charger_id": None,
        "address": "10.0.0.5",
        "count": 3,
        "last_at": "2026-01-02T03:04:05.000Z",
        "reason": "not HTTP",
        "advice": "look",
    }
    findings = list(told([item] * 23))
    assert findings[0].text.startswith("somebody from 10.0.0.5, 3 times, last at 2026-01-0")
    assert (len(findings), findings[-1].text) == (21, "and 3 more: GET /v1/handshakes")


def test_what_a_stranger_calls_himself_does_not_steer_the_terminal() -> None:
    item = {
        "charger_id": "CP\x9b31mX\u202e",
        "address": "10.0.0.5",
        "count": 1,
        "last_at": "2026-01-02T03:04:05.000Z",
        "reason": "the path is /\x1b[2J",
        "advice": "look",
    }
    (finding,) = told([item])
    assert finding.text.isprintable()
    assert "charger CP?31mX?" in finding.text


async def test_a_gateway_that_hangs_up_does_not_end_the_doctor(tmp_path: Path) -> None:
    nobody = RunningGateway(f"http://127.0.0.1:{free_port()}")
    async with asyncio.timeout(60):
        findings = [finding async for finding in examine_handshakes(nobody, Settings(), None, "key")]
    assert [finding.level for finding in findings] == ["warning"]


class OneOfTwo(RunningGateway):
    """Two workers behind one port, asked in turn."""

    turn = itertools.cycle(("WB-1", "WB-2"))

    def get(self, path: str, key: str | None) -> tuple[int, Any]:
        charger = next(self.turn)
        moment = f"2026-01-02T03:04:0{charger[-1]}.000Z"
        fixed = {"address": "10.0.0.5", "reason": "no", "advice": "look", "count": 1, "first_at": moment}
        return 200, {"items": [{**fixed, "charger_id": charger, "last_at": moment}]}


async def test_of_several_workers_each_is_heard_and_nothing_told_twice() -> None:
    settings = Settings(gateway=GatewayConfig(workers=2))
    findings = [finding async for finding in examine_handshakes(OneOfTwo("http://unused"), settings, None, "key")]
    assert [finding.text.split(" from ")[0] for finding in findings] == ["charger WB-2", "charger WB-1"]


async def test_a_running_gateway_with_another_configuration_is_told_apart_from_a_broker_that_is_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.cli.doctor.broker.PROBE_SECONDS", 1.0)
    settings = Settings.model_validate({"mqtt": {"url": f"mqtt://127.0.0.1:{free_port()}"}})
    running_gateway = RunningGateway("http://127.0.0.1:1", {"mqtt control": {"level": "ok"}})
    examination = _Examination(settings, running_gateway, None)
    texts = [finding.text async for finding in examination._of_broker()]
    assert any("cannot be used" in text for text in texts)
    assert any("another configuration than doctor" in text for text in texts)
