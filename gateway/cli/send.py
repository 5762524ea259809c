"""`send`: a command to a charger over MQTT, and its outcome."""

import asyncio
import json
import secrets
from typing import Any

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from rich.console import Console

from gateway.cli.mqtt_access import Access
from gateway.core.commands import CALL_PREFIX, validated_arguments
from gateway.core.errors import CommandInvalid, ConfigurationError, GatewayError
from gateway.core.identity import percent_encode


class NoAnswer(GatewayError):
    """No gateway answered in time; whether the charger got the command is unknown."""


def parsed_arguments(command: str, pairs: list[str], as_json: str | None) -> dict[str, Any]:
    """The arguments of the command line. Raises ConfigurationError where they cannot be read.

    A value is JSON if it can be read as such, else text; where the command wants text, it is text (token=007).
    """
    arguments = {} if as_json is None else _object(as_json)
    texts: dict[str, str] = {}
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not separator or not name:
            raise ConfigurationError(f"arguments are KEY=VALUE, not {pair!r}", source="command line")
        texts[name] = text
        arguments[name] = _value(text)
    try:
        validated_arguments(command, arguments)
    except CommandInvalid as error:
        for problem in error.problems:
            if problem["location"] in texts:
                arguments[problem["location"]] = texts[problem["location"]]
    return arguments


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"--json is not JSON: {error}", source="command line") from error
    if not isinstance(value, dict):
        raise ConfigurationError("--json wants a JSON object", source="command line")
    return value


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


async def send_command(access: Access, charger: str, command: str, arguments: dict[str, Any], *, wait: float) -> int:
    """Send a command, print its outcome; 0 if it was accepted, else 1.

    Raises BrokerUnreachable, and NoAnswer after `wait` seconds.
    """
    try:
        async with access.client() as client:
            result = await exchange(client, access, charger, command, arguments, wait)
    except aiomqtt.MqttError as error:
        raise access.unreachable(error) from error
    _show(result)
    return 0 if result.get("outcome") == "accepted" else 1


async def exchange(
    client: aiomqtt.Client, access: Access, charger: str, command: str, arguments: dict[str, Any], wait: float
) -> dict[str, Any]:
    """Send a command over a connected client; the gateway's answer. Raises NoAnswer after `wait` seconds."""
    reply = f"{access.prefix}/reply/{secrets.token_hex(8)}"
    await client.subscribe(reply, qos=1)
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.ResponseTopic = reply
    properties.CorrelationData = secrets.token_bytes(8)
    properties.MessageExpiryInterval = max(1, round(wait))
    name = command if command.startswith(CALL_PREFIX) else f"command/{command}"
    await client.publish(
        f"{access.prefix}/chargers/{percent_encode(charger)}/{name}",
        json.dumps(arguments),
        qos=1,
        properties=properties,
    )
    try:
        async with asyncio.timeout(wait):
            message = await anext(aiter(client.messages))
    except TimeoutError:
        raise NoAnswer(
            f"no gateway answered on {reply} within {wait:g} s; whether the charger got the command is unknown"
        ) from None
    payload = message.payload
    try:
        result = json.loads(payload if isinstance(payload, bytes | bytearray | str) else "null")
    except ValueError:
        result = None
    return result if isinstance(result, dict) else {"outcome": None, "reason": f"unreadable answer: {payload!r}"}


def _show(result: dict[str, Any]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.out(json.dumps(result), highlight=False)
        return
    outcome = str(result.get("outcome"))
    reason = f" ({result['reason']})" if result.get("reason") else ""
    console.print(outcome, style="bold green" if outcome == "accepted" else "bold red", end="")
    console.print(reason, markup=False)
    if result.get("result"):
        console.print_json(data=result["result"])
