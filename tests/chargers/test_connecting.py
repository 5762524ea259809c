"""Handshakes over real sockets; the quirk numbers are those of the list of real chargers' misbehaviour."""

import asyncio
import base64
import json

import pytest
from websockets.exceptions import InvalidStatus

from gateway.chargers import giving_up
from gateway.chargers.door import RETRY_AFTER
from gateway.core.identity import ChargerId
from tests.chargers.conftest import Entries
from tests.chargers.harness import BOOT, BOOT_2X, PATIENCE, Node, handshake, masked, response, running, until
from tests.support.leaping import LeapingClock

CP1 = ChargerId("CP1")
PING = b"\x89\x00"


def basic(user: str, password: bytes) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(user.encode() + b":" + password).decode()}


async def answer_to(node: Node, request: bytes) -> tuple[int, dict[str, str]]:
    reader, writer = await node.raw()
    writer.write(request)
    answer = await response(reader)
    writer.close()
    return answer


# ---------------------------------------------------------------- who may come in


async def test_while_the_store_is_away_chargers_are_told_to_come_back() -> None:
    async with running() as node:
        node.store.available.clear()
        status, headers = await answer_to(node, handshake())
        assert status == 503
        assert RETRY_AFTER <= int(headers["retry-after"]) <= 2 * RETRY_AFTER
        node.store.available.set()
        async with node.charger():
            assert CP1 in node.store.owned


async def test_a_store_that_answers_too_late_is_as_good_as_away() -> None:
    clock = LeapingClock()
    async with running(clock=clock, handshake_timeout=600) as node:
        node.store.prompt.clear()
        reader, writer = await node.raw()
        writer.write(handshake())
        await until(lambda: node.store.asked == 1)
        clock.leap(601)
        status, headers = await response(reader)
        assert (status, "retry-after" in headers) == (503, True)
        assert CP1 not in node.store.epochs
        writer.close()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 404),
        ("//", 404),
        ("/ocpp/" + "x" * 49, 400),
        ("/ocpp/%ff", 400),
        ("http://[", 400),
        ("http://gateway", 404),
    ],
)
async def test_a_path_that_names_no_charger_is_refused(path: str, status: int) -> None:
    async with running() as node:
        assert (await answer_to(node, handshake(path)))[0] == status
        assert node.store.asked == 0


async def test_what_asks_for_no_websocket_is_told_to_upgrade() -> None:
    async with running() as node:
        status, headers = await answer_to(node, b"GET /ocpp/CP1 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (status, headers["upgrade"]) == (426, "websocket")
        assert node.store.asked == 0


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (None, "needs its password"),
        (basic("CP1", b"wrong"), "wrong password"),
        (basic("CP2", b"secret"), "user name"),
        ({"Authorization": "Basic !"}, "base64"),
        ({"Authorization": "Bearer secret"}, "Basic"),
    ],
)
async def test_a_charger_with_a_password_must_give_it(
    headers: dict[str, str] | None, reason: str, log: Entries
) -> None:
    async with running() as node:
        node.store.passwords[CP1] = b"secret"
        with pytest.raises(InvalidStatus) as refused:
            async with node.charger(headers=headers):
                pass
        assert refused.value.response.status_code == 401
        assert refused.value.response.headers["WWW-Authenticate"].startswith("Basic")
        assert CP1 not in node.store.epochs
        assert any(reason in str(entry.get("reason")) for entry in log)
        assert "secret" not in str(log)
        async with node.charger(headers=basic("CP1", b"secret")), node.charger("CP2"):
            pass


@pytest.mark.parametrize("sent", [b"\x01\xab\xff", b"01abff", b"01ABFF"])
async def test_a_password_may_come_as_bytes_or_as_hex(sent: bytes) -> None:
    """Quirk 9 (OCTT TC_085)."""
    for stored in (b"\x01\xab\xff", b"01abff"):
        async with running() as node:
            node.store.passwords[CP1] = stored
            async with node.charger(headers=basic("CP1", sent)):
                pass


async def test_without_a_stored_password_nobody_comes_in_where_one_is_required() -> None:
    async with running(require_password=True) as node:
        with pytest.raises(InvalidStatus) as refused:
            async with node.charger(headers=basic("CP1", b"")):
                pass
        assert refused.value.response.status_code == 401


# ---------------------------------------------------------------- how chargers ask


async def opened(node: Node, request: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, dict[str, str]]:
    reader, writer = await node.raw()
    writer.write(request)
    status, headers = await response(reader)
    assert status == 101
    return reader, writer, headers


