"""TLS for chargers: versions and certificates, theirs and ours, and what becomes of a handshake that fails.

asyncio's own server drops a charger that fails it without a word: an operator must see which charger trusts another
certificate or speaks a TLS that is too old.
"""

import asyncio
import socket
import ssl
import warnings
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import structlog

from gateway.chargers.admission_rate import TokenBucket
from gateway.chargers.config import ChargersConfig, TlsVersion
from gateway.core.errors import ConfigurationError

_log = structlog.get_logger(__name__)

FAILURES_TOLD = 20
"""Failed handshakes that are logged in FAILURE_WINDOW; a charger that cannot connect tries again and again."""

FAILURE_WINDOW = 60.0

BACKLOG = 4096
"""Connections that may wait to be accepted."""

RELOAD_INTERVAL = 5.0
"""Seconds between two looks at the certificates' files."""

ACCEPT_RETRY = 1.0
"""Seconds after which accepting is tried again where the system cannot (too many open files)."""

CLOSE_SECONDS = 1.0
"""Seconds that handshakes under way get to end when the listener is closed, so that the chargers hear an answer."""

VERSIONS: dict[TlsVersion, ssl.TLSVersion] = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}

OBSOLETE: frozenset[TlsVersion] = frozenset({"1.0", "1.1"})

DEMANDED_SUITES = ("AES128-GCM-SHA256", "AES256-GCM-SHA384")
"""TLS_RSA_WITH_AES_..., which every central system must offer beside the better ones (security extension of 1.6, A00;
2.x part 2, A00.FR.319). They lack forward secrecy, and are spoken where a charger knows nothing else."""


