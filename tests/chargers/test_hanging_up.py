"""A charger that hangs up in the middle of its handshake."""

import asyncio

from websockets.http11 import Request

from gateway.chargers.websocket import WebSocket
from tests.chargers.harness import PATIENCE, until

HANDSHAKE = (
    b"GET /ocpp/CP1 HTTP/1.1\r\nHost: gateway\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
)


async def test_a_refusal_in_the_very_turn_in_which_the_charger_hangs_up_is_no_error() -> None:
    """Raised in the task of a handshake it would end the node, with all its chargers."""
    requests: list[Request] = []
    refused = asyncio.Event()

    class RefusedAtItsEnd(WebSocket):
        def eof_received(self) -> bool:
            keep_open = super().eof_received()
            self.reject(503, "try again later", {"Retry-After": "5"})
            refused.set()
            return keep_open

    def socket() -> WebSocket:
        return RefusedAtItsEnd(
            lambda _, request: requests.append(request),
            max_message_bytes=1024,
            compression=False,
            handshake_timeout=PATIENCE,
        )

    server = await asyncio.get_running_loop().create_server(socket, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
    writer.write(HANDSHAKE)
    await until(lambda: requests, "the handshake's request arrives")
    writer.write_eof()
    async with asyncio.timeout(PATIENCE):
        await refused.wait()
        assert await reader.read() == b"", "nothing is answered to one that has gone"
    writer.close()
    server.close()