async def boots(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(masked(json.dumps([2, "b", "BootNotification", BOOT]).encode()))
    async with asyncio.timeout(PATIENCE):
        head = await reader.readexactly(2)
        text = await reader.readexactly(head[1])
    assert json.loads(text)[2]["status"] == "Accepted"
    writer.close()


@pytest.mark.parametrize(
    ("request_bytes", "identity"),
    [
        (handshake(protocol=None), "CP1"),  # quirk 1, with a default version configured
        (handshake(connection=None), "CP1"),  # quirk 2: no Connection header
        (handshake(connection="keep-alive"), "CP1"),
        (handshake("http://gateway:9000/ocpp/CP1"), "CP1"),  # quirk 3: absolute URL
        (handshake("/ocpp//CP1"), "CP1"),  # quirk 4: double slash
        (handshake("//CP1//"), "CP1"),
        (handshake("/ocpp/CP%201"), "CP 1"),  # quirk 4: percent-encoded
        (handshake("/ocpp/CP 1"), "CP 1"),  # quirk 4: a raw space
        (handshake("/ocpp/Säule"), "Säule"),  # quirk 4: raw UTF-8
        (handshake("/ocpp/CP1?token=x"), "CP1"),
    ],
    ids=lambda value: value if isinstance(value, str) else ascii(value[:40]),
)
async def test_odd_handshakes_are_understood(request_bytes: bytes, identity: str) -> None:
    async with running(default_subprotocol="ocpp1.6") as node:
        reader, writer, _ = await opened(node, request_bytes)
        await boots(reader, writer)
        assert node.types(identity)[:2] == ["charger.connected", "charger.booted"]


async def test_a_handshake_may_come_byte_by_byte_and_with_the_first_message_behind_it() -> None:
    async with running() as node:
        reader, writer = await node.raw()
        for byte in handshake():
            writer.write(bytes([byte]))
            await writer.drain()
        assert (await response(reader))[0] == 101
        await boots(reader, writer)
        reader, writer = await node.raw()
        writer.write(handshake("/CP2") + masked(json.dumps([2, "e", "Heartbeat", {}]).encode()))
        assert (await response(reader))[0] == 101
        assert b'[3,"e",' in await asyncio.wait_for(reader.readuntil(b"}]"), PATIENCE)
        writer.close()


@pytest.mark.parametrize(
    ("protocol", "told"), [(None, "default_subprotocol"), ("ocpp1.5", "ocpp1.5"), ("soap, ocpp9", "ocpp9")]
)
async def test_without_a_common_version_the_handshake_ends_and_the_socket_closes(
    protocol: str | None, told: str, log: Entries
) -> None:
    async with running() as node:
        reader, writer, headers = await opened(node, handshake(protocol=protocol))
        assert "sec-websocket-protocol" not in headers
        frame = await asyncio.wait_for(reader.readexactly(4), PATIENCE)
        assert (frame[0], int.from_bytes(frame[2:4], "big")) == (0x88, 1002)
        (entry,) = [entry for entry in log if entry["event"] == "no common subprotocol"]
        assert told in entry["reason"]
        assert node.store.owned == set()
        writer.close()


async def test_the_stored_version_wins() -> None:
    async with running() as node:
        node.store.subprotocols[CP1] = "ocpp2.0.1"
        _, writer, headers = await opened(node, handshake(protocol="ocpp1.6, ocpp2.0.1"))
        assert headers["sec-websocket-protocol"] == "ocpp2.0.1"
        writer.close()


async def test_a_charger_may_change_its_version_between_connections() -> None:
    """Quirk 5."""
    async with running() as node:
        for subprotocol, payload in (("ocpp1.6", BOOT), ("ocpp2.0.1", BOOT_2X), ("ocpp2.1", BOOT_2X)):
            async with node.charger(subprotocol=subprotocol, boot=False) as charger:
                await charger.call("BootNotification", payload)
                state = json.loads(node.store.fields[CP1]["charger"])
                assert (state["ocpp_version"], state["vendor"]) == (subprotocol.removeprefix("ocpp"), "Vendor")
            await until(lambda: not node.store.owned)


async def test_an_identity_is_kept_exactly_as_it_is_spelt() -> None:
    async with running() as node, node.charger("cp1"), node.charger("CP1"):
        assert node.store.owned == {ChargerId("cp1"), CP1}


# ---------------------------------------------------------------- hanging up in the middle


async def test_a_charger_that_hangs_up_while_redis_thinks_is_not_claimed(log: Entries) -> None:
    async with running() as node:
        node.store.prompt.clear()
        _, writer = await node.raw()
        writer.write(handshake())
        await until(lambda: node.store.asked == 1)
        writer.close()
        await writer.wait_closed()
        await until(lambda: any(socket_is_gone(task) for task in asyncio.all_tasks()))
        node.store.prompt.set()
        await until(lambda: any(entry.get("reason") == "the charger hung up" for entry in log))
        assert CP1 not in node.store.epochs


def socket_is_gone(task: "asyncio.Task[object]") -> bool:
    coroutine = task.get_coro()
    frame = getattr(coroutine, "cr_frame", None)
    return task.get_name().startswith("charger at") and frame is not None and frame.f_locals["socket"].closed


@pytest.mark.parametrize("before", [None, "online"])
async def test_a_claim_whose_charger_hung_up_is_given_back(before: str | None, log: Entries) -> None:
    async with running() as node:
        if before == "online":
            async with node.charger() as charger:
                await charger.call("Heartbeat", {})
                old = node.connection()
                await hang_up_during_claim(node, log)
                assert await charger.closed() == 1000
                assert old is not None
            assert node.types()[-1] == "charger.disconnected"
        else:
            await hang_up_during_claim(node, log)
            assert node.types() == []
        await until(lambda: CP1 not in node.store.owned)
        assert node.store.fields.get(CP1, {}).get("availability") in (None, b"offline")


async def hang_up_during_claim(node: Node, log: Entries) -> None:
    claims, epoch = node.store.claim, node.store.epochs.get(CP1, 0)
    held = asyncio.Event()

    async def claim(charger: ChargerId, *, above: int = 0):  # type: ignore[no-untyped-def]
        claimed = await claims(charger, above=above)
        await held.wait()
        return claimed

    node.store.claim = claim  # type: ignore[method-assign]
    _, writer = await node.raw()
    writer.write(handshake())
    await until(lambda: node.store.epochs.get(CP1, 0) > epoch)
    writer.close()
    await until(lambda: any(socket_is_gone(task) for task in asyncio.all_tasks()))
    held.set()
    await until(lambda: any(entry.get("reason") == "the charger hung up" for entry in log))
    node.store.claim = claims  # type: ignore[method-assign]


async def test_a_charger_is_released_even_if_redis_is_away_at_its_farewell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving_up, "RETRY", 0.01)
    async with running() as node:
        async with node.charger():
            release = node.store.release

            async def away(charger: ChargerId, epoch: int) -> None:
                node.store.available.clear()
                node.store.release = release  # type: ignore[method-assign]
                await release(charger, epoch)

            node.store.release = away  # type: ignore[method-assign]
        await until(lambda: not node.store.available.is_set())
        assert CP1 in node.store.owned
        node.store.available.set()
        await until(lambda: CP1 not in node.store.owned)