def tls_context(config: ChargersConfig) -> ssl.SSLContext:
    """The listener's context, from the files as they are now. Raises ConfigurationError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if config.tls_minimum in OBSOLETE:
        # OpenSSL 3 has the old versions, and their signatures with SHA-1, only at this level.
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    else:
        offered = [suite["name"] for suite in context.get_ciphers() if suite["protocol"] != "TLSv1.3"]
        context.set_ciphers(":".join([*offered, *DEMANDED_SUITES]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = VERSIONS[config.tls_minimum]
    for certificate, key in zip(config.tls_certificate, config.tls_key, strict=True):
        _load_certificate(context, certificate, key)
    if config.tls_client_ca is not None:
        _ask_for_certificates(context, config.tls_client_ca, required=config.tls_client_certificate == "required")
    return context


def _load_certificate(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    def no_password() -> bytes:
        # Without this, OpenSSL would ask on the terminal, and all would wait for it.
        raise ConfigurationError(f"[chargers] tls_key {key} is encrypted; it must be stored without a password")

    try:
        context.load_cert_chain(certificate, key, no_password)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"[chargers] tls_certificate {certificate} and tls_key {key}: {error}") from error


def _ask_for_certificates(context: ssl.SSLContext, authorities: Path, *, required: bool) -> None:
    """Ask chargers for their certificates (OCPP 2.x part 2, A00.FR.401 to 403; the security extension of 1.6)."""
    try:
        context.load_verify_locations(authorities)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"[chargers] tls_client_ca {authorities}: {error}") from error
    context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL


class TlsListener:
    """Listens, leads chargers through their TLS handshakes, and tells of those that fail.

    `new_protocol` makes the protocol of a connection, `spawn` runs tasks, `failed` is called for each failure, with
    the remote address and why. Each
    handshake takes a token out of `bucket`; while it is empty, chargers wait to be accepted. Where the files of
    certificates change, handshakes from then on go by the new ones.
    """

    def __init__(
        self,
        config: ChargersConfig,
        *,
        bucket: TokenBucket | None,
        new_protocol: Callable[[], asyncio.Protocol],
        spawn: "Callable[..., asyncio.Task[None]]",
        failed: Callable[[str, str], None],
    ) -> None:
        """Raises ConfigurationError for files that cannot be used."""
        self._config, self._bucket = config, bucket
        self._files_read = self._files()
        self._context = tls_context(config)
        self._new_protocol, self._spawn, self._failed = new_protocol, spawn, failed
        self._sockets: list[socket.socket] = []
        self._accepting: set[asyncio.Task[None]] = set()
        self._handshakes: set[asyncio.Task[None]] = set()
        self._told = 0
        self._window_began = float("-inf")

    async def listen(self, host: str, port: int, *, reuse_port: bool = False) -> int:
        """Accept chargers from now on; the port. Raises OSError."""
        if self._config.tls_minimum in OBSOLETE:
            _log.warning("obsolete TLS is allowed for chargers", minimum=self._config.tls_minimum,
                         advice="it can be broken; keep such chargers in a network of their own")  # fmt: skip
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        try:
            for family, _, _, _, address in dict.fromkeys(found):
                listening = socket.create_server(address[:2], family=family, backlog=BACKLOG, reuse_port=reuse_port)
                self._sockets.append(listening)
                listening.setblocking(False)
        except OSError:
            self.close()
            raise
        for listening in self._sockets:
            self._begin(self._accepting, self._accept(listening), "TLS listener")
        self._begin(self._accepting, self._follow_files(), "TLS certificates")
        return int(self._sockets[0].getsockname()[1])

    def close(self) -> None:
        """Accept nobody any more."""
        for task in self._accepting:
            task.cancel()
        for listening in self._sockets:
            listening.close()

    async def wait_closed(self) -> None:
        """Return when no handshake is under way any more; those that take long are given up."""
        if self._handshakes:
            _, late = await asyncio.wait(self._handshakes, timeout=CLOSE_SECONDS)
            for task in late:
                task.cancel()

    def _begin(self, among: "set[asyncio.Task[None]]", work: Coroutine[Any, Any, None], name: str) -> None:
        task = self._spawn(work, name=name)
        among.add(task)
        task.add_done_callback(among.discard)

    async def _may_go_on(self) -> None:
        """Take a token, and wait until it is there."""
        bucket = self._bucket
        if bucket is not None:
            tokens = bucket.tokens(asyncio.get_running_loop().time())
            bucket.take()
            if tokens < 1:
                await asyncio.sleep((1 - tokens) / bucket.rate)

    # ------------------------------------------------------------ the files

    def _files(self) -> list[tuple[int, ...] | None]:
        """By what a changed file is known; None for one that is not there."""
        config = self._config
        paths = [*config.tls_certificate, *config.tls_key, *filter(None, [config.tls_client_ca])]
        return [_mark(path) for path in paths]

    async def _follow_files(self) -> None:
        while True:
            await asyncio.sleep(RELOAD_INTERVAL)
            files = self._files()
            if files != self._files_read:
                self._files_read = files
                self._reload()

    def _reload(self) -> None:
        # A new context knows no sessions of the old one, so nobody resumes by what is not trusted any more.
        try:
            self._context = tls_context(self._config)
        except ConfigurationError as error:
            # As a rule the certificate is there already, and its key is on the way.
            _log.warning("changed certificates cannot be used; the old ones stay", reason=str(error))
        else:
            _log.info("certificates read anew")

    # ------------------------------------------------------------ handshakes

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._may_go_on()
            try:
                accepted, address = await loop.sock_accept(listening)
            except ConnectionError:
                continue
            except OSError as error:
                _log.error("no charger can be accepted", reason=str(error))
                await asyncio.sleep(ACCEPT_RETRY)
                continue
            self._begin(self._handshakes, self._handshake(accepted, f"{address[0]}:{address[1]}"), "TLS handshake")

    async def _handshake(self, accepted: socket.socket, remote: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(
                self._new_protocol, accepted, ssl=self._context, ssl_handshake_timeout=self._config.handshake_timeout
            )
        except OSError as error:  # a TimeoutError is one, too
            self._tell(remote, error)

    def _tell(self, remote: str, error: Exception) -> None:
        reason = why(error)
        self._failed(remote, reason)
        now = asyncio.get_running_loop().time()
        if now - self._window_began > FAILURE_WINDOW:
            if self._told > FAILURES_TOLD:
                _log.warning("more TLS handshakes failed", count=self._told - FAILURES_TOLD)
            self._window_began, self._told = now, 0
        self._told += 1
        if self._told <= FAILURES_TOLD:
            _log.warning("TLS handshake failed", remote=remote, reason=reason)


def _mark(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


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
        "PEER_DID_NOT_RETURN_A_CERTIFICATE": 'it shows no certificate; [chargers] tls_client_certificate = "optional" '
        "lets it in by its password",
        "CERTIFICATE_VERIFY_FAILED": f"its certificate is not valid: {getattr(error, 'verify_message', '')}",
    }.get(str(reason))
    if advice is not None:
        return f"{advice} ({reason})"
    if isinstance(error, ConnectionAbortedError | TimeoutError):
        return "too slow"
    if isinstance(error, ConnectionError):
        return "the charger hung up"
    return str(reason or error or type(error).__name__)
