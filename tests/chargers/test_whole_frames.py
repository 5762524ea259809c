"""Whole text frames read and written in one step: never anything else than what the library would make of them."""

import asyncio
from itertools import pairwise
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from gateway.chargers.websocket import WebSocket
from gateway.chargers.whole_frames import frame_of, frame_size, payload_of
from tests.chargers.harness import PATIENCE, handshake, until

LIMIT = 100_000


def masked(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin=fin).serialize(mask=True)


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 1000, 65535])
def test_a_whole_text_frame_is_unmasked(length: int) -> None:
    payload = bytes(number % 251 for number in range(length))
    frame = masked(Opcode.TEXT, payload)
    assert payload_of(frame, LIMIT) == payload
    assert frame_size(Frame(Opcode.TEXT, payload)) == len(frame)


OTHERS = {
    "nothing": b"",
    "one byte": b"\x81",
    "cut short": masked(Opcode.TEXT, b"x")[:-1],
    "the next one begun": masked(Opcode.TEXT, b"x") + b"\x81",
    "two": masked(Opcode.TEXT, b"x") * 2,
    "binary": masked(Opcode.BINARY, b"x"),
    "ping": masked(Opcode.PING, b"x"),
    "close": masked(Opcode.CLOSE, b"\x03\xe8"),
    "a fragment": masked(Opcode.TEXT, b"x", fin=False),
    "not masked": Frame(Opcode.TEXT, b"xxxxxxx").serialize(mask=False),
    "a reserved bit": b"\xc1" + masked(Opcode.TEXT, b"x")[1:],
    "the longest form of length": masked(Opcode.TEXT, b"x" * 65536),
    "too long": masked(Opcode.TEXT, b"x" * 60_000),
    "a length not in its shortest form": b"\x81\xfe\x00\x05" + b"\0\0\0\0" + b"12345",
}


@pytest.mark.parametrize("case", OTHERS)
def test_everything_else_is_left_to_the_library(case: str) -> None:
    assert payload_of(OTHERS[case], 50_000) is None


@given(st.binary(max_size=70_000))
def test_a_frame_is_written_as_the_library_writes_it(payload: bytes) -> None:
    frame = frame_of(payload)
    if len(payload) < 65536:
        assert frame == Frame(Opcode.TEXT, payload).serialize(mask=False)
    else:
        assert frame is None


class Heard:
    """A listener that notes what it hears."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def text_received(self, text: str) -> None:
        self.texts.append(text)

    def socket_closed(self, code: int, reason: str) -> None:
        return None


async def opened(heard: Heard) -> WebSocket:
    """A WebSocket after its handshake, on a transport that swallows what is written."""
    transport = Mock(spec=asyncio.Transport)
    transport.is_closing.return_value = False
    transport.get_extra_info.return_value = None
    socket = WebSocket(
        lambda socket, request: socket.accept(request, "ocpp1.6", heard) and None,
        max_message_bytes=LIMIT,
        compression=False,
        handshake_timeout=60,
    )
    socket.connection_made(transport)
    socket.data_received(handshake())
    return socket


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[str], bytes, list[int]]:
    """Messages as frames, some in fragments with a ping between them, and where the stream is cut in pieces."""
    texts = draw(st.lists(st.text(st.characters(codec="utf-8"), max_size=300), min_size=1, max_size=6))
    stream = b""
    for text in texts:
        data = text.encode()
        if draw(st.booleans()):
            cut = draw(st.integers(0, len(data)))
            stream += masked(Opcode.TEXT, data[:cut], fin=False) + masked(Opcode.PING, b"")
            stream += masked(Opcode.CONT, data[cut:])
        else:
            stream += masked(Opcode.TEXT, data)
    cuts = draw(st.lists(st.integers(0, len(stream)), max_size=8))
    return texts, stream, sorted({0, *cuts, len(stream)})


@settings(max_examples=150, deadline=None)
@given(streams())
def test_however_a_stream_is_cut_the_same_messages_are_heard(case: tuple[list[str], bytes, list[int]]) -> None:
    texts, stream, cuts = case

    async def hear() -> list[str]:
        heard = Heard()
        socket = await opened(heard)
        for begin, end in pairwise(cuts):
            socket.data_received(stream[begin:end])
        await until(lambda: len(heard.texts) >= len(texts))
        socket.connection_lost(None)
        return heard.texts

    assert asyncio.run(asyncio.wait_for(hear(), PATIENCE)) == texts
