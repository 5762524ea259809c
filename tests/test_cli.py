"""The command line as a user runs it: as a program of its own, on a real broker."""

import asyncio
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from gateway import __version__
from gateway.cli.overrides import overrides
from gateway.cli.send import parsed_arguments
from gateway.cli.words import in_words
from gateway.config import load
from gateway.core.errors import ConfigurationError
from tests.support.servers import EmbeddedBroker, free_port

V5 = aiomqtt.ProtocolVersion.V5


def environment(**variables: str) -> dict[str, str]:
    """This environment without configuration of ours, and with what is given."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("OCPP_GATEWAY") and name not in ("MQTT_URL", "REDIS_URL")
    }
    root = str(Path(__file__).parents[1])
    path = os.pathsep.join(part for part in (root, kept.get("PYTHONPATH", "")) if part)
    return {**kept, "PYTHONPATH": path, "NO_COLOR": "1", "COLUMNS": "200", **variables}


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def start(folder: Path, *arguments: str, **variables: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "gateway", *arguments),
        cwd=folder,
        env=environment(**variables),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


# ------------------------------------------------------------ help, version, configuration


@pytest.mark.parametrize(
    "command",
    [[], ["serve"], ["simulate"], ["tail"], ["send"], ["check-config"], ["doctor"], ["healthcheck"], ["version"]],
)
def test_every_command_explains_itself(tmp_path: Path, command: list[str]) -> None:
    done = run(tmp_path, *command, "--help")
    assert done.returncode == 0
    assert "Usage: ocpp-gateway" in done.stdout


def test_version(tmp_path: Path) -> None:
    assert run(tmp_path, "version").stdout.strip() == __version__


def test_healthcheck_tells_whom_it_could_not_reach_and_that_there_may_be_nobody_to_ask(tmp_path: Path) -> None:
    port = free_port()
    dead = run(tmp_path, "healthcheck", OCPP_GATEWAY__REST__PORT=str(port), OCPP_GATEWAY__REST__HOST="::")
    assert dead.returncode == 1
    assert f"http://[::1]:{port}/healthz: " in dead.stderr
    nobody = run(tmp_path, "healthcheck", OCPP_GATEWAY__GATEWAY__ADAPTERS="mqtt")
    assert nobody.returncode == 2
    assert "the adapter rest is not among" in nobody.stderr


def test_check_config_prints_what_is_in_effect_and_why(tmp_path: Path) -> None:
    (tmp_path / "ocpp-gateway.toml").write_text('[rest]\nadmin_key = "hunter2-hunter2-hunter2"\n')
    done = run(tmp_path, "check-config", MQTT_URL="mqtt://user:hunter2@broker")
    assert done.returncode == 0, done.stderr
    assert "hunter2" not in done.stdout
    assert 'url = "mqtt://***@broker"  # MQTT_URL' in done.stdout
    assert 'admin_key = "***"  # ocpp-gateway.toml, line 2' in done.stdout
    assert "port = 9000  # default" in done.stdout
    assert "# Address that chargers connect to" in done.stdout
    assert tomllib.loads(done.stdout)["chargers"]["port"] == 9000


def test_check_config_tells_a_mistake_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "ocpp-gateway.toml").write_text("[chargers]\nprot = 1\n")
    done = run(tmp_path, "check-config")
    assert done.returncode == 2
    assert done.stderr.strip() == (
        "error: ocpp-gateway.toml, line 2: unknown option 'prot' in [chargers]; did you mean 'port'?"
    )


def test_check_config_warns_of_what_is_hardly_meant(tmp_path: Path) -> None:
    done = run(tmp_path, "check-config", "--brief", OCPP_GATEWAY_REST_PORT="8081")
    assert done.returncode == 0
    assert done.stderr.strip() == (
        "warning: the variable OCPP_GATEWAY_REST_PORT is not read: the option is spelt OCPP_GATEWAY__REST__PORT"
    )


def test_the_printed_template_is_a_configuration_that_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = run(tmp_path, "check-config", "--defaults").stdout
    assert tomllib.loads(text).keys() == {
        "gateway",
        "chargers",
        "answers",
        "redis",
        "mqtt",
        "rest",
        "webhooks",
        "homeassistant",
    }
    filled = "\n".join(
        line.removeprefix("#") if " = " in line and line.startswith("#") and not line.startswith("# ") else line
        for line in text.splitlines()
        if not line.endswith("# not set")
    )
    path = tmp_path / "all.toml"
    path.write_text(filled)
    monkeypatch.chdir(tmp_path)
    for variable in ("MQTT_URL", "REDIS_URL"):
        monkeypatch.delenv(variable, raising=False)
    settings, plain = load(path).settings, load().settings
    assert settings.model_dump(exclude={"gateway": {"node"}}) == plain.model_dump(exclude={"gateway": {"node"}})


@pytest.mark.parametrize(
    ("listen", "chargers"),
    [
        ("9001", {"port": 9001}),
        ("127.0.0.1:9001", {"port": 9001, "host": "127.0.0.1"}),
        ("[::1]:9001", {"port": 9001, "host": "::1"}),
        (":9001", {"port": 9001}),
    ],
)
def test_listen_takes_host_and_port(listen: str, chargers: dict[str, Any]) -> None:
    assert overrides(listen=listen, data_dir=None) == {"chargers": chargers}


def test_a_wrong_listen_address_is_told(tmp_path: Path) -> None:
    done = run(tmp_path, "serve", "--listen", "nonsense")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--listen wants [HOST:]PORT" in done.stderr


# ------------------------------------------------------------ tail


@pytest.mark.parametrize("command", [["tail"], ["send", "CP-1", "reset"]])
def test_a_broker_that_is_not_there_is_told_in_one_line(tmp_path: Path, command: list[str]) -> None:
    port = free_port()
    done = run(tmp_path, *command, MQTT_URL=f"mqtt://user:hunter2@127.0.0.1:{port}")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: cannot use the MQTT broker at mqtt://127.0.0.1:{port}: ")
    assert done.stderr.count("\n") == 1


def test_a_url_that_is_not_mqtt_is_told(tmp_path: Path) -> None:
    done = run(tmp_path, "tail", MQTT_URL="http://broker")
    assert done.returncode == 2
    assert done.stderr.startswith("error: MQTT_URL: mqtt.url: a broker's URL is mqtt://host:port, ")


def event(charger: str, kind: str, **data: object) -> str:
    return json.dumps(
        {"id": "1", "source": f"/chargers/{charger}", "type": kind, "time": "2026-11-21T08:00:00.000Z", "data": data}
    )


@asynccontextmanager
async def tailing(folder: Path, broker: EmbeddedBroker, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await start(folder, "tail", *options, MQTT_URL=broker.url)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def publish_until_seen(
    broker: EmbeddedBroker, process: asyncio.subprocess.Process, messages: Mapping[str, str]
) -> list[str]:
    """Publish again and again until as many lines came as there are messages: the first tell when tail is ready."""
    assert process.stdout is not None
    async with aiomqtt.Client("127.0.0.1", broker.port, protocol=V5, timeout=60) as client, asyncio.timeout(90):
        reading = asyncio.ensure_future(process.stdout.readline())
        while not reading.done():
            await client.publish("ocpp/chargers/CP-1/event/probe", event("CP-1", "ocpp.probe"), qos=1)
            await asyncio.wait([reading], timeout=0.1)
        for topic, payload in messages.items():
            await client.publish(topic, payload, qos=1)
        lines: list[str] = []
        while len(lines) < len(messages):
            line = (await process.stdout.readline()).decode().rstrip("\n")
            if "probe" not in line:
                lines.append(line)
        return lines


async def test_tail_tells_events_in_words(tmp_path: Path, embedded_broker: EmbeddedBroker) -> None:
    messages = {
        "ocpp/chargers/CP-1/event/charger/connected": event("CP-1", "ocpp.charger.connected", ocpp_version="1.6"),
        "ocpp/chargers/a%2Fb/event/connector/status": event(
            "a%2Fb", "ocpp.connector.status", evse_id=1, connector_id=1, status="suspended_ev", violations=[{}]
        ),
        "ocpp/chargers/CP-1/event/nonsense": "no json [bold]at all[/]",
    }
    async with tailing(tmp_path, embedded_broker) as process:
        first, second, third = await publish_until_seen(embedded_broker, process, messages)
    assert first.endswith("  CP-1  connected with OCPP 1.6")
    assert second.endswith("  a/b  connector 1: suspended ev  (1 deviation from OCPP)")
    assert third == "no json [bold]at all[/]"


async def test_tail_prints_events_as_they_are(tmp_path: Path, embedded_broker: EmbeddedBroker) -> None:
    body = event("CP-1", "ocpp.meter.values", note="x" * 500)
    async with tailing(tmp_path, embedded_broker, "--json") as process:
        (line,) = await publish_until_seen(embedded_broker, process, {"ocpp/chargers/CP-1/event/meter/values": body})
    assert line == body


async def test_tail_of_one_charger_shows_no_other(tmp_path: Path, embedded_broker: EmbeddedBroker) -> None:
    connected = "ocpp.charger.connected"
    messages = {
        "ocpp/chargers/CP-1/event/charger/connected": event("CP-1", connected),
        "ocpp/chargers/CP-2/event/charger/connected": event("CP-2", connected),
        "ocpp/chargers/CP-1/event/charger/booted": event("CP-1", "ocpp.charger.booted", vendor="V", model="M"),
    }
    wanted = {topic: body for topic, body in messages.items() if "CP-1" in topic}
    async with tailing(tmp_path, embedded_broker, "--charger", "CP-1") as process:
        reading = asyncio.create_task(publish_until_seen(embedded_broker, process, wanted))
        async with aiomqtt.Client("127.0.0.1", embedded_broker.port, protocol=V5, timeout=60) as client:
            await client.publish(
                "ocpp/chargers/CP-2/event/charger/connected",
                messages["ocpp/chargers/CP-2/event/charger/connected"],
                qos=1,
            )
        lines = await reading
    assert [line.partition("  ")[2] for line in lines] == ["CP-1  connected", "CP-1  booted: V M"]


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("ocpp.charger.disconnected", {"reason": "superseded"}, "disconnected: superseded"),
        (
            "ocpp.charger.booted",
            {"vendor": "V", "model": "M", "firmware_version": "1.2"},
            "booted: V M, firmware 1.2",
        ),
        (
            "ocpp.connector.status",
            {"evse_id": 2, "connector_id": 3, "status": "faulted", "error": {"code": "HighTemperature"}},
            "evse 2 connector 3: faulted, error HighTemperature",
        ),
        (
            "ocpp.transaction.started",
            {"evse_id": 1, "connector_id": 1, "transaction_id": "t1", "token": {"id": "ABC"}},
            "connector 1: transaction t1 started, token ABC",
        ),
        (
            "ocpp.transaction.ended",
            {"evse_id": 1, "transaction_id": "t1", "energy_wh": 12345, "duration_s": 3723.4, "suspect": ["gap"]},
            "connector 1: transaction t1 ended: 12.345 kWh, in 1:02:03, look at it: gap",
        ),
        (
            "ocpp.meter.values",
            {
                "evse_id": 1,
                "samples": [
                    {"measurand": "Power.Active.Import", "value": 11000, "unit": "W", "phase": None},
                    {"measurand": "Power.Active.Import", "value": 3600, "unit": "W", "phase": "L1"},
                ],
            },
            "connector 1: power 11000 W",
        ),
        ("ocpp.command.result", {"name": "start", "outcome": "offline"}, "command start: offline"),
        ("ocpp.v2x.something_new", {"a": 1, "raw": {}, "b": None}, "v2x something new: a 1"),
    ],
)
def test_words(kind: str, data: dict[str, Any], words: str) -> None:
    assert in_words(kind, data) == words


# ------------------------------------------------------------ send


@asynccontextmanager
async def answering(broker: EmbeddedBroker, answer: dict[str, Any]) -> AsyncIterator[list[tuple[str, Any]]]:
    """A stand-in for the gateway: answers every command; what came is in the list."""
    came: list[tuple[str, Any]] = []

    async def answer_all(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            assert message.properties is not None
            came.append((str(message.topic), json.loads(message.payload)))
            await client.publish(message.properties.ResponseTopic, json.dumps(answer), qos=1)

    async with (
        aiomqtt.Client("127.0.0.1", broker.port, protocol=V5, timeout=60) as client,
        asyncio.TaskGroup() as tasks,
    ):
        await client.subscribe("ocpp/chargers/+/command/+", qos=1)
        await client.subscribe("ocpp/chargers/+/call/+", qos=1)
        task = tasks.create_task(answer_all(client))
        yield came
        task.cancel()


@pytest.mark.parametrize(
    ("arguments", "answer", "code", "topic", "payload"),
    [
        (
            ["CP-1", "start", "token=007", "evse_id=1"],
            {"outcome": "accepted", "result": {}},
            0,
            "ocpp/chargers/CP-1/command/start",
            {"token": "007", "evse_id": 1},
        ),
        (
            ["a/b", "call/Reset", "--json", '{"type": "Soft"}'],
            {"outcome": "offline", "reason": "the charger is not connected"},
            1,
            "ocpp/chargers/a%2Fb/call/Reset",
            {"type": "Soft"},
        ),
    ],
)
async def test_send_prints_the_outcome_and_exits_by_it(
    tmp_path: Path,
    embedded_broker: EmbeddedBroker,
    arguments: list[str],
    answer: dict[str, Any],
    code: int,
    topic: str,
    payload: dict[str, Any],
) -> None:
    async with answering(embedded_broker, answer) as came:
        process = await start(tmp_path, "send", *arguments, MQTT_URL=embedded_broker.url)
        output, errors = await asyncio.wait_for(process.communicate(), 90)
    assert came == [(topic, payload)]
    assert json.loads(output) == answer, errors
    assert process.returncode == code


async def test_send_says_when_nobody_answers(tmp_path: Path, embedded_broker: EmbeddedBroker) -> None:
    process = await start(tmp_path, "send", "CP-1", "unlock", "--wait", "0.2", MQTT_URL=embedded_broker.url)
    _, errors = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode == 1
    assert b"no gateway answered" in errors
    assert errors.count(b"\n") == 1


@pytest.mark.parametrize(
    ("command", "pairs", "as_json", "arguments"),
    [
        ("start", ["token=12345", "evse_id=2"], None, {"token": "12345", "evse_id": 2}),
        ("call/Reset", ["type=Hard"], None, {"type": "Hard"}),
        ("call/X", ["a=[1, 2]", "b=true", "c=a=b"], None, {"a": [1, 2], "b": True, "c": "a=b"}),
        ("set_availability", ["available=false"], '{"evse_id": 1}', {"available": False, "evse_id": 1}),
        ("from_a_later_version", ["x=1"], None, {"x": 1}),
    ],
)
def test_arguments_are_json_where_they_can_be_and_text_where_that_is_wanted(
    command: str, pairs: list[str], as_json: str | None, arguments: dict[str, Any]
) -> None:
    assert parsed_arguments(command, pairs, as_json) == arguments


@pytest.mark.parametrize(("pairs", "as_json"), [(["token"], None), (["=1"], None), ([], "[1]"), ([], "{")])
def test_arguments_that_cannot_be_read_are_refused(pairs: list[str], as_json: str | None) -> None:
    with pytest.raises(ConfigurationError):
        parsed_arguments("start", pairs, as_json)


async def test_serve_that_still_waits_for_redis_ends_at_the_first_signal(tmp_path: Path) -> None:
    url = f"redis://127.0.0.1:{free_port()}"
    process = await start(tmp_path, "serve", REDIS_URL=url, MQTT_URL="mqtt://127.0.0.1:1", OCPP_GATEWAY__REST__PORT="0")
    assert process.stderr is not None
    async with asyncio.timeout(90):
        while b"waiting for redis" not in await process.stderr.readline():
            pass
        process.terminate()
        assert await process.wait() == 0
        assert b"Traceback" not in await process.stderr.read()


async def test_simulate_ends_quietly_when_the_reader_of_its_output_leaves(tmp_path: Path) -> None:
    process = await start(tmp_path, "simulate", "--url", f"ws://127.0.0.1:{free_port()}", "--count", "3")
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.timeout(90):
        assert b"refused" in await process.stdout.readline()
        process.stdout._transport.close()  # type: ignore[attr-defined]  # the only way to let go of a pipe
        assert await process.stderr.read() == b""
        assert await process.wait() == 1
