"""TLS for chargers: which versions are spoken, and what becomes of a handshake that fails.

The handshake is not left to the listener, which would drop a charger that fails it without a word: an operator must
see which charger trusts another certificate or speaks a TLS that is too old.
"""

import asyncio
import ssl
import warnings
from collections.abc import Callable

import structlog

from gateway.chargers.config import ChargersConfig, TlsVersion
from gateway.core.errors import ConfigurationError

_log = structlog.get_logger(__name__)

FAILURES_TOLD = 20
"""Failed handshakes that are logged in FAILURE_WINDOW; a charger that cannot connect tries again and again."""

FAILURE_WINDOW = 60.0

VERSIONS: dict[TlsVersion, ssl.TLSVersion] = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}

OBSOLETE: frozenset[TlsVersion] = frozenset({"1.0", "1.1"})


def tls_context(config: ChargersConfig) -> ssl.SSLContext | None:
    """The listener's context; None where it has no certificate. Raises ConfigurationError."""
    if config.tls_certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if config.tls_minimum in OBSOLETE:
        _log.warning("obsolete TLS is allowed for chargers", minimum=config.tls_minimum,
                     advice="it can be broken; keep such chargers in a network of their own")  # fmt: skip
        # OpenSSL 3 has the old versions, and their signatures with SHA-1, only at this level.
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = VERSIONS[config.tls_minimum]
    try:
        context.load_cert_chain(config.tls_certificate, config.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"[chargers] tls_certificate {config.tls_certificate} and tls_key {config.tls_key}: {error}"
        ) from error
    return context


class TlsDoor(asyncio.Protocol):
    """A charger's socket until its TLS handshake is over; keeps what arrives right behind it."""

    __slots__ = ("_door", "_early", "_lost")

    def __init__(self, door: "TlsDoors") -> None:
        self._door = door
        self._early = bytearray()
        self._lost: tuple[Exception | None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._door.knocked(self, transport)

    def data_received(self, data: bytes) -> None:
        self._early += data

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = (exc,)

    def hand_over(self, transport: asyncio.Transport, inner: asyncio.Protocol) -> None:
        """From now on the inner protocol has the (decrypted) connection."""
        transport.set_protocol(inner)
        inner.connection_made(transport)
        if self._early:
            inner.data_received(bytes(self._early))
        if self._lost is not None:
            inner.connection_lost(self._lost[0])


class TlsDoors:
    """Leads chargers through their TLS handshakes, and tells of those that fail.

    `spawn` runs a handshake as a task; `new_inner` makes the protocol that gets the connection.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        timeout: float,
        new_inner: Callable[[], asyncio.Protocol],
        spawn: "Callable[..., asyncio.Task[None]]",
        failed: Callable[[], None],
    ) -> None:
        self._context, self._timeout = context, timeout
        self._new_inner, self._spawn, self._failed = new_inner, spawn, failed
        self._handshakes: set[asyncio.Task[None]] = set()
        self._told = 0
        self._window_began = float("-inf")

    def new_door(self) -> TlsDoor:
        """For a socket that was just accepted."""
        return TlsDoor(self)

    def knocked(self, door: TlsDoor, transport: asyncio.Transport) -> None:
        handshake = self._spawn(self._handshake(door, transport), name="TLS handshake")
        self._handshakes.add(handshake)
        handshake.add_done_callback(self._handshakes.discard)

    def close(self) -> None:
        """Give up what is not through yet: the server stops."""
        for handshake in self._handshakes:
            handshake.cancel()

    async def _handshake(self, door: TlsDoor, transport: asyncio.Transport) -> None:
        peer = transport.get_extra_info("peername")
        remote = f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else "unknown"
        loop = asyncio.get_running_loop()
        try:
            secured = await loop.start_tls(
                transport, door, self._context, server_side=True, ssl_handshake_timeout=self._timeout
            )
        except OSError as error:  # a TimeoutError is one, too
            self._tell(remote, error)
            transport.abort()
            return
        except asyncio.CancelledError:
            transport.abort()
            raise
        if secured is None:
            return
        door.hand_over(secured, self._new_inner())

    def _tell(self, remote: str, error: Exception) -> None:
        self._failed()
        now = asyncio.get_running_loop().time()
        if now - self._window_began > FAILURE_WINDOW:
            if self._told > FAILURES_TOLD:
                _log.warning("more TLS handshakes failed", count=self._told - FAILURES_TOLD)
            self._window_began, self._told = now, 0
        self._told += 1
        if self._told <= FAILURES_TOLD:
            _log.warning("TLS handshake failed", remote=remote, reason=why(error))


def why(error: Exception) -> str:
    """What went wrong in a TLS handshake, with what to do where that is known."""
    reason = getattr(error, "reason", None)
    advice = {
        "HTTP_REQUEST": "not TLS: connect with wss://",
        "WRONG_VERSION_NUMBER": "not TLS: connect with wss://",
        "UNSUPPORTED_PROTOCOL": "its TLS is too old; [chargers] tls_minimum may allow it",
        "NO_SHARED_CIPHER": "no cipher in common; [chargers] tls_minimum may allow older ones",
        "TLSV1_ALERT_UNKNOWN_CA": "it does not trust the gateway's certificate",
        "SSLV3_ALERT_BAD_CERTIFICATE": "it does not trust the gateway's certificate",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it does not trust the gateway's certificate",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED": "it finds the gateway's certificate expired; is its clock right?",
    }.get(str(reason))
    if advice is not None:
        return f"{advice} ({reason})"
    if isinstance(error, ConnectionAbortedError | TimeoutError):
        return "too slow"
    if isinstance(error, ConnectionError):
        return "the charger hung up"
    return str(reason or error or type(error).__name__)