# ---------------------------------------------------------------- silence


async def test_a_charger_that_never_answers_pings_stays_as_long_as_it_sends() -> None:
    """Quirk 8 (mh#626): what counts is that anything arrives."""
    clock = LeapingClock()
    async with running(clock=clock, ping_interval=100, idle_timeout=600) as node:
        reader, writer, _ = await opened(node, handshake())
        for _ in range(4):  # longer than the time-out
            clock.leap(200)
            await asyncio.wait_for(reader.readuntil(PING), PATIENCE)
            writer.write(masked(b'[2,"h","Heartbeat",{}]'))
            assert b'[3,"h",' in await asyncio.wait_for(reader.readuntil(b"}]"), PATIENCE)
        assert node.server.connection_count() == 1
        writer.close()


async def test_a_silent_charger_is_pinged_and_at_last_given_up() -> None:
    clock = LeapingClock()
    async with running(clock=clock, ping_interval=100, idle_timeout=600) as node:
        reader, writer, _ = await opened(node, handshake())
        clock.leap(200)
        await asyncio.wait_for(reader.readuntil(PING), PATIENCE)
        clock.leap(500)
        await asyncio.wait_for(reader.readuntil((1001).to_bytes(2, "big")), PATIENCE)
        writer.close()
        await until(lambda: node.types()[-1:] == ["charger.disconnected"])
        assert node.data("charger.disconnected")[0]["reason"].startswith("1001 nothing received")


async def test_pongs_alone_keep_a_connection() -> None:
    clock = LeapingClock()
    async with running(clock=clock, ping_interval=100, idle_timeout=600) as node, node.charger() as charger:
        for _ in range(4):  # longer than the time-out
            clock.leap(200)
            silent_since = clock.monotonic()
            await until(lambda since=silent_since: node.connection().socket.last_received > since)  # type: ignore[misc]
        assert "currentTime" in await charger.call("Heartbeat", {})


# ---------------------------------------------------------------- options


async def test_compression_is_an_option_and_off_by_default() -> None:
    for offered in (False, True):
        async with running(compression=offered) as node, node.charger(compression="deflate") as charger:
            assert bool(charger.socket.protocol.extensions) == offered
            assert "currentTime" in await charger.call("Heartbeat", {})
