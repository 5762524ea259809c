"""Garbage of every kind: it leaves the session or closes it, leaves no traceback, and no other charger notices."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from tests.chargers.harness import BOOT, METER, PATIENCE, START, Node, handshake, masked, response, running, until


@asynccontextmanager
async def undisturbed(**options: object) -> AsyncIterator[Node]:
    """A node on which another charger is answered, before and after, on the same connection."""
    async with running(**options) as node, node.charger("OTHER") as other:
        yield node
        assert "currentTime" in await other.call("Heartbeat", {})
        assert node.types("OTHER") == ["charger.connected", "charger.booted"]


# ---------------------------------------------------------------- before the handshake is over


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),  # TLS hello on a plain port
        b"hello\r\n",
        b"\r\n\r\n",
        b"\x00" * 5000,
        b"GET /ocpp/CP1\r\n\r\n",
        b"GET /ocpp/CP1 HTTP/1.1\r\nbroken header\r\n\r\n",
        b"POST /ocpp/CP1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET " + b"x" * 20_000,
        b"GET /ocpp/CP1 HTTP/1.1\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"GET /ocpp/CP1 HTTP/1.1\r\nX: " + b"y" * 100_000,
        b"SSH-2.0-OpenSSH_9.6\r\n",
        handshake().replace(b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 7"),
        handshake().replace(b"Sec-WebSocket-Key", b"Sec-WebSocket-Kex"),
    ],
    ids=lambda sent: ascii(sent[:30]),
)
async def test_what_is_no_handshake_is_turned_away_at_once(sent: bytes) -> None:
    async with undisturbed(handshake_timeout=10 * PATIENCE) as node:
        reader, writer = await node.raw()
        writer.write(sent)
        with_response = await asyncio.wait_for(reader.read(), PATIENCE)
        assert b" 101 " not in with_response
        writer.close()
        await until(lambda: {str(owned) for owned in node.store.owned} == {"OTHER"})


@pytest.mark.parametrize("sent", [b"", b"G", b"GET /ocpp/CP1 HTTP/1.1\r\n", handshake()[:-1]], ids=ascii)
async def test_half_a_handshake_is_cut_off_in_time(sent: bytes) -> None:
    async with undisturbed(handshake_timeout=0.3) as node:
        reader, writer = await node.raw()
        writer.write(sent)
        assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        writer.close()


async def test_a_handshake_that_drips_in_is_cut_off_in_time() -> None:
    async with undisturbed(handshake_timeout=0.3) as node:
        reader, writer = await node.raw()
        began = time.monotonic()
        with suppress(ConnectionError):
            for byte in handshake() * 100:
                if reader.at_eof() or writer.transport.is_closing():
                    break
                writer.write(bytes([byte]))
                await asyncio.sleep(0.02)
        assert time.monotonic() - began < PATIENCE / 3


async def test_a_hang_up_at_any_point_of_the_handshake_is_no_problem() -> None:
    request = handshake()
    async with undisturbed() as node:
        for length in range(0, len(request) + 1, 7):
            _, writer = await node.raw()
            writer.write(request[:length])
            writer.close()
        await until(lambda: node.server.connection_count() == 1)


# ---------------------------------------------------------------- WebSocket frames


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (masked(b"\xff\xfe"), 1007),  # text that is not UTF-8
        (masked(b"\xff\xfe", opcode=2), 1003),
        (masked(b"x", opcode=3), 1002),  # reserved opcode
        (b"\x81\x01x", 1002),  # not masked
        (b"\xf1\x81\0\0\0\0x", 1002),  # reserved bits
        (masked(b"x", opcode=0), 1002),  # a continuation of nothing
        (masked(b"x", opcode=9, fin=False), 1002),  # a ping in parts
        (masked(b"x" * 200, opcode=9), 1002),  # a long ping
        (masked(b"\x00", opcode=8), 1002),  # half a close code
        (b"\x81\xff" + (1 << 62).to_bytes(8, "big") + b"\0\0\0\0", 1009),
        (masked(b"x" * 600_000, fin=False) + masked(b"x" * 600_000, opcode=0), 1009),
    ],
    ids=lambda value: ascii(value[:8]) if isinstance(value, bytes) else str(value),
)
async def test_a_broken_frame_closes_its_own_socket_with_the_right_code(frames: bytes, code: int) -> None:
    async with undisturbed() as node:
        reader, writer = await node.raw()
        writer.write(handshake())
        assert (await response(reader))[0] == 101
        writer.write(frames)
        close = await asyncio.wait_for(reader.readexactly(4), PATIENCE)
        assert (close[0], int.from_bytes(close[2:], "big")) == (0x88, code)
        writer.close()
        await until(lambda: node.types()[-1:] == ["charger.disconnected"])


async def test_ten_megabytes_are_too_big_and_the_others_go_on() -> None:
    async with undisturbed() as node, node.charger() as charger:
        with suppress(ConnectionClosed):
            await charger.send("x" * 10_000_000)
        assert await charger.closed() == 1009
        await until(lambda: node.types()[-1] == "charger.disconnected")
        (told,) = node.data("charger.violation")
        assert told["code"] == "message_too_long"
        assert "chargers.max_message_bytes (1048576)" in told["message"]


async def test_a_charger_that_finds_a_message_too_long_has_sent_none() -> None:
    async with undisturbed() as node, node.charger() as charger:
        await charger.socket.close(1009)
        await until(lambda: node.types()[-1] == "charger.disconnected")
        assert node.data("charger.violation") == []


@pytest.mark.parametrize("depth", [70, 300, 1010, 5000, 100_000])
async def test_a_transactions_message_is_taken_however_deep_it_nests(depth: int) -> None:
    deep = "[" * depth + "]" * depth
    async with undisturbed() as node, node.charger() as charger:
        text = json.dumps({**START, "x": 0}).replace('"x": 0', f'"x": {deep}')
        for message_id in ("1", "2"):
            await charger.send(f'[2,"{message_id}","StartTransaction",{text}]')
            answer = await charger.receive()
            assert answer[:2] == [3, message_id]
        (started,) = node.data("transaction.started")
        assert started["raw"] == text
        assert "too_deep" in [violation["code"] for violation in started["violations"]]
        if depth < 10_000:
            assert started["token"]["id"] == START["idTag"]


async def test_one_that_nests_deep_and_bears_a_number_for_its_id_is_answered_too() -> None:
    deep = "[" * 100 + "]" * 100
    async with undisturbed() as node, node.charger() as charger:
        await charger.send(f'[2,7,"StartTransaction",{{"x":{deep}}}]')
        assert (await charger.receive())[:2] == [3, 7]
        (started,) = node.data("transaction.started")
        assert "too_deep" in [violation["code"] for violation in started["violations"]]


async def test_a_message_in_parts_and_one_in_binary_are_read() -> None:
    async with running() as node:
        reader, writer = await node.raw()
        writer.write(handshake())
        assert (await response(reader))[0] == 101
        whole = json.dumps([2, "ü", "BootNotification", BOOT], ensure_ascii=False).encode()
        parts = [whole[:8], whole[8:9], whole[9:]]
        writer.write(masked(parts[0], fin=False) + masked(b"p", opcode=9) + masked(parts[1], opcode=0, fin=False))
        writer.write(masked(parts[2], opcode=0) + masked(b'[2,"bin","Heartbeat",{}]', opcode=2))
        got = await asyncio.wait_for(reader.readuntil(b'[3,"bin",'), PATIENCE)
        assert b"Accepted" in got
        assert b"\x8a\x01p" in got
        writer.close()


# ---------------------------------------------------------------- OCPP frames

LEAVES_THE_SESSION = [
    "",
    "hello",
    "[",
    "[]",
    "{}",
    "null",
    "[2]",
    "[2,1]",
    '[2,"x"]',
    '[2,"x","Heartbeat"]',
    '[2,"x","Heartbeat",null]',
    '[2,"x","Heartbeat",[1]]',
    '[2,"x","BootNotification",{"chargePointVendor":{"a":1},"chargePointModel":[]}]',
    '[2,"x","MeterValues",{"meterValue":{"sampledValue":7}}]',
    '[2,"x","StartTransaction",{"connectorId":"a","idTag":7,"meterStart":"x","timestamp":9}]',
    '[2,"x","StopTransaction",{"transactionId":null}]',
    '[2,"x","StopTransaction",{"transactionId":1e400,"meterStop":-1}]',
    '[2,"x","StatusNotification",{"connectorId":99999999999999999999999999,"status":{}}]',
    '[2,"x","Authorize",{"idTag":"\\ud800"}]',
    '[2,"\\ud800","Data\\udfff",{"\\ud800":1}]',
    '[2,"x","DataTransfer",{"vendorId":"v","data":"\x00\x01"}]',
    '[2,"x","DataTransfer",{"data":' + "[" * 5000 + "]" * 5000 + "}]",
    "[" * 100_000,
    '[3,"x",{}]',
    '[4,"x"]',
    '[5,"x","y"]',
    '[6,"x","z",{}]',
    '[7,"x","z",{}]',
    '[2,"x","Fly",{}]',
    '[2,"x","Reset",{}]',
    "[2," + "9" * 5000 + ',"Heartbeat",{}]',
    '[2,"' + "i" * 5000 + '","Heartbeat",{}]',
    '[2,"x","' + "A" * 5000 + '",{}]',
    "\ufeff\x00",
]


@pytest.mark.parametrize("subprotocol", ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])
@pytest.mark.parametrize("strict", [False, True])
async def test_the_session_outlives_every_odd_text(subprotocol: str, strict: bool) -> None:
    async with undisturbed(strict=strict) as node, node.charger(subprotocol=subprotocol, boot=False) as charger:
        for text in LEAVES_THE_SESSION:
            await charger.send(text)
        await charger.post("Heartbeat", {}, "last")
        while (frame := await charger.receive())[1] != "last":
            assert frame[0] in (3, 4)
        assert frame[0] == 3


@pytest.mark.parametrize("subprotocol", ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])
async def test_the_session_outlives_fuzzed_messages(subprotocol: str) -> None:
    seed = random.Random(subprotocol)
    event = {"eventType": "Started", "seqNo": 0, "transactionInfo": {"transactionId": "t"}}
    payloads = {"StartTransaction": START, "MeterValues": METER, "BootNotification": BOOT, "TransactionEvent": event}
    texts = [json.dumps([2, "x", action, payload]) for action, payload in payloads.items()]
    async with undisturbed() as node, node.charger(subprotocol=subprotocol, boot=False) as charger:

        async def read() -> None:
            while (await charger.receive())[1] != "last":
                pass

        reading = asyncio.create_task(read())
        for _ in range(400):
            text = list(seed.choice(texts))
            for _ in range(seed.randrange(6)):
                at = seed.randrange(len(text))
                text[at : at + seed.randrange(3)] = seed.choice('[]{}",:\\0\u00e9\n1e-')
            await charger.send("".join(text))
        await charger.post("Heartbeat", {}, "last")
        async with asyncio.timeout(PATIENCE):
            await reading


async def test_what_is_no_message_becomes_an_event_at_a_bounded_rate() -> None:
    async with running() as node, node.charger() as charger:
        for number in range(50):
            await charger.send(f"garbage {number}")
        await charger.call("Heartbeat", {})
        await until(lambda: node.data("charger.violation"))
        assert len(node.data("charger.violation")) < 10
        assert node.data("charger.violation")[0]["raw"] == "garbage 0"


async def test_a_message_for_nobody_is_forwarded_and_refused() -> None:
    async with running() as node, node.charger() as charger:
        await charger.post("Fly", {"high": True}, "f")
        assert (await charger.receive())[:3] == [4, "f", "NotImplemented"]
        await charger.post("Reset", {"type": "Soft"}, "r")
        assert (await charger.receive())[:3] == [4, "r", "NotSupported"]
        assert [event["raw"] for event in node.data("message")] == [{"high": True}, {"type": "Soft"}]


async def test_a_send_is_taken_and_not_answered() -> None:
    async with running() as node, node.charger(subprotocol="ocpp2.1") as charger:
        await charger.send('[6,"s","NotifyPeriodicEventStream",{"id":1,"pending":0,"basetime":"x","data":[]}]')
        assert "currentTime" in await charger.call("Heartbeat", {})
        assert node.data("stream.data")[0]["raw"]["id"] == 1


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.binary(max_size=200), max_size=6))
def test_any_bytes_on_any_socket_leave_the_server_standing(chunks: list[bytes]) -> None:
    async def scenario() -> None:
        async with undisturbed() as node:
            for greeting in (b"", handshake()):
                _, writer = await node.raw()
                writer.write(greeting)
                for chunk in chunks:
                    writer.write(chunk)
                writer.close()
            await until(lambda: node.server.connection_count() == 1)

    asyncio.run(scenario())
