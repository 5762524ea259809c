"""`tail`: follow events, as lines for people or as JSON."""

import asyncio
import json
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import aiomqtt
from rich.console import Console
from rich.text import Text

from gateway.cli.mqtt_access import Access
from gateway.cli.words import in_words
from gateway.core.identity import percent_encode

_RECONNECT_DELAY = 1.0

_STYLES = {"started": "green", "ended": "green", "connected": "cyan", "disconnected": "yellow", "booted": "cyan"}


async def follow(access: Access, *, chargers: list[str], as_json: bool) -> int:
    """Print events until cancelled. Raises BrokerUnreachable where the broker cannot be reached at first."""
    console = Console(highlight=False, soft_wrap=True)
    notes = Console(stderr=True, highlight=False, soft_wrap=True)
    connected = False
    while True:
        try:
            async with access.client() as client:
                for charger in chargers or ["+"]:
                    name = charger if charger == "+" else percent_encode(charger)
                    await client.subscribe(f"{access.prefix}/chargers/{name}/event/#", qos=1)
                if not connected and console.is_terminal:
                    notes.print(f"[dim]following {access.prefix}/chargers/{'+' if not chargers else '...'}/event/#[/]")
                connected = True
                async for message in client.messages:
                    show(console, message.payload, as_json=as_json)
        except aiomqtt.MqttError as error:
            if not connected:
                raise access.unreachable(error) from error
            notes.print(f"[yellow]connection to the broker lost ({error}), trying again ...[/]")
            await asyncio.sleep(_RECONNECT_DELAY)


def show(console: Console, payload: object, *, as_json: bool) -> None:
    """Print one event."""
    text = payload.decode("utf-8", "replace") if isinstance(payload, bytes | bytearray) else str(payload)
    if as_json:
        console.out(text, highlight=False)
        return
    try:
        event = json.loads(text)
        line = _line(event)
    except (ValueError, KeyError, TypeError, AttributeError):
        line = Text(text)
    console.print(line)


def _line(event: dict[str, Any]) -> Text:
    time = datetime.fromisoformat(event["time"]).astimezone().strftime("%H:%M:%S")
    charger = unquote(event["source"].rpartition("/")[2])
    style = _STYLES.get(event["type"].rpartition(".")[2], "")
    line = Text.assemble((time, "dim"), "  ", (charger, "bold"), "  ", (in_words(event["type"], event["data"]), style))
    violations = event["data"].get("violations")
    if violations:
        line.append(f"  ({len(violations)} deviation{'s' if len(violations) > 1 else ''} from OCPP)", "yellow")
    return line
