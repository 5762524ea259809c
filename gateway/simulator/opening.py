"""The handshake as a charger makes it: identity in the path, subprotocol, Basic auth, TLS."""

import ssl
from base64 import b64encode
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from gateway.core.errors import ConfigurationError, GatewayError
from gateway.simulator.options import SimulatorOptions

CLOSE_TIMEOUT = 2.0


class ConnectionRefused(GatewayError):
    """The CSMS could not be reached or did not take the charger."""


async def open_socket(
    identity: str, options: SimulatorOptions, subprotocol: str, tls: ssl.SSLContext | None
) -> ClientConnection:
    """Connect to the CSMS. Raises ConnectionRefused."""
    url = f"{options.url.rstrip('/')}/{quote(identity, safe='')}"
    try:
        socket = await connect(
            url,
            subprotocols=[Subprotocol(subprotocol)],
            additional_headers=_headers(identity, options.password),
            compression=None,
            proxy=None,
            ssl=tls,
            open_timeout=options.connect_timeout,
            ping_interval=options.ping_interval,
            ping_timeout=options.ping_interval,
            close_timeout=CLOSE_TIMEOUT,
        )
    except (OSError, WebSocketException) as error:
        raise ConnectionRefused(str(error) or type(error).__name__) from error
    if socket.subprotocol != subprotocol:
        await socket.close(1002, "no subprotocol in common")
        raise ConnectionRefused(f"the CSMS does not speak {subprotocol}")
    return socket


def tls_context(options: SimulatorOptions) -> ssl.SSLContext | None:
    """What to trust, None without TLS; raises ConfigurationError where the CA file is none."""
    if not options.url.startswith("wss://"):
        return None
    try:
        return ssl.create_default_context(cafile=None if options.tls_ca is None else str(options.tls_ca))
    except OSError as error:
        raise ConfigurationError(f"cannot read the CA: {error}", source=str(options.tls_ca)) from error


def _headers(identity: str, password: str | bytes | None) -> dict[str, str]:
    if password is None:
        return {}
    secret = password.encode() if isinstance(password, str) else password
    return {"Authorization": "Basic " + b64encode(identity.encode() + b":" + secret).decode()}
