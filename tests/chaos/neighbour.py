"""A charger that nobody wants for a neighbour: floods the gateway with garbage, or asks and never listens.

`python -m tests.chaos.neighbour garbage|deaf PORT IDENTITY` goes on until it is killed; it says "under way" first.
"""

import asyncio
import json
import random
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

GARBAGE: tuple[str | bytes, ...] = (
    "",
    "no json",
    "[" * 100_000,
    '{"a":' * 5_000,
    "[2]",
    '[2,"id","StartTransaction"]',
    '[2,"id",17,{}]',
    '[2,"id","StartTransaction",[]]',
    '[2,"id","StartTransaction",{"connectorId":"\\u0000","meterStart":1e999}]',
    '[3,"never-asked",{}]',
    '[4,"never-asked"]',
    '[99,"id",{}]',
    "x" * 500_000,
    b"\x00\xff\xfe",
    json.dumps([2, "m", "MeterValues", {"connectorId": 1, "meterValue": [{"sampledValue": [{}] * 2000}]}]),
    json.dumps([2, "s", "Nonsense", {"a": "b" * 10_000}]),
)


async def flood(port: int, identity: str) -> None:
    """Send garbage as fast as the gateway takes it, and connect again where that is the gateway's answer."""
    dice, url = random.Random(identity), f"ws://127.0.0.1:{port}/{identity}"
    sent = 0
    while True:
        try:
            async with connect(
                url, subprotocols=[Subprotocol("ocpp1.6")], proxy=None, ping_interval=None, close_timeout=1
            ) as charger:
                while True:
                    await charger.send(dice.choice(GARBAGE))
                    sent += 1
                    if sent == len(GARBAGE):
                        print("under way", flush=True)
        except (ConnectionClosed, InvalidStatus, OSError, TimeoutError):
            await asyncio.sleep(0.01)


async def ask_and_never_listen(port: int, identity: str) -> None:
    """Ask until the gateway takes no more, read nothing of what it answers, and begin anew where it hangs up."""
    text = b'[2,"deaf","Heartbeat",{}]'
    frame = bytes([0x81, 0x80 | len(text)]) + bytes(4) + text
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(
            f"GET /{identity} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n".encode()
            + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            + b"Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        print("under way", flush=True)
        try:
            while True:
                writer.write(frame * 100)
                await writer.drain()
        except OSError:
            writer.transport.abort()


if __name__ == "__main__":
    behaviours = {"garbage": flood, "deaf": ask_and_never_listen}
    asyncio.run(behaviours[sys.argv[1]](int(sys.argv[2]), sys.argv[3]))
